// The commands for a running supervisor. Those that change the fleet poll its status until the change is
// done, and print what happens meanwhile.
#include "fleet/cli/supervisor_commands.h"

#include "common/log.h"
#include "fleet/cli/control_client.h"
#include "fleet/cli/report_text.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { POLL_MS = 100, WATCH_MS = 1000, WHY_SIZE = 1024 };

typedef struct {
    const command *command;
    control_client *client;
    // The newest report, and the one before.
    report *now, *before;
    // Why the last request failed.
    char why[WHY_SIZE];
} conversation;

// Returns the exit code.
static int
s_print_failure(const conversation *self)
{
    char text[600];
    fflush(stdout);
    fprintf(stderr, "troupe %s: %s\n", command_word(self->command->name),
            log_plain(slice_text(self->why), text, sizeof text));
    return 1;
}

// Sends a request and receives the new report. The two reports change places, so that the one before is at
// hand for s_print_changes(). number: the workers of SCALE or the worker of DRAIN; otherwise ignored.
static err
s_request(conversation *self, control_verb verb, unsigned number)
{
    report *before = self->now;
    self->now = self->before;
    self->before = before;
    return control_client_request(self->client, &(control_request){verb, number, number}, self->now,
                                  self->why, sizeof self->why);
}

// By pid, which a process keeps through all its states. 0 is no process.
static const report_row *
s_find_process(const report *status, uint64_t pid)
{
    for (size_t i = 0; pid && i < status->count; i++)
        if (status->rows[i].pid == pid)
            return &status->rows[i];
    return NULL;
}

// States travel as words (PROTOCOL.md 11): one that this version does not know equals none.
static bool
s_is_in(const report_row *row, process_state state)
{
    return strcmp(row->state, process_state_word(state)) == 0;
}

// Prints processes that ended, appeared, or changed their state between the last two reports.
static void
s_print_changes(const conversation *self)
{
    for (size_t i = 0; i < self->before->count; i++) {
        const report_row *row = &self->before->rows[i];
        if (row->pid && !s_find_process(self->now, row->pid))
            printf("%s.%" PRIu64 " (pid %" PRIu64 ") ended\n", row->name, row->generation, row->pid);
    }
    for (size_t i = 0; i < self->now->count; i++) {
        const report_row *row = &self->now->rows[i];
        const report_row *previous = s_find_process(self->before, row->pid);
        if (row->pid && (!previous || strcmp(previous->state, row->state) != 0))
            printf("%s.%" PRIu64 " (pid %" PRIu64 ") %s\n", row->name, row->generation, row->pid, row->state);
    }
    fflush(stdout);
}

// Not sleep(3): poll(2) with no descriptors has the resolution that is needed, and is interrupted by
// signals alike.
static void
s_pause(int ms)
{
    poll(NULL, 0, ms);
}

// Asks for the status once more, after a pause, and prints what has changed.
static err
s_poll_status(conversation *self)
{
    s_pause(POLL_MS);
    err error = s_request(self, CONTROL_STATUS, 0);
    if (!error)
        s_print_changes(self);
    return error;
}

// With --watch, a terminal is cleared before each report.
static int
s_status(conversation *self)
{
    buffer out;
    buffer_init(&out);
    err error = s_request(self, CONTROL_STATUS, 0);
    for (; !error; error = s_request(self, CONTROL_STATUS, 0)) {
        buffer_clear(&out);
        if (self->command->json)
            report_json(self->now, &out);
        else
            report_table(self->now, &out);
        if (self->command->watch && isatty(STDOUT_FILENO))
            fputs("\033[H\033[J", stdout);
        fwrite(out.data, 1, out.size, stdout);
        if (fflush(stdout) == EOF || !self->command->watch)
            break;
        s_pause(WATCH_MS);
    }
    buffer_fini(&out);
    return error ? s_print_failure(self) : 0;
}

// Whether every worker process is ready, and there are as many as wanted.
static bool
s_is_settled(const report *status)
{
    size_t ready = 0;
    for (size_t i = 0; i < status->count; i++) {
        bool is_worker = strncmp(status->rows[i].name, "worker-", 7) == 0;
        if (is_worker && !s_is_in(&status->rows[i], PROCESS_READY))
            return false;
        ready += is_worker;
    }
    return ready == status->workers;
}

// A slot without a process waits for its next start: its process has failed.
static const report_row *
s_find_failing(const report *status)
{
    for (size_t i = 0; i < status->count; i++)
        if (s_is_in(&status->rows[i], PROCESS_NONE))
            return &status->rows[i];
    return NULL;
}

// Waits until all workers are ready. Returns early if a worker fails to start, or if somebody else scales.
static int
s_scale(conversation *self)
{
    err error = s_request(self, CONTROL_STATUS, 0);
    if (!error)
        error = s_request(self, CONTROL_SCALE, self->command->workers);
    while (!error && !s_is_settled(self->now) && self->now->workers == self->command->workers) {
        const report_row *failing = s_find_failing(self->now);
        if (failing && failing->last[0]) {
            snprintf(self->why, sizeof self->why, "%s fails to start: %s; the supervisor keeps trying",
                     failing->name, failing->last);
            return s_print_failure(self);
        }
        error = s_poll_status(self);
    }
    if (error)
        return s_print_failure(self);
    printf("%" PRIu64 " workers\n", self->now->workers);
    return 0;
}

// Waits for this reload, not for a later one: reloads are numbered.
static int
s_reload(conversation *self)
{
    err error = s_request(self, CONTROL_STATUS, 0);
    if (!error)
        error = s_request(self, CONTROL_RELOAD, 0);
    uint64_t number = error ? 0 : self->now->reload_number;
    while (!error && self->now->reload_number == number && strcmp(self->now->reload, "running") == 0)
        error = s_poll_status(self);
    if (error)
        return s_print_failure(self);
    if (self->now->reload_number == number && strcmp(self->now->reload, "failed") == 0) {
        fputs(self->now->detail, stderr);
        snprintf(self->why, sizeof self->why,
                 "worker-%" PRIu64 " failed to start with the new code: %s; the old workers keep running",
                 self->now->reload_slot, self->now->reload_why);
        return s_print_failure(self);
    }
    printf("reloaded %" PRIu64 " workers\n", self->now->workers);
    return 0;
}

// The pid of the only process in a worker's slot; 0: there are several, or it is not ready.
static uint64_t
s_only_ready(const report *status, unsigned worker)
{
    char name[32];
    uint64_t pid = 0;
    unsigned count = 0;
    snprintf(name, sizeof name, "worker-%u", worker);
    for (size_t i = 0; i < status->count; i++)
        if (strcmp(status->rows[i].name, name) == 0) {
            count++;
            pid = s_is_in(&status->rows[i], PROCESS_READY) ? status->rows[i].pid : 0;
        }
    return count == 1 ? pid : 0;
}

// Waits for a ready worker with another pid: the successor starts before the worker ends.
static int
s_drain(conversation *self)
{
    err error = s_request(self, CONTROL_STATUS, 0);
    uint64_t before = error ? 0 : s_only_ready(self->now, self->command->worker), now = before;
    if (!error)
        error = s_request(self, CONTROL_DRAIN, self->command->worker);
    while (!error && (now == before || !now)) {
        error = s_poll_status(self);
        now = error ? 0 : s_only_ready(self->now, self->command->worker);
    }
    if (error)
        return s_print_failure(self);
    printf("worker-%u handed over its sessions and was replaced\n", self->command->worker);
    return 0;
}

// Waits until the supervisor has exited, not only until it has agreed.
static int
s_stop(conversation *self)
{
    err error = s_request(self, CONTROL_STATUS, 0);
    // Wait on a pidfd: the pid may be reused by the time the supervisor has exited.
    struct pollfd exited = {.fd = -1, .events = POLLIN};
    if (!error)
        exited.fd = (int)syscall(SYS_pidfd_open, (pid_t)self->now->pid, 0);
    if (!error)
        error = s_request(self, CONTROL_STOP, 0);
    if (error)
        return s_print_failure(self);
    while (exited.fd != -1 && poll(&exited, 1, POLL_MS) == 0)
        if (s_request(self, CONTROL_STATUS, 0) == OK)
            s_print_changes(self);
    if (exited.fd != -1)
        close(exited.fd);
    printf("stopped\n");
    return 0;
}

// Commands that are not for the supervisor never get here.
static int
s_dispatch(conversation *self)
{
    switch (self->command->name) {
    case COMMAND_STATUS:
        return s_status(self);
    case COMMAND_SCALE:
        return s_scale(self);
    case COMMAND_RELOAD:
        return s_reload(self);
    case COMMAND_DRAIN:
        return s_drain(self);
    case COMMAND_STOP:
        return s_stop(self);
    case COMMAND_UP:
    case COMMAND_KEYGEN:
    case COMMAND_SESSIONS:
    case COMMAND_EVICT:
    case COMMAND_COUNT:
        break;
    }
    return 2;
}

int
supervisor_command_run(const command *parsed, const char *directory)
{
    conversation self = {.command = parsed, .now = report_new(), .before = report_new()};
    int code;
    if (control_client_open(directory, &self.client, self.why, sizeof self.why))
        code = s_print_failure(&self);
    else
        code = s_dispatch(&self);
    control_client_close(&self.client);
    report_destroy(&self.now);
    report_destroy(&self.before);
    return code;
}
