#include "fleet/supervisor/supervisor_parts.h"

#include "common/log.h"
#include "proto/black_box.h"

#include <signal.h>
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
    if (WEXITSTATUS(status) == EXIT_STUCK && of->slot)
        snprintf(reason, sizeof reason, "stuck");
    bool worth = WEXITSTATUS(status) && (!of->was_ready || WEXITSTATUS(status) == EXIT_STUCK) && reason[0];
    snprintf(ret_text, size, "exit code %d%s%s", WEXITSTATUS(status), worth ? ": " : "", worth ? reason : "");
}

uint64_t
supervisor_out_of_memory(void)
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

// Is it what ran that ended it? A kill -9 comes from outside, but for the system's own when memory runs out.
static bool
s_is_own_fault(supervisor *self, int status)
{
    uint64_t before = self->out_of_memory;
    self->out_of_memory = supervisor_out_of_memory();
    return !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL || self->out_of_memory > before;
}

// What ran goes into the cause and into the log.
static void
s_say_running(const child *gone, const exited_body *said, char *cause, size_t size)
{
    if (!said->count)
        return;
    const running_turn *first = &said->running[0];
    size_t used = strlen(cause);
    snprintf(cause + used, size - used, " while %.*s%s%.*s ran", (int)first->view.size,
             first->view.size ? (const char *)first->view.data : "", first->view.size ? "." : "",
             (int)first->event.size, first->event.size ? (const char *)first->event.data : "");
    used = strlen(cause);
    if (said->count > 1)
        snprintf(cause + used, size - used, ", and %u more", said->count - 1);
    for (unsigned i = 0; i < said->count && i < 8; i++) {
        const running_turn *each = &said->running[i];
        char id[ID_TEXT], view[2 * MAX_VIEW_PATH], event[2 * MAX_EVENT_NAME];
        log_event(LEVEL_WARN, "was_running", "name=%s.%u session=%s view=%s event=%s", gone->name,
                  gone->generation, id_text(each->session, id), log_quoted(each->view, view, sizeof view),
                  log_quoted(each->event, event, sizeof event));
    }
}

// To the broker; a worker that left in order has said so itself.
static void
s_tell(supervisor *self, const child *gone, int status, plan_end how, exited_body *said)
{
    bool blames = how == END_CRASH && s_is_own_fault(self, status);
    said->pid = (uint64_t)gone->pid;
    said->count = blames ? said->count : 0;
    if (gone->slot && (how != END_STOPPED || status != 0))
        envoy_exited(self->envoy, said);
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
    buffer box;
    buffer_init(&box);
    child_black_box(gone, &box);
    exited_body said = {0};
    said.count = black_box_running(buffer_bytes(&box), said.running, MAX_RUNNING);
    s_say_running(gone, &said, cause, sizeof cause);
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
    s_tell(self, gone, status, how, &said);
    buffer_fini(&box);
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
