// The loop: poll, react to signals, output, requests and figures, then carry out what the reconciler says.
// Limits of workers are checked once a second.
//
// The reconciler (reconciler.c) decides, and knows nothing of processes; this file and its neighbours carry
// out its actions and tell it what happened. `now` is read once per pass, so that everything in a pass agrees
// about the time.
#include "fleet/supervisor/supervisor_internal.h"

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
    // Between comparisons of workers with their limits, and requests for figures.
    CHECK_MS = 1000,
    // Older figures are not shown: the broker does not answer.
    FIGURES_EXPIRE_MS = 5000,
    // What a worker gets beyond its own grace period (--drain-ms) before SIGKILL; the broker gets no more
    // than this.
    STOP_GRACE_MS = 5000,
    RELOAD_BACKOFF_MS = 1000,
    MAX_WAIT_MS = 60000
};

// As a descriptor, signals are one more thing to poll, and are handled between other work. main() has
// blocked them.
static err
s_open_signals(int *ret_fd)
{
    sigset_t handled;
    sigemptyset(&handled);
    sigaddset(&handled, SIGTERM);
    sigaddset(&handled, SIGINT);
    sigaddset(&handled, SIGHUP);
    sigaddset(&handled, SIGCHLD);
    *ret_fd = signalfd(-1, &handled, SFD_NONBLOCK | SFD_CLOEXEC);
    return *ret_fd == -1 ? ERR_SYSTEM : OK;
}

// Nothing is started yet: the first pass of supervisor_run() asks the reconciler. errno is saved before it
// can change.
supervisor *
supervisor_new(const supervisor_config *config)
{
    supervisor *self = calloc(1, sizeof *self);
    ASSERT(self);
    char address[STATE_DIRECTORY_ADDRESS];
    const reconciler_options planning = {
        .workers = (unsigned)option_set_number(config->options, OPTION_WORKERS),
        .boot_ms = option_set_number(config->options, OPTION_BOOT_S) * 1000,
        .worker_stop_ms = option_set_number(config->options, OPTION_DRAIN_MS) +
                          option_set_number(config->options, OPTION_EXIT_MS) + STOP_GRACE_MS,
        .broker_stop_ms = STOP_GRACE_MS,
        // Whoever has just corrected the settings is waiting.
        .most_backoff_ms = option_set_number(config->options, OPTION_RELOAD) ? RELOAD_BACKOFF_MS : 0,
    };
    self->config = *config;
    self->now = self->started_at = self->check_at = clock_now(config->clock);
    self->is_terminal = isatty(STDERR_FILENO);
    self->oom_kills = supervisor_oom_kills();
    self->output = output_new(self->is_terminal);
    self->signals = -1;
    buffer_init(&self->figures);
    buffer_init(&self->failed_output);
    self->reconciler = reconciler_new(&planning);
    self->processes = processes_new(config->options, config->clock);
    state_directory_address(config->directory, "control", address);
    self->control = control_server_new(address);
    self->broker = self->control
                       ? broker_client_new(option_set_local(config->options, OPTION_FRONT), config->clock)
                       : NULL;
    if (!self->broker || s_open_signals(&self->signals)) {
        char control[300], front[300];
        int reason = errno;
        log_event(LEVEL_ERROR, "supervisor_failed", "control=%s front=%s reason=\"%s\"",
                  log_value(address, control, sizeof control),
                  log_value(option_set_local(config->options, OPTION_FRONT), front, sizeof front),
                  strerror(reason));
        supervisor_destroy(&self);
    }
    return self;
}

// Also for one that supervisor_new() did not finish.
void
supervisor_destroy(supervisor **self_p)
{
    supervisor *self = *self_p;
    if (!self)
        return;
    control_server_destroy(&self->control);
    broker_client_destroy(&self->broker);
    processes_destroy(&self->processes);
    output_destroy(&self->output);
    reconciler_destroy(&self->reconciler);
    buffer_fini(&self->figures);
    buffer_fini(&self->failed_output);
    if (self->signals != -1)
        close(self->signals);
    free(self);
    *self_p = NULL;
}

// Logs "up" once, and tells whoever waits on the ready descriptor.
static void
s_log_up(supervisor *self)
{
    if (self->logged_up || !reconciler_is_up(self->reconciler))
        return;
    self->logged_up = true;
    char front[300];
    log_event(LEVEL_INFO, "up", "workers=%u front=%s", reconciler_workers(self->reconciler),
              log_value(option_set_local(self->config.options, OPTION_FRONT), front, sizeof front));
    if (self->config.ready_fd >= 0 && write(self->config.ready_fd, "ready\n", 6) != 6)
        log_event(LEVEL_WARN, "ready_fd", "fd=%d reason=\"%s\"", self->config.ready_fd, strerror(errno));
    if (self->config.ready_fd >= 0)
        close(self->config.ready_fd);
}

// Logs the end of a reload once.
static void
s_log_reload(supervisor *self)
{
    const reload_progress *reload = reconciler_reload_progress(self->reconciler);
    char why[EXIT_CAUSE_SIZE + 64];
    if (reload->state == self->logged_reload)
        return;
    self->logged_reload = reload->state;
    if (reload->state == RELOAD_DONE)
        log_event(LEVEL_INFO, "reloaded", "workers=%u", reconciler_workers(self->reconciler));
    if (reload->state == RELOAD_FAILED)
        log_event(LEVEL_WARN, "reload_failed", "slot=%u cause=%s", reload->slot,
                  log_quoted(slice_text(reload->why), why, sizeof why));
}

// By SIGHUP, which has nobody to answer: the log has the result.
static void
s_reload(supervisor *self)
{
    err error = reconciler_reload(self->reconciler, self->now);
    log_event(LEVEL_INFO, "reload", "by=SIGHUP answer=%s", err_word(error));
    if (!error)
        self->logged_reload = RELOAD_RUNNING;
}

// The first signal stops the fleet, a second one kills it.
static void
s_stop(supervisor *self, unsigned number)
{
    log_event(LEVEL_INFO, self->signalled ? "killing_all" : "stopping", "signal=%u", number);
    reconciler_stop(self->reconciler);
    if (self->signalled)
        reconciler_kill_now(self->reconciler);
    self->signalled = true;
}

// A signalfd merges signals of one number: one SIGCHLD may stand for several children, which
// supervisor_reap() knows.
static void
s_read_signals(supervisor *self)
{
    struct signalfd_siginfo info;
    while (read(self->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        // SIGHUP means reload, unless it came because the terminal was closed.
        bool hung_up = self->is_terminal && !isatty(STDERR_FILENO);
        if (info.ssi_signo == SIGCHLD)
            supervisor_reap(self);
        else if (info.ssi_signo == SIGHUP && !hung_up)
            s_reload(self);
        else
            s_stop(self, info.ssi_signo);
    }
}

// Starts a process. One that cannot be forked is an exit to the reconciler: its slot backs off.
static void
s_start(supervisor *self, const reconciler_action *action)
{
    char name[32];
    const child *started = processes_start(self->processes, action->slot, action->generation);
    if (started) {
        log_event(LEVEL_INFO, "started", "name=%s.%u child_pid=%d", started->name, started->generation,
                  started->pid);
        reconciler_started(self->reconciler, action->slot, started->pid);
        return;
    }
    log_event(LEVEL_WARN, "start_failed", "name=%s reason=\"%s\"", slot_name(action->slot, name, sizeof name),
              strerror(errno));
    reconciler_exited(self->reconciler, 0, strerror(errno), self->now, NULL, NULL);
}

// Carries out all that the reconciler has to do now.
static void
s_act(supervisor *self)
{
    reconciler_action action;
    while (reconciler_next(self->reconciler, self->now, &action)) {
        const child *target =
            action.type == RECONCILER_START ? NULL : processes_find(self->processes, action.pid);
        if (action.type == RECONCILER_START) {
            s_start(self, &action);
        } else if (target) {
            bool kill = action.type == RECONCILER_KILL;
            log_event(kill ? LEVEL_WARN : LEVEL_INFO, kill ? "killing" : "terminating",
                      "name=%s.%u child_pid=%d reason=%s", target->name, target->generation, target->pid,
                      action.why);
            child_signal(target, kill ? SIGKILL : SIGTERM);
        }
    }
    s_log_up(self);
    s_log_reload(self);
}

// Replaces workers that have reached a limit.
static void
s_recycle(supervisor *self)
{
    broker_figures figures;
    bool known = supervisor_figures(self, &figures);
    for (size_t i = 0; i < processes_count(self->processes); i++) {
        const child *watched = processes_at(self->processes, i);
        worker_figures worker = {0};
        if (known)
            worker_figures_find(&figures, (uint64_t)watched->pid, &worker);
        if (watched->max_turns && worker.turns >= watched->max_turns)
            reconciler_recycle(self->reconciler, watched->pid, "max_events");
        else if (watched->max_age_ms && self->now - watched->started_at >= watched->max_age_ms)
            reconciler_recycle(self->reconciler, watched->pid, "max_age");
        else if (watched->max_rss && child_rss(watched) >= watched->max_rss)
            reconciler_recycle(self->reconciler, watched->pid, "max_rss");
    }
}

// Decoded for each use: the struct borrows from the buffer, which s_receive_figures() overwrites.
bool
supervisor_figures(const supervisor *self, broker_figures *ret)
{
    return self->figures.size && self->now - self->figures_at < FIGURES_EXPIRE_MS &&
           broker_figures_decode(buffer_bytes(&self->figures), ret) == OK;
}

// Keeps the newest figures; older ones in the queue are overwritten.
static void
s_receive_figures(supervisor *self)
{
    slice body;
    while (broker_client_receive(self->broker, &body) == OK) {
        buffer_clear(&self->figures);
        buffer_slice(&self->figures, body);
        self->figures_at = self->now;
    }
}

// Once in CHECK_MS; figures that are requested now are looked at next time.
static void
s_check(supervisor *self)
{
    if (self->now < self->check_at)
        return;
    self->check_at = self->now + CHECK_MS;
    broker_client_request_figures(self->broker);
    s_recycle(self);
}

enum { ITEMS_FIXED = 4 };

// Fills in what to poll. While standard error takes nothing, it is polled instead of the children's output.
// The first three are at fixed places, which s_run_once() looks at; the children are read whatever poll
// says of them.
static int
s_poll_items(supervisor *self, zmq_pollitem_t *items, bool writable)
{
    int count = 0;
    items[count++] = (zmq_pollitem_t){.fd = self->signals, .events = ZMQ_POLLIN};
    items[count++] = (zmq_pollitem_t){.socket = control_server_socket(self->control), .events = ZMQ_POLLIN};
    items[count++] = (zmq_pollitem_t){.socket = broker_client_socket(self->broker), .events = ZMQ_POLLIN};
    items[count++] =
        (zmq_pollitem_t){.fd = writable ? -1 : STDERR_FILENO, .events = writable ? 0 : ZMQ_POLLOUT};
    for (size_t i = 0; i < processes_count(self->processes); i++) {
        const child *watched = processes_at(self->processes, i);
        if (watched->out != -1 && writable)
            items[count++] = (zmq_pollitem_t){.fd = watched->out, .events = ZMQ_POLLIN};
        if (watched->ready != -1)
            items[count++] = (zmq_pollitem_t){.fd = watched->ready, .events = ZMQ_POLLIN};
    }
    return count;
}

// Reads what the children wrote, and which of them have become ready. Output is read only if it can be
// forwarded.
static void
s_read_children(supervisor *self, bool writable)
{
    for (size_t i = 0; i < processes_count(self->processes); i++) {
        child *watched = processes_at(self->processes, i);
        if (writable) {
            child_read(watched);
            output_forward(self->output, watched);
        }
        if (child_read_ready(watched)) {
            log_event(LEVEL_INFO, "ready", "name=%s.%u child_pid=%d", watched->name, watched->generation,
                      watched->pid);
            watched->was_ready = true;
            reconciler_ready(self->reconciler, watched->pid, self->now);
        }
    }
}

// One pass: waits for an event or for the next deadline, then handles what happened.
static void
s_run_once(supervisor *self)
{
    static zmq_pollitem_t items[ITEMS_FIXED + 2 * MAX_PROCESSES];
    uint64_t wait = reconciler_wait(self->reconciler, self->now), until_check = self->check_at - self->now;
    wait = wait < until_check ? wait : until_check;
    bool writable = output_flush(self->output);
    int count = s_poll_items(self, items, writable);
    int rc = zmq_poll(items, count, (long)(wait < MAX_WAIT_MS ? wait : MAX_WAIT_MS));
    self->now = clock_now(self->config.clock);
    if (rc > 0) {
        s_read_children(self, writable);
        if (items[0].revents)
            s_read_signals(self);
        if (items[1].revents)
            supervisor_handle_requests(self);
        if (items[2].revents)
            s_receive_figures(self);
    }
    s_check(self);
}

// Shows a failed start to the user: the last output of the process is usually a traceback.
static void
s_print_failed_start(const supervisor *self)
{
    char name[32];
    unsigned number = (unsigned)reconciler_failed_slot(self->reconciler);
    fprintf(stderr, "\ntroupe: %s did not start: %s\n\n%.*s", slot_name(number, name, sizeof name),
            reconciler_slot(self->reconciler, number)->last, (int)self->failed_output.size,
            self->failed_output.size ? (const char *)self->failed_output.data : "");
}

// The reconciler is asked before the first poll, which would otherwise wait for nothing.
bool
supervisor_run(supervisor *self)
{
    for (s_act(self); !reconciler_is_over(self->reconciler); s_act(self))
        s_run_once(self);
    processes_kill_orphans();
    output_flush_all(self->output);
    log_event(LEVEL_INFO, "down", "age_ms=%llu", (unsigned long long)(self->now - self->started_at));
    if (reconciler_failed_slot(self->reconciler) < 0)
        return true;
    s_print_failed_start(self);
    return false;
}
