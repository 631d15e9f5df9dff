// Looks golden vectors up by name; vectors_c.py compiles them in from proto/vectors.
#include "tests/proto/golden.h"

const golden *
golden_find(const char *name)
{
    const golden *found = NULL;
    for (size_t i = 0; i < golden_messages_count; i++)
        if (strcmp(golden_messages[i].name, name) == 0)
            found = &golden_messages[i];
    ASSERT(found);
    return found;
}
