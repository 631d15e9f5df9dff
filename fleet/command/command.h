// command - the command line of `troupe`. argp prints help and complaints; nothing else here does I/O.
#ifndef TROUPE_FLEET_COMMAND_COMMAND_H
#define TROUPE_FLEET_COMMAND_COMMAND_H

#include "common/slice.h"
#include "fleet/settings.h"

// up becomes the supervisor, and those up to stop are asked of it; sessions and evict are asked of the
// broker.
typedef enum {
    VERB_UP,
    VERB_STATUS,
    VERB_SCALE,
    VERB_RELOAD,
    VERB_DRAIN,
    VERB_STOP,
    VERB_KEYGEN,
    VERB_SESSIONS,
    VERB_EVICT,
    VERB_COUNT
} verb;
const char *verb_word(verb self); // "up"; not of VERB_COUNT
verb verb_find(slice word);       // VERB_COUNT: there is none

typedef struct {
    verb verb;
    settings *given;    // by flags; the command's
    const char *config; // borrowed from argv, or NULL
    unsigned workers;   // of scale
    unsigned worker;    // of drain: its slot
    const char *word;   // the NAME of keygen, the SESSION of sessions and evict; borrowed from argv, or NULL
    const char *of;     // of sessions: a worker's name; borrowed from argv, or NULL
    const char *out;    // of keygen; borrowed from argv, or NULL
    int ready_fd;       // of up; -1: none
    bool json, watch;   // of status; json of sessions too
} command;

// argp_flags: 0, or ARGP_NO_ERRS | ARGP_NO_EXIT in tests; with 0 it exits with 2 on what it refuses.
// ERR_MALFORMED: refused. *ret owns `given` in any case.
err command_parse(int argc, char **argv, unsigned argp_flags, command *ret);
void command_fini(command *self);

#endif
