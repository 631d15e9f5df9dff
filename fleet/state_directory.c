#include "fleet/state_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

err
home_find(const settings *given, char ret_path[HOME_PATH])
{
    const char *state = settings_text(given, SET_STATE), *runtime = getenv("XDG_RUNTIME_DIR");
    int length;
    if (state && *state != '/') {
        char here[4096];
        if (!getcwd(here, sizeof here))
            return ERR_SYSTEM;
        length = snprintf(ret_path, HOME_PATH, "%s/%s", here, state);
    } else if (state) {
        length = snprintf(ret_path, HOME_PATH, "%s", state);
    } else if (runtime && *runtime == '/') {
        length = snprintf(ret_path, HOME_PATH, "%s/troupe", runtime);
    } else {
        length = snprintf(ret_path, HOME_PATH, "/run/user/%u/troupe", (unsigned)getuid());
    }
    return length < HOME_PATH ? OK : ERR_TOO_LARGE;
}

void
home_address(const char *path, const char *name, char ret_address[HOME_ADDRESS])
{
    ASSERT(snprintf(ret_address, HOME_ADDRESS, "ipc://%s/%s", path, name) < HOME_ADDRESS);
}

static err
s_make(const char *path)
{
    char part[HOME_PATH];
    for (const char *at = path + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        snprintf(part, sizeof part, "%.*s", (int)(at - path), path);
        if (mkdir(part, 0700) == -1 && errno != EEXIST)
            return ERR_SYSTEM;
        if (*at == '\0')
            return OK;
    }
}

static err
s_fail(const char *path, const char *what, char *ret_why, size_t size)
{
    snprintf(ret_why, size, "%s: %s", path, what);
    return ERR_SYSTEM;
}

// The file is never removed: who waits for it would else lock one that nobody finds any more.
static err
s_lock(const char *path, char *ret_why, size_t size)
{
    char file[HOME_ADDRESS];
    snprintf(file, sizeof file, "%s/lock", path);
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd == -1)
        return s_fail(file, strerror(errno), ret_why, size);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return OK; // open until the process ends
    close(fd);
    s_fail(path, "a fleet runs here already: `troupe stop`, or another --state", ret_why, size);
    return ERR_NAME_TAKEN;
}

err
home_claim(const char *path, char *ret_why, size_t size)
{
    struct stat found;
    if (s_make(path) || stat(path, &found) == -1)
        return s_fail(path, strerror(errno), ret_why, size);
    if (!S_ISDIR(found.st_mode))
        return s_fail(path, "is no directory", ret_why, size);
    if (found.st_uid != geteuid())
        return s_fail(path, "belongs to another user", ret_why, size);
    if (found.st_mode & (S_IRWXG | S_IRWXO))
        return s_fail(path, "group or others can use it: chmod 700 it", ret_why, size);
    return s_lock(path, ret_why, size);
}
