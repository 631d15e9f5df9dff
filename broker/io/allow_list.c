#include "broker/io/allow_list.h"

#include "common/log.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

typedef struct {
    char (*keys)[KEY_TEXT]; // sorted
    size_t count;
    size_t unusable; // files that are no key, or too many
    char why[300];   // the last of those
} keys;

struct allow_list {
    char *folder;
    keys of[SIDE_COUNT];
    uint64_t read_at;
};

const char *
side_word(socket_side self)
{
    return self == SIDE_FRONT ? "front" : "back";
}

static const char *
s_subfolder(socket_side self)
{
    return self == SIDE_FRONT ? "clients" : "workers";
}

static bool
s_ends(const char *name, const char *with)
{
    size_t length = strlen(name), end = strlen(with);
    return length > end && strcmp(name + length - end, with) == 0;
}

// Only these: what an editor leaves beside a file must not go on counting when the file is gone.
static bool
s_is_key_file(const char *name)
{
    return *name != '.' && (s_ends(name, ".cert") || s_ends(name, ".key"));
}

static int
s_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void
s_read_file(keys *into, const char *folder, const char *name)
{
    char path[4096];
    certificate read;
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    err error = ERR_TOO_LARGE;
    snprintf(into->why, sizeof into->why, "there are more than %d", MAX_ALLOWED);
    if (length < (int)sizeof path && into->count < MAX_ALLOWED)
        error = certificate_load(path, &read, into->why, sizeof into->why);
    if (error)
        into->unusable++;
    else
        memcpy(into->keys[into->count++], read.public_key, KEY_TEXT);
}

static keys
s_read(const char *folder)
{
    keys read = {.keys = malloc(MAX_ALLOWED * sizeof *read.keys)};
    ASSERT(read.keys);
    DIR *all = opendir(folder); // one that is not there allows nobody
    for (const struct dirent *each = all ? readdir(all) : NULL; each; each = readdir(all))
        if (s_is_key_file(each->d_name))
            s_read_file(&read, folder, each->d_name);
    if (all)
        closedir(all);
    qsort(read.keys, read.count, sizeof *read.keys, s_compare);
    return read;
}

static bool
s_is_same(const keys *a, const keys *b)
{
    return a->keys && a->count == b->count && a->unusable == b->unusable &&
           memcmp(a->keys, b->keys, a->count * sizeof *a->keys) == 0;
}

static void
s_say(const keys *read, socket_side where, const char *folder)
{
    char text[400];
    log_event(LEVEL_INFO, "allow_list_loaded", "side=%s keys=%zu folder=%s", side_word(where), read->count,
              log_quoted(slice_text(folder), text, sizeof text));
    if (read->unusable)
        log_event(LEVEL_WARN, "keys_unusable", "side=%s files=%zu reason=%s", side_word(where),
                  read->unusable, log_quoted(slice_text(read->why), text, sizeof text));
}

static void
s_reread(allow_list *self, uint64_t now)
{
    self->read_at = now;
    for (socket_side where = SIDE_FRONT; where < SIDE_COUNT; where++) {
        char folder[4096];
        snprintf(folder, sizeof folder, "%s/%s", self->folder, s_subfolder(where));
        keys read = s_read(folder);
        if (!s_is_same(&self->of[where], &read))
            s_say(&read, where, folder);
        free(self->of[where].keys);
        self->of[where] = read;
    }
}

allow_list *
allow_list_new(const char *folder, uint64_t now, char *ret_why, size_t why_size)
{
    struct stat found;
    bool there = stat(folder, &found) == 0;
    if (!there || !S_ISDIR(found.st_mode)) {
        snprintf(ret_why, why_size, "%s: %s", folder, there ? "it is no folder" : strerror(errno));
        return NULL;
    }
    allow_list *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->folder = strdup(folder);
    ASSERT(self->folder);
    s_reread(self, now);
    return self;
}

void
allow_list_destroy(allow_list **self_p)
{
    allow_list *self = *self_p;
    if (!self)
        return;
    for (socket_side where = SIDE_FRONT; where < SIDE_COUNT; where++)
        free(self->of[where].keys);
    free(self->folder);
    free(self);
    *self_p = NULL;
}

bool
allow_list_has(allow_list *self, socket_side where, const char *public_key, uint64_t now)
{
    if (now - self->read_at >= ALLOW_LIST_REREAD_MS)
        s_reread(self, now);
    const keys *of = &self->of[where];
    return bsearch(public_key, of->keys, of->count, KEY_TEXT, s_compare);
}

size_t
allow_list_count(const allow_list *self, socket_side where)
{
    return self->of[where].count;
}
