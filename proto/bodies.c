// Codecs of message bodies, in the order of PROTOCOL.md 5: only the directions that the broker, a worker or
// the supervisor need. The other directions are in python/troupe and in the browser's script; proto/vectors/
// holds bytes that all of them must agree on.
//
// Decoders meet whatever a peer sends (tests/fuzz/fuzz_codec.c). They fill a local struct and copy it to *ret
// only on success, so that a caller never sees half a body; the first error of the reader sticks, so they
// look at it once. Encoders know how many keys they will write before the first one, because a msgpack map
// starts with its count: the sum in writer_map() must match the keys below it, or the peer finds the body
// malformed.
#include "proto/bodies.h"

// reader_bin() limits the size from above only; an id that is too short is malformed as well.
static id16
s_id(reader *in, const char *key)
{
    id16 id = {{0}};
    slice bytes = reader_bin(in, key, ID_SIZE);
    if (bytes.size == ID_SIZE)
        memcpy(id.bytes, bytes.data, ID_SIZE);
    else if (!in->error)
        in->error = ERR_MALFORMED;
    return id;
}

// MOUNT (PROTOCOL.md 5.1). A missing `view` is not the id of zeros: the worker then chooses one.
err
mount_decode(slice body, mount_body *ret)
{
    reader in;
    reader_init(&in, body);
    mount_body decoded = {
        .path = reader_str(&in, "path", MAX_VIEW_PATH),
        .params = reader_map(&in, "params", MAX_REQUEST_BODY),
        .request = reader_opt_map(&in, "request", MAX_REQUEST_BODY),
        .init = reader_opt_map(&in, "init", MAX_REQUEST_BODY),
        .identity = reader_opt_bin(&in, "identity", MAX_IDENTITY),
        .has_view = reader_has(&in, "view"),
    };
    if (decoded.has_view)
        decoded.view = s_id(&in, "view");
    if (!in.error)
        *ret = decoded;
    return in.error;
}

// `path`, `params` and `init` are required although a session that is known ignores them: whether it is
// known is only seen at its owner.
static err
s_join_view(slice element, join_view *ret)
{
    reader in;
    reader_init(&in, element);
    join_view decoded = {
        .view = s_id(&in, "view"),
        .version = reader_uint(&in, "version"),
        .path = reader_str(&in, "path", MAX_VIEW_PATH),
        .params = reader_map(&in, "params", MAX_REQUEST_BODY),
        .init = reader_opt_map(&in, "init", MAX_REQUEST_BODY),
        .url = reader_opt_str(&in, "url", MAX_URL),
    };
    if (!in.error)
        *ret = decoded;
    return in.error;
}

// JOIN (PROTOCOL.md 5.1). The count is compared before the loop writes to views[], which has MAX_VIEWS
// elements: it is a number from a peer.
err
join_decode(slice body, join_body *ret)
{
    reader in;
    reader_init(&in, body);
    join_body decoded = {
        .generation = reader_uint(&in, "generation"),
        .identity = reader_opt_bin(&in, "identity", MAX_IDENTITY),
        .request = reader_map(&in, "request", MAX_REQUEST_BODY),
    };
    slice views = reader_list(&in, "views", MAX_REQUEST_BODY);
    if (in.error)
        return in.error;
    if (msgpack_count(views) > MAX_VIEWS)
        return ERR_TOO_LARGE;
    size_t cursor = 0;
    slice element;
    while (msgpack_next(views, &cursor, &element)) {
        err error = s_join_view(element, &decoded.views[decoded.count++]);
        if (error)
            return error;
    }
    *ret = decoded;
    return OK;
}

// EVENT. The event's number is the header's sequence, not part of the body.
err
event_decode(slice body, event_body *ret)
{
    reader in;
    reader_init(&in, body);
    event_body decoded = {
        .view = s_id(&in, "view"),
        .name = reader_str(&in, "name", MAX_EVENT_NAME),
        .params = reader_map(&in, "params", MAX_REQUEST_BODY),
    };
    if (!in.error)
        *ret = decoded;
    return in.error;
}

err
view_decode(slice body, id16 *ret_view)
{
    reader in;
    reader_init(&in, body);
    id16 view = s_id(&in, "view");
    if (!in.error)
        *ret_view = view;
    return in.error;
}

// REFRESH. `chunks` stays a raw list, each element of which has been checked.
err
refresh_decode(slice body, refresh_body *ret)
{
    reader in;
    reader_init(&in, body);
    refresh_body decoded = {
        .view = s_id(&in, "view"),
        .chunks = reader_opt_names(&in, "chunks", MAX_CHUNKS_ASKED, MAX_CHUNK_HASH),
        .whole = reader_opt_bool(&in, "whole"),
    };
    if (!in.error)
        *ret = decoded;
    return in.error;
}

err
ack_decode(slice body, ack_body *ret)
{
    reader in;
    reader_init(&in, body);
    ack_body decoded = {.view = s_id(&in, "view"), .version = reader_uint(&in, "version")};
    if (!in.error)
        *ret = decoded;
    return in.error;
}

err
logout_decode(slice body, slice *ret_identity)
{
    reader in;
    reader_init(&in, body);
    slice identity = reader_bin(&in, "identity", MAX_IDENTITY);
    // An empty identity is nobody's: it would match, and end, every session without one.
    if (!in.error && identity.size == 0)
        return ERR_MALFORMED;
    if (!in.error)
        *ret_identity = identity;
    return in.error;
}

// View and event are optional: they come from a black box whose writer may have died in the middle of
// them.
static err
s_running(slice element, running_turn *ret)
{
    reader in;
    reader_init(&in, element);
    running_turn decoded = {
        .session = s_id(&in, "session"),
        .sequence = reader_uint(&in, "sequence"),
        .view = reader_opt_str(&in, "view", MAX_VIEW_PATH),
        .event = reader_opt_str(&in, "event", MAX_EVENT_NAME),
    };
    if (!in.error)
        *ret = decoded;
    return in.error;
}

// EXITED (PROTOCOL.md 5.1), which anybody at the front socket may send. The broker passes `pid` to
// kill(2), where 0 and negative numbers mean process groups: hence its limits.
err
exited_decode(slice body, exited_body *ret)
{
    reader in;
    reader_init(&in, body);
    uint64_t pid = reader_uint(&in, "pid");
    slice running = reader_opt_list(&in, "running", MAX_REQUEST_BODY);
    if (in.error)
        return in.error;
    if (pid == 0)
        return ERR_MALFORMED;
    if (pid > INT32_MAX || msgpack_count(running) > MAX_RUNNING)
        return ERR_TOO_LARGE;
    exited_body decoded = {.pid = pid};
    size_t cursor = 0;
    slice element;
    while (msgpack_next(running, &cursor, &element)) {
        err error = s_running(element, &decoded.running[decoded.count++]);
        if (error)
            return error;
    }
    *ret = decoded;
    return OK;
}

// `running` is left out when nothing is to blame, and so are texts that the black box did not have.
void
exited_encode(const exited_body *self, buffer *out)
{
    writer writer = writer_on(out);
    writer_map(writer, 1U + (self->count > 0));
    writer_key_uint(writer, "pid", self->pid);
    if (!self->count)
        return;
    writer_key(writer, "running");
    writer_list(writer, self->count);
    for (unsigned i = 0; i < self->count; i++) {
        const running_turn *each = &self->running[i];
        writer_map(writer, 2U + (each->view.size > 0) + (each->event.size > 0));
        writer_key_bin(writer, "session", slice_of(each->session.bytes, ID_SIZE));
        writer_key_uint(writer, "sequence", each->sequence);
        if (each->view.size)
            writer_key_str(writer, "view", each->view);
        if (each->event.size)
            writer_key_str(writer, "event", each->event);
    }
}

void
reason_encode(const char *reason, slice message, buffer *out)
{
    writer writer = writer_on(out);
    writer_map(writer, message.size ? 2 : 1);
    writer_key_str(writer, "reason", slice_text(reason));
    if (message.size)
        writer_key_str(writer, "message", message);
}

// The texts are only printed or logged, which is what the limits are for.
err
reason_decode(slice body, reason_body *ret)
{
    reader in;
    reader_init(&in, body);
    reason_body decoded = {reader_str(&in, "reason", 64), reader_opt_str(&in, "message", 1024)};
    if (!in.error)
        *ret = decoded;
    return in.error;
}

// An empty map: a body is never absent (PROTOCOL.md 2 counts frames).
void
empty_encode(buffer *out)
{
    writer_map(writer_on(out), 0);
}

// REGISTER. A worker without a name could not be told from others in logs and in placement.
err
register_decode(slice body, register_body *ret)
{
    reader in;
    reader_init(&in, body);
    register_body decoded = {
        .name = reader_str(&in, "name", MAX_WORKER_NAME),
        .pid = reader_uint(&in, "pid"),
        .threads = reader_uint(&in, "threads"),
        .version = reader_str(&in, "version", 32),
    };
    if (!in.error && decoded.name.size == 0)
        return ERR_MALFORMED;
    if (!in.error)
        *ret = decoded;
    return in.error;
}

void
register_encode(const register_body *self, buffer *out)
{
    writer writer = writer_on(out);
    writer_map(writer, 4);
    writer_key_str(writer, "name", self->name);
    writer_key_uint(writer, "pid", self->pid);
    writer_key_uint(writer, "threads", self->threads);
    writer_key_str(writer, "version", self->version);
}

// `dead_ms` came later than the rest of WELCOME: a broker that does not send it has the default
// (PROTOCOL.md 10).
err
welcome_decode(slice body, welcome_body *ret)
{
    reader in;
    reader_init(&in, body);
    welcome_body decoded = {reader_uint(&in, "boot"), reader_uint(&in, "heartbeat_ms"),
                            reader_opt_bool(&in, "snapshots"),
                            reader_opt_uint(&in, "dead_ms", WORKER_DEAD_MS)};
    if (!in.error)
        *ret = decoded;
    return in.error;
}

// Optional keys are written only where they differ from what their absence means.
void
welcome_encode(const welcome_body *self, buffer *out)
{
    writer writer = writer_on(out);
    bool says_dead = self->dead_ms != WORKER_DEAD_MS;
    writer_map(writer, 2 + self->snapshots + says_dead);
    writer_key_uint(writer, "boot", self->boot);
    writer_key_uint(writer, "heartbeat_ms", self->heartbeat_ms);
    if (self->snapshots) {
        writer_key(writer, "snapshots");
        writer_bool(writer, true);
    }
    if (says_dead)
        writer_key_uint(writer, "dead_ms", self->dead_ms);
}

// IDENTIFY. With the boot of its WELCOME the worker drops its sessions; with another it announces them.
void
identify_encode(uint64_t boot, buffer *out)
{
    writer writer = writer_on(out);
    writer_map(writer, 1);
    writer_key_uint(writer, "boot", boot);
}

err
identify_decode(slice body, uint64_t *ret_boot)
{
    reader in;
    reader_init(&in, body);
    uint64_t boot = reader_uint(&in, "boot");
    if (!in.error)
        *ret_boot = boot;
    return in.error;
}

static const char *const s_announced[] = {"held", "unadopted", "attached", "detached"};

// ANNOUNCE. Only the list's frame is checked here; announce_next() checks each element, so that a long
// list is never held as structs.
err
announce_decode(slice body, announce_body *ret)
{
    reader in;
    reader_init(&in, body);
    announce_body decoded = {reader_list(&in, "sessions", MAX_REQUEST_BODY), reader_opt_bool(&in, "last")};
    if (!in.error && msgpack_count(decoded.sessions) > MAX_ANNOUNCED)
        return ERR_TOO_LARGE;
    if (!in.error)
        *ret = decoded;
    return in.error;
}

// A client is named exactly when the session is attached: otherwise the broker would have nobody to send
// PUSH and ENDED to, or would send them to a client that has left.
err
announce_next(const announce_body *self, size_t *cursor, announced *ret)
{
    slice element;
    if (!msgpack_next(self->sessions, cursor, &element))
        return ERR_AGAIN;
    reader in;
    reader_init(&in, element);
    *ret = (announced){0};
    slice id = reader_bin(&in, "session", ID_SIZE);
    ret->epoch = reader_uint(&in, "epoch");
    slice state = reader_str(&in, "state", 16);
    ret->client = reader_opt_bin(&in, "client", MAX_ROUTING_ID);
    if (in.error || id.size != ID_SIZE)
        return in.error ? in.error : ERR_MALFORMED;
    memcpy(ret->session.bytes, id.data, ID_SIZE);
    for (unsigned i = 0; i < sizeof s_announced / sizeof *s_announced; i++)
        if (slice_is(state, s_announced[i])) {
            ret->state = (announced_state)i;
            return (i == ANNOUNCED_ATTACHED) == (ret->client.size > 0) ? OK : ERR_MALFORMED;
        }
    return ERR_MALFORMED;
}

// `last` stands before the list: the elements are appended by the caller, so nothing can follow them.
void
announce_begin(buffer *out, uint32_t count, bool last)
{
    writer writer = writer_on(out);
    writer_map(writer, last ? 2 : 1);
    if (last) {
        writer_key(writer, "last");
        writer_bool(writer, true);
    }
    writer_key(writer, "sessions");
    writer_list(writer, count);
}

void
announce_add(buffer *out, const announced *announced)
{
    writer writer = writer_on(out);
    writer_map(writer, announced->client.size ? 4 : 3);
    writer_key_bin(writer, "session", slice_of(announced->session.bytes, ID_SIZE));
    writer_key_uint(writer, "epoch", announced->epoch);
    writer_key_str(writer, "state", slice_text(s_announced[announced->state]));
    if (announced->client.size)
        writer_key_bin(writer, "client", announced->client);
}

err
heartbeat_decode(slice body, heartbeat_body *ret)
{
    reader in;
    reader_init(&in, body);
    heartbeat_body decoded = {
        .sent = reader_uint(&in, "sent"),
        .sessions = reader_uint(&in, "sessions"),
        .views = reader_uint(&in, "views"),
        .queued = reader_uint(&in, "queued"),
        .running = reader_uint(&in, "running"),
        .busy_ms = reader_uint(&in, "busy_ms"),
        .turns = reader_uint(&in, "turns"),
        .parked = reader_opt_uint(&in, "parked", 0),
    };
    if (!in.error)
        *ret = decoded;
    return in.error;
}

// Figures of load beside `sent`, which the broker echoes: that is what proves the worker alive to itself.
void
heartbeat_encode(const heartbeat_body *self, buffer *out)
{
    writer writer = writer_on(out);
    writer_map(writer, self->parked ? 8 : 7);
    writer_key_uint(writer, "sent", self->sent);
    writer_key_uint(writer, "sessions", self->sessions);
    writer_key_uint(writer, "views", self->views);
    writer_key_uint(writer, "queued", self->queued);
    writer_key_uint(writer, "running", self->running);
    writer_key_uint(writer, "busy_ms", self->busy_ms);
    writer_key_uint(writer, "turns", self->turns);
    if (self->parked)
        writer_key_uint(writer, "parked", self->parked);
}

err
echo_decode(slice body, echo_body *ret)
{
    reader in;
    reader_init(&in, body);
    echo_body decoded = {reader_uint(&in, "sent"), reader_uint(&in, "boot")};
    if (!in.error)
        *ret = decoded;
    return in.error;
}

void
echo_encode(const echo_body *self, buffer *out)
{
    writer writer = writer_on(out);
    writer_map(writer, 2);
    writer_key_uint(writer, "sent", self->sent);
    writer_key_uint(writer, "boot", self->boot);
}
