// troupe: the supervisor of a fleet, and the commands that talk to it. Exit codes: 0: done, or stopped by a
// signal. 1: failure. 2: the command line or the configuration was refused.
#include "common/descriptors.h"
#include "common/log.h"
#include "fleet/cli/command.h"
#include "fleet/cli/keygen.h"
#include "fleet/cli/session_commands.h"
#include "fleet/cli/supervisor_commands.h"
#include "fleet/option_file.h"
#include "fleet/state_directory.h"
#include "fleet/supervisor/supervisor.h"

#include <argp.h>
#include <czmq.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>

enum { EXIT_REFUSED = 2, WHY_SIZE = 512 };

const char *argp_program_version = "troupe " TROUPE_VERSION;

// The text may quote a file or a variable: no control characters reach the terminal.
static int
s_print_refusal(const char *why)
{
    char text[WHY_SIZE + 64];
    fprintf(stderr, "troupe: %s\n", log_plain(slice_text(why), text, sizeof text));
    return EXIT_REFUSED;
}

// With a key, tcp:// requires CURVE; the processes of this machine connect over ipc://, which needs no key.
static err
s_add_local_address(option_set *options, option_name name, const char *address)
{
    if (!option_set_has(options, OPTION_KEY) || strncmp(option_set_local(options, name), "ipc://", 6) == 0)
        return OK;
    return option_set_append(options, name, address);
}

// Completes the flags: from the environment, then from the file, then with the defaults below the state
// directory.
static err
s_complete_options(const command *parsed, char directory[STATE_DIRECTORY_PATH], char *ret_why, size_t size)
{
    option_set *options = parsed->options;
    const char *config = parsed->config ? parsed->config : getenv("TROUPE_CONFIG");
    if (option_set_put_environment(options, PROGRAM_FLEET, getenv)) {
        snprintf(ret_why, size, "in the environment: %s", option_set_problem(options));
        return ERR_MALFORMED;
    }
    err error = config && *config ? option_file_read(options, config, ret_why, size) : OK;
    if (error)
        return error;
    if (state_directory_find(options, directory)) {
        snprintf(ret_why, size,
                 "the path of the state directory is too long for a socket in it: %.300s… has more than %d "
                 "bytes. Choose another one with --state or TROUPE_STATE",
                 directory, STATE_DIRECTORY_PATH - 1);
        return ERR_TOO_LARGE;
    }
    char front[STATE_DIRECTORY_ADDRESS], back[STATE_DIRECTORY_ADDRESS], store[STATE_DIRECTORY_ADDRESS];
    state_directory_address(directory, "front", front);
    state_directory_address(directory, "back", back);
    ASSERT(option_set_put(options, OPTION_FRONT, front, SOURCE_DEFAULT, NULL) == OK);
    ASSERT(option_set_put(options, OPTION_BACK, back, SOURCE_DEFAULT, NULL) == OK);
    if (s_add_local_address(options, OPTION_FRONT, front) ||
        s_add_local_address(options, OPTION_BACK, back)) {
        snprintf(ret_why, size, "%s", option_set_problem(options));
        return ERR_MALFORMED;
    }
    snprintf(store, sizeof store, "%s/sessions", directory);
    ASSERT(option_set_put(options, OPTION_KEEP, store, SOURCE_DEFAULT, NULL) == OK);
    return OK;
}

// With a port chosen by the system, neither workers nor Django would know the address.
static err
s_check_addresses(const option_set *options, char *ret_why, size_t size)
{
    for (option_name name = OPTION_FRONT; name <= OPTION_BACK; name++) {
        const char *address = option_set_text(options, name);
        if (address[strlen(address) - 1] != '*')
            continue;
        snprintf(ret_why, size, "%s: specify a port instead of *", address);
        return ERR_MALFORMED;
    }
    return OK;
}

// Must come before any thread, which inherits the mask: the supervisor reads these signals from a signalfd.
static void
s_block_signals(void)
{
    sigset_t handled;
    sigemptyset(&handled);
    sigaddset(&handled, SIGTERM);
    sigaddset(&handled, SIGINT);
    sigaddset(&handled, SIGHUP);
    sigaddset(&handled, SIGCHLD);
    sigprocmask(SIG_BLOCK, &handled, NULL);
    // If it was inherited as ignored, the kernel would reap our children, and wait would fail.
    signal(SIGCHLD, SIG_DFL);
}

// --debug: a debugger waits for its user. The broker has its limit from here, and the worker knows by itself;
// what was given for these options is overridden.
static void
s_set_up_for_debugging(option_set *options)
{
    static const struct {
        option_name name;
        const char *value;
    } fixed[] = {{OPTION_WORKERS, "1"}, {OPTION_HARD_MS, "3600000"}, {OPTION_DRAIN_MS, "0"}};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        ASSERT(option_set_put(options, fixed[i].name, fixed[i].value, SOURCE_FLAG, NULL) == OK);
}

// A worker that is killed while its debugger reads a line leaves the terminal without echo.
static bool
s_save_terminal(const option_set *options, struct termios *ret)
{
    return option_set_number(options, OPTION_DEBUG) && tcgetattr(STDIN_FILENO, ret) == 0;
}

// The lock comes before everything that another supervisor in this directory would notice.
static int
s_run_supervisor(const command *parsed, const char *directory)
{
    char why[WHY_SIZE];
    if (s_check_addresses(parsed->options, why, sizeof why))
        return s_print_refusal(why);
    if (state_directory_lock(directory, why, sizeof why)) {
        fprintf(stderr, "troupe up: %s\n", why);
        return EXIT_FAILURE;
    }
    int ready_fd = option_set_descriptor(parsed->options, OPTION_READY_FD);
    // Not for children: the reader should see end of file when we exit.
    if (ready_fd >= 0)
        fcntl(ready_fd, F_SETFD, FD_CLOEXEC);
    s_block_signals();
    struct termios terminal;
    bool restore = s_save_terminal(parsed->options, &terminal);
    if (option_set_number(parsed->options, OPTION_DEBUG))
        s_set_up_for_debugging(parsed->options);
    log_setup("fleet", option_set_number(parsed->options, OPTION_VERBOSE) ? LEVEL_DEBUG : LEVEL_INFO);
    // Django in a worker reads the broker's address from there.
    setenv("TROUPE_FRONT", option_set_local(parsed->options, OPTION_FRONT), 1);
    supervisor *running = supervisor_new(&(supervisor_config){
        .options = parsed->options,
        .directory = directory,
        .ready_fd = ready_fd,
        .clock = clock_awake(),
    });
    bool ok = running && supervisor_run(running);
    supervisor_destroy(&running);
    if (restore)
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

// Signals and descriptors come first: everything after may open files or start threads.
int
main(int argc, char **argv)
{
    command parsed;
    char directory[STATE_DIRECTORY_PATH], why[WHY_SIZE];
    if (descriptors_reserve_standard())
        return EXIT_FAILURE;
    signal(SIGPIPE, SIG_IGN);
    // A log file at its size limit must not stop the fleet.
    signal(SIGXFSZ, SIG_IGN);
    // CZMQ would install handlers for SIGINT and SIGTERM, which the supervisor reads from a signalfd.
    setenv("ZSYS_SIGHANDLER", "false", 1);
    int code = EXIT_REFUSED;
    if (command_parse(argc, argv, 0, &parsed) == OK) {
        zsys_set_logstream(stderr);
        if (parsed.name == COMMAND_KEYGEN)
            code = keygen_run(&parsed);
        else if (s_complete_options(&parsed, directory, why, sizeof why))
            code = s_print_refusal(why);
        else if (parsed.name == COMMAND_UP)
            code = s_run_supervisor(&parsed, directory);
        else if (parsed.name > COMMAND_KEYGEN)
            code = session_command_run(&parsed, option_set_local(parsed.options, OPTION_FRONT));
        else
            code = supervisor_command_run(&parsed, directory);
    }
    command_fini(&parsed);
    zsys_shutdown();
    return code;
}
