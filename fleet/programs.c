#include "fleet/programs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *
program_find(const char *room, char *ret_path, size_t size)
{
    char folder[4096];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    folder[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash) {
        *slash = '\0';
        if (snprintf(ret_path, size, "%s/troupe-%s", folder, room) < (int)size && access(ret_path, X_OK) == 0)
            return ret_path;
        if (snprintf(ret_path, size, "%s/../%s/troupe-%s", folder, room, room) < (int)size &&
            access(ret_path, X_OK) == 0)
            return ret_path;
    }
    snprintf(ret_path, size, "troupe-%s", room);
    return ret_path;
}
