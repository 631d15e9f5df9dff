// Reads a configuration file into an option set. Only a flat list of keys is accepted: ZPL would allow
// sections, and a misplaced indentation would silently turn an option into the child of another.
#include "fleet/option_file.h"

#include <czmq.h>
#include <errno.h>
#include <libgen.h>

// The path is part of every message: a user may not know that $TROUPE_CONFIG is set.
static err
s_read_entry(option_set *options, zconfig_t *entry, const char *directory, const char *path, char *ret_why,
             size_t size)
{
    const char *key = zconfig_name(entry);
    option_name name = option_find(key, PROGRAM_FLEET);
    if (name == OPTION_COUNT || !option_is_setting(name) || zconfig_child(entry)) {
        snprintf(ret_why, size, "%s: unknown option '%.64s'", path, key);
        return ERR_MALFORMED;
    }
    err error = option_set_put(options, name, zconfig_value(entry), SOURCE_FILE, directory);
    if (error)
        snprintf(ret_why, size, "%s: %s", path, option_set_problem(options));
    return error;
}

// access(2) first, because zconfig_load() does not say why it failed. dirname(3) may change its argument:
// hence the copy.
err
option_file_read(option_set *options, const char *path, char *ret_why, size_t size)
{
    if (access(path, R_OK) == -1) {
        snprintf(ret_why, size, "%s: %s", path, strerror(errno));
        return ERR_SYSTEM;
    }
    zconfig_t *root = zconfig_load(path);
    if (!root) {
        snprintf(ret_why, size, "%s: not in ZPL format", path);
        return ERR_MALFORMED;
    }
    char *copy = strdup(path);
    ASSERT(copy);
    const char *directory = dirname(copy);
    err error = OK;
    for (zconfig_t *entry = zconfig_child(root); entry && !error; entry = zconfig_next(entry))
        error = s_read_entry(options, entry, directory, path, ret_why, size);
    free(copy);
    zconfig_destroy(&root);
    return error;
}
