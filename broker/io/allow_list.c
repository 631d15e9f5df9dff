// The public keys that may connect, read from the certificate files of two folders and kept sorted.
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
    size_t unusable;  // files that are no key, or too many
    char reason[300]; // why the last of those
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

// A name that is nothing but the ending does not count.
static bool
s_ends(const char *name, const char *ending)
{
    size_t length = strlen(name), end = strlen(ending);
    return length > end && strcmp(name + length - end, ending) == 0;
}

// By the ending: a backup that an editor leaves beside a file must not keep a key valid when the file is
// gone.
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

// A file that cannot be used is counted, and the last reason kept.
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

// A folder that is not there allows nobody.
static key_list
s_read(const char *folder)
{
    key_list list_ = {.keys = malloc(MAX_ALLOWED * sizeof *list_.keys)};
    ASSERT(list_.keys);
    DIR *all = opendir(folder);
    for (const struct dirent *each = all ? readdir(all) : NULL; each; each = readdir(all))
        if (s_is_key_file(each->d_name))
            s_read_file(&list_, folder, each->d_name);
    if (all)
        closedir(all);
    qsort(list_.keys, list_.count, sizeof *list_.keys, s_compare);
    return list_;
}

static bool
s_is_same(const key_list *a, const key_list *b)
{
    return a->keys && a->count == b->count && a->unusable == b->unusable &&
           memcmp(a->keys, b->keys, a->count * sizeof *a->keys) == 0;
}

// Written only when something changed.
static void
s_log_list(const key_list *list_, socket_side side, const char *folder)
{
    char text[400];
    log_event(LEVEL_INFO, "allow_list_loaded", "side=%s keys=%zu folder=%s", side_word(side), list_->count,
              log_quoted(slice_text(folder), text, sizeof text));
    if (list_->unusable)
        log_event(LEVEL_WARN, "keys_unusable", "side=%s files=%zu reason=%s", side_word(side),
                  list_->unusable, log_quoted(slice_text(list_->reason), text, sizeof text));
}

// The folders are small, and read at most once in ALLOW_LIST_REREAD_MS, when somebody connects.
static void
s_reread(allow_list *self, uint64_t now)
{
    self->read_at = now;
    for (socket_side side = SIDE_FRONT; side < SIDE_COUNT; side++) {
        char folder[4096];
        snprintf(folder, sizeof folder, "%s/%s", self->folder, s_subfolder(side));
        key_list list_ = s_read(folder);
        if (!s_is_same(&self->sides[side], &list_))
            s_log_list(&list_, side, folder);
        free(self->sides[side].keys);
        self->sides[side] = list_;
    }
}

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
