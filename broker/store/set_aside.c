// Directories for damaged files, named by the date, with a number if there are several of one second. Files
// are renamed or linked, never copied: there may be no room for a copy.
#include "broker/store/set_aside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// Names that are tried within one second.
enum { MAX_NAMES = 1000 };

// Without trailing slashes.
static size_t
s_length(const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    return length;
}

// Sets the path for the n-th attempt. False: it is too long.
static bool
s_set_path(set_aside *self, const char *separator, unsigned number)
{
    char date[32], suffix[16] = "";
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    if (number)
        snprintf(suffix, sizeof suffix, "-%u", number + 1);
    int size = snprintf(self->folder, sizeof self->folder, "%.*s%s%s-%s%s", (int)s_length(self->store),
                        self->store, separator, self->why, date, suffix);
    return size > 0 && (size_t)size < sizeof self->folder;
}

// mkdir(2) decides whether a name is free: a test before it could be outdated. separator: "." for next to
// the store, "/" for inside of it.
static int
s_create_at(set_aside *self, const char *separator)
{
    for (unsigned number = 0; number < MAX_NAMES; number++) {
        if (!s_set_path(self, separator, number))
            return ENAMETOOLONG;
        if (!mkdir(self->folder, 0700))
            return 0;
        if (errno != EEXIST)
            return errno;
    }
    return EEXIST;
}

// If the store is a mount point, nothing can be renamed from it to a directory next to it.
static bool
s_is_on_same_device(const set_aside *self)
{
    struct stat store, folder;
    return !stat(self->store, &store) && !stat(self->folder, &folder) && store.st_dev == folder.st_dev;
}

// Next to the store if possible; otherwise inside of it.
static int
s_create(set_aside *self)
{
    if (self->folder[0])
        return 0;
    int code = s_create_at(self, ".");
    if (!code && s_is_on_same_device(self))
        return 0;
    if (!code)
        rmdir(self->folder);
    code = s_create_at(self, "/");
    if (code)
        self->folder[0] = '\0';
    return code;
}

// The directory is created with the first file, so that an undamaged store leaves none behind.
static int
s_paths(set_aside *self, const char *name, char source[SET_ASIDE_PATH], char target[SET_ASIDE_PATH])
{
    int code = s_create(self);
    if (code)
        return code;
    if (snprintf(source, SET_ASIDE_PATH, "%s/%s", self->store, name) >= SET_ASIDE_PATH ||
        snprintf(target, SET_ASIDE_PATH, "%s/%s", self->folder, name) >= SET_ASIDE_PATH)
        return ENAMETOOLONG;
    return 0;
}

int
set_aside_move(set_aside *self, const char *name)
{
    char source[SET_ASIDE_PATH], target[SET_ASIDE_PATH];
    int code = s_paths(self, name, source, target);
    if (code)
        return code;
    return rename(source, target) ? errno : 0;
}

// A hard link keeps the original in its place until the caller renames the new file over it: at no moment
// is there no file.
int
set_aside_copy(set_aside *self, const char *name)
{
    char source[SET_ASIDE_PATH], target[SET_ASIDE_PATH];
    int code = s_paths(self, name, source, target);
    if (code)
        return code;
    return !link(source, target) || !rename(source, target) ? 0 : errno;
}

int
set_aside_move_store(set_aside *self)
{
    // mkdir and rmdir, to find a free name.
    int code = s_create_at(self, ".");
    if (code || rmdir(self->folder))
        return code ? code : errno;
    return rename(self->store, self->folder) ? errno : 0;
}
