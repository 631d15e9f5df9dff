// A report for people, as a table whose columns line up, and for programs, as JSON. The JSON's keys are an
// interface: they have the names of PROTOCOL.md 11, and new ones may be added.
#include "fleet/cli/report_text.h"

#include "common/log.h"
#include "fleet/cli/json.h"

#include <inttypes.h>
#include <stdio.h>

// Two units at most, so that the column stays narrow.
static const char *
s_age(uint64_t ms, char ret_text[32])
{
    uint64_t s = ms / 1000;
    if (s < 60)
        snprintf(ret_text, 32, "%" PRIu64 ".%" PRIu64 "s", s, ms % 1000 / 100);
    else if (s < 3600)
        snprintf(ret_text, 32, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(ret_text, 32, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
    else
        snprintf(ret_text, 32, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
    return ret_text;
}

// Texts come from processes and from the other end of a socket: no control characters reach the terminal.
static const char *
s_printable(const char *text, char *ret_text, size_t size)
{
    return log_plain(slice_text(text), ret_text, size);
}

// "-" stands for what is unknown: a slot without a process has no pid, and the broker's own row no
// figures.
static void
s_table_row(const report_row *row, buffer *out)
{
    char age[32], pid[24] = "-", last[512], name[64], state[32];
    if (row->pid)
        snprintf(pid, sizeof pid, "%" PRIu64, row->pid);
    buffer_format(
        out, "%-11s %8s  %-8s %7s %8" PRIu64 " %6" PRIu64 "M", s_printable(row->name, name, sizeof name), pid,
        s_printable(row->state, state, sizeof state), s_age(row->age_ms, age), row->restarts, row->rss >> 20);
    if (row->has_figures)
        buffer_format(out, " %8" PRIu64 " %6" PRIu64 " %6" PRIu64 " %7" PRIu64 " %8" PRIu64,
                      row->figures.sessions, row->figures.views, row->figures.queued, row->figures.running,
                      row->figures.turns);
    else
        buffer_format(out, " %8s %6s %6s %7s %8s", "-", "-", "-", "-", "-");
    buffer_format(out, "  %s\n", s_printable(row->last[0] ? row->last : "-", last, sizeof last));
}

// Widths are for usual values: a longer one moves the rest of its line, and nothing is cut.
void
report_table(const report *self, buffer *out)
{
    char age[32], state[32], front[300], why[512];
    buffer_format(out, "fleet %s, pid %" PRIu64 ", %" PRIu64 " workers, for %s, at %s\n",
                  s_printable(self->state, state, sizeof state), self->pid, self->workers,
                  s_age(self->age_ms, age), s_printable(self->front, front, sizeof front));
    if (self->has_broker)
        buffer_format(
            out,
            "broker: %" PRIu64 " sessions, %" PRIu64 " clients; %" PRIu64 " forwarded, %" PRIu64
            " replies, %" PRIu64 " refused (%" PRIu64 " busy), %" PRIu64 " dropped, %" PRIu64 " malformed\n",
            self->broker.sessions, self->broker.clients, self->broker.forwarded, self->broker.replies,
            self->broker.refused, self->broker.busy, self->broker.dropped, self->broker.malformed);
    else
        buffer_text(out, "broker: no figures\n");
    if (strcmp(self->reload, "none") != 0)
        buffer_format(out, "reload %s%s%s\n", self->reload, self->reload_why[0] ? ": " : "",
                      s_printable(self->reload_why, why, sizeof why));
    buffer_format(out, "%-11s %8s  %-8s %7s %8s %7s %8s %6s %6s %7s %8s  %s\n", "NAME", "PID", "STATE", "AGE",
                  "RESTARTS", "MEMORY", "SESSIONS", "VIEWS", "QUEUED", "RUNNING", "TURNS", "LAST EXIT");
    for (size_t i = 0; i < self->count; i++)
        s_table_row(&self->rows[i], out);
}

// Never the first key of an object: it begins with a comma.
static void
s_json_number(buffer *out, const char *key, uint64_t number)
{
    buffer_format(out, ", \"%s\": %" PRIu64, key, number);
}

// Keys without a value are absent, except for those of a process, which are always there.
static void
s_json_row(const report_row *row, buffer *out)
{
    buffer_text(out, "{");
    json_text(out, "name", slice_text(row->name));
    buffer_text(out, ", ");
    json_text(out, "state", slice_text(row->state));
    s_json_number(out, "generation", row->generation);
    s_json_number(out, "pid", row->pid);
    s_json_number(out, "age_ms", row->age_ms);
    s_json_number(out, "restarts", row->restarts);
    s_json_number(out, "rss", row->rss);
    if (row->has_figures) {
        s_json_number(out, "sessions", row->figures.sessions);
        s_json_number(out, "views", row->figures.views);
        s_json_number(out, "queued", row->figures.queued);
        s_json_number(out, "running", row->figures.running);
        s_json_number(out, "turns", row->figures.turns);
    }
    buffer_text(out, ", ");
    json_text(out, "last", slice_text(row->last));
    buffer_text(out, "}");
}

static void
s_json_broker(const broker_figures *figures, buffer *out)
{
    buffer_format(out, "{\"sessions\": %" PRIu64, figures->sessions);
    s_json_number(out, "clients", figures->clients);
    s_json_number(out, "forwarded", figures->forwarded);
    s_json_number(out, "replies", figures->replies);
    s_json_number(out, "refused", figures->refused);
    s_json_number(out, "busy", figures->busy);
    s_json_number(out, "stale", figures->stale);
    s_json_number(out, "malformed", figures->malformed);
    s_json_number(out, "dropped", figures->dropped);
    s_json_number(out, "uptime_ms", figures->uptime_ms);
    buffer_text(out, "}");
}

// One line, so that `--watch --json` is one object a line.
void
report_json(const report *self, buffer *out)
{
    buffer_text(out, "{");
    json_text(out, "state", slice_text(self->state));
    s_json_number(out, "pid", self->pid);
    s_json_number(out, "age_ms", self->age_ms);
    s_json_number(out, "workers", self->workers);
    buffer_text(out, ", ");
    json_text(out, "front", slice_text(self->front));
    buffer_text(out, ", \"reload\": {");
    json_text(out, "state", slice_text(self->reload));
    s_json_number(out, "number", self->reload_number);
    buffer_text(out, ", ");
    json_text(out, "why", slice_text(self->reload_why));
    buffer_text(out, "}, \"broker\": ");
    if (self->has_broker)
        s_json_broker(&self->broker, out);
    else
        buffer_text(out, "null");
    buffer_text(out, ", \"processes\": [");
    for (size_t i = 0; i < self->count; i++) {
        if (i)
            buffer_text(out, ", ");
        s_json_row(&self->rows[i], out);
    }
    buffer_text(out, "]}\n");
}
