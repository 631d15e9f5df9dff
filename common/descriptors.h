// descriptors - the three that every program takes for granted. Does I/O.
#ifndef TROUPE_COMMON_DESCRIPTORS_H
#define TROUPE_COMMON_DESCRIPTORS_H

#include "common/errors.h"

// Opens /dev/null where one of standard input, output and error is closed. First in main: what is opened next
// would get that number, and log lines would be written into it (a database, a socket). ERR_SYSTEM: errno
// says why.
err descriptors_reserve_standard(void);

#endif
