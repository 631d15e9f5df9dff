// supervisor_commands - the `troupe` commands for a running supervisor: they send a request, wait for its
// effect, print what changes meanwhile. Block until it is done.
#ifndef TROUPE_FLEET_CLI_SUPERVISOR_COMMANDS_H
#define TROUPE_FLEET_CLI_SUPERVISOR_COMMANDS_H

#include "fleet/cli/command.h"

// directory: the fleet's state directory. Returns the exit code: 0, or 1 with a line on standard error.
int supervisor_command_run(const command *parsed, const char *directory);

#endif
