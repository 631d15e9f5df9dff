// keygen - `troupe keygen`: writes a CURVE key pair as two files in CZMQ's format, the secret one readable by
// its owner only, and prints how to use them.
#ifndef TROUPE_FLEET_CLI_KEYGEN_H
#define TROUPE_FLEET_CLI_KEYGEN_H

#include "fleet/cli/command.h"

// Returns the exit code: 0, or 1 with a line on standard error. Never overwrites a file.
int keygen_run(const command *parsed);

#endif
