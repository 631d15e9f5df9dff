#include "fleet/settings_file.h"

#include <czmq.h>
#include <errno.h>
#include <libgen.h>

static err
s_read_entry(settings *into, zconfig_t *entry, const char *folder, const char *path, char *ret_why,
             size_t size)
{
    const char *key = zconfig_name(entry);
    setting_name name = settings_find(key);
    if (name == SETTING_COUNT || zconfig_child(entry)) {
        snprintf(ret_why, size, "%s: there is no setting '%.64s'", path, key);
        return ERR_MALFORMED;
    }
    err error = settings_put(into, name, zconfig_value(entry), SOURCE_FILE, folder);
    if (error)
        snprintf(ret_why, size, "%s: %s", path, settings_problem(into));
    return error;
}

err
settings_file_read(settings *into, const char *path, char *ret_why, size_t size)
{
    if (access(path, R_OK) == -1) {
        snprintf(ret_why, size, "%s: %s", path, strerror(errno));
        return ERR_SYSTEM;
    }
    zconfig_t *root = zconfig_load(path);
    if (!root) {
        snprintf(ret_why, size, "%s: it is not in the ZPL format", path);
        return ERR_MALFORMED;
    }
    char *copy = strdup(path);
    ASSERT(copy);
    const char *folder = dirname(copy);
    err error = OK;
    for (zconfig_t *each = zconfig_child(root); each && !error; each = zconfig_next(each))
        error = s_read_entry(into, each, folder, path, ret_why, size);
    free(copy);
    zconfig_destroy(&root);
    return error;
}
