#include "fleet/supervisor/supervisor_parts.h"

#include "common/log.h"
#include "fleet/command/report.h"

#include <stdio.h>
#include <unistd.h>

// Texts go out as UTF-8, and a child may write anything. A character cut in two at the end goes.
static void
s_copy(char *to, size_t size, slice text)
{
    size_t length = text.size < size ? text.size : size - 1;
    if (length)
        memcpy(to, text.data, length);
    to[length] = '\0';
    for (unsigned i = 0; i < 3 && length && !utf8_is_valid(slice_text(to)); i++)
        to[--length] = '\0';
    for (char *at = to; *at && !utf8_is_valid(slice_text(to)); at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
}

static void
s_row(const supervisor *self, report *into, unsigned number, const process *one, const broker_figures *said)
{
    report_row *row = report_add(into);
    const slot *of = plan_slot(self->plan, number);
    if (!row)
        return;
    crew_slot_name(number, row->name, sizeof row->name);
    s_copy(row->last, sizeof row->last, slice_text(of->last));
    row->restarts = of->restarts;
    row->generation = of->generation;
    if (!one) {
        snprintf(row->state, sizeof row->state, "backoff");
        row->age_ms = of->start_at > self->now ? of->start_at - self->now : 0;
        return;
    }
    snprintf(row->state, sizeof row->state, "%s", process_state_word(one->state));
    const child *running = crew_find(self->crew, one->pid);
    row->generation = one->generation;
    row->pid = (uint64_t)one->pid;
    row->age_ms = self->now - one->started_at;
    row->rss = running ? child_rss(running) : 0;
    row->known = said && worker_figures_find(said, row->pid, &row->said);
}

static void
s_rows(const supervisor *self, report *into)
{
    const broker_figures *said = into->broker_known ? &into->broker : NULL;
    unsigned count = plan_slot_count(self->plan);
    for (unsigned i = 0; i < count; i++) {
        const slot *of = plan_slot(self->plan, i);
        for (unsigned k = 0; k < SLOT_PROCESSES; k++)
            if (of->process[k].state != PROCESS_NONE)
                s_row(self, into, i, &of->process[k], said);
        if (slot_count(of) == 0)
            s_row(self, into, i, NULL, NULL);
    }
}

static void
s_report(const supervisor *self, report *into)
{
    static const char *const reloads[] = {"none", "running", "done", "failed"};
    const plan_reload_state *reload = plan_reload_look(self->plan);
    into->pid = (uint64_t)getpid();
    into->age_ms = self->now - self->started_at;
    into->workers = plan_workers(self->plan);
    into->reload_number = reload->number;
    into->reload_slot = reload->slot;
    into->broker_known = supervisor_figures(self, &into->broker);
    snprintf(into->state, sizeof into->state, "%s",
             plan_is_stopping(self->plan) ? "stopping"
             : plan_is_up(self->plan)     ? "up"
                                          : "starting");
    s_copy(into->front, sizeof into->front, slice_text(settings_local(self->options.given, SET_FRONT)));
    snprintf(into->reload, sizeof into->reload, "%s", reloads[reload->state]);
    s_copy(into->reload_why, sizeof into->reload_why, slice_text(reload->why));
    s_copy(into->detail, sizeof into->detail, buffer_bytes(&self->obituary));
    s_rows(self, into);
}

static err
s_obey(supervisor *self, const talk_request *request)
{
    switch (request->verb) {
    case VERB_SCALE:
        return plan_scale(self->plan,
                          request->workers > MAX_WORKERS ? MAX_WORKERS + 1 : (unsigned)request->workers);
    case VERB_RELOAD:
        return plan_reload(self->plan, self->now);
    case VERB_DRAIN:
        return plan_drain(self->plan, request->worker);
    case VERB_STOP:
        plan_stop(self->plan);
        return OK;
    case VERB_STATUS:
    case VERB_UP:
    case VERB_KEYGEN:
    case VERB_SESSIONS:
    case VERB_EVICT:
    case VERB_COUNT:
        break;
    }
    return OK;
}

static const char *
s_why_not(err error)
{
    switch ((int)error) {
    case ERR_FULL:
        return "a reload is under way";
    case ERR_LEAVING:
        return "the fleet is stopping";
    case ERR_NO_WORKER:
        return "no such worker is ready, or it is being replaced already";
    case ERR_TYPE:
        return "there is no such command";
    default:
        return err_text(error);
    }
}

static void
s_answer(supervisor *self, err error)
{
    buffer body;
    report *now = report_new();
    buffer_init(&body);
    s_report(self, now);
    report_encode(now, &body);
    if (error)
        control_answer(self->control, &(talk_answer){.message = slice_text(s_why_not(error))});
    else
        control_answer(self->control, &(talk_answer){.ok = true, .report = buffer_bytes(&body)});
    report_destroy(&now);
    buffer_fini(&body);
}

void
supervisor_answer(supervisor *self)
{
    for (unsigned i = 0; i < 16; i++) { // then the others have their turn
        talk_request request = {0};
        err error = control_receive(self->control, &request);
        if (error == ERR_AGAIN)
            return;
        if (error)
            log_event(LEVEL_WARN, "bad_command", "reason=%s", err_word(error));
        else
            error = s_obey(self, &request);
        if (request.verb != VERB_UP && request.verb != VERB_STATUS)
            log_event(LEVEL_INFO, "command", "command=%s answer=%s", verb_word(request.verb),
                      err_word(error));
        if (request.verb == VERB_RELOAD && !error)
            self->said_reload = RELOAD_RUNNING;
        s_answer(self, error);
    }
}
