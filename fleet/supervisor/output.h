// output - the children's lines on standard error. What that does not take now is kept, and as long as there
// is some, children are not read and wait in their turn, as if they wrote there themselves. Never blocks, but
// in output_finish.
#ifndef TROUPE_FLEET_SUPERVISOR_OUTPUT_H
#define TROUPE_FLEET_SUPERVISOR_OUTPUT_H

#include "fleet/supervisor/child.h"

typedef struct output output;
output *output_new(bool prefixed);    // each line with its process's name in front
void output_destroy(output **self_p); // NULL-safe

void output_pass(output *self, child *from); // its whole lines
bool output_takes(output *self);             // writes what is kept; whether nothing is left and more would go
void output_finish(output *self);            // writes all that is kept

#endif
