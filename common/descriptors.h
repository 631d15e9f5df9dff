// descriptors - standard input, output and error, which every program takes for granted. Does I/O.
#ifndef TROUPE_COMMON_DESCRIPTORS_H
#define TROUPE_COMMON_DESCRIPTORS_H

#include "common/errors.h"

// Opens /dev/null in place of those that are closed. Call it first in main(): otherwise the next file or
// socket gets such a number, and log lines are written into it. ERR_SYSTEM: see errno.
err descriptors_reserve_standard(void);

#endif
