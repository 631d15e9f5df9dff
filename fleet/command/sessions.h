// sessions - `troupe sessions` and `troupe evict`, which ask the broker itself: a fleet that nobody
// supervises has them too. Print to standard output; block until it is done.
#ifndef TROUPE_FLEET_COMMAND_SESSIONS_H
#define TROUPE_FLEET_COMMAND_SESSIONS_H

#include "fleet/command/command.h"

// front: the broker's address. Returns the exit code: 0; 1 with a line on standard error; 2 if what was typed
// is no id.
int sessions_run(const command *given, const char *front);

#endif
