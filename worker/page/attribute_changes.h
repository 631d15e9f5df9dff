// attribute_changes - which attributes of a start tag differ from another one's. Pure.
#ifndef TROUPE_WORKER_PAGE_ATTRIBUTE_CHANGES_H
#define TROUPE_WORKER_PAGE_ATTRIBUTE_CHANGES_H

#include "common/buffer.h"

// Appends them as a JSON object: a value each, or null where it is gone. before, after: start tags of HTML
// elements, from '<' to '>'. False, with nothing appended, where only a parser could tell, or the tag itself
// would be shorter.
bool attribute_changes_write(slice before, slice after, buffer *out);

#endif
