// Finds the other programs of this installation. PATH is only the last resort: it may lead to another
// version.
#include "fleet/programs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

// An installation has its programs in one directory; meson builds each in a directory of its own, next to
// fleet/.
const char *
program_find(const char *name, char *ret_path, size_t size)
{
    char directory[4096];
    ssize_t length = readlink("/proc/self/exe", directory, sizeof directory - 1);
    directory[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(directory, '/');
    if (slash) {
        *slash = '\0';
        if (snprintf(ret_path, size, "%s/troupe-%s", directory, name) < (int)size &&
            access(ret_path, X_OK) == 0)
            return ret_path;
        if (snprintf(ret_path, size, "%s/../%s/troupe-%s", directory, name, name) < (int)size &&
            access(ret_path, X_OK) == 0)
            return ret_path;
    }
    snprintf(ret_path, size, "troupe-%s", name);
    return ret_path;
}
