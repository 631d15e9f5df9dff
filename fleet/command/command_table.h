// commands - the `troupe` commands that talk to a running supervisor: they ask, wait, show what changes, and
// print to standard output. Block until it is done.
#ifndef TROUPE_FLEET_COMMAND_COMMAND_TABLE_H
#define TROUPE_FLEET_COMMAND_COMMAND_TABLE_H

#include "fleet/command/command.h"

// state: the fleet's directory. Returns the exit code: 0, or 1 with a line on standard error.
int commands_run(const command *given, const char *state);

#endif
