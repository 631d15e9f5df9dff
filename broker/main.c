// troupe-broker: command line, signals, exit status. 0: stopped by a signal. 1: could not start. 2: the
// command line is invalid.
#include "broker/broker.h"
#include "broker/io/address.h"
#include "common/descriptors.h"
#include "common/log.h"
#include "common/option_set.h"

#include <argp.h>
#include <czmq.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    MAX_ADDRESSES = 8, // of one side
    EXIT_REFUSED = 2,
    // How long a broker without a store waits for workers to announce their sessions (PROTOCOL.md 5.7).
    SETTLE_MS = 2000,
};

// The addresses of one side. endpoints points into texts.
typedef struct {
    size_t count;
    const char *endpoints[MAX_ADDRESSES];
    char texts[MAX_ADDRESSES][MAX_ADDRESS];
} addresses;

typedef struct {
    option_set *options;
    addresses front, back;
} command_line;

const char *argp_program_version = "troupe-broker " TROUPE_VERSION;

// All addresses are checked before any is bound. Beyond the loopback tcp:// is valid only with a key, so this
// comes when all options are known.
static void
s_check_addresses(struct argp_state *state, const option_set *options, option_name name, addresses *ret)
{
    bool has_key = option_set_has(options, OPTION_KEY);
    ret->count = option_set_count(options, name);
    if (ret->count > MAX_ADDRESSES)
        argp_error(state, "--%s: more than %d addresses", option_table[name].key, MAX_ADDRESSES);
    for (size_t i = 0; i < ret->count; i++) {
        const char *address = option_set_value(options, name, i);
        const char *problem = address_parse(address, has_key, ret->texts[i]);
        if (problem)
            argp_error(state, "%s: %s", address, problem);
        ret->endpoints[i] = ret->texts[i];
    }
}

// Takes from the environment what no flag gave, then checks what depends on several options. A worker fences
// itself at half of worker-dead-ms without an echo, so less than two heartbeats would fence healthy ones.
static void
s_check_options(struct argp_state *state, command_line *self)
{
    option_set *options = self->options;
    if (option_set_put_environment(options, PROGRAM_BROKER, getenv))
        argp_error(state, "in the environment: %s", option_set_problem(options));
    if (option_set_has(options, OPTION_KEY) != option_set_has(options, OPTION_ALLOW))
        argp_error(state, "--key and --allow must be given together");
    if (!option_set_has(options, OPTION_FRONT) || !option_set_has(options, OPTION_BACK))
        argp_error(state, "--front and --back are required (or TROUPE_FRONT and TROUPE_BACK)");
    s_check_addresses(state, options, OPTION_FRONT, &self->front);
    s_check_addresses(state, options, OPTION_BACK, &self->back);
    if (option_set_number(options, OPTION_WORKER_DEAD_MS) <
        2 * option_set_number(options, OPTION_HEARTBEAT_MS))
        argp_error(state, "--worker-dead-ms must be at least twice --heartbeat-ms");
}

// argp's callback: once for each option, and once at the end. argp_error prints and exits.
static error_t
s_parse_argp(int key, char *text, struct argp_state *state)
{
    command_line *self = state->input;
    bool found;
    if (option_set_put_argp(self->options, PROGRAM_BROKER, key, text, &found))
        argp_error(state, "%s", option_set_problem(self->options));
    if (found)
        return 0;
    if (key == ARGP_KEY_ARG)
        argp_error(state, "too many arguments: %s", text);
    if (key == ARGP_KEY_END)
        s_check_options(state, self);
    return key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
}

// Before any thread is started, since threads inherit the signal mask: broker_run reads these signals from a
// signalfd. ZSYS_SIGHANDLER keeps CZMQ from installing handlers of its own.
static void
s_prepare_process(void)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // the store handles EFBIG like any other error
    umask(0077);
    setenv("ZSYS_SIGHANDLER", "false", 1);
    // Each connection takes a descriptor, and the soft limit is often 1024.
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

// Tells whoever started the broker that its sockets are bound: clients and workers may be started.
static void
s_write_ready(int fd)
{
    if (fd < 0)
        return;
    if (write(fd, "ready\n", 6) != 6)
        log_event(LEVEL_WARN, "ready_fd", "fd=%d reason=\"%s\"", fd, strerror(errno));
    close(fd);
}

// The boot number, from which this start's epochs are counted. In ms, since a supervisor may restart a broker
// within a second, and workers must not take it for the previous one. Where the clock was set back, the store
// or the workers know a higher number (PROTOCOL.md 3).
static uint64_t
s_boot(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint32_t
s_number(const command_line *self, option_name name)
{
    return (uint32_t)option_set_number(self->options, name);
}

static broker *
s_new_broker(const command_line *self)
{
    return broker_new(&(broker_config){
        .front = self->front.endpoints,
        .front_count = self->front.count,
        .back = self->back.endpoints,
        .back_count = self->back.count,
        .secret_key = option_set_text(self->options, OPTION_KEY),
        .allow_folder = option_set_text(self->options, OPTION_ALLOW),
        .heartbeat_ms = s_number(self, OPTION_HEARTBEAT_MS),
        .worker_dead_ms = s_number(self, OPTION_WORKER_DEAD_MS),
        .client_dead_ms = s_number(self, OPTION_CLIENT_DEAD_MS),
        .hard_ms = s_number(self, OPTION_HARD_MS),
        .store_folder = option_set_text(self->options, OPTION_KEEP),
        .store_limit = (size_t)s_number(self, OPTION_KEEP_MB) << 20,
        .passive_ms = s_number(self, OPTION_PASSIVE_S) * 1000,
        .limits = {s_number(self, OPTION_CREDITS), (size_t)s_number(self, OPTION_BUDGET_MB) << 20,
                   s_number(self, OPTION_MAX_SESSIONS)},
        .settle_ms = SETTLE_MS,
        .boot = s_boot(),
        .clock = clock_system(),
    });
}

int
main(int argc, char **argv)
{
    command_line parsed = {.options = option_set_new()};
    struct argp_option options[OPTION_ARGP_SIZE];
    option_argp_all(PROGRAM_BROKER, options);
    const struct argp parser = {
        .options = options,
        .parser = s_parse_argp,
        .doc = "Routes messages between Troupe's clients and workers.",
    };
    if (descriptors_reserve_standard())
        return EXIT_FAILURE;
    argp_err_exit_status = EXIT_REFUSED;
    argp_parse(&parser, argc, argv, 0, NULL, &parsed);
    s_prepare_process();
    log_setup("broker", option_set_number(parsed.options, OPTION_VERBOSE) ? LEVEL_DEBUG : LEVEL_INFO);
    zsys_set_logstream(stderr);
    broker *running = s_new_broker(&parsed);
    err error = running ? OK : ERR_SYSTEM;
    if (running) {
        s_write_ready(option_set_descriptor(parsed.options, OPTION_READY_FD));
        error = broker_run(running);
        broker_destroy(&running);
        zsys_shutdown();
    }
    option_set_destroy(&parsed.options);
    return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
