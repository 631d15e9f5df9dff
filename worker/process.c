// A worker's process: command line, signals, and the order of startup. Python starts first, on the main
// thread, so that a project that cannot be imported ends the process before it registers; then come the
// pool's threads, and then the I/O loop, which runs on the main thread until the worker has left.
//
// Exit codes: 0 stopped, 1 no descriptors or --reload failed, 2 address, keys or black box, 3 Python or the
// project, 4 refused by the broker, EXIT_STUCK a turn exceeded the hard limit, 64 (EX_USAGE) from argp.
#include "worker/process.h"

#include "common/descriptors.h"
#include "common/log.h"
#include "common/option_set.h"
#include "worker/io/worker.h"
#include "worker/py/embed.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

const char *argp_program_version = "troupe-worker " TROUPE_VERSION;

typedef struct {
    option_set *options;
    // worker-PID unless --name is given.
    char default_name[32];
    const char *name;
    // -1: nobody waits for "ready". ready_text is the option's value in argv itself, for s_write_ready.
    int ready_fd;
    char *ready_text;
    // The file that the black box is mapped from, inherited from the supervisor; -1: none.
    int box_fd;
    const char *const *launcher; // see worker_process()
} command_line;

static unsigned
s_number(const command_line *self, option_name name)
{
    return (unsigned)option_set_number(self->options, name);
}

// "-" stands for no descriptor: s_write_ready puts it into argv before a --reload passes that on.
static void
s_parse_ready_fd(command_line *self, char *text, struct argp_state *state)
{
    uint64_t number;
    char problem[OPTION_PROBLEM_SIZE];
    self->ready_text = text;
    self->ready_fd = -1;
    if (strcmp(text, "-") == 0)
        return;
    if (option_parse(OPTION_READY_FD, text, &number, problem))
        argp_error(state, "%s", problem);
    self->ready_fd = (int)number;
}

// Takes what the command line leaves open from the environment, then checks what no single option can.
static void
s_check_options(struct argp_state *state, command_line *self)
{
    if (option_set_put_environment(self->options, PROGRAM_WORKER, getenv))
        argp_error(state, "in the environment: %s", option_set_problem(self->options));
    const char *name = option_set_text(self->options, OPTION_WORKER_NAME);
    if (name && strlen(name) > MAX_WORKER_NAME)
        argp_error(state, "--name: more than %d characters", MAX_WORKER_NAME);
    self->name = name ? name : self->default_name;
    self->box_fd = option_set_descriptor(self->options, OPTION_BLACK_BOX_FD);
}

// argp calls this once per option, and with ARGP_KEY_END after the last. argp_error prints usage and exits.
static error_t
s_parse_argp(int key, char *text, struct argp_state *state)
{
    command_line *self = state->input;
    bool found;
    if (option_set_put_argp(self->options, PROGRAM_WORKER, key, text, &found))
        argp_error(state, "%s", option_set_problem(self->options));
    if (option_argp_find(key, PROGRAM_WORKER) == OPTION_WORKER_READY_FD)
        s_parse_ready_fd(self, text, state);
    if (key == ARGP_KEY_END)
        s_check_options(state, self);
    return found || key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
}

// Signal handlers take no context, hence these three. s_worker is set once worker_stop may be called.
static worker *_Atomic s_worker;
static volatile sig_atomic_t s_signalled;
static _Atomic bool s_reload;

// SIGTERM and SIGINT. Async-signal-safe: _exit, or an atomic store and a write to an eventfd (worker_stop).
static void
s_on_signal(int number)
{
    (void)number;
    int interrupted = errno;
    s_signalled = 1;
    // Not registered yet, so no session can be lost: exit at once, however long the project takes to import.
    if (!s_worker)
        _exit(0);
    worker_stop(s_worker);
    errno = interrupted;
}

// --reload: a source file changed. Called once, on Python's thread that watches the files. Before there is a
// worker it only leaves the flag, which s_run checks.
static void
s_on_change(void *context)
{
    (void)context;
    s_reload = true;
    if (s_worker)
        worker_stop(s_worker);
}

// Called twice: before Python starts, which takes long, and after it (s_run).
static void
s_set_signals(void)
{
    struct sigaction action = {.sa_handler = s_on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    // CPython ignores these two unless it is embedded without signal handlers, as here. By default a closed
    // database socket, or a file at RLIMIT_FSIZE, would end the process instead of raising OSError.
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);
}

// worker_options.registered: tells whoever started the worker that it is up. Changes argv, since --reload
// executes it again, when the same number may be the descriptor of another file.
static void
s_write_ready(void *context)
{
    command_line *parsed = context;
    if (parsed->ready_fd < 0)
        return;
    if (write(parsed->ready_fd, "ready\n", 6) != 6)
        log_event(LEVEL_WARN, "ready_fd", "fd=%d reason=\"%s\"", parsed->ready_fd, strerror(errno));
    close(parsed->ready_fd);
    parsed->ready_fd = -1;
    memcpy(parsed->ready_text, "-", 2);
}

static unsigned
s_soft_ms(const command_line *parsed)
{
    return option_set_number(parsed->options, OPTION_DEBUG) ? 0 : s_number(parsed, OPTION_SOFT_MS);
}

// Starts the interpreter and imports the project. NULL, and logged: it cannot be used. On return this thread
// does not hold the GIL, and must not: it becomes the I/O thread.
static const view_ops *
s_start_python(const command_line *parsed)
{
    const option_set *given = parsed->options;
    const char *paths[MAX_OPTION_VALUES];
    size_t path_count = option_set_count(given, OPTION_PATH);
    for (size_t i = 0; i < path_count; i++)
        paths[i] = option_set_value(given, OPTION_PATH, i);
    unsigned threads = s_number(parsed, OPTION_THREADS), most_threads = s_number(parsed, OPTION_MOST_THREADS);
    bool reload = option_set_number(given, OPTION_RELOAD);
    embed_options options = {
        .python = option_set_text(given, OPTION_PYTHON),
        .settings = option_set_text(given, OPTION_SETTINGS),
        .paths = paths,
        .path_count = (unsigned)path_count,
        .switch_us = s_number(parsed, OPTION_SWITCH_US),
        .soft_ms = s_soft_ms(parsed),
        .hard_ms = s_number(parsed, OPTION_HARD_MS),
        .await_s = option_set_number(given, OPTION_DEBUG) ? 0 : s_number(parsed, OPTION_AWAIT_S),
        .most_threads = most_threads > threads ? most_threads : threads,
        .debug = option_set_number(given, OPTION_DEBUG),
        .lazy = reload, // a page can show the error of a half-written view
    };
    const view_ops *ops = embed_start(&options);
    if (ops && reload && !embed_watch(s_on_change, NULL))
        return NULL;
    if (ops)
        embed_release();
    return ops;
}

// Before Python starts: its faulthandler restores the handlers that it found, and raises the signal again.
static recorder *
s_start_recorder(const command_line *parsed)
{
    recorder *record = recorder_new(parsed->box_fd);
    if (!record)
        log_event(LEVEL_ERROR, "no_black_box", "fd=%d reason=\"%s\"", parsed->box_fd, strerror(errno));
    else
        recorder_catch_signals(record);
    if (parsed->box_fd != -1)
        fcntl(parsed->box_fd, F_SETFD, FD_CLOEXEC); // programs that user code starts must not inherit it
    return record;
}

static bool
s_load_keys(const option_set *given, curve_keys *ret)
{
    char why[512], text[600];
    if (curve_keys_load(option_set_text(given, OPTION_WORKER_BACK), option_set_text(given, OPTION_WORKER_KEY),
                        option_set_text(given, OPTION_SERVER_KEY), ret, why, sizeof why) == OK)
        return true;
    log_event(LEVEL_ERROR, "no_keys", "reason=%s", log_quoted(slice_text(why), text, sizeof text));
    return false;
}

// The life of a worker, up to its exit code. The secret key is wiped as soon as ZeroMQ has its copy.
static int
s_run(command_line *parsed, recorder *record)
{
    curve_keys keys;
    if (!s_load_keys(parsed->options, &keys))
        return 2;
    const view_ops *ops = s_start_python(parsed);
    if (!ops)
        return 3;
    // Again: the project's imports may have replaced them.
    s_set_signals();
    unsigned threads = s_number(parsed, OPTION_THREADS), most_threads = s_number(parsed, OPTION_MOST_THREADS);
    // --debug: one turn at a time has the terminal, for as long as its user likes.
    bool debug = option_set_number(parsed->options, OPTION_DEBUG);
    if (debug)
        threads = most_threads = 1;
    worker_options options = {
        .back = option_set_text(parsed->options, OPTION_WORKER_BACK),
        .name = parsed->name,
        .keys = &keys,
        .drain_ms = s_number(parsed, OPTION_DRAIN_MS),
        .pool = {threads, most_threads > threads ? most_threads : threads, 50},
        .soft_ms = s_soft_ms(parsed),
        .hard_ms = debug ? 0 : s_number(parsed, OPTION_HARD_MS),
        .record = record,
        .registered = s_write_ready,
        .context = parsed,
    };
    s_worker = worker_new(&options, ops, clock_system());
    explicit_bzero(&keys, sizeof keys);
    if (!s_worker)
        return 2;
    // What came before s_worker was set has stopped nothing yet.
    if (s_signalled || s_reload)
        worker_stop(s_worker);
    worker_end end = worker_run(s_worker);
    return end == WORKER_STUCK ? EXIT_STUCK : end == WORKER_REFUSED ? 4 : 0;
}

// The process exits in the middle of an exit function that takes too long. The stacks say where it is. Only a
// worker that ends in good order has exit functions, so that its code is 0.
static void *
s_give_up_exiting(void *limit_ms_)
{
    const unsigned *limit_ms = limit_ms_;
    usleep(*limit_ms * 1000U);
    log_event(LEVEL_WARN, "exit_timeout", "limit_ms=%u hint=\"%s\"", *limit_ms,
              "a function registered with atexit, or a thread, has not ended: its stack follows. Functions "
              "that were registered before it are not called. --exit-ms gives more time");
    raise(SIGUSR2); // Python's faulthandler (embed.c)
    _exit(0);
}

// Lets user code flush what it has buffered (metrics, traces, logs) at an end in good order, as other servers
// do. In bounded time: the supervisor, or a deployment, waits.
static void
s_run_exit_functions(const command_line *parsed)
{
    static unsigned limit_ms; // for the thread, which goes on
    limit_ms = s_number(parsed, OPTION_EXIT_MS);
    pthread_t timer;
    if (!limit_ms)
        return;
    if (pthread_create(&timer, NULL, s_give_up_exiting, &limit_ms)) {
        log_event(LEVEL_WARN, "no_exit_functions", "reason=\"cannot create a thread\"");
        return;
    }
    embed_finish(limit_ms);
}

// --reload: the process executes itself, with the same pid, arguments and black box. Nothing else frees what
// an interpreter with threads in user code holds. In a Python process the interpreter is what is executed,
// with its own arguments in place of argv[0]. Returns only on failure.
static int
s_restart(const command_line *self, int argc, char **argv)
{
    char name[3 * MAX_WORKER_NAME];
    const char *const *launcher = self->launcher ? self->launcher : (const char *const[]){argv[0], NULL};
    size_t count = 0;
    while (launcher[count])
        count++;
    const char **command = calloc(count + (size_t)argc, sizeof *command);
    ASSERT(command);
    memcpy(command, launcher, count * sizeof *command);
    // With the NULL at the end.
    memcpy(command + count, argv + 1, (size_t)argc * sizeof *command);
    if (self->box_fd != -1)
        fcntl(self->box_fd, F_SETFD, 0);
    log_event(LEVEL_INFO, "reloading", "worker=%s", log_value(self->name, name, sizeof name));
    execv(self->launcher ? command[0] : "/proc/self/exe", (char *const *)command);
    log_event(LEVEL_ERROR, "reload_failed", "error=%s", strerror(errno));
    return 1;
}

static void
s_parse_command_line(int argc, char **argv, command_line *ret)
{
    struct argp_option options[OPTION_ARGP_SIZE];
    option_argp_all(PROGRAM_WORKER, options);
    const struct argp parser = {
        .options = options,
        .parser = s_parse_argp,
        .doc = "Runs some of a fleet's live views.",
    };
    *ret = (command_line){.options = option_set_new(), .ready_fd = -1};
    snprintf(ret->default_name, sizeof ret->default_name, "worker-%d", (int)getpid());
    argp_parse(&parser, argc, argv, 0, NULL, ret);
}

void
worker_process(int argc, char **argv, const char *const *launcher)
{
    static command_line parsed;
    char name[3 * MAX_WORKER_NAME];
    if (descriptors_reserve_standard())
        _exit(EXIT_FAILURE);
    s_parse_command_line(argc, argv, &parsed);
    parsed.launcher = launcher;
    // The name in ps and top; after execv("/proc/self/exe") it would be "exe".
    prctl(PR_SET_NAME, "troupe-worker");
    log_setup("worker", option_set_number(parsed.options, OPTION_VERBOSE) ? LEVEL_DEBUG : LEVEL_INFO);
    if (!option_set_has(parsed.options, OPTION_WORKER_BACK)) {
        log_event(LEVEL_ERROR, "no_address", "hint=\"give --back or set TROUPE_BACK\"");
        _exit(2);
    }
    s_set_signals();
    recorder *record = s_start_recorder(&parsed);
    int code = record ? s_run(&parsed, record) : 2;
    if (code != EXIT_STUCK && record)
        recorder_clean_exit(record);
    if (code == 0)
        s_run_exit_functions(&parsed);
    if (s_reload && !s_signalled && code == 0)
        code = s_restart(&parsed, argc, argv);
    log_event(LEVEL_INFO, "stopped", "worker=%s", log_value(parsed.name, name, sizeof name));
    // Not exit(): pool threads may still be in user code, and Py_Finalize or destructors would run under
    // them.
    _exit(code);
}
