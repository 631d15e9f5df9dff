// output - the children's lines on standard error. Does I/O; blocks only where a line is longer than what the
// terminal takes at once.
#ifndef TROUPE_FLEET_OUTPUT_H
#define TROUPE_FLEET_OUTPUT_H

#include "fleet/child.h"

// Whether standard error takes something now. While it does not, children are not read, and wait in their
// turn.
bool output_is_ready(void);
// Passes on the lines that are whole, with the child's name in front when this is a terminal.
void output_pass(child *from, bool prefixed);

#endif
