// command - the command line of `troupe`. argp prints help and errors; nothing else here does I/O.
#ifndef TROUPE_FLEET_CLI_COMMAND_H
#define TROUPE_FLEET_CLI_COMMAND_H

#include "common/option_set.h"
#include "common/slice.h"
#include "fleet/control_protocol.h"

// The first ones are sent to a running supervisor and have the numbers of its verbs. `up` becomes the
// supervisor, `keygen` works alone, and the others are sent to the broker.
typedef enum {
#define CONTROL_VERB(name, word) COMMAND_##name,
#include "fleet/control_verbs.def"
#undef CONTROL_VERB
    COMMAND_UP,
    COMMAND_KEYGEN,
    COMMAND_SESSIONS,
    COMMAND_EVICT,
    COMMAND_COUNT
} command_name;
// "up"; name < COMMAND_COUNT.
const char *command_word(command_name name);
// COMMAND_COUNT: there is none.
command_name command_find(slice word);

// Texts are borrowed from argv, and NULL unless given.
typedef struct {
    command_name name;
    // From flags so far; owned by the command.
    option_set *options;
    const char *config;
    // SCALE.
    unsigned workers;
    // DRAIN: the worker's slot.
    unsigned worker;
    // The NAME of KEYGEN, the SESSION of SESSIONS and EVICT.
    const char *operand;
    // SESSIONS: only those of this worker.
    const char *worker_name;
    // KEYGEN: the directory.
    const char *out;
    // STATUS and SESSIONS.
    bool json;
    // STATUS.
    bool watch;
} command;

// argp_flags: 0, which exits with status 2 on a refused command line, or ARGP_NO_ERRS | ARGP_NO_EXIT in
// tests. ERR_MALFORMED: refused. Either way command_fini must follow.
err command_parse(int argc, char **argv, unsigned argp_flags, command *ret);
void command_fini(command *self);

#endif
