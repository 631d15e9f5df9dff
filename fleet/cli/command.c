// Parsing of `troupe COMMAND ...`: one argp parser a command, with the options that it takes. argp (glibc's
// <argp.h>) prints help and errors, and exits, unless argp_flags say otherwise.
#include "fleet/cli/command.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXIT_REFUSED = 2,
    // Above all letters, which argp would take for short options, and below those of the table (options.c).
    KEY_CONFIG = 256,
    KEY_JSON,
    KEY_WATCH,
    KEY_OUT,
    KEY_WORKER,
};

static const struct {
    const char *word, *arguments, *doc;
} s_commands[COMMAND_COUNT] = {
    [COMMAND_UP] = {"up", "",
                    "Runs a broker and workers, and restarts those that exit, until SIGTERM or SIGINT."},
    [COMMAND_STATUS] = {"status", "", "Shows the fleet's processes and what they are doing."},
    [COMMAND_SCALE] = {"scale", "N", "Changes the number of workers to N, and waits until all are ready."},
    [COMMAND_RELOAD] = {"reload", "",
                        "Replaces the workers, one by one, with new ones that run the current code."},
    [COMMAND_DRAIN] = {"drain", "WORKER",
                       "Replaces a worker: it hands its sessions over to the other workers and exits, and a "
                       "new one starts."},
    [COMMAND_STOP] = {"stop", "", "Stops the fleet, and waits until it has exited."},
    [COMMAND_KEYGEN] = {"keygen", "[NAME]",
                        "Writes NAME.cert and NAME.cert_secret, a CURVE key pair for tcp:// addresses (NAME: "
                        "the host name)."},
    [COMMAND_SESSIONS] = {"sessions", "[SESSION]",
                          "Lists the sessions that the broker knows, or those whose ids start with SESSION. "
                          "KEPT is the size in bytes of a session's stored snapshot; its contents are known "
                          "only to its worker."},
    [COMMAND_EVICT] = {"evict", "SESSION",
                       "Ends a session on whichever worker has it, and deletes its snapshot. SESSION is its "
                       "id, or a prefix that no other id has. A page that shows it joins again and starts "
                       "afresh."},
};

// argp knows nothing of commands: this is what `troupe` alone prints.
static const char s_usage[] = "Usage: troupe COMMAND [OPTION...]\n\n"
                              "  up        run a broker and workers, and restart those that exit\n"
                              "  status    show the fleet's processes\n"
                              "  scale N   change the number of workers to N\n"
                              "  reload    replace the workers, one by one, with the current code\n"
                              "  drain W   replace worker W after it has handed its sessions over\n"
                              "  stop      stop the fleet\n"
                              "  sessions  list sessions\n"
                              "  evict S   end session S\n"
                              "  keygen    make a key pair, for a fleet on several machines\n\n"
                              "`troupe COMMAND --help` shows a command's options.\n";

// argp_error() exits; only with ARGP_NO_ERRS does it return.
static error_t
s_refuse(struct argp_state *state, const char *text)
{
    argp_error(state, "%s", text);
    return EINVAL;
}

// strtoul() takes "-1" for a huge number, which the limits then refuse.
static error_t
s_parse_number(struct argp_state *state, const char *text, unsigned least, unsigned most, unsigned *ret)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || *end || end == text || value < least || value > most) {
        char message[128];
        snprintf(message, sizeof message, "'%.40s' is not a number from %u to %u", text, least, most);
        return s_refuse(state, message);
    }
    *ret = (unsigned)value;
    return 0;
}

// 0 stands for "not given yet" in `worker` and `workers`: it is below both limits.
static error_t
s_parse_operand(command *self, const char *text, struct argp_state *state)
{
    // A worker's name, as the status shows it, or its number alone.
    static const char prefix[] = "worker-";
    unsigned most = (unsigned)option_table[OPTION_WORKERS].most;
    if (self->name == COMMAND_DRAIN && !self->worker) {
        bool named = strncmp(text, prefix, sizeof prefix - 1) == 0;
        return s_parse_number(state, named ? text + sizeof prefix - 1 : text, 1, most, &self->worker);
    }
    if (self->name >= COMMAND_KEYGEN && !self->operand) {
        self->operand = text;
        return 0;
    }
    if (self->name != COMMAND_SCALE || self->workers)
        return s_refuse(state, "too many arguments");
    return s_parse_number(state, text, 1, most, &self->workers);
}

// The operands that a command cannot do without.
static error_t
s_check_operands(const command *self, struct argp_state *state)
{
    if (self->name == COMMAND_DRAIN && !self->worker)
        return s_refuse(state, "WORKER is missing");
    if (self->name == COMMAND_EVICT && !self->operand)
        return s_refuse(state, "SESSION is missing");
    if (self->name == COMMAND_SCALE && !self->workers)
        return s_refuse(state, "N is missing");
    return 0;
}

// argp's callback, once an option, once an operand, and at the end.
static error_t
s_parse_argp(int key, char *text, struct argp_state *state)
{
    command *self = state->input;
    bool found;
    err error = option_set_put_argp(self->options, PROGRAM_FLEET, key, text, &found);
    if (found)
        return error ? s_refuse(state, option_set_problem(self->options)) : 0;
    switch (key) {
    case KEY_CONFIG:
        self->config = text;
        return 0;
    case KEY_JSON:
        self->json = true;
        return 0;
    case KEY_WATCH:
        self->watch = true;
        return 0;
    case KEY_OUT:
        self->out = text;
        return 0;
    case KEY_WORKER:
        self->worker_name = text;
        return 0;
    case ARGP_KEY_ARG:
        return s_parse_operand(self, text, state);
    case ARGP_KEY_END:
        return s_check_operands(self, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct argp_option *
s_add_option(struct argp_option *next, const char *name, int key, const char *argument, const char *help)
{
    *next = (struct argp_option){.name = name, .key = key, .arg = argument, .doc = help};
    return next + 1;
}

// `up` has all options of the supervisor; other commands have those that find the fleet, or the broker.
static bool
s_takes(command_name command, option_name option)
{
    if (command == COMMAND_UP)
        return option_table[option].programs & PROGRAM_FLEET;
    return option == OPTION_STATE || (command >= COMMAND_SESSIONS && option == OPTION_FRONT);
}

// Fills in the options of a command: `up` takes those of the table, the others those that find the fleet.
static void
s_list_options(command_name name, struct argp_option *next)
{
    if (name == COMMAND_KEYGEN) {
        next = s_add_option(next, "out", KEY_OUT, "DIR",
                            "Write the files to DIR (default: the current directory)");
        *next = (struct argp_option){0};
        return;
    }
    next =
        s_add_option(next, "config", KEY_CONFIG, "FILE", "Read options from FILE (default: $TROUPE_CONFIG)");
    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if (s_takes(name, (option_name)i))
            option_argp((option_name)i, PROGRAM_FLEET, next++);
    if (name == COMMAND_SESSIONS || name == COMMAND_STATUS)
        next = s_add_option(next, "json", KEY_JSON, NULL, "Print JSON");
    if (name == COMMAND_SESSIONS)
        next = s_add_option(next, "worker", KEY_WORKER, "NAME", "List only the sessions of this worker");
    if (name == COMMAND_STATUS)
        next = s_add_option(next, "watch", KEY_WATCH, NULL, "Repeat every second, until Ctrl-C");
    *next = (struct argp_option){0};
}

const char *
command_word(command_name name)
{
    ASSERT(name < COMMAND_COUNT);
    return s_commands[name].word;
}

// The word is not NUL-terminated where it comes from a message; here it is an argument.
command_name
command_find(slice word)
{
    unsigned name = 0;
    while (name < COMMAND_COUNT && !slice_is(word, s_commands[name].word))
        name++;
    return (command_name)name;
}

// The first word is no command: --help, --version, or a mistake.
static err
s_parse_without_command(const char *word, unsigned argp_flags)
{
    bool help = word && (strcmp(word, "--help") == 0 || strcmp(word, "-?") == 0);
    bool version = word && (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0);
    if (argp_flags & ARGP_NO_EXIT)
        return ERR_MALFORMED;
    if (word && *word != '-')
        fprintf(stderr, "troupe: there is no command '%.64s'\n\n", word);
    if (version)
        printf("%s\n", argp_program_version);
    else
        fputs(s_usage, help ? stdout : stderr);
    exit(help || version ? 0 : EXIT_REFUSED);
}

// The options must outlive the parsing only: argp keeps pointers to them while it runs.
err
command_parse(int argc, char **argv, unsigned argp_flags, command *ret)
{
    *ret = (command){.options = option_set_new()};
    command_name name = argc > 1 ? command_find(slice_text(argv[1])) : COMMAND_COUNT;
    if (name == COMMAND_COUNT)
        return s_parse_without_command(argc > 1 ? argv[1] : NULL, argp_flags);
    struct argp_option options[OPTION_ARGP_SIZE + 8];
    ret->name = name;
    s_list_options(name, options);
    const struct argp parser = {
        .options = options,
        .parser = s_parse_argp,
        .args_doc = s_commands[name].arguments,
        .doc = s_commands[name].doc,
    };
    // argp takes argv[0] for the program's name, which its help and errors show.
    char program[32];
    snprintf(program, sizeof program, "troupe %s", s_commands[name].word);
    argv[1] = program;
    argp_err_exit_status = EXIT_REFUSED;
    error_t error = argp_parse(&parser, argc - 1, argv + 1, argp_flags, NULL, ret);
    argv[1] = (char *)s_commands[name].word;
    return error ? ERR_MALFORMED : OK;
}

void
command_fini(command *self)
{
    option_set_destroy(&self->options);
}
