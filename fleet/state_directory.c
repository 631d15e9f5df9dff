// Where a fleet keeps its sockets, and the lock that keeps two supervisors from sharing them. Whoever can
// connect to the sockets controls the fleet (PROTOCOL.md 10, 11), and ZeroMQ's ipc:// asks for no password:
// the directory's mode is the only protection.
#include "fleet/state_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// Relative paths are made absolute: the path is handed to processes and commands that run elsewhere.
// snprintf() returns the length that the whole path would have had.
err
state_directory_find(const option_set *options, char ret_path[STATE_DIRECTORY_PATH])
{
    const char *state = option_set_text(options, OPTION_STATE), *runtime = getenv("XDG_RUNTIME_DIR");
    char of_user[STATE_DIRECTORY_PATH];
    int length;
    snprintf(of_user, sizeof of_user, "/run/user/%u", (unsigned)getuid());
    if (!state)
        state = getenv("TROUPE_DEFAULT_STATE");
    if (state && *state != '/') {
        char working_directory[4096];
        if (!getcwd(working_directory, sizeof working_directory))
            return ERR_SYSTEM;
        length = snprintf(ret_path, STATE_DIRECTORY_PATH, "%s/%s", working_directory, state);
    } else if (state) {
        length = snprintf(ret_path, STATE_DIRECTORY_PATH, "%s", state);
    } else if (runtime && *runtime == '/') {
        length = snprintf(ret_path, STATE_DIRECTORY_PATH, "%s/troupe", runtime);
    } else if (access(of_user, W_OK) == 0) {
        length = snprintf(ret_path, STATE_DIRECTORY_PATH, "%s/troupe", of_user);
    } else {
        // A container, or a service of a user who never logs in.
        length = snprintf(ret_path, STATE_DIRECTORY_PATH, "/tmp/troupe-%u", (unsigned)getuid());
    }
    return length < STATE_DIRECTORY_PATH ? OK : ERR_TOO_LARGE;
}

// Fits by the sizes in the header: `name` is short, and comes from this program.
void
state_directory_address(const char *path, const char *name, char ret_address[STATE_DIRECTORY_ADDRESS])
{
    ASSERT(snprintf(ret_address, STATE_DIRECTORY_ADDRESS, "ipc://%s/%s", path, name) <
           STATE_DIRECTORY_ADDRESS);
}

// mkdir -p, with mode 0700 for what is created.
static err
s_make_directories(const char *path)
{
    char parent[STATE_DIRECTORY_PATH];
    for (const char *end = path + 1;; end++) {
        if (*end != '/' && *end != '\0')
            continue;
        snprintf(parent, sizeof parent, "%.*s", (int)(end - path), path);
        if (mkdir(parent, 0700) == -1 && errno != EEXIST)
            return ERR_SYSTEM;
        if (*end == '\0')
            return OK;
    }
}

// Always ERR_SYSTEM, for `return s_explain(...)`.
static err
s_explain(const char *path, const char *reason, char *ret_why, size_t size)
{
    snprintf(ret_why, size, "%s: %s", path, reason);
    return ERR_SYSTEM;
}

// The same of a directory that cannot be used as it is.
static err
s_refuse(const char *path, const char *reason, char *ret_why, size_t size)
{
    snprintf(ret_why, size, "%s: %s, or choose another directory with --state or TROUPE_STATE", path, reason);
    return ERR_SYSTEM;
}

static err
s_refuse_errno(const char *path, char *ret_why, size_t size)
{
    char reason[128];
    snprintf(reason, sizeof reason, "%s: make it usable", strerror(errno));
    return s_refuse(path, reason, ret_why, size);
}

// The lock file is never removed: another process could then lock a file that is no longer in the directory.
static err
s_lock(const char *path, char *ret_why, size_t size)
{
    char file[STATE_DIRECTORY_ADDRESS];
    snprintf(file, sizeof file, "%s/lock", path);
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd == -1)
        return s_refuse_errno(file, ret_why, size);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        // The descriptor is leaked on purpose: the lock is held until the process exits.
        return OK;
    close(fd);
    s_explain(path, "a fleet is running here already: use `troupe stop`, or another --state", ret_why, size);
    return ERR_NAME_TAKEN;
}

// Refuses a directory that others can use: whoever can connect to its sockets controls the fleet.
err
state_directory_lock(const char *path, char *ret_why, size_t size)
{
    struct stat found;
    if (s_make_directories(path) || stat(path, &found) == -1)
        return s_refuse_errno(path, ret_why, size);
    if (!S_ISDIR(found.st_mode))
        return s_refuse(path, "not a directory: remove it", ret_why, size);
    if (found.st_uid != geteuid())
        return s_refuse(path, "belongs to another user: run as that user", ret_why, size);
    if (found.st_mode & (S_IRWXG | S_IRWXO))
        return s_refuse(path, "accessible to group or others: chmod 700 it", ret_why, size);
    return s_lock(path, ret_why, size);
}
