// The report as msgpack, field by field (PROTOCOL.md 11). Texts are copied, so that a decoded report owns all
// it holds and can be kept when the message is gone. It is large (MAX_REPORT_ROWS rows), and so on the heap.
#include "fleet/report.h"

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

// A fleet cannot have more processes than there are rows; a report from elsewhere can.
report_row *
report_add(report *self)
{
    return self->count < MAX_REPORT_ROWS ? &self->rows[self->count++] : NULL;
}

// The figures are present together or not at all: `turns` tells a reader which.
static void
s_write_row(writer map, const report_row *row)
{
    writer_map(map, row->has_figures ? 13 : 8);
    writer_key_str(map, "name", slice_text(row->name));
    writer_key_str(map, "state", slice_text(row->state));
    writer_key_uint(map, "generation", row->generation);
    writer_key_uint(map, "pid", row->pid);
    writer_key_uint(map, "age_ms", row->age_ms);
    writer_key_uint(map, "restarts", row->restarts);
    writer_key_uint(map, "rss", row->rss);
    writer_key_str(map, "last", slice_text(row->last));
    if (!row->has_figures)
        return;
    writer_key_uint(map, "sessions", row->figures.sessions);
    writer_key_uint(map, "views", row->figures.views);
    writer_key_uint(map, "queued", row->figures.queued);
    writer_key_uint(map, "running", row->figures.running);
    writer_key_uint(map, "turns", row->figures.turns);
}

// Only the broker's own figures: those of its workers are in their rows.
static void
s_write_broker(writer map, const broker_figures *figures)
{
    writer_key(map, "broker");
    writer_map(map, 10);
    writer_key_uint(map, "sessions", figures->sessions);
    writer_key_uint(map, "clients", figures->clients);
    writer_key_uint(map, "forwarded", figures->forwarded);
    writer_key_uint(map, "replies", figures->replies);
    writer_key_uint(map, "refused", figures->refused);
    writer_key_uint(map, "busy", figures->busy);
    writer_key_uint(map, "stale", figures->stale);
    writer_key_uint(map, "malformed", figures->malformed);
    writer_key_uint(map, "dropped", figures->dropped);
    writer_key_uint(map, "uptime_ms", figures->uptime_ms);
}

// The number of keys comes first; it must match what follows.
void
report_encode(const report *self, buffer *out)
{
    writer map = writer_on(out);
    writer_map(map, self->has_broker ? 12 : 11);
    writer_key_uint(map, "pid", self->pid);
    writer_key_uint(map, "age_ms", self->age_ms);
    writer_key_uint(map, "workers", self->workers);
    writer_key_str(map, "state", slice_text(self->state));
    writer_key_str(map, "front", slice_text(self->front));
    writer_key_str(map, "reload", slice_text(self->reload));
    writer_key_uint(map, "reload_number", self->reload_number);
    writer_key_uint(map, "reload_slot", self->reload_slot);
    writer_key_str(map, "reload_why", slice_text(self->reload_why));
    writer_key_str(map, "detail", slice_text(self->detail));
    if (self->has_broker)
        s_write_broker(map, &self->broker);
    writer_key(map, "processes");
    writer_list(map, (uint32_t)self->count);
    for (size_t i = 0; i < self->count; i++)
        s_write_row(map, &self->rows[i]);
}

// Truncation is an error of the sender: a text that does not fit makes the whole report invalid.
static void
s_read_text(reader *in, const char *key, char *ret_text, size_t size)
{
    slice text = reader_str(in, key, size - 1);
    if (text.size)
        memcpy(ret_text, text.data, text.size);
    ret_text[text.size] = '\0';
}

// Reads into the row although an error may follow: report_decode() promises nothing about *ret on failure.
static err
s_read_row(slice element, report_row *row)
{
    reader in;
    reader_init(&in, element);
    s_read_text(&in, "name", row->name, sizeof row->name);
    s_read_text(&in, "state", row->state, sizeof row->state);
    s_read_text(&in, "last", row->last, sizeof row->last);
    row->generation = reader_uint(&in, "generation");
    row->pid = reader_uint(&in, "pid");
    row->age_ms = reader_uint(&in, "age_ms");
    row->restarts = reader_uint(&in, "restarts");
    row->rss = reader_uint(&in, "rss");
    row->has_figures = reader_has(&in, "turns");
    if (row->has_figures)
        row->figures = (worker_figures){
            .pid = row->pid,
            .sessions = reader_uint(&in, "sessions"),
            .views = reader_uint(&in, "views"),
            .queued = reader_uint(&in, "queued"),
            .running = reader_uint(&in, "running"),
            .turns = reader_uint(&in, "turns"),
        };
    return in.error;
}

// The workers' list stays empty: nobody looks for it in a report.
static err
s_read_broker(slice map, broker_figures *ret)
{
    reader in;
    reader_init(&in, map);
    *ret = (broker_figures){
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

// Unlike in the supervisor, too many rows are an error here: they came over a socket.
static err
s_read_rows(slice list, report *self)
{
    size_t cursor = 0;
    slice element;
    err error = OK;
    while (!error && msgpack_next(list, &cursor, &element)) {
        report_row *row = report_add(self);
        error = row ? s_read_row(element, row) : ERR_TOO_LARGE;
    }
    return error;
}

err
report_decode(slice body, report *ret)
{
    reader in;
    reader_init(&in, body);
    // Too large for a compound literal.
    memset(ret, 0, sizeof *ret);
    ret->pid = reader_uint(&in, "pid");
    ret->age_ms = reader_uint(&in, "age_ms");
    ret->workers = reader_uint(&in, "workers");
    ret->reload_number = reader_uint(&in, "reload_number");
    ret->reload_slot = reader_uint(&in, "reload_slot");
    ret->has_broker = reader_has(&in, "broker");
    s_read_text(&in, "state", ret->state, sizeof ret->state);
    s_read_text(&in, "front", ret->front, sizeof ret->front);
    s_read_text(&in, "reload", ret->reload, sizeof ret->reload);
    s_read_text(&in, "reload_why", ret->reload_why, sizeof ret->reload_why);
    s_read_text(&in, "detail", ret->detail, sizeof ret->detail);
    slice broker = reader_opt_map(&in, "broker", MAX_REPLY_BODY);
    slice rows = reader_list(&in, "processes", MAX_REPLY_BODY);
    err error = in.error;
    if (!error && ret->has_broker)
        error = s_read_broker(broker, &ret->broker);
    return error ? error : s_read_rows(rows, ret);
}
