// troupe-worker: arguments, signals, and the order of things: Python first, then threads, then the loop.
#include "common/descriptors.h"
#include "common/log.h"
#include "worker/io/worker.h"
#include "worker/py/embed.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MAX_PATHS 16

enum { OPT_READY_FD = 256, OPT_BOX_FD, OPT_SOFT, OPT_HARD, OPT_KEY, OPT_SERVER_KEY };

const char *argp_program_version = "troupe-worker " TROUPE_VERSION;

typedef struct {
    const char *back, *name, *settings, *python, *key, *server_key;
    const char *paths[MAX_PATHS];
    char *ready_text; // of argv
    int ready_fd, box_fd;
    unsigned path_count, threads, most_threads, switch_us, drain_ms, soft_ms, hard_ms;
    bool reload, verbose;
} arguments;

static const struct argp_option s_options[] = {
    {"back", 'b', "ADDRESS", 0, "The broker's back address (default: $TROUPE_BACK)", 0},
    {"key", OPT_KEY, "FILE", 0,
     "This worker's secret key (`troupe keygen`), for tcp:// addresses (default: $TROUPE_KEY)", 0},
    {"server-key", OPT_SERVER_KEY, "FILE", 0, "The broker's public key (default: $TROUPE_SERVER_KEY)", 0},
    {"name", 'n', "NAME", 0, "This worker's name, unique in the fleet (default: worker-PID)", 0},
    {"settings", 's', "MODULE", 0, "Django's settings (default: $DJANGO_SETTINGS_MODULE)", 0},
    {"path", 'p', "FOLDER", 0, "Put a folder in front of sys.path; may be repeated", 0},
    {"python", 'P', "FILE", 0, "The interpreter whose environment to use (default: found by itself)", 0},
    {"threads", 't', "N", 0, "Threads that run turns (default: 4)", 0},
    {"most-threads", 'T', "N", 0, "How many they may become while they are blocked (default: 32)", 0},
    {"switch-us", 'S', "US", 0, "How long one thread computes while another waits (default: 5000)", 0},
    {"drain-ms", 'd', "MS", 0,
     "How long it may take to hand over sessions and end turns when it stops (default: 30000)", 0},
    {"soft-ms", OPT_SOFT, "MS", 0, "A handler that takes longer gets an exception; 0: none (default: 5000)",
     0},
    {"hard-ms", OPT_HARD, "MS", 0, "One that takes longer still ends this worker; 0: never (default: 15000)",
     0},
    {"black-box-fd", OPT_BOX_FD, "FD", 0, "Write down here what runs, for whoever started this worker", 0},
    {"ready-fd", OPT_READY_FD, "FD", 0,
     "Write \"ready\" to this descriptor when registered, and close it (-: do not)", 0},
    {"reload", 'r', 0, 0, "Start anew when the project's code or templates change", 0},
    {"verbose", 'v', 0, 0, "Log more", 0},
    {0},
};

static unsigned
s_number(struct argp_state *state, const char *text, unsigned least, unsigned most)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || *end || end == text || value < least || value > most)
        argp_error(state, "'%s' is not a number from %u to %u", text, least, most);
    return (unsigned)value;
}

static error_t
s_parse(int key, char *text, struct argp_state *state)
{
    arguments *into = state->input;
    switch (key) {
    case 'b':
        into->back = text;
        return 0;
    case 'n':
        if (strlen(text) == 0 || strlen(text) > MAX_WORKER_NAME)
            argp_error(state, "a name has 1 to %d characters", MAX_WORKER_NAME);
        into->name = text;
        return 0;
    case OPT_KEY:
        into->key = text;
        return 0;
    case OPT_SERVER_KEY:
        into->server_key = text;
        return 0;
    case 's':
        into->settings = text;
        return 0;
    case 'p':
        if (into->path_count == MAX_PATHS)
            argp_error(state, "at most %d folders", MAX_PATHS);
        into->paths[into->path_count++] = text;
        return 0;
    case 'P':
        into->python = text;
        return 0;
    case 't':
        into->threads = s_number(state, text, 1, 256);
        return 0;
    case 'T':
        into->most_threads = s_number(state, text, 1, 256);
        return 0;
    case 'S':
        into->switch_us = s_number(state, text, 10, 1000000);
        return 0;
    case 'd':
        into->drain_ms = s_number(state, text, 0, 600000);
        return 0;
    case OPT_SOFT:
        into->soft_ms = s_number(state, text, 0, 3600000);
        return 0;
    case OPT_HARD:
        into->hard_ms = s_number(state, text, 0, 3600000);
        return 0;
    case OPT_BOX_FD:
        into->box_fd = (int)s_number(state, text, 0, 1 << 20);
        return 0;
    case OPT_READY_FD:
        into->ready_text = text;
        into->ready_fd = strcmp(text, "-") == 0 ? -1 : (int)s_number(state, text, 0, 1 << 20);
        return 0;
    case 'r':
        into->reload = true;
        return 0;
    case 'v':
        into->verbose = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static worker *_Atomic s_worker; // for the signal handler; set once it may be stopped
static volatile sig_atomic_t s_signalled;
static _Atomic bool s_reload;

static void
s_on_signal(int number)
{
    (void)number;
    int interrupted = errno;
    s_signalled = 1;
    if (!s_worker)
        _exit(0); // nobody knows us yet, and the project may take as long as it likes to start
    worker_stop(s_worker);
    errno = interrupted;
}

static void
s_on_change(void *context)
{
    (void)context;
    s_reload = true;
    if (s_worker)
        worker_stop(s_worker);
}

static void
s_set_signals(void)
{
    struct sigaction action = {.sa_handler = s_on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    // Python's own handlers are off: a dead database socket must not be deadly, nor a file over its limit.
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);
}

// Once: a worker that starts anew by --reload has the same arguments, and the descriptor may be another
// file's by then.
static void
s_say_ready(void *context)
{
    arguments *given = context;
    if (given->ready_fd < 0)
        return;
    if (write(given->ready_fd, "ready\n", 6) != 6)
        log_event(LEVEL_WARN, "ready_fd", "fd=%d reason=\"%s\"", given->ready_fd, strerror(errno));
    close(given->ready_fd);
    given->ready_fd = -1;
    memcpy(given->ready_text, "-", 2);
}

static const view_ops *
s_start_python(const arguments *given)
{
    embed_options options = {
        .python = given->python,
        .settings = given->settings,
        .paths = given->paths,
        .path_count = given->path_count,
        .switch_us = given->switch_us,
        .soft_ms = given->soft_ms,
        .lazy = given->reload, // a page can tell of a half-written view
    };
    const view_ops *ops = embed_start(&options);
    if (ops && given->reload && !embed_watch(s_on_change, NULL))
        return NULL;
    if (ops)
        embed_release();
    return ops;
}

static recorder *
s_record(const arguments *given)
{
    recorder *made = recorder_new(given->box_fd);
    if (!made)
        log_event(LEVEL_ERROR, "no_black_box", "fd=%d reason=\"%s\"", given->box_fd, strerror(errno));
    else
        recorder_catch_signals(made);
    if (given->box_fd != -1)
        fcntl(given->box_fd, F_SETFD, FD_CLOEXEC); // programs that handlers start have no business there
    return made;
}

static bool
s_load_keys(const arguments *given, curve_keys *ret)
{
    char why[512], text[600];
    if (curve_keys_load(given->back, given->key, given->server_key, ret, why, sizeof why) == OK)
        return true;
    log_event(LEVEL_ERROR, "no_keys", "reason=%s", log_quoted(slice_text(why), text, sizeof text));
    return false;
}

static const char *
s_environment(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value ? value : NULL;
}

static int
s_run(arguments *given, recorder *record)
{
    curve_keys keys;
    if (!s_load_keys(given, &keys))
        return 2;
    const view_ops *ops = s_start_python(given);
    if (!ops)
        return 3;
    s_set_signals(); // again: asyncio and Django may have set their own
    worker_options options = {
        .back = given->back,
        .name = given->name,
        .keys = &keys,
        .drain_ms = given->drain_ms,
        .pool = {given->threads, given->most_threads, 50},
        .soft_ms = given->soft_ms,
        .hard_ms = given->hard_ms,
        .record = record,
        .registered = s_say_ready,
        .context = given,
    };
    s_worker = worker_new(&options, ops, clock_system());
    explicit_bzero(&keys, sizeof keys);
    if (!s_worker)
        return 2;
    if (s_signalled || s_reload)
        worker_stop(s_worker);
    worker_end end = worker_run(s_worker);
    return end == WORKER_STUCK ? EXIT_STUCK : end == WORKER_REFUSED ? 4 : 0;
}

int
main(int argc, char **argv)
{
    static const struct argp parser = {s_options, s_parse, NULL, "Runs a part of a fleet's live views.",
                                       NULL,      NULL,    NULL};
    char name[32], said[3 * MAX_WORKER_NAME];
    if (descriptors_reserve_standard())
        return EXIT_FAILURE;
    snprintf(name, sizeof name, "worker-%d", (int)getpid());
    arguments given = {.back = getenv("TROUPE_BACK"),
                       .key = s_environment("TROUPE_KEY"),
                       .server_key = s_environment("TROUPE_SERVER_KEY"),
                       .name = name,
                       .threads = 4,
                       .most_threads = 32,
                       .switch_us = 5000,
                       .drain_ms = 30000,
                       .soft_ms = SOFT_MS,
                       .hard_ms = HARD_MS,
                       .ready_fd = -1,
                       .box_fd = -1};
    argp_parse(&parser, argc, argv, 0, NULL, &given);
    if (given.most_threads < given.threads)
        given.most_threads = given.threads;
    prctl(PR_SET_NAME, "troupe-worker"); // after a reload it would be "exe"
    log_setup("worker", given.verbose ? LEVEL_DEBUG : LEVEL_INFO);
    if (!given.back) {
        log_event(LEVEL_ERROR, "no_address", "hint=\"give --back or set TROUPE_BACK\"");
        return 2;
    }
    s_set_signals();
    recorder *record = s_record(&given);
    int code = record ? s_run(&given, record) : 2;
    if (code != EXIT_STUCK && record)
        recorder_clean_exit(record);
    if (s_reload && !s_signalled && code == 0) {
        if (given.box_fd != -1)
            fcntl(given.box_fd, F_SETFD, 0);
        log_event(LEVEL_INFO, "reloading", "worker=%s", log_value(given.name, said, sizeof said));
        execv("/proc/self/exe", argv);
        log_event(LEVEL_ERROR, "reload_failed", "error=%s", strerror(errno));
        code = 1;
    }
    log_event(LEVEL_INFO, "stopped", "worker=%s", log_value(given.name, said, sizeof said));
    _exit(code); // threads may be inside the person's code: nothing is taken down under them
}
