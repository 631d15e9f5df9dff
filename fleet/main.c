// troupe: a fleet's supervisor, and the commands that talk to it. Exit codes: 0: done, or stopped by a
// signal. 1: it could not. 2: the arguments are refused.
#include "common/descriptors.h"
#include "common/log.h"
#include "fleet/command/command.h"
#include "fleet/command/command_table.h"
#include "fleet/command/keygen.h"
#include "fleet/command/sessions.h"
#include "fleet/settings_file.h"
#include "fleet/state_directory.h"
#include "fleet/supervisor/supervisor.h"

#include <argp.h>
#include <czmq.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_REFUSED = 2, WHY_SIZE = 512 };

const char *argp_program_version = "troupe " TROUPE_VERSION;

static int
s_refuse(const char *why)
{
    char text[WHY_SIZE + 64];
    fprintf(stderr, "troupe: %s\n", log_plain(slice_text(why), text, sizeof text));
    return EXIT_REFUSED;
}

// With keys, this machine's own processes still come in by ipc://, for which they need none.
static err
s_add_local(settings *of, setting_name name, const char *address)
{
    if (!settings_given(of, SET_KEY) || strncmp(settings_local(of, name), "ipc://", 6) == 0)
        return OK;
    return settings_append(of, name, address);
}

// What flags did not say: the environment, then the file, then where the fleet's sockets usually are.
static err
s_complete(const command *given, char state[HOME_PATH], char *ret_why, size_t size)
{
    settings *of = given->given;
    const char *config = given->config ? given->config : getenv("TROUPE_CONFIG");
    if (settings_put_environment(of, getenv)) {
        snprintf(ret_why, size, "in the environment: %s", settings_problem(of));
        return ERR_MALFORMED;
    }
    err error = config && *config ? settings_file_read(of, config, ret_why, size) : OK;
    if (error)
        return error;
    if (home_find(of, state)) {
        snprintf(ret_why, size, "the path of the fleet's directory is longer than a socket's may be");
        return ERR_TOO_LARGE;
    }
    char front[HOME_ADDRESS], back[HOME_ADDRESS], keep[HOME_ADDRESS];
    home_address(state, "front", front);
    home_address(state, "back", back);
    ASSERT(settings_put(of, SET_FRONT, front, SOURCE_DEFAULT, NULL) == OK);
    ASSERT(settings_put(of, SET_BACK, back, SOURCE_DEFAULT, NULL) == OK);
    if (s_add_local(of, SET_FRONT, front) || s_add_local(of, SET_BACK, back)) {
        snprintf(ret_why, size, "%s", settings_problem(of));
        return ERR_MALFORMED;
    }
    snprintf(keep, sizeof keep, "%s/sessions", state);
    ASSERT(settings_put(of, SET_KEEP, keep, SOURCE_DEFAULT, NULL) == OK);
    return OK;
}

// An address that the system makes up is known to nobody: not to workers, and not to Django.
static err
s_check_addresses(const settings *of, char *ret_why, size_t size)
{
    for (setting_name name = SET_FRONT; name <= SET_BACK; name++) {
        const char *address = settings_text(of, name);
        if (address[strlen(address) - 1] != '*')
            continue;
        snprintf(ret_why, size, "%s: give a port instead of *", address);
        return ERR_MALFORMED;
    }
    return OK;
}

// Before any thread: they inherit the mask, and the supervisor reads the signals from a descriptor.
static void
s_block_signals(void)
{
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGHUP);
    sigaddset(&ours, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ours, NULL);
    signal(SIGCHLD, SIG_DFL); // who started us may have ignored it, and nothing could be waited for
}

static int
s_up(const command *given, const char *state)
{
    char why[WHY_SIZE];
    if (s_check_addresses(given->given, why, sizeof why))
        return s_refuse(why);
    if (home_claim(state, why, sizeof why)) {
        fprintf(stderr, "troupe up: %s\n", why);
        return EXIT_FAILURE;
    }
    if (given->ready_fd >= 0)
        fcntl(given->ready_fd, F_SETFD, FD_CLOEXEC); // whoever reads it should see when we end
    s_block_signals();
    log_setup("fleet", settings_number(given->given, SET_VERBOSE, 0) ? LEVEL_DEBUG : LEVEL_INFO);
    setenv("TROUPE_FRONT", settings_local(given->given, SET_FRONT),
           1); // what Django in a worker takes for it
    supervisor *running = supervisor_new(&(supervisor_options){
        .given = given->given,
        .state = state,
        .ready_fd = given->ready_fd,
        .clock = clock_awake(),
    });
    bool ok = running && supervisor_run(running);
    supervisor_destroy(&running);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
    command given;
    char state[HOME_PATH], why[WHY_SIZE];
    if (descriptors_reserve_standard())
        return EXIT_FAILURE;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // a log that may grow no further is no reason to end a fleet
    setenv("ZSYS_SIGHANDLER", "false", 1);
    int code = EXIT_REFUSED;
    if (command_parse(argc, argv, 0, &given) == OK) {
        zsys_set_logstream(stderr);
        if (given.verb == VERB_KEYGEN)
            code = keygen_run(&given);
        else if (s_complete(&given, state, why, sizeof why))
            code = s_refuse(why);
        else if (given.verb == VERB_UP)
            code = s_up(&given, state);
        else if (given.verb > VERB_KEYGEN)
            code = sessions_run(&given, settings_local(given.given, SET_FRONT));
        else
            code = commands_run(&given, state);
    }
    command_fini(&given);
    zsys_shutdown();
    return code;
}
