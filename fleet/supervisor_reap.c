#include "fleet/supervisor_parts.h"

#include "common/log.h"

#include <stdio.h>
#include <sys/wait.h>

// In words: "exit code 3: ModuleNotFoundError: No module named 'x'", "killed by SIGKILL". What it wrote last
// says why it did not start; later that may be about anything.
static void
s_cause(const child *of, int status, char *ret_text, size_t size)
{
    char reason[CAUSE_SIZE / 2];
    if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        snprintf(ret_text, size, "killed by SIG%s", name ? name : "?");
        return;
    }
    lines_reason(of->lines, reason, sizeof reason);
    bool worth = WEXITSTATUS(status) && !of->was_ready && reason[0];
    snprintf(ret_text, size, "exit code %d%s%s", WEXITSTATUS(status), worth ? ": " : "", worth ? reason : "");
}

static void
s_bury(supervisor *self, child *gone, int status)
{
    static const char *const words[] = {"stopped", "crash", "boot_failure", "stranger"};
    char cause[CAUSE_SIZE], quoted[CAUSE_SIZE + 64];
    uint64_t wait = 0;
    for (unsigned i = 0; i < 64 && gone->out != -1; i++) // what it wrote last is still in the pipe
        child_read(gone);
    lines_end(gone->lines);
    output_pass(self->output, gone);
    s_cause(gone, status, cause, sizeof cause);
    bool early = !plan_is_up(self->plan) && plan_culprit(self->plan) < 0;
    plan_end how = plan_exited(self->plan, gone->pid, cause, self->now, NULL, &wait);
    log_event(how == END_STOPPED ? LEVEL_INFO : LEVEL_WARN, "exited",
              "name=%s.%u child_pid=%d how=%s cause=%s next_start_ms=%llu", gone->name, gone->generation,
              gone->pid, words[how], log_quoted(slice_text(cause), quoted, sizeof quoted),
              (unsigned long long)wait);
    if (how == END_BOOT && (early || plan_is_up(self->plan))) {
        buffer_clear(&self->obituary);
        buffer_slice(&self->obituary, lines_tail(gone->lines));
    }
    // A worker that left in order has said so itself.
    if (gone->slot && (how != END_STOPPED || status != 0))
        envoy_exited(self->envoy, gone->pid);
    child_destroy(&gone);
}

void
supervisor_reap(supervisor *self)
{
    child *gone;
    int status;
    while (crew_reap(self->crew, &gone, &status))
        if (gone)
            s_bury(self, gone, status);
}
