// troupe-broker: arguments, signals, exit codes. 0: stopped by a signal. 1: could not start. 2: the arguments
// are refused.
#include "broker/broker.h"
#include "broker/io/address.h"
#include "common/descriptors.h"
#include "common/limits.h"
#include "common/log.h"

#include <argp.h>
#include <czmq.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_ADDRESSES = 8, EXIT_REFUSED = 2, SETTLE_MS = 2000 };
enum {
    OPT_FRONT = 256,
    OPT_BACK,
    OPT_READY_FD,
    OPT_HEARTBEAT,
    OPT_WORKER_DEAD,
    OPT_CLIENT_DEAD,
    OPT_HARD,
    OPT_KEEP,
    OPT_KEEP_MB,
    OPT_PASSIVE,
    OPT_CREDITS,
    OPT_BUDGET_MB,
    OPT_MAX_SESSIONS,
    OPT_KEY,
    OPT_ALLOW
};

typedef struct {
    size_t count;
    const char *given[MAX_ADDRESSES]; // of argv or the environment
    const char *endpoint[MAX_ADDRESSES];
    char text[MAX_ADDRESSES][MAX_ADDRESS];
} addresses;

typedef struct {
    addresses front, back;
    const char *keep, *key, *allow;
    uint32_t heartbeat_ms, worker_dead_ms, client_dead_ms, hard_ms, keep_mb, passive_s;
    uint32_t credits, budget_mb, max_sessions;
    int ready_fd;
    bool verbose;
} arguments;

const char *argp_program_version = "troupe-broker " TROUPE_VERSION;

static const struct argp_option s_options[] = {
    {"front", OPT_FRONT, "ADDRESS", 0,
     "Listen for clients here: ipc://PATH or tcp://HOST:PORT (may be repeated)", 0},
    {"back", OPT_BACK, "ADDRESS", 0, "Listen for workers here (may be repeated)", 0},
    {"key", OPT_KEY, "FILE", 0,
     "Want keys of whoever comes in over tcp://; this is the broker's own secret one (`troupe keygen`)", 0},
    {"allow", OPT_ALLOW, "FOLDER", 0,
     "The public keys that may come in: FOLDER/clients/*.cert, FOLDER/workers/*.cert", 0},
    {"heartbeat-ms", OPT_HEARTBEAT, "N", 0, "How often workers say that they live (1000)", 0},
    {"worker-dead-ms", OPT_WORKER_DEAD, "N", 0, "A worker silent for so long is dead (8000)", 0},
    {"client-dead-ms", OPT_CLIENT_DEAD, "N", 0, "A client silent for so long is gone (15000)", 0},
    {"hard-ms", OPT_HARD, "N", 0, "The workers' hard limit for a turn; 0: none (15000)", 0},
    {"keep", OPT_KEEP, "FOLDER", 0,
     "Keep sessions here, so that they outlive their workers and this broker (none: they do not)", 0},
    {"keep-mb", OPT_KEEP_MB, "N", 0, "How much may be kept (1024)", 0},
    {"passive-s", OPT_PASSIVE, "N", 0, "How long to keep a session whose page is gone (1800)", 0},
    {"credits", OPT_CREDITS, "N", 0,
     "Requests that a worker may have in flight; beyond, they are refused (256)", 0},
    {"budget-mb", OPT_BUDGET_MB, "N", 0, "How much all requests in flight may take (64)", 0},
    {"max-sessions", OPT_MAX_SESSIONS, "N", 0, "Sessions that a worker may own (10000)", 0},
    {"ready-fd", OPT_READY_FD, "FD", 0, "Write \"ready\" to this descriptor when bound, and close it", 0},
    {"verbose", 'v', NULL, 0, "Log more", 0},
    {0},
};

static void
s_add(struct argp_state *state, addresses *to, const char *text)
{
    if (to->count == MAX_ADDRESSES)
        argp_error(state, "at most %d addresses a side", MAX_ADDRESSES);
    to->given[to->count++] = text;
}

// When it is known whether there are keys.
static void
s_check(struct argp_state *state, addresses *of, bool keys)
{
    for (size_t i = 0; i < of->count; i++) {
        const char *refused = address_parse(of->given[i], keys, of->text[i]);
        if (refused)
            argp_error(state, "%s: %s", of->given[i], refused);
        of->endpoint[i] = of->text[i];
    }
}

// TROUPE_FRONT and TROUPE_BACK hold one address, or several with commas between.
static void
s_add_from_environment(struct argp_state *state, addresses *to, const char *variable)
{
    char *value = getenv(variable);
    if (to->count > 0 || !value)
        return;
    char *rest = NULL; // cut in its place: nobody reads it again
    for (char *each = strtok_r(value, ",", &rest); each; each = strtok_r(NULL, ",", &rest))
        s_add(state, to, each);
}

static const char *
s_or_environment(const char *given, const char *variable)
{
    const char *value = given ? given : getenv(variable);
    return value && *value ? value : NULL;
}

static uint32_t
s_number(struct argp_state *state, const char *text, uint32_t least, uint32_t most)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || *end || end == text || number < least || number > most)
        argp_error(state, "%s: wants a number from %u to %u", text, least, most);
    return (uint32_t)number;
}

static void
s_finish(struct argp_state *state, arguments *to)
{
    s_add_from_environment(state, &to->front, "TROUPE_FRONT");
    s_add_from_environment(state, &to->back, "TROUPE_BACK");
    if (!to->keep)
        to->keep = getenv("TROUPE_KEEP");
    to->key = s_or_environment(to->key, "TROUPE_KEY");
    to->allow = s_or_environment(to->allow, "TROUPE_ALLOW");
    if (!to->key != !to->allow)
        argp_error(state, "--key and --allow go together");
    if (to->front.count == 0 || to->back.count == 0)
        argp_error(state, "--front and --back are needed (or TROUPE_FRONT and TROUPE_BACK)");
    s_check(state, &to->front, to->key);
    s_check(state, &to->back, to->key);
    if (to->worker_dead_ms < 2 * to->heartbeat_ms)
        argp_error(state, "--worker-dead-ms must be at least twice --heartbeat-ms");
}

static error_t
s_parse(int option, char *text, struct argp_state *state)
{
    arguments *to = state->input;
    switch (option) {
    case OPT_FRONT:
        s_add(state, &to->front, text);
        break;
    case OPT_BACK:
        s_add(state, &to->back, text);
        break;
    case OPT_HEARTBEAT:
        to->heartbeat_ms = s_number(state, text, 10, 60000);
        break;
    case OPT_WORKER_DEAD:
        to->worker_dead_ms = s_number(state, text, 20, 3600000);
        break;
    case OPT_CLIENT_DEAD:
        to->client_dead_ms = s_number(state, text, 20, 3600000);
        break;
    case OPT_HARD:
        to->hard_ms = s_number(state, text, 0, 3600000);
        break;
    case OPT_KEEP:
        to->keep = text;
        break;
    case OPT_KEEP_MB:
        to->keep_mb = s_number(state, text, 1, 1 << 20);
        break;
    case OPT_PASSIVE:
        to->passive_s = s_number(state, text, 1, 1 << 20);
        break;
    case OPT_CREDITS:
        to->credits = s_number(state, text, 1, 100000);
        break;
    case OPT_BUDGET_MB:
        to->budget_mb = s_number(state, text, 8, 1 << 16);
        break;
    case OPT_MAX_SESSIONS:
        to->max_sessions = s_number(state, text, 1, 10000000);
        break;
    case OPT_KEY:
        to->key = text;
        break;
    case OPT_ALLOW:
        to->allow = text;
        break;
    case OPT_READY_FD:
        to->ready_fd = (int)s_number(state, text, 0, 1 << 20);
        break;
    case 'v':
        to->verbose = true;
        break;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument %s", text);
        break;
    case ARGP_KEY_END:
        s_finish(state, to);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

// Before any thread: they inherit the mask, and broker_run reads the signals from a descriptor.
static void
s_prepare_process(void)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // for the store an error like any other
    umask(0077);
    setenv("ZSYS_SIGHANDLER", "false", 1);
    struct rlimit files; // a descriptor a connection
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static void
s_say_ready(int fd)
{
    if (fd < 0)
        return;
    if (write(fd, "ready\n", 6) != 6)
        log_event(LEVEL_WARN, "ready_fd", "fd=%d reason=\"%s\"", fd, strerror(errno));
    close(fd);
}

// What this start is known by, and its epochs begin at: in ms, since a supervisor starts a broker again
// within the second, and workers would take it for the one before. Where the clock was set back, the store or
// the workers know of a higher one (PROTOCOL.md 3).
static uint64_t
s_boot(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int
main(int argc, char **argv)
{
    arguments given = {
        .heartbeat_ms = HEARTBEAT_MS,
        .worker_dead_ms = WORKER_DEAD_MS,
        .client_dead_ms = CLIENT_DEAD_MS,
        .keep_mb = 1024,
        .passive_s = PASSIVE_MS / 1000,
        .credits = WORKER_CREDIT,
        .budget_mb = MAX_IN_FLIGHT >> 20,
        .max_sessions = WORKER_SESSIONS,
        .ready_fd = -1,
    };
    const struct argp parser = {
        .options = s_options, .parser = s_parse, .doc = "Routes between Troupe's clients and workers."};
    if (descriptors_reserve_standard())
        return EXIT_FAILURE;
    argp_err_exit_status = EXIT_REFUSED;
    argp_parse(&parser, argc, argv, 0, NULL, &given);
    s_prepare_process();
    log_setup("broker", given.verbose ? LEVEL_DEBUG : LEVEL_INFO);
    zsys_set_logstream(stderr);
    broker_config config = {
        .front = given.front.endpoint,
        .front_count = given.front.count,
        .back = given.back.endpoint,
        .back_count = given.back.count,
        .secret_key = given.key,
        .allow_folder = given.allow,
        .heartbeat_ms = given.heartbeat_ms,
        .worker_dead_ms = given.worker_dead_ms,
        .client_dead_ms = given.client_dead_ms,
        .hard_ms = given.hard_ms,
        .store_folder = given.keep,
        .store_limit = (size_t)given.keep_mb << 20,
        .passive_ms = given.passive_s * 1000,
        .limits = {given.credits, (size_t)given.budget_mb << 20, given.max_sessions},
        .settle_ms = SETTLE_MS,
        .boot = s_boot(),
        .clock = clock_system(),
    };
    broker *serving = broker_new(&config);
    if (!serving)
        return EXIT_FAILURE;
    s_say_ready(given.ready_fd);
    err error = broker_run(serving);
    broker_destroy(&serving);
    zsys_shutdown();
    return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
