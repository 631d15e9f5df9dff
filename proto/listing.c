// Codecs of SESSIONS and LISTED (PROTOCOL.md 5.1, 5.2). Entries are added and read one by one, so that a long
// list is never held as structs.
#include "proto/listing.h"

// reader_bin() limits the size from above only.
static bool
s_read_id(slice bytes, id16 *ret)
{
    if (bytes.size != ID_SIZE)
        return false;
    memcpy(ret->bytes, bytes.data, ID_SIZE);
    return true;
}

// `after` of zeros and no `after` mean the same: a session's id is never zero.
err
sessions_decode(slice body, sessions_body *ret)
{
    reader in;
    reader_init(&in, body);
    sessions_body decoded = {.worker = reader_opt_str(&in, "worker", MAX_WORKER_NAME)};
    slice after = reader_opt_bin(&in, "after", ID_SIZE);
    if (in.error || (after.data && !s_read_id(after, &decoded.after)))
        return in.error ? in.error : ERR_MALFORMED;
    *ret = decoded;
    return OK;
}

// The map's count comes first, so that absent keys must be known before.
void
sessions_encode(const sessions_body *self, buffer *out)
{
    bool after = !id_is_zero(self->after);
    writer writer = writer_on(out);
    writer_map(writer, (uint32_t)after + (self->worker.size > 0));
    if (after)
        writer_key_bin(writer, "after", slice_of(self->after.bytes, ID_SIZE));
    if (self->worker.size)
        writer_key_str(writer, "worker", self->worker);
}

// `more` stands before the list: the entries are appended by the caller, so nothing can follow them.
void
listed_begin(buffer *out, uint32_t count, bool more)
{
    writer writer = writer_on(out);
    writer_map(writer, more ? 2 : 1);
    if (more) {
        writer_key(writer, "more");
        writer_bool(writer, true);
    }
    writer_key(writer, "sessions");
    writer_list(writer, count);
}

// `worker` is absent for a session that only the store has.
void
listed_add(buffer *out, const listed *listed)
{
    writer writer = writer_on(out);
    writer_map(writer, listed->worker.size ? 7 : 6);
    writer_key_bin(writer, "session", slice_of(listed->session.bytes, ID_SIZE));
    writer_key_str(writer, "state", listed->state);
    if (listed->worker.size)
        writer_key_str(writer, "worker", listed->worker);
    writer_key(writer, "attached");
    writer_bool(writer, listed->attached);
    writer_key_uint(writer, "epoch", listed->epoch);
    writer_key_uint(writer, "pending", listed->pending);
    writer_key_uint(writer, "bytes", listed->bytes);
}

// The count is checked here, the entries by listed_next().
err
listed_decode(slice body, listed_body *ret)
{
    reader in;
    reader_init(&in, body);
    listed_body decoded = {reader_list(&in, "sessions", MAX_REPLY_BODY), reader_opt_bool(&in, "more")};
    if (!in.error && msgpack_count(decoded.sessions) > MAX_LISTED)
        return ERR_TOO_LARGE;
    if (!in.error)
        *ret = decoded;
    return in.error;
}

// Writes to *ret also when it fails: the caller stops at the first error.
err
listed_next(const listed_body *self, size_t *cursor, listed *ret)
{
    slice element;
    if (!msgpack_next(self->sessions, cursor, &element))
        return ERR_AGAIN;
    reader in;
    reader_init(&in, element);
    *ret = (listed){
        .state = reader_str(&in, "state", 16),
        .worker = reader_opt_str(&in, "worker", MAX_WORKER_NAME),
        .attached = reader_opt_bool(&in, "attached"),
        .epoch = reader_uint(&in, "epoch"),
        .pending = reader_uint(&in, "pending"),
        .bytes = reader_uint(&in, "bytes"),
    };
    slice id = reader_bin(&in, "session", ID_SIZE);
    if (in.error || !s_read_id(id, &ret->session))
        return in.error ? in.error : ERR_MALFORMED;
    return OK;
}
