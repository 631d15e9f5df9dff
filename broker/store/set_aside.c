#include "broker/store/set_aside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_NAMES = 1000 }; // of one second

static size_t
s_length(const char *path) // without slashes at its end
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    return length;
}

// The name for the n-th try. False: it is too long.
static bool
s_name(aside *self, const char *between, unsigned number)
{
    char date[32], again[16] = "";
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    if (number)
        snprintf(again, sizeof again, "-%u", number + 1);
    int size = snprintf(self->folder, sizeof self->folder, "%.*s%s%s-%s%s", (int)s_length(self->store),
                        self->store, between, self->why, date, again);
    return size > 0 && (size_t)size < sizeof self->folder;
}

static int
s_make_at(aside *self, const char *between)
{
    for (unsigned number = 0; number < MOST_NAMES; number++) {
        if (!s_name(self, between, number))
            return ENAMETOOLONG;
        if (!mkdir(self->folder, 0700))
            return 0;
        if (errno != EEXIST)
            return errno;
    }
    return EEXIST;
}

// A store that is a mount point of its own has a neighbour that nothing can be renamed to.
static bool
s_is_near(const aside *self)
{
    struct stat store, folder;
    return !stat(self->store, &store) && !stat(self->folder, &folder) && store.st_dev == folder.st_dev;
}

static int
s_make(aside *self)
{
    if (self->folder[0])
        return 0;
    int code = s_make_at(self, ".");
    if (!code && s_is_near(self))
        return 0;
    if (!code)
        rmdir(self->folder);
    code = s_make_at(self, "/");
    if (code)
        self->folder[0] = '\0';
    return code;
}

static int
s_paths(aside *self, const char *name, char from[ASIDE_PATH], char to[ASIDE_PATH])
{
    int code = s_make(self);
    if (code)
        return code;
    if (snprintf(from, ASIDE_PATH, "%s/%s", self->store, name) >= ASIDE_PATH ||
        snprintf(to, ASIDE_PATH, "%s/%s", self->folder, name) >= ASIDE_PATH)
        return ENAMETOOLONG;
    return 0;
}

int
aside_move(aside *self, const char *name)
{
    char from[ASIDE_PATH], to[ASIDE_PATH];
    int code = s_paths(self, name, from, to);
    if (code)
        return code;
    return rename(from, to) ? errno : 0;
}

int
aside_copy(aside *self, const char *name)
{
    char from[ASIDE_PATH], to[ASIDE_PATH];
    int code = s_paths(self, name, from, to);
    if (code)
        return code;
    return !link(from, to) || !rename(from, to) ? 0 : errno;
}

int
aside_move_store(aside *self)
{
    int code = s_make_at(self, "."); // a free name,
    if (code || rmdir(self->folder))
        return code ? code : errno;
    return rename(self->store, self->folder) ? errno : 0; // for it
}
