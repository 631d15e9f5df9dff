#include "fleet/supervisor/supervisor_parts.h"

#include "common/log.h"
#include "fleet/state_directory.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <zmq.h>

enum {
    ASK_MS = 1000,
    FIGURES_OLD_MS = 5000,
    STOP_SLACK_MS = 5000,
    DRAIN_MS = 30000,
    BOOT_S = 60,
    LONGEST_MS = 60000
};

static err
s_open_signals(int *ret_fd)
{
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGHUP);
    sigaddset(&ours, SIGCHLD);
    *ret_fd = signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC);
    return *ret_fd == -1 ? ERR_SYSTEM : OK;
}

supervisor *
supervisor_new(const supervisor_options *options)
{
    supervisor *self = calloc(1, sizeof *self);
    ASSERT(self);
    char address[HOME_ADDRESS];
    const settings *given = options->given;
    const plan_options planned = {
        .workers = (unsigned)settings_number(given, SET_WORKERS, 2),
        .boot_ms = settings_number(given, SET_BOOT_S, BOOT_S) * 1000,
        .worker_stop_ms = settings_number(given, SET_DRAIN_MS, DRAIN_MS) + STOP_SLACK_MS,
        .broker_stop_ms = STOP_SLACK_MS,
    };
    self->options = *options;
    self->now = self->started_at = self->look_at = clock_now(options->clock);
    self->terminal = isatty(STDERR_FILENO);
    self->out_of_memory = supervisor_out_of_memory();
    self->output = output_new(self->terminal);
    self->signals = -1;
    buffer_init(&self->figures);
    buffer_init(&self->obituary);
    self->plan = plan_new(&planned);
    self->crew = crew_new(given, options->clock);
    home_address(options->state, "control", address);
    self->control = control_new(address);
    self->envoy = self->control ? envoy_new(settings_local(given, SET_FRONT), options->clock) : NULL;
    if (!self->envoy || s_open_signals(&self->signals)) {
        char at[300], front[300];
        int reason = errno;
        log_event(LEVEL_ERROR, "no_supervisor", "control=%s front=%s reason=\"%s\"",
                  log_value(address, at, sizeof at),
                  log_value(settings_local(given, SET_FRONT), front, sizeof front), strerror(reason));
        supervisor_destroy(&self);
    }
    return self;
}

void
supervisor_destroy(supervisor **self_p)
{
    supervisor *self = *self_p;
    if (!self)
        return;
    control_destroy(&self->control);
    envoy_destroy(&self->envoy);
    crew_destroy(&self->crew);
    output_destroy(&self->output);
    plan_destroy(&self->plan);
    buffer_fini(&self->figures);
    buffer_fini(&self->obituary);
    if (self->signals != -1)
        close(self->signals);
    free(self);
    *self_p = NULL;
}

static void
s_say_up(supervisor *self)
{
    if (self->said_up || !plan_is_up(self->plan))
        return;
    self->said_up = true;
    char front[300];
    log_event(LEVEL_INFO, "up", "workers=%u front=%s", plan_workers(self->plan),
              log_value(settings_local(self->options.given, SET_FRONT), front, sizeof front));
    if (self->options.ready_fd >= 0 && write(self->options.ready_fd, "ready\n", 6) != 6)
        log_event(LEVEL_WARN, "ready_fd", "fd=%d reason=\"%s\"", self->options.ready_fd, strerror(errno));
    if (self->options.ready_fd >= 0)
        close(self->options.ready_fd);
}

static void
s_say_reload(supervisor *self)
{
    const plan_reload_state *now = plan_reload_look(self->plan);
    char why[CAUSE_SIZE + 64];
    if (now->state == self->said_reload)
        return;
    self->said_reload = now->state;
    if (now->state == RELOAD_DONE)
        log_event(LEVEL_INFO, "reloaded", "workers=%u", plan_workers(self->plan));
    if (now->state == RELOAD_FAILED)
        log_event(LEVEL_WARN, "reload_failed", "slot=%u cause=%s", now->slot,
                  log_quoted(slice_text(now->why), why, sizeof why));
}

static void
s_reload(supervisor *self)
{
    err error = plan_reload(self->plan, self->now);
    log_event(LEVEL_INFO, "reload", "by=SIGHUP answer=%s", err_word(error));
    if (!error)
        self->said_reload = RELOAD_RUNNING;
}

static void
s_stop(supervisor *self, unsigned number)
{
    log_event(LEVEL_INFO, self->signalled ? "hurrying" : "stopping", "signal=%u", number);
    plan_stop(self->plan);
    if (self->signalled)
        plan_hurry(self->plan);
    self->signalled = true;
}

static void
s_on_signal(supervisor *self)
{
    struct signalfd_siginfo info;
    while (read(self->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        // A terminal that went away sends SIGHUP too, and whoever sat there wants no reload.
        bool closed = self->terminal && !isatty(STDERR_FILENO);
        if (info.ssi_signo == SIGCHLD)
            supervisor_reap(self);
        else if (info.ssi_signo == SIGHUP && !closed)
            s_reload(self);
        else
            s_stop(self, info.ssi_signo);
    }
}

static void
s_start(supervisor *self, const plan_action *what)
{
    char name[32];
    const child *made = crew_start(self->crew, what->slot, what->generation);
    if (made) {
        log_event(LEVEL_INFO, "started", "name=%s.%u child_pid=%d", made->name, made->generation, made->pid);
        plan_started(self->plan, what->slot, made->pid);
        return;
    }
    log_event(LEVEL_WARN, "start_failed", "name=%s reason=\"%s\"",
              crew_slot_name(what->slot, name, sizeof name), strerror(errno));
    plan_exited(self->plan, 0, strerror(errno), self->now, NULL, NULL);
}

static void
s_act(supervisor *self)
{
    plan_action next;
    while (plan_next(self->plan, self->now, &next)) {
        const child *of = next.verb == PLAN_START ? NULL : crew_find(self->crew, next.pid);
        if (next.verb == PLAN_START) {
            s_start(self, &next);
        } else if (of) {
            bool kill = next.verb == PLAN_KILL;
            log_event(kill ? LEVEL_WARN : LEVEL_INFO, kill ? "killing" : "ending",
                      "name=%s.%u child_pid=%d why=%s", of->name, of->generation, of->pid, next.why);
            child_signal(of, kill ? SIGKILL : SIGTERM);
        }
    }
    s_say_up(self);
    s_say_reload(self);
}

// Workers that have reached a limit.
static void
s_recycle(supervisor *self)
{
    broker_figures said;
    bool known = supervisor_figures(self, &said);
    for (size_t i = 0; i < crew_count(self->crew); i++) {
        const child *of = crew_at(self->crew, i);
        worker_figures worker = {0};
        if (known)
            worker_figures_find(&said, (uint64_t)of->pid, &worker);
        if (of->most_turns && worker.turns >= of->most_turns)
            plan_recycle(self->plan, of->pid, "max_events");
        else if (of->most_age_ms && self->now - of->started_at >= of->most_age_ms)
            plan_recycle(self->plan, of->pid, "max_age");
        else if (of->most_rss && child_rss(of) >= of->most_rss)
            plan_recycle(self->plan, of->pid, "max_rss");
    }
}

bool
supervisor_figures(const supervisor *self, broker_figures *ret)
{
    return self->figures.size && self->now - self->figures_at < FIGURES_OLD_MS &&
           broker_figures_decode(buffer_bytes(&self->figures), ret) == OK;
}

static void
s_on_figures(supervisor *self)
{
    slice body;
    while (envoy_receive(self->envoy, &body) == OK) {
        buffer_clear(&self->figures);
        buffer_slice(&self->figures, body);
        self->figures_at = self->now;
    }
}

static void
s_look_around(supervisor *self)
{
    if (self->now < self->look_at)
        return;
    self->look_at = self->now + ASK_MS;
    envoy_ask(self->envoy);
    s_recycle(self);
}

enum { ITEMS_FIXED = 4 };

// What there is to wait for. While standard error takes nothing, that instead of the children's output.
static int
s_items(supervisor *self, zmq_pollitem_t *items, bool takes)
{
    int count = 0;
    items[count++] = (zmq_pollitem_t){.fd = self->signals, .events = ZMQ_POLLIN};
    items[count++] = (zmq_pollitem_t){.socket = control_socket(self->control), .events = ZMQ_POLLIN};
    items[count++] = (zmq_pollitem_t){.socket = envoy_socket(self->envoy), .events = ZMQ_POLLIN};
    items[count++] = (zmq_pollitem_t){.fd = takes ? -1 : STDERR_FILENO, .events = takes ? 0 : ZMQ_POLLOUT};
    for (size_t i = 0; i < crew_count(self->crew); i++) {
        const child *of = crew_at(self->crew, i);
        if (of->out != -1 && takes)
            items[count++] = (zmq_pollitem_t){.fd = of->out, .events = ZMQ_POLLIN};
        if (of->ready != -1)
            items[count++] = (zmq_pollitem_t){.fd = of->ready, .events = ZMQ_POLLIN};
    }
    return count;
}

static void
s_hear(supervisor *self, bool takes)
{
    for (size_t i = 0; i < crew_count(self->crew); i++) {
        child *of = crew_at(self->crew, i);
        if (takes) {
            child_read(of);
            output_pass(self->output, of);
        }
        if (child_read_ready(of)) {
            log_event(LEVEL_INFO, "ready", "name=%s.%u child_pid=%d", of->name, of->generation, of->pid);
            of->was_ready = true;
            plan_ready(self->plan, of->pid, self->now);
        }
    }
}

static void
s_turn(supervisor *self)
{
    static zmq_pollitem_t items[ITEMS_FIXED + 2 * CREW_MOST];
    uint64_t wait = plan_wait(self->plan, self->now), look = self->look_at - self->now;
    wait = wait < look ? wait : look;
    bool takes = output_takes(self->output);
    int count = s_items(self, items, takes);
    int rc = zmq_poll(items, count, (long)(wait < LONGEST_MS ? wait : LONGEST_MS));
    self->now = clock_now(self->options.clock);
    if (rc > 0) {
        s_hear(self, takes);
        if (items[0].revents)
            s_on_signal(self);
        if (items[1].revents)
            supervisor_answer(self);
        if (items[2].revents)
            s_on_figures(self);
    }
    s_look_around(self);
}

static void
s_say_culprit(const supervisor *self)
{
    char name[32];
    unsigned number = (unsigned)plan_culprit(self->plan);
    fprintf(stderr, "\ntroupe: %s did not start: %s\n\n%.*s", crew_slot_name(number, name, sizeof name),
            plan_slot(self->plan, number)->last, (int)self->obituary.size,
            self->obituary.size ? (const char *)self->obituary.data : "");
}

bool
supervisor_run(supervisor *self)
{
    for (s_act(self); !plan_is_over(self->plan); s_act(self))
        s_turn(self);
    crew_end_strangers();
    output_finish(self->output);
    log_event(LEVEL_INFO, "down", "age_ms=%llu", (unsigned long long)(self->now - self->started_at));
    if (plan_culprit(self->plan) < 0)
        return true;
    s_say_culprit(self);
    return false;
}
