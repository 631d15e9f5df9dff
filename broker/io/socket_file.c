// The file of an ipc:// socket. Whoever can open it can act as any session (PROTOCOL.md 10), so its directory
// must belong to this user and be closed to others.
#include "broker/io/socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

// All failures of this file: the caller logs the text.
static err __attribute__((format(printf, 3, 4))) s_fail(char *ret_why, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(ret_why, size, format, args);
    va_end(args);
    return ERR_SYSTEM;
}

// Like mkdir -p, with mode 0700 for each directory that it makes. path is modified in between, and restored
// on success.
static err
s_make_directory(char *path, char *ret_why, size_t size)
{
    for (char *cursor = path + 1;; cursor++) {
        if (*cursor != '/' && *cursor != '\0')
            continue;
        char end = *cursor;
        *cursor = '\0';
        if (mkdir(path, 0700) == -1 && errno != EEXIST)
            return s_fail(ret_why, size, "cannot make the directory %s: %s", path, strerror(errno));
        *cursor = end;
        if (end == '\0')
            return OK;
    }
}

// On the open descriptor, so that it is the directory that was locked. root may own it, as root can read
// everything anyway. Without the x bit nobody can reach a file inside, whatever the other bits say.
static err
s_check_directory(int fd, const char *path, char *ret_why, size_t size)
{
    struct stat info;
    if (fstat(fd, &info) == -1)
        return s_fail(ret_why, size, "%s: %s", path, strerror(errno));
    if (info.st_uid != geteuid() && info.st_uid != 0)
        return s_fail(ret_why, size, "the directory %s belongs to another user", path);
    if (info.st_mode & (S_IXGRP | S_IXOTH))
        return s_fail(ret_why, size, "group or others can enter the directory %s (mode %04o): chmod 700 it",
                      path, info.st_mode & 07777U);
    return OK;
}

// Removes a socket file that a killed process left behind: bind(2) would fail with EADDRINUSE. That nobody
// listens shows in ECONNREFUSED. EAGAIN means a full backlog, so somebody does. A file that is no socket is
// never removed.
static err
s_clear(const char *path, char *ret_why, size_t size)
{
    struct stat info;
    if (lstat(path, &info) == -1)
        return errno == ENOENT ? OK : s_fail(ret_why, size, "%s: %s", path, strerror(errno));
    if (!S_ISSOCK(info.st_mode))
        return s_fail(ret_why, size, "%s exists and is not a socket", path);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1)
        return s_fail(ret_why, size, "socket: %s", strerror(errno));
    int rc = connect(fd, (struct sockaddr *)&address, sizeof address), reason = errno;
    close(fd);
    if (rc == 0 || reason == EAGAIN)
        return s_fail(ret_why, size, "another broker listens on %s", path);
    if (reason != ECONNREFUSED)
        return s_fail(ret_why, size, "%s: %s", path, strerror(reason));
    return unlink(path) == 0 ? OK : s_fail(ret_why, size, "cannot remove %s: %s", path, strerror(errno));
}

// The lock is held until the socket is bound. Otherwise, of two brokers that start at once, each could take
// the other's socket, not listening yet, for a stale one.
err
socket_file_claim(const char *path, int *ret_lock, char *ret_why, size_t why_size)
{
    char directory[sizeof((struct sockaddr_un *)0)->sun_path];
    const char *name = strrchr(path, '/');
    if (strlen(path) >= sizeof directory)
        return s_fail(ret_why, why_size, "the path is longer than %zu bytes", sizeof directory - 1);
    int length = name ? (int)(name - path) : 0;
    snprintf(directory, sizeof directory, "%.*s", length ? length : 1, name ? path : ".");
    err error = s_make_directory(directory, ret_why, why_size);
    if (error)
        return error;
    int lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock == -1)
        return s_fail(ret_why, why_size, "%s: %s", directory, strerror(errno));
    error = s_check_directory(lock, directory, ret_why, why_size);
    if (!error && flock(lock, LOCK_EX) == -1)
        error = s_fail(ret_why, why_size, "cannot lock %s: %s", directory, strerror(errno));
    if (!error)
        error = s_clear(path, ret_why, why_size);
    if (error)
        close(lock);
    else
        *ret_lock = lock;
    return error;
}

// Closing the only descriptor of a flock(2) releases it.
void
socket_file_unlock(int lock)
{
    if (lock != -1)
        close(lock);
}
