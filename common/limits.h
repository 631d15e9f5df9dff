// limits - common/limits.def as constants. Whatever comes from outside is checked against one of these before
// memory is allocated for it.
#ifndef TROUPE_COMMON_LIMITS_H
#define TROUPE_COMMON_LIMITS_H

enum {
#define LIMIT(name, value, what)         name = value,
#define BROWSER_LIMIT(name, value, what) name = value,
#include "common/limits.def"
#undef BROWSER_LIMIT
#undef LIMIT
};

#endif
