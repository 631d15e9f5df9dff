// An input is a program: what a broker sends to a whole worker, when its turns run, what its views do, and
// how time passes (decision 30). Sessions, epochs, numbers and generations are mostly ones in use, and
// snapshots mostly those that the worker sent; any message may be mutated after it was composed.
//
// Checked beyond "no crash" and what worker_world.h checks: when all turns have run and the broker takes
// messages, each request has its reply, and no view or scope is left open.
#include "proto/bodies.h"
#include "proto/snapshot.h"
#include "tests/fuzz/worker_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    HOW_SLOTS = 0x01,  // pages have slots, else whole roots
    HOW_STORES = 0x02, // the broker has a store
    MAX_BURST = 24,
    DRAIN_ROUNDS = 6,
};

// --- requests -------------------------------------------------------------------------------------------

static const uint8_t s_requests[] = {
    MSG_MOUNT, MSG_JOIN,  MSG_EVENT, MSG_EVENT, MSG_EVENT,  MSG_UNMOUNT, MSG_REFRESH, MSG_SHUTDOWN,
    MSG_STATS, MSG_LEAVE, MSG_ACK,   MSG_PING,  MSG_LOGOUT, MSG_JOIN,    MSG_MOUNT,   MSG_EVENT,
};

// The session's epoch, a new one, the one before, or none. The world issues epochs, as the broker would.
static uint64_t
s_epoch(unsigned number, unsigned how)
{
    if (how == 1 || !world.epochs[number])
        world.epochs[number] = ++world.newest;
    return how == 2 ? world.epochs[number] - 1 : how == 3 ? 0 : world.epochs[number];
}

// For an event mostly the next number; else a repeat or a gap.
static uint64_t
s_sequence(uint8_t type, unsigned number, unsigned how)
{
    if (type != MSG_EVENT)
        return SEQUENCE_REQUEST | ++world.sequence;
    if (how < 2)
        return ++world.events[number];
    return how == 2 ? world.events[number] : world.events[number] + 2;
}

// JOIN's views: one or two, known to the session or not, and now and then one that the fake refuses.
static void
s_put_views(writer writer, uint8_t how)
{
    unsigned count = 1 + (how >> 3 & 1);
    writer_key(writer, "views");
    writer_list(writer, count);
    for (unsigned i = 0; i < count; i++) {
        id16 id = world_view((how >> 4) + i);
        writer_map(writer, 4);
        writer_key_bin(writer, "view", slice_of(id.bytes, ID_SIZE));
        writer_key_uint(writer, "version", how % 4);
        writer_key_str(writer, "path", slice_text(how % 8 == 7 ? "refused" : "shop.Cart"));
        writer_key(writer, "params");
        writer_map(writer, 0);
    }
}

// Mostly by the session's user, with the current generation.
static void
s_put_join(writer writer, unsigned number, uint8_t how)
{
    writer_map(writer, 4);
    writer_key_uint(writer, "generation", world.generations[number] - (how >> 7));
    writer_key_bin(writer, "identity", slice_text(how % 16 == 15 ? "bob" : "ann"));
    writer_key(writer, "request");
    writer_map(writer, 0);
    s_put_views(writer, how);
}

static void
s_put_mount(writer writer, uint8_t how)
{
    id16 id = world_view(how);
    writer_map(writer, how & 0x10 ? 4 : 3);
    writer_key_str(writer, "path", slice_text(how % 8 == 7 ? "refused" : "shop.Cart"));
    writer_key(writer, "params");
    writer_map(writer, 0);
    writer_key_bin(writer, "identity", slice_text("ann"));
    if (how & 0x10)
        writer_key_bin(writer, "view", slice_of(id.bytes, ID_SIZE));
}

// The names are the fake's handlers (tests/worker/fake.c), and one that it lacks.
static void
s_put_event(writer writer, uint8_t how)
{
    static const char *const names[] = {"increment", "nothing", "later", "raise", "missing", "increment"};
    id16 id = world_view(how >> 4);
    writer_map(writer, 3);
    writer_key_bin(writer, "view", slice_of(id.bytes, ID_SIZE));
    writer_key_str(writer, "name", slice_text(names[how % 6]));
    writer_key(writer, "params");
    writer_map(writer, 0);
}

// The body of UNMOUNT, REFRESH and ACK at once: unknown keys are ignored (PROTOCOL.md 5).
static void
s_put_view(writer writer, uint8_t how)
{
    id16 id = world_view(how >> 4);
    writer_map(writer, how % 4 ? 3 : 2);
    writer_key_bin(writer, "view", slice_of(id.bytes, ID_SIZE));
    writer_key_uint(writer, "version", how % 4);
    if (how % 4 == 1) {
        writer_key(writer, "chunks");
        writer_list(writer, 2);
        writer_str(writer, slice_text("pagepage"));
        writer_str(writer, slice_text("nobody's"));
    } else if (how % 4) {
        writer_key(writer, "whole");
        writer_bool(writer, how % 4 == 2);
    }
}

static void
s_put_body(uint8_t type, unsigned number, uint8_t how)
{
    buffer *body = draft_frame(&world.draft);
    writer writer = writer_on(body);
    if (type == MSG_JOIN) {
        s_put_join(writer, number, how);
    } else if (type == MSG_MOUNT) {
        s_put_mount(writer, how);
    } else if (type == MSG_EVENT) {
        s_put_event(writer, how);
    } else if (type == MSG_UNMOUNT || type == MSG_REFRESH || type == MSG_ACK) {
        s_put_view(writer, how);
    } else if (type == MSG_LOGOUT) {
        writer_map(writer, 1);
        writer_key_bin(writer, "identity", slice_text("ann"));
    } else {
        empty_encode(body);
    }
}

// Composes a client's request, as the broker forwards it.
static void
s_ask(void)
{
    static const uint16_t flags[] = {FLAG_BROWSER,
                                     0,
                                     FLAG_HTML | FLAG_PAGE,
                                     FLAG_UNADOPTED | FLAG_EMBED,
                                     FLAG_BROWSER | FLAG_AGAIN,
                                     FLAG_RESTORED,
                                     FLAG_WHOLE,
                                     FLAG_BROWSER};
    static const uint32_t ttls[] = {0, 0, 1, 5000};
    uint8_t who = program_byte(&world.program), what = program_byte(&world.program),
            how = program_byte(&world.program);
    unsigned number = who % SESSIONS;
    header head = {
        .version = PROTOCOL_VERSION, .type = s_requests[what % 16], .flags = flags[(what >> 4) % 8]};
    head.ttl = ttls[who >> 6];
    head.session = head.type == MSG_LOGOUT ? (id16){{0}} : world_session(number);
    head.epoch = s_epoch(number, (who >> 2) % 4);
    head.sequence = s_sequence(head.type, number, (who >> 4) % 4);
    slice asker = world_client(what >> 7 ? how : number);
    draft_begin(&world.draft);
    buffer_slice(draft_frame(&world.draft), asker);
    draft_header(&world.draft, &head);
    s_put_body(head.type, number, how);
}

// --- control --------------------------------------------------------------------------------------------

// ROOT_PROGRESS, with values that a worker would not write in some cases: they come over a socket.
static void
s_put_progress(buffer *out, uint8_t how)
{
    size_t opened = snapshot_open(out, ROOT_PROGRESS);
    writer writer = writer_on(out);
    writer_map(writer, 5);
    writer_key_uint(writer, "last", how & 1 ? UINT64_MAX : how >> 4);
    writer_key_uint(writer, "generation", how % 4);
    writer_key(writer, "heard");
    writer_bool(writer, how & 2);
    writer_key_uint(writer, "numbers", how & 4 ? UINT32_MAX : 3);
    writer_key(writer, "versions");
    writer_list(writer, 2);
    writer_uint(writer, how % 8);
    writer_uint(writer, 1);
    snapshot_close(out, opened);
}

// ROOT_SESSION, in some cases with a view or a number twice.
static void
s_put_session(buffer *out, uint8_t how)
{
    size_t opened = snapshot_open(out, ROOT_SESSION);
    unsigned count = how % 4;
    writer writer = writer_on(out);
    writer_map(writer, 2);
    writer_key_bin(writer, "identity", slice_text("ann"));
    writer_key(writer, "views");
    writer_list(writer, count);
    for (unsigned i = 0; i < count; i++) {
        id16 id = world_view(how & 0x10 ? 0 : i);
        writer_map(writer, 3);
        writer_key_bin(writer, "view", slice_of(id.bytes, ID_SIZE));
        writer_key_uint(writer, "number", how & 0x20 ? 0 : i);
        writer_key_str(writer, "path", slice_text(how & 0x40 ? "refused" : "shop.Cart"));
    }
    snapshot_close(out, opened);
}

// What only a session that migrates has: ROOT_LEASE, with kinds that do not exist too, and ROOT_REQUESTS.
static void
s_put_expiry(buffer *out, uint8_t how)
{
    size_t opened = snapshot_open(out, ROOT_LEASE);
    writer writer = writer_on(out);
    writer_map(writer, 3);
    writer_key_uint(writer, "kind", how % 8);
    writer_key_uint(writer, "left_ms", how & 8 ? UINT64_MAX : 1000);
    writer_key_uint(writer, "unsent", how >> 4);
    snapshot_close(out, opened);
    for (unsigned i = 0; i < 2; i++) {
        opened = snapshot_open(out, ROOT_REQUESTS | i);
        writer_map(writer, 1);
        writer_key_str(writer, "url", slice_text("/cart/"));
        snapshot_close(out, opened);
    }
}

// A reply that is kept for repeats, of types that answer no event, too, and with or without a body.
static void
s_put_reply(buffer *out, uint8_t how)
{
    static const uint8_t types[] = {MSG_DONE, MSG_FAILED, MSG_UNKNOWN, MSG_WELCOME, MSG_JOINED, MSG_EVENT};
    header head = {.version = PROTOCOL_VERSION, .type = types[how % 6], .sequence = how >> 4};
    uint8_t bytes[HEADER_SIZE + 1] = {0};
    header_encode(&head, bytes);
    bytes[HEADER_SIZE] = 0x80;
    snapshot_put(out, ROOT_REPLIES | (how >> 4 & 7), slice_of(bytes, sizeof bytes - (how & 8 ? 1 : 0)));
}

// Either one that the worker itself sent, or a forged one.
static void
s_put_snapshot(void)
{
    buffer *out = draft_frame(&world.draft);
    uint8_t how = program_byte(&world.program);
    unsigned known = world.snapshot_count < SNAPSHOTS ? world.snapshot_count : SNAPSHOTS;
    if (how % 2 && known) {
        buffer_slice(out, buffer_bytes(&world.snapshots[(how >> 1) % known]));
        return;
    }
    snapshot_begin(out, SNAPSHOT_FULL);
    s_put_progress(out, program_byte(&world.program));
    s_put_session(out, program_byte(&world.program));
    if (how & 4)
        s_put_expiry(out, program_byte(&world.program));
    if (how & 8)
        s_put_reply(out, program_byte(&world.program));
    if (how & 16)
        snapshot_put(out, snapshot_root(how >> 5, 3), slice_of(&world.messages, sizeof(int)));
    if (how & 32)
        snapshot_put(out, ROOT_SETTLED, slice_of(&world.newest, 8));
}

// Composes what the broker itself sends about a session: RESTORE, MOVE, KEEP, DISOWN and LEAVE.
static void
s_order(void)
{
    static const uint8_t types[] = {MSG_RESTORE, MSG_RESTORE, MSG_MOVE, MSG_KEEP,
                                    MSG_DISOWN,  MSG_LEAVE,   MSG_MOVE, MSG_KEEP};
    uint8_t who = program_byte(&world.program), what = program_byte(&world.program);
    unsigned number = who % SESSIONS;
    header head = {.version = PROTOCOL_VERSION, .type = types[what % 8], .session = world_session(number)};
    bool fresh = head.type == MSG_RESTORE && (who >> 2) % 4 < 3;
    head.epoch = s_epoch(number, fresh ? 1 : (who >> 2) % 4);
    if (what >> 3 == 31)
        head.session = (id16){{0}};
    draft_begin(&world.draft);
    buffer *asker = draft_frame(&world.draft);
    if (what & 0x80)
        buffer_slice(asker, world_client(number));
    draft_header(&world.draft, &head);
    empty_encode(draft_frame(&world.draft));
    if (head.type == MSG_RESTORE)
        s_put_snapshot();
}

// Control messages about the worker itself, from this boot of the broker or the next; or a request to stop.
static void
s_steer(void)
{
    uint8_t how = program_byte(&world.program);
    uint64_t boot = world.boot + (how >> 4) % 2;
    switch (how % 8) {
    case 0:
        world_welcome(boot, how & 0x20, how & 0x40 ? WORKER_DEAD_MS : 2000);
        break;
    case 1:
        draft_begin(&world.draft);
        draft_frame(&world.draft);
        draft_header(&world.draft, &(header){.version = PROTOCOL_VERSION, .type = MSG_IDENTIFY});
        identify_encode(boot, draft_frame(&world.draft));
        world_send();
        break;
    case 2:
        draft_begin(&world.draft);
        draft_frame(&world.draft);
        draft_header(&world.draft, &(header){.version = PROTOCOL_VERSION, .type = MSG_REFUSED});
        reason_encode(how & 0x10 ? "malformed" : "name_taken", slice_text("no"), draft_frame(&world.draft));
        world_send();
        break;
    case 3:
        if (how & 0x80)
            worker_stop(world.worker);
        break;
    default:
        world_echo(how & 0x20 ? UINT64_MAX : world.beat, boot);
    }
    draft_begin(&world.draft);
}

// --- the world ------------------------------------------------------------------------------------------

// Changes what the fake's views do from now on: refuse, redirect, tick, raise, or resist packing.
static void
s_change_views(void)
{
    uint8_t how = program_byte(&world.program);
    fake *views = &world.fake;
    switch (how % 8) {
    case 0:
        views->forbid = how & 0x10;
        break;
    case 1:
        views->unpackable = how & 0x10;
        break;
    case 2:
        views->mount_status = how & 0x10 ? 302 : 0;
        break;
    case 3:
        views->interval = how & 0x10 ? 50 : 0;
        views->tick_adds = how & 0x20 ? 1 : 0;
        views->tick_awaits = how & 0x40;
        break;
    case 4:
        views->loose = how & 0x10;
        break;
    case 5:
        views->settles = how & 0x10 ? ERR_PYTHON : OK;
        break;
    case 6:
        views->template = how & 0x10 ? NULL : "<p>page</p><main dj-root>%d</main>";
        break;
    default:
        views->request = how & 0x10 ? "/cart/" : NULL;
    }
}

// request_update(): something outside has changed for one of the sessions, if the worker has it.
static void
s_tell(void)
{
    session *session =
        session_table_find(world.worker->session_table, world_session(program_byte(&world.program)));
    world.fake.changed = true;
    if (session)
        world.fake.tell(world.fake.tell_context, session);
}

// In one leap, in half of the cases followed by an echo: without one the worker is soon fenced.
static void
s_let_time_pass(void)
{
    static const uint32_t steps[] = {1, 20, 60, 500, 1000, 3900, 16000, 1900000};
    uint8_t how = program_byte(&world.program);
    world.fake.now += steps[how % 8];
    if (how & 8 || world.ended)
        return;
    world_turn();
    world_echo(world.beat, world.boot);
}

// One instruction of a program. The low four bits pick what is done; the others whether the message is
// mutated, sent in a burst, and whether I/O thread and turns run afterwards. False: the worker has left.
static bool
s_run_one(void)
{
    uint8_t code = program_byte(&world.program);
    draft_begin(&world.draft);
    switch (code % 16) {
    default:
        s_ask();
        break;
    case 7:
    case 8:
        s_order();
        break;
    case 9:
        s_steer();
        break;
    case 10:
        s_change_views();
        break;
    case 11:
        world_resolve(program_byte(&world.program));
        break;
    case 12:
        s_let_time_pass();
        break;
    case 13:
        s_tell();
        break;
    case 14:
        world.full = code & 0x10;
        break;
    case 15:
        world_run(1 + (code >> 4) % 4);
        return true;
    }
    if (world.draft.count && code & 0x40)
        draft_mutate(&world.draft, &world.program);
    unsigned times = code & 0x20 ? 1 + program_byte(&world.program) % MAX_BURST : 1;
    for (unsigned i = 0; i < times; i++)
        world_send();
    if (code & 0x80)
        return true;
    bool lives = world_turn();
    world_run(code & 0x10 ? 0 : UINT32_MAX);
    return lives;
}

// Nothing to receive, to run or to send.
static bool
s_is_idle(void)
{
    const worker *self = world.worker;
    run_queue_load load = run_queue_look(self->queue);
    return fuzz_socket_is_empty(world.socket) && self->phase == READY && !self->unsent && !load.queued &&
           !load.running && !load.parked;
}

// Connects worker and broker until nothing is left to do: WELCOME and echoes lift the fence, awaitables
// finish. Several rounds, as each may produce messages for the next.
static void
s_drain(void)
{
    world.full = false;
    world.messages = 0;
    for (unsigned i = 0; i < DRAIN_ROUNDS && !world.ended; i++) {
        world.fake.now += HEARTBEAT_MS;
        world_turn();
        world_welcome(world.boot, false, WORKER_DEAD_MS);
        world_echo(world.beat, world.boot);
        world_turn();
        bool resolves;
        do {
            resolves = world_resolve(0);
            world_run(1000);
        } while (resolves);
        world_turn();
        bool is_idle = s_is_idle();
        // Replies of turns that ended while it was fenced are sent only now.
        world_turn();
        if (is_idle)
            return;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t how = size ? data[0] : 0;
    world.program.rest = slice_of(data + 1, size ? size - 1 : 0);
    world_begin(how & HOW_SLOTS, how & HOW_STORES);
    while (!program_is_over(&world.program) && s_run_one())
        ;
    s_drain();
    if (!world.ended)
        world_check_answers();
    world_end();
    return 0;
}
