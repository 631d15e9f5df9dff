#include "fleet/command/report.h"

#include <stdlib.h>

report *
report_new(void)
{
    report *self = calloc(1, sizeof *self);
    ASSERT(self);
    return self;
}

void
report_destroy(report **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

report_row *
report_add(report *self)
{
    return self->count < REPORT_ROWS ? &self->rows[self->count++] : NULL;
}

static void
s_row(writer to, const report_row *row)
{
    writer_map(to, row->known ? 13 : 8);
    writer_key_str(to, "name", slice_text(row->name));
    writer_key_str(to, "state", slice_text(row->state));
    writer_key_uint(to, "generation", row->generation);
    writer_key_uint(to, "pid", row->pid);
    writer_key_uint(to, "age_ms", row->age_ms);
    writer_key_uint(to, "restarts", row->restarts);
    writer_key_uint(to, "rss", row->rss);
    writer_key_str(to, "last", slice_text(row->last));
    if (!row->known)
        return;
    writer_key_uint(to, "sessions", row->said.sessions);
    writer_key_uint(to, "views", row->said.views);
    writer_key_uint(to, "queued", row->said.queued);
    writer_key_uint(to, "running", row->said.running);
    writer_key_uint(to, "turns", row->said.turns);
}

static void
s_broker(writer to, const broker_figures *said)
{
    writer_key(to, "broker");
    writer_map(to, 10);
    writer_key_uint(to, "sessions", said->sessions);
    writer_key_uint(to, "clients", said->clients);
    writer_key_uint(to, "forwarded", said->forwarded);
    writer_key_uint(to, "replies", said->replies);
    writer_key_uint(to, "refused", said->refused);
    writer_key_uint(to, "busy", said->busy);
    writer_key_uint(to, "stale", said->stale);
    writer_key_uint(to, "malformed", said->malformed);
    writer_key_uint(to, "dropped", said->dropped);
    writer_key_uint(to, "uptime_ms", said->uptime_ms);
}

void
report_encode(const report *self, buffer *out)
{
    writer to = writer_on(out);
    writer_map(to, self->broker_known ? 12 : 11);
    writer_key_uint(to, "pid", self->pid);
    writer_key_uint(to, "age_ms", self->age_ms);
    writer_key_uint(to, "workers", self->workers);
    writer_key_str(to, "state", slice_text(self->state));
    writer_key_str(to, "front", slice_text(self->front));
    writer_key_str(to, "reload", slice_text(self->reload));
    writer_key_uint(to, "reload_number", self->reload_number);
    writer_key_uint(to, "reload_slot", self->reload_slot);
    writer_key_str(to, "reload_why", slice_text(self->reload_why));
    writer_key_str(to, "detail", slice_text(self->detail));
    if (self->broker_known)
        s_broker(to, &self->broker);
    writer_key(to, "processes");
    writer_list(to, (uint32_t)self->count);
    for (size_t i = 0; i < self->count; i++)
        s_row(to, &self->rows[i]);
}

static void
s_text(reader *in, const char *key, char *to, size_t size)
{
    slice text = reader_str(in, key, size - 1);
    if (text.size)
        memcpy(to, text.data, text.size);
    to[text.size] = '\0';
}

static err
s_read_row(slice element, report_row *to)
{
    reader in;
    reader_init(&in, element);
    s_text(&in, "name", to->name, sizeof to->name);
    s_text(&in, "state", to->state, sizeof to->state);
    s_text(&in, "last", to->last, sizeof to->last);
    to->generation = reader_uint(&in, "generation");
    to->pid = reader_uint(&in, "pid");
    to->age_ms = reader_uint(&in, "age_ms");
    to->restarts = reader_uint(&in, "restarts");
    to->rss = reader_uint(&in, "rss");
    to->known = reader_has(&in, "turns");
    if (to->known)
        to->said = (worker_figures){
            .pid = to->pid,
            .sessions = reader_uint(&in, "sessions"),
            .views = reader_uint(&in, "views"),
            .queued = reader_uint(&in, "queued"),
            .running = reader_uint(&in, "running"),
            .turns = reader_uint(&in, "turns"),
        };
    return in.error;
}

static err
s_read_broker(slice map, broker_figures *to)
{
    reader in;
    reader_init(&in, map);
    *to = (broker_figures){
        .sessions = reader_uint(&in, "sessions"),
        .clients = reader_uint(&in, "clients"),
        .forwarded = reader_uint(&in, "forwarded"),
        .replies = reader_uint(&in, "replies"),
        .refused = reader_uint(&in, "refused"),
        .busy = reader_uint(&in, "busy"),
        .stale = reader_uint(&in, "stale"),
        .malformed = reader_uint(&in, "malformed"),
        .dropped = reader_uint(&in, "dropped"),
        .uptime_ms = reader_uint(&in, "uptime_ms"),
    };
    return in.error;
}

static err
s_read_rows(slice list, report *to)
{
    size_t cursor = 0;
    slice element;
    err error = OK;
    while (!error && msgpack_next(list, &cursor, &element)) {
        report_row *row = report_add(to);
        error = row ? s_read_row(element, row) : ERR_TOO_LARGE;
    }
    return error;
}

err
report_decode(slice body, report *ret)
{
    reader in;
    reader_init(&in, body);
    memset(ret, 0, sizeof *ret); // too large for a compound literal
    ret->pid = reader_uint(&in, "pid");
    ret->age_ms = reader_uint(&in, "age_ms");
    ret->workers = reader_uint(&in, "workers");
    ret->reload_number = reader_uint(&in, "reload_number");
    ret->reload_slot = reader_uint(&in, "reload_slot");
    ret->broker_known = reader_has(&in, "broker");
    s_text(&in, "state", ret->state, sizeof ret->state);
    s_text(&in, "front", ret->front, sizeof ret->front);
    s_text(&in, "reload", ret->reload, sizeof ret->reload);
    s_text(&in, "reload_why", ret->reload_why, sizeof ret->reload_why);
    s_text(&in, "detail", ret->detail, sizeof ret->detail);
    slice said = reader_opt_map(&in, "broker", MAX_REPLY_BODY);
    slice rows = reader_list(&in, "processes", MAX_REPLY_BODY);
    err error = in.error;
    if (!error && ret->broker_known)
        error = s_read_broker(said, &ret->broker);
    return error ? error : s_read_rows(rows, ret);
}
