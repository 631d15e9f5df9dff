#include "fleet/command/command_table.h"

#include "common/log.h"
#include "fleet/command/control_client.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOOK_MS = 100, WATCH_MS = 1000, WHY_SIZE = 1024 };

typedef struct {
    call *call;
    report *now, *before;
    char why[WHY_SIZE];
} talks;

static int
s_fail(verb what, const char *why)
{
    fflush(stdout);
    char text[600]; // it may be the other side's, or a file's
    fprintf(stderr, "troupe %s: %s\n", verb_word(what), log_plain(slice_text(why), text, sizeof text));
    return 1;
}

static err
s_ask(talks *self, verb what, unsigned number)
{
    report *before = self->now;
    self->now = self->before;
    self->before = before;
    return call_ask(self->call, &(talk_request){what, number, number}, self->now, self->why,
                    sizeof self->why);
}

static const report_row *
s_find(const report *in, uint64_t pid)
{
    for (size_t i = 0; pid && i < in->count; i++)
        if (in->rows[i].pid == pid)
            return &in->rows[i];
    return NULL;
}

static void
s_show_changes(const talks *self)
{
    for (size_t i = 0; i < self->before->count; i++) {
        const report_row *row = &self->before->rows[i];
        if (row->pid && !s_find(self->now, row->pid))
            printf("%s.%" PRIu64 " (pid %" PRIu64 ") ended\n", row->name, row->generation, row->pid);
    }
    for (size_t i = 0; i < self->now->count; i++) {
        const report_row *row = &self->now->rows[i], *was = s_find(self->before, row->pid);
        if (row->pid && (!was || strcmp(was->state, row->state) != 0))
            printf("%s.%" PRIu64 " (pid %" PRIu64 ") %s\n", row->name, row->generation, row->pid, row->state);
    }
    fflush(stdout);
}

static void
s_pause(int ms)
{
    poll(NULL, 0, ms);
}

static err
s_look_again(talks *self)
{
    s_pause(LOOK_MS);
    err error = s_ask(self, VERB_STATUS, 0);
    if (!error)
        s_show_changes(self);
    return error;
}

static int
s_status(talks *self, const command *given)
{
    buffer out;
    buffer_init(&out);
    err error = s_ask(self, VERB_STATUS, 0);
    for (; !error; error = s_ask(self, VERB_STATUS, 0)) {
        buffer_clear(&out);
        if (given->json)
            report_json(self->now, &out);
        else
            report_table(self->now, &out);
        if (given->watch && isatty(STDOUT_FILENO))
            fputs("\033[H\033[J", stdout);
        fwrite(out.data, 1, out.size, stdout);
        if (fflush(stdout) == EOF || !given->watch)
            break;
        s_pause(WATCH_MS);
    }
    buffer_fini(&out);
    return error ? s_fail(VERB_STATUS, self->why) : 0;
}

// Whether there is what was asked for, and nothing else.
static bool
s_is_settled(const report *now)
{
    size_t ready = 0;
    for (size_t i = 0; i < now->count; i++) {
        bool is_worker = strncmp(now->rows[i].name, "worker-", 7) == 0;
        if (is_worker && strcmp(now->rows[i].state, "ready") != 0)
            return false;
        ready += is_worker;
    }
    return ready == now->workers;
}

static const report_row *
s_failing(const report *now)
{
    for (size_t i = 0; i < now->count; i++)
        if (strcmp(now->rows[i].state, "backoff") == 0)
            return &now->rows[i];
    return NULL;
}

static int
s_scale(talks *self, const command *given)
{
    err error = s_ask(self, VERB_STATUS, 0);
    if (!error)
        error = s_ask(self, VERB_SCALE, given->workers);
    while (!error && !s_is_settled(self->now) && self->now->workers == given->workers) {
        const report_row *failing = s_failing(self->now);
        if (failing && failing->last[0]) {
            snprintf(self->why, sizeof self->why, "%s does not start: %s; it is tried again", failing->name,
                     failing->last);
            return s_fail(VERB_SCALE, self->why);
        }
        error = s_look_again(self);
    }
    if (error)
        return s_fail(VERB_SCALE, self->why);
    printf("%" PRIu64 " workers\n", self->now->workers);
    return 0;
}

static int
s_reload(talks *self)
{
    err error = s_ask(self, VERB_STATUS, 0);
    if (!error)
        error = s_ask(self, VERB_RELOAD, 0);
    uint64_t number = error ? 0 : self->now->reload_number;
    while (!error && self->now->reload_number == number && strcmp(self->now->reload, "running") == 0)
        error = s_look_again(self);
    if (error)
        return s_fail(VERB_RELOAD, self->why);
    if (self->now->reload_number == number && strcmp(self->now->reload, "failed") == 0) {
        fputs(self->now->detail, stderr);
        snprintf(self->why, sizeof self->why,
                 "worker-%" PRIu64 " did not start anew: %s; the workers that ran go on",
                 self->now->reload_slot, self->now->reload_why);
        return s_fail(VERB_RELOAD, self->why);
    }
    printf("reloaded %" PRIu64 " workers\n", self->now->workers);
    return 0;
}

// The only process in a worker's slot, if it is ready; 0: there are others, or it is not.
static uint64_t
s_serving(const report *now, unsigned worker)
{
    char name[32];
    uint64_t pid = 0;
    unsigned count = 0;
    snprintf(name, sizeof name, "worker-%u", worker);
    for (size_t i = 0; i < now->count; i++)
        if (strcmp(now->rows[i].name, name) == 0) {
            count++;
            pid = strcmp(now->rows[i].state, "ready") == 0 ? now->rows[i].pid : 0;
        }
    return count == 1 ? pid : 0;
}

static int
s_drain(talks *self, const command *given)
{
    err error = s_ask(self, VERB_STATUS, 0);
    uint64_t before = error ? 0 : s_serving(self->now, given->worker), now = before;
    if (!error)
        error = s_ask(self, VERB_DRAIN, given->worker);
    while (!error && (now == before || !now)) { // its successor starts first
        error = s_look_again(self);
        now = error ? 0 : s_serving(self->now, given->worker);
    }
    if (error)
        return s_fail(VERB_DRAIN, self->why);
    printf("worker-%u has handed over its sessions and was replaced\n", given->worker);
    return 0;
}

static int
s_stop(talks *self)
{
    err error = s_ask(self, VERB_STATUS, 0);
    // Not by its number, which may be another's by then.
    struct pollfd end = {.fd = -1, .events = POLLIN};
    if (!error)
        end.fd = (int)syscall(SYS_pidfd_open, (pid_t)self->now->pid, 0);
    if (!error)
        error = s_ask(self, VERB_STOP, 0);
    if (error)
        return s_fail(VERB_STOP, self->why);
    while (end.fd != -1 && poll(&end, 1, LOOK_MS) == 0)
        if (s_ask(self, VERB_STATUS, 0) == OK)
            s_show_changes(self);
    if (end.fd != -1)
        close(end.fd);
    printf("stopped\n");
    return 0;
}

static int
s_dispatch(talks *self, const command *given)
{
    switch (given->verb) {
    case VERB_STATUS:
        return s_status(self, given);
    case VERB_SCALE:
        return s_scale(self, given);
    case VERB_RELOAD:
        return s_reload(self);
    case VERB_DRAIN:
        return s_drain(self, given);
    case VERB_STOP:
        return s_stop(self);
    case VERB_UP:
    case VERB_KEYGEN:
    case VERB_SESSIONS:
    case VERB_EVICT:
    case VERB_COUNT:
        break;
    }
    return 2;
}

int
commands_run(const command *given, const char *state)
{
    talks self = {.now = report_new(), .before = report_new()};
    int code;
    if (call_open(state, &self.call, self.why, sizeof self.why))
        code = s_fail(given->verb, self.why);
    else
        code = s_dispatch(&self, given);
    call_close(&self.call);
    report_destroy(&self.now);
    report_destroy(&self.before);
    return code;
}
