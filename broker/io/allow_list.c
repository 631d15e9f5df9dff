// The public keys that may connect, read from the certificate files of two folders, and kept sorted for
// bsearch. It fails closed: what cannot be read allows nobody.
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
    size_t unusable;  // files without a valid key, or beyond MAX_ALLOWED
    char reason[300]; // why, of the last of them
} key_list;

struct allow_list {
    char *folder;
    key_list sides[SIDE_COUNT];
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

// A name that consists of the ending alone does not count.
static bool
s_ends(const char *name, const char *ending)
{
    size_t length = strlen(name), end = strlen(ending);
    return length > end && strcmp(name + length - end, ending) == 0;
}

// Judged by the ending, since a backup that an editor leaves beside a file must not keep its key valid when
// the file is removed.
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

// An unusable file does not invalidate the others. It is counted, and the last reason is kept for the log.
static void
s_read_file(key_list *list, const char *folder, const char *name)
{
    char path[4096];
    certificate loaded;
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    err error = ERR_TOO_LARGE;
    snprintf(list->reason, sizeof list->reason, "more than %d keys", MAX_ALLOWED);
    if (length < (int)sizeof path && list->count < MAX_ALLOWED)
        error = certificate_load(path, &loaded, list->reason, sizeof list->reason);
    if (error)
        list->unusable++;
    else
        memcpy(list->keys[list->count++], loaded.public_key, KEY_TEXT);
}

// A folder that cannot be opened allows nobody. readdir's order is arbitrary, hence the sort.
static key_list
s_read(const char *folder)
{
    key_list list = {.keys = malloc(MAX_ALLOWED * sizeof *list.keys)};
    ASSERT(list.keys);
    DIR *all = opendir(folder);
    for (const struct dirent *each = all ? readdir(all) : NULL; each; each = readdir(all))
        if (s_is_key_file(each->d_name))
            s_read_file(&list, folder, each->d_name);
    if (all)
        closedir(all);
    qsort(list.keys, list.count, sizeof *list.keys, s_compare);
    return list;
}

// Compared so that a log line is written only when something changed. Before the first reading there are no
// keys.
static bool
s_is_same(const key_list *a, const key_list *b)
{
    return a->keys && a->count == b->count && a->unusable == b->unusable &&
           memcmp(a->keys, b->keys, a->count * sizeof *a->keys) == 0;
}

static void
s_log_list(const key_list *list, socket_side side, const char *folder)
{
    char text[400];
    log_event(LEVEL_INFO, "allow_list_loaded", "side=%s keys=%zu folder=%s", side_word(side), list->count,
              log_quoted(slice_text(folder), text, sizeof text));
    if (list->unusable)
        log_event(LEVEL_WARN, "keys_unusable", "side=%s files=%zu reason=%s", side_word(side), list->unusable,
                  log_quoted(slice_text(list->reason), text, sizeof text));
}

// Reads both folders whole: they are small, and this happens at most once in ALLOW_LIST_REREAD_MS, when a
// peer connects.
static void
s_reread(allow_list *self, uint64_t now)
{
    self->read_at = now;
    for (socket_side side = SIDE_FRONT; side < SIDE_COUNT; side++) {
        char folder[4096];
        snprintf(folder, sizeof folder, "%s/%s", self->folder, s_subfolder(side));
        key_list list = s_read(folder);
        if (!s_is_same(&self->sides[side], &list))
            s_log_list(&list, side, folder);
        free(self->sides[side].keys);
        self->sides[side] = list;
    }
}

// Only the folder itself must exist: a site may have no clients or no workers over tcp:// yet.
allow_list *
allow_list_new(const char *folder, uint64_t now, char *ret_why, size_t why_size)
{
    struct stat info;
    bool exists = stat(folder, &info) == 0;
    if (!exists || !S_ISDIR(info.st_mode)) {
        snprintf(ret_why, why_size, "%s: %s", folder, exists ? "not a folder" : strerror(errno));
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
    for (socket_side side = SIDE_FRONT; side < SIDE_COUNT; side++)
        free(self->sides[side].keys);
    free(self->folder);
    free(self);
    *self_p = NULL;
}

// A key that was removed keeps an open connection: CURVE authenticates when a peer connects, and not again.
bool
allow_list_has(allow_list *self, socket_side side, const char *public_key, uint64_t now)
{
    if (now - self->read_at >= ALLOW_LIST_REREAD_MS)
        s_reread(self, now);
    const key_list *list = &self->sides[side];
    return bsearch(public_key, list->keys, list->count, KEY_TEXT, s_compare);
}

size_t
allow_list_count(const allow_list *self, socket_side side)
{
    return self->sides[side].count;
}
