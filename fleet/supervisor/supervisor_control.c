// Requests of `troupe` commands: each changes the reconciler at most, and is answered with the state of the
// fleet; waiting for the effect is the command's part.
#include "fleet/supervisor/supervisor_internal.h"

#include "common/log.h"
#include "fleet/report.h"

#include <stdio.h>
#include <unistd.h>

// Requests that are answered in one pass of the loop, so that other work gets its turn.
enum { MAX_REQUESTS = 16 };

// Copies a text that may not be UTF-8, since a child may write anything: a character that is truncated at the
// end is dropped, and other invalid bytes become "?".
static void
s_copy_utf8(char *ret_text, size_t size, slice text)
{
    size_t length = text.size < size ? text.size : size - 1;
    if (length)
        memcpy(ret_text, text.data, length);
    ret_text[length] = '\0';
    for (unsigned i = 0; i < 3 && length && !utf8_is_valid(slice_text(ret_text)); i++)
        ret_text[--length] = '\0';
    for (char *at = ret_text; *at && !utf8_is_valid(slice_text(ret_text)); at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
}

// proc: NULL for a slot that waits for its next start.
static void
s_add_row(const supervisor *self, report *result, unsigned number, const process *proc,
          const broker_figures *figures)
{
    report_row *row = report_add(result);
    const slot *place = reconciler_slot(self->reconciler, number);
    if (!row)
        return;
    slot_name(number, row->name, sizeof row->name);
    s_copy_utf8(row->last, sizeof row->last, slice_text(place->last));
    row->restarts = place->restarts;
    row->generation = place->generation;
    if (!proc) {
        snprintf(row->state, sizeof row->state, "%s", process_state_word(PROCESS_NONE));
        row->age_ms = place->start_at > self->now ? place->start_at - self->now : 0;
        return;
    }
    snprintf(row->state, sizeof row->state, "%s", process_state_word(proc->state));
    const child *running = processes_find(self->processes, proc->pid);
    row->generation = proc->generation;
    row->pid = (uint64_t)proc->pid;
    row->age_ms = self->now - proc->started_at;
    row->rss = running ? child_rss(running) : 0;
    row->has_figures = figures && worker_figures_find(figures, row->pid, &row->figures);
}

// A slot has a row for each of its processes, or one that shows its backoff.
static void
s_add_rows(const supervisor *self, report *result)
{
    const broker_figures *figures = result->has_broker ? &result->broker : NULL;
    unsigned count = reconciler_slot_count(self->reconciler);
    for (unsigned i = 0; i < count; i++) {
        const slot *place = reconciler_slot(self->reconciler, i);
        for (unsigned k = 0; k < SLOT_PROCESSES; k++)
            if (place->processes[k].state != PROCESS_NONE)
                s_add_row(self, result, i, &place->processes[k], figures);
        if (slot_count(place) == 0)
            s_add_row(self, result, i, NULL, NULL);
    }
}

// Of texts, only those that this program composed need no check for UTF-8.
static void
s_fill_report(const supervisor *self, report *result)
{
    static const char *const reloads[] = {"none", "running", "done", "failed"};
    const reload_progress *reload = reconciler_reload_progress(self->reconciler);
    result->pid = (uint64_t)getpid();
    result->age_ms = self->now - self->started_at;
    result->workers = reconciler_workers(self->reconciler);
    result->reload_number = reload->number;
    result->reload_slot = reload->slot;
    result->has_broker = supervisor_figures(self, &result->broker);
    snprintf(result->state, sizeof result->state, "%s",
             reconciler_is_stopping(self->reconciler) ? "stopping"
             : reconciler_is_up(self->reconciler)     ? "up"
                                                      : "starting");
    s_copy_utf8(result->front, sizeof result->front,
                slice_text(option_set_local(self->config.options, OPTION_FRONT)));
    snprintf(result->reload, sizeof result->reload, "%s", reloads[reload->state]);
    s_copy_utf8(result->reload_why, sizeof result->reload_why, slice_text(reload->why));
    s_copy_utf8(result->detail, sizeof result->detail, buffer_bytes(&self->failed_output));
    s_add_rows(self, result);
}

// Changes the reconciler as the request asks; the loop carries it out after the reply.
static err
s_apply(supervisor *self, const control_request *request)
{
    switch (request->verb) {
    case CONTROL_SCALE:
        return reconciler_scale(
            self->reconciler, request->workers > MAX_WORKERS ? MAX_WORKERS + 1 : (unsigned)request->workers);
    case CONTROL_RELOAD:
        return reconciler_reload(self->reconciler, self->now);
    case CONTROL_DRAIN:
        return reconciler_drain(self->reconciler, request->worker);
    case CONTROL_STOP:
        reconciler_stop(self->reconciler);
        return OK;
    // Nothing to change: every reply has the report.
    case CONTROL_STATUS:
    case CONTROL_VERB_COUNT:
        break;
    }
    return OK;
}

// Why a request was refused, in words for the user of the command.
static const char *
s_refusal(err error)
{
    switch ((int)error) {
    case ERR_FULL:
        return "a reload is running already";
    case ERR_LEAVING:
        return "the fleet is stopping";
    case ERR_NO_WORKER:
        return "this worker is not ready, or is being replaced already";
    case ERR_TYPE:
        return "unknown command";
    default:
        return err_text(error);
    }
}

// A refused request gets no report: its command prints the message and ends.
static void
s_reply(supervisor *self, err error)
{
    buffer body;
    report *result = report_new();
    buffer_init(&body);
    s_fill_report(self, result);
    report_encode(result, &body);
    if (error)
        control_server_reply(self->control, &(control_reply){.message = slice_text(s_refusal(error))});
    else
        control_server_reply(self->control, &(control_reply){.ok = true, .report = buffer_bytes(&body)});
    report_destroy(&result);
    buffer_fini(&body);
}

// Invalid requests are answered as well: the sender is waiting.
void
supervisor_handle_requests(supervisor *self)
{
    for (unsigned i = 0; i < MAX_REQUESTS; i++) {
        control_request request = {.verb = CONTROL_STATUS};
        err error = control_server_receive(self->control, &request);
        if (error == ERR_AGAIN)
            return;
        if (error)
            log_event(LEVEL_WARN, "bad_command", "reason=%s", err_word(error));
        else
            error = s_apply(self, &request);
        if (request.verb != CONTROL_STATUS)
            log_event(LEVEL_INFO, "command", "command=%s answer=%s", control_verb_word(request.verb),
                      err_word(error));
        if (request.verb == CONTROL_RELOAD && !error)
            self->logged_reload = RELOAD_RUNNING;
        s_reply(self, error);
    }
}
