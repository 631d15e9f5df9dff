// What happens when a process has ended: its cause in words for logs and status, what ran in it from its
// black box, the reconciler's next step, and EXITED for the broker.
#include "fleet/supervisor/supervisor_internal.h"

#include "common/log.h"
#include "proto/black_box.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

// In words: "exit code 3: ModuleNotFoundError: No module named 'x'", "killed by SIGKILL". The last output is
// quoted only for a process that was never ready: later it may be about anything.
static void
s_describe_exit(const child *ended, int status, char *ret_text, size_t size)
{
    char reason[EXIT_CAUSE_SIZE / 2];
    if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        snprintf(ret_text, size, "killed by SIG%s", name ? name : "?");
        return;
    }
    line_reader_reason(ended->reader, reason, sizeof reason);
    if (WEXITSTATUS(status) == EXIT_STUCK && ended->slot)
        snprintf(reason, sizeof reason, "stuck");
    bool quoted =
        WEXITSTATUS(status) && (!ended->was_ready || WEXITSTATUS(status) == EXIT_STUCK) && reason[0];
    snprintf(ret_text, size, "exit code %d%s%s", WEXITSTATUS(status), quoted ? ": " : "",
             quoted ? reason : "");
}

// Linux counts out-of-memory kills of all processes in /proc/vmstat.
uint64_t
supervisor_oom_kills(void)
{
    char line[128];
    unsigned long long count = 0;
    FILE *file = fopen("/proc/vmstat", "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "oom_kill %llu", &count) == 1)
            break;
    if (file)
        fclose(file);
    return count;
}

// Whether what ran in the process is to blame. SIGKILL comes from outside, except when the kernel was out of
// memory.
static bool
s_is_own_fault(supervisor *self, int status)
{
    uint64_t before = self->oom_kills;
    self->oom_kills = supervisor_oom_kills();
    return !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL || self->oom_kills > before;
}

// Appends the turns that ran to the cause, and logs them.
static void
s_describe_running(const child *ended, const exited_body *exited, char *cause, size_t size)
{
    if (!exited->count)
        return;
    const running_turn *first = &exited->running[0];
    size_t used = strlen(cause);
    snprintf(cause + used, size - used, " while %.*s%s%.*s ran", (int)first->view.size,
             first->view.size ? (const char *)first->view.data : "", first->view.size ? "." : "",
             (int)first->event.size, first->event.size ? (const char *)first->event.data : "");
    used = strlen(cause);
    if (exited->count > 1)
        snprintf(cause + used, size - used, ", and %u more", exited->count - 1);
    for (unsigned i = 0; i < exited->count && i < 8; i++) {
        const running_turn *turn = &exited->running[i];
        char id[ID_TEXT], view[2 * MAX_VIEW_PATH], event[2 * MAX_EVENT_NAME];
        log_event(LEVEL_WARN, "was_running", "name=%s.%u session=%s view=%s event=%s", ended->name,
                  ended->generation, id_text(turn->session, id), log_quoted(turn->view, view, sizeof view),
                  log_quoted(turn->event, event, sizeof event));
    }
}

// Tells the broker about a worker that ended; one that was stopped properly has said goodbye itself.
static void
s_report_exit(supervisor *self, const child *ended, int status, reconciler_end end, exited_body *exited)
{
    bool blamed = end == END_CRASH && s_is_own_fault(self, status);
    exited->pid = (uint64_t)ended->pid;
    exited->count = blamed ? exited->count : 0;
    if (ended->slot && (end != END_STOPPED || status != 0))
        broker_client_report_exit(self->broker, exited);
}

// Everything that follows from the end of one process, in the order in which the log should have it.
static void
s_handle_exit(supervisor *self, child *ended, int status)
{
    static const char *const words[] = {"stopped", "crash", "boot_failure", "unknown"};
    char cause[EXIT_CAUSE_SIZE], quoted[EXIT_CAUSE_SIZE + 64];
    uint64_t wait = 0;
    // Drain the pipe; bounded, since descendants may still write to it.
    for (unsigned i = 0; i < 64 && ended->out != -1; i++)
        child_read(ended);
    line_reader_end(ended->reader);
    output_forward(self->output, ended);
    s_describe_exit(ended, status, cause, sizeof cause);
    buffer box;
    buffer_init(&box);
    child_black_box(ended, &box);
    exited_body exited = {0};
    exited.count = black_box_running(buffer_bytes(&box), exited.running, MAX_RUNNING);
    s_describe_running(ended, &exited, cause, sizeof cause);
    bool first_failure = !reconciler_is_up(self->reconciler) && reconciler_failed_slot(self->reconciler) < 0;
    reconciler_end end = reconciler_exited(self->reconciler, ended->pid, cause, self->now, NULL, &wait);
    log_event(end == END_STOPPED ? LEVEL_INFO : LEVEL_WARN, "exited",
              "name=%s.%u child_pid=%d how=%s cause=%s next_start_ms=%llu", ended->name, ended->generation,
              ended->pid, words[end], log_quoted(slice_text(cause), quoted, sizeof quoted),
              (unsigned long long)wait);
    if (end == END_BOOT && (first_failure || reconciler_is_up(self->reconciler))) {
        buffer_clear(&self->failed_output);
        buffer_slice(&self->failed_output, line_reader_tail(ended->reader));
    }
    s_report_exit(self, ended, status, end, &exited);
    buffer_fini(&box);
    child_destroy(&ended);
}

// SIGCHLD says that at least one has ended; an orphan of a worker needs nothing else.
void
supervisor_reap(supervisor *self)
{
    child *ended;
    int status;
    while (processes_reap(self->processes, &ended, &status))
        if (ended)
            s_handle_exit(self, ended, status);
}
