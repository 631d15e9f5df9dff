// keygen - `troupe keygen`: makes a CURVE key pair as two files in CZMQ's format, the secret one readable for
// its owner only, and says what to do with them. Writes files; prints to standard output.
#ifndef TROUPE_FLEET_COMMAND_KEYGEN_H
#define TROUPE_FLEET_COMMAND_KEYGEN_H

#include "fleet/command/command.h"

// Returns the exit code: 0, or 1 with a line on standard error. No file is ever overwritten.
int keygen_run(const command *given);

#endif
