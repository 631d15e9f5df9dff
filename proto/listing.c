#include "proto/listing.h"

static bool
s_id(slice bytes, id16 *ret)
{
    if (bytes.size != ID_SIZE)
        return false;
    memcpy(ret->bytes, bytes.data, ID_SIZE);
    return true;
}

err
sessions_decode(slice body, sessions_body *ret)
{
    reader in;
    reader_init(&in, body);
    sessions_body decoded = {.worker = reader_opt_str(&in, "worker", MAX_WORKER_NAME)};
    slice after = reader_opt_bin(&in, "after", ID_SIZE);
    if (in.error || (after.data && !s_id(after, &decoded.after)))
        return in.error ? in.error : ERR_MALFORMED;
    *ret = decoded;
    return OK;
}

void
sessions_encode(const sessions_body *self, buffer *out)
{
    bool after = !id_is_zero(self->after);
    writer to = writer_on(out);
    writer_map(to, (uint32_t)after + (self->worker.size > 0));
    if (after)
        writer_key_bin(to, "after", slice_of(self->after.bytes, ID_SIZE));
    if (self->worker.size)
        writer_key_str(to, "worker", self->worker);
}

void
listed_begin(buffer *out, uint32_t count, bool more)
{
    writer to = writer_on(out);
    writer_map(to, more ? 2 : 1);
    if (more) {
        writer_key(to, "more");
        writer_bool(to, true);
    }
    writer_key(to, "sessions");
    writer_list(to, count);
}

void
listed_add(buffer *out, const listed *one)
{
    writer to = writer_on(out);
    writer_map(to, one->worker.size ? 7 : 6);
    writer_key_bin(to, "session", slice_of(one->session.bytes, ID_SIZE));
    writer_key_str(to, "state", one->state);
    if (one->worker.size)
        writer_key_str(to, "worker", one->worker);
    writer_key(to, "attached");
    writer_bool(to, one->attached);
    writer_key_uint(to, "epoch", one->epoch);
    writer_key_uint(to, "pending", one->pending);
    writer_key_uint(to, "bytes", one->bytes);
}

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
    if (in.error || !s_id(id, &ret->session))
        return in.error ? in.error : ERR_MALFORMED;
    return OK;
}
