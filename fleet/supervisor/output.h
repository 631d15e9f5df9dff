// output - forwards the children's lines to standard error. What cannot be written now is buffered, and as
// long as there is some the children are not read: they block on their own writes, as if they wrote there
// themselves. Never blocks, except in output_flush_all.
#ifndef TROUPE_FLEET_SUPERVISOR_OUTPUT_H
#define TROUPE_FLEET_SUPERVISOR_OUTPUT_H

#include "fleet/supervisor/child.h"

typedef struct output output;
// prefixed: each line starts with the name of its process.
output *output_new(bool prefixed);
void output_destroy(output **self_p); // NULL-safe

// Takes the complete lines of a child.
void output_forward(output *self, child *source);
// Writes what is pending. Returns whether nothing is left and standard error takes more.
bool output_flush(output *self);
// Writes all that is pending; blocks.
void output_flush_all(output *self);

#endif
