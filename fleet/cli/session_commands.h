// session_commands - `troupe sessions` and `troupe evict`, which talk to the broker directly, so that they
// work without a supervisor. Print to standard output; block until done.
#ifndef TROUPE_FLEET_CLI_SESSION_COMMANDS_H
#define TROUPE_FLEET_CLI_SESSION_COMMANDS_H

#include "fleet/cli/command.h"

// front: the broker's address. Returns the exit code: 0; 1 with a line on standard error; 2 if the operand is
// no session id.
int session_command_run(const command *parsed, const char *front);

#endif
