#include "fleet/command/command.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXIT_REFUSED = 2,
    OPT_SETTING = 1000,
    OPT_CONFIG = 256,
    OPT_READY_FD,
    OPT_JSON,
    OPT_WATCH,
    OPT_OUT,
    OPT_OF
};

static const struct {
    const char *word, *arguments, *doc;
} s_verbs[VERB_COUNT] = {
    [VERB_UP] = {"up", "", "Runs a broker and workers, and keeps them alive, until SIGTERM or SIGINT."},
    [VERB_STATUS] = {"status", "", "Shows what the fleet's processes do."},
    [VERB_SCALE] = {"scale", "N", "Has N workers run, and waits until they do."},
    [VERB_RELOAD] = {"reload", "",
                     "Replaces the workers, one after the other, by new ones with the code as it is now."},
    [VERB_DRAIN] = {"drain", "WORKER",
                    "Has a worker hand its sessions to the others and end; a new one takes its place."},
    [VERB_STOP] = {"stop", "", "Ends the fleet, and waits until it has ended."},
    [VERB_KEYGEN] = {"keygen", "[NAME]",
                     "Makes NAME.cert and NAME.cert_secret, a pair of keys for tcp:// addresses (NAME: "
                     "this machine's)."},
    [VERB_SESSIONS] =
        {"sessions", "[SESSION]",
         "Lists the sessions that the broker knows, or those whose ids begin with SESSION. KEPT is how many "
         "bytes the store has of one; what it shows, only its worker knows."},
    [VERB_EVICT] =
        {"evict", "SESSION",
         "Ends a session (its id, or the beginning of it that no other has), wherever it is, and drops what "
         "the store has of it. A page that shows it joins again, and begins afresh."},
};

static const char s_usage[] = "Usage: troupe COMMAND [OPTION...]\n\n"
                              "  up        run a broker and workers, and keep them alive\n"
                              "  status    show what they do\n"
                              "  scale N   have N workers\n"
                              "  reload    replace the workers, one after the other\n"
                              "  drain W   have worker W hand over its sessions, and replace it\n"
                              "  stop      end it all\n"
                              "  sessions  list the sessions\n"
                              "  evict S   end session S\n"
                              "  keygen    make keys, for more than one machine\n\n"
                              "`troupe COMMAND --help` says more.\n";

static error_t
s_refuse(struct argp_state *state, const char *text)
{
    argp_error(state, "%s", text);
    return EINVAL;
}

static error_t
s_number(struct argp_state *state, const char *text, unsigned least, unsigned most, unsigned *ret)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || *end || end == text || value < least || value > most) {
        char why[128];
        snprintf(why, sizeof why, "'%.40s' is not a number from %u to %u", text, least, most);
        return s_refuse(state, why);
    }
    *ret = (unsigned)value;
    return 0;
}

static error_t
s_argument(command *to, const char *text, struct argp_state *state)
{
    static const char name[] = "worker-"; // as the status has it, or the number alone
    unsigned most = (unsigned)settings_table[SET_WORKERS].most;
    if (to->verb == VERB_DRAIN && !to->worker)
        return s_number(state, strncmp(text, name, sizeof name - 1) == 0 ? text + sizeof name - 1 : text, 1,
                        most, &to->worker);
    if (to->verb >= VERB_KEYGEN && !to->word) {
        to->word = text;
        return 0;
    }
    if (to->verb != VERB_SCALE || to->workers)
        return s_refuse(state, "there is an argument too many");
    return s_number(state, text, 1, most, &to->workers);
}

static error_t
s_parse(int option, char *text, struct argp_state *state)
{
    command *to = state->input;
    unsigned fd;
    if (option >= OPT_SETTING && option < OPT_SETTING + SETTING_COUNT) {
        err error = settings_put(to->given, (setting_name)(option - OPT_SETTING), text ? text : "1",
                                 SOURCE_FLAG, NULL);
        return error ? s_refuse(state, settings_problem(to->given)) : 0;
    }
    switch (option) {
    case OPT_CONFIG:
        to->config = text;
        return 0;
    case OPT_READY_FD:
        if (s_number(state, text, 0, 1 << 20, &fd))
            return EINVAL;
        to->ready_fd = (int)fd;
        return 0;
    case OPT_JSON:
        to->json = true;
        return 0;
    case OPT_WATCH:
        to->watch = true;
        return 0;
    case OPT_OUT:
        to->out = text;
        return 0;
    case OPT_OF:
        to->of = text;
        return 0;
    case ARGP_KEY_ARG:
        return s_argument(to, text, state);
    case ARGP_KEY_END:
        if (to->verb == VERB_DRAIN && !to->worker)
            return s_refuse(state, "which worker?");
        if (to->verb == VERB_EVICT && !to->word)
            return s_refuse(state, "which session?");
        return to->verb == VERB_SCALE && !to->workers ? s_refuse(state, "how many workers?") : 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct argp_option *
s_add(struct argp_option *at, const char *name, int key, const char *argument, const char *text)
{
    *at = (struct argp_option){.name = name, .key = key, .arg = argument, .doc = text};
    return at + 1;
}

// What each command takes: all of them, which fleet; up: all settings.
static void
s_options(verb which, struct argp_option *at)
{
    if (which == VERB_KEYGEN) {
        at = s_add(at, "out", OPT_OUT, "DIR", "Where they are written (here)");
        *at = (struct argp_option){0};
        return;
    }
    at = s_add(at, "config", OPT_CONFIG, "FILE", "Read settings from here ($TROUPE_CONFIG)");
    for (int i = 0; i < SETTING_COUNT; i++)
        if (which == VERB_UP || i == SET_STATE || (which >= VERB_SESSIONS && i == SET_FRONT))
            at = s_add(at, settings_table[i].key, OPT_SETTING + i, settings_table[i].argument,
                       settings_table[i].text);
    if (which == VERB_UP)
        at = s_add(at, "ready-fd", OPT_READY_FD, "FD", "Write \"ready\" to this descriptor when all is up");
    if (which == VERB_SESSIONS) {
        at = s_add(at, "json", OPT_JSON, NULL, "As JSON");
        at = s_add(at, "worker", OPT_OF, "NAME", "Those of this worker only");
    }
    if (which == VERB_STATUS) {
        at = s_add(at, "json", OPT_JSON, NULL, "As JSON");
        at = s_add(at, "watch", OPT_WATCH, NULL, "Again and again, until Ctrl-C");
    }
    *at = (struct argp_option){0};
}

const char *
verb_word(verb self)
{
    ASSERT(self < VERB_COUNT);
    return s_verbs[self].word;
}

verb
verb_find(slice word)
{
    unsigned at = 0;
    while (at < VERB_COUNT && !slice_is(word, s_verbs[at].word))
        at++;
    return (verb)at;
}

static err
s_no_verb(const char *word, unsigned argp_flags)
{
    bool asked = word && (strcmp(word, "--help") == 0 || strcmp(word, "-?") == 0);
    bool version = word && (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0);
    if (argp_flags & ARGP_NO_EXIT)
        return ERR_MALFORMED;
    if (version)
        printf("%s\n", argp_program_version);
    else
        fputs(s_usage, asked ? stdout : stderr);
    exit(asked || version ? 0 : EXIT_REFUSED);
}

err
command_parse(int argc, char **argv, unsigned argp_flags, command *ret)
{
    *ret = (command){.given = settings_new(), .ready_fd = -1};
    verb found = argc > 1 ? verb_find(slice_text(argv[1])) : VERB_COUNT;
    if (found == VERB_COUNT)
        return s_no_verb(argc > 1 ? argv[1] : NULL, argp_flags);
    struct argp_option options[SETTING_COUNT + 8];
    ret->verb = found;
    s_options(ret->verb, options);
    const struct argp parser = {
        .options = options,
        .parser = s_parse,
        .args_doc = s_verbs[found].arguments,
        .doc = s_verbs[found].doc,
    };
    char name[32];
    snprintf(name, sizeof name, "troupe %s", s_verbs[found].word);
    argv[1] = name; // what argp calls us
    argp_err_exit_status = EXIT_REFUSED;
    error_t error = argp_parse(&parser, argc - 1, argv + 1, argp_flags, NULL, ret);
    argv[1] = (char *)s_verbs[found].word;
    return error ? ERR_MALFORMED : OK;
}

void
command_fini(command *self)
{
    settings_destroy(&self->given);
}
