// Matches the children of one element. Most of them are equal at the front and at the end; what is left goes
// through hash tables: by key, by content.
#include "worker/page/match_units.h"

#include "common/errors.h"
#include "worker/page/html/lexer.h"
#include "worker/page/html/scan.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

// How many old children are tried for a new one that is like none of them.
#define MAX_TRIES 32

bool
match_units_equal(const fragment *olds, uint32_t old, const fragment *news, uint32_t new)
{
    return olds->units[old].hash == news->units[new].hash &&
           slice_equal(fragment_html(olds, old), fragment_html(news, new));
}

// --- what tells an element from others ------------------------------------------------------------------

typedef struct {
    uint64_t kind; // hash of what may not differ between the old and the new one
    uint64_t key;  // 0: none
} identity;

enum { KEYS = 4 };
static const char *const s_keys[KEYS] = {"dj-key", "data-key", "id", "name"};

typedef struct {
    slice keys[KEYS], type;
    bool ignored, edited;
} features;

static bool
s_is(slice name, const char *text)
{
    return scan_same_name(name, slice_text(text));
}

// The first attribute of a name counts; an empty key is none, as in match-children.js.
static void
s_read_features(slice start, size_t at, features *ret)
{
    *ret = (features){0};
    for (slice name, value; lexer_attribute(start, &at, &name, &value);) {
        for (size_t i = 0; i < KEYS; i++)
            if (!ret->keys[i].data && s_is(name, s_keys[i]))
                ret->keys[i] = value.data ? value : slice_of(name.data, 0);
        if (!ret->type.data && s_is(name, "type"))
            ret->type = value;
        ret->ignored |= s_is(name, "dj-ignore") || s_is(name, "dj-root") ||
                        (s_is(name, "dj-update") && s_is(value, "ignore"));
        ret->edited |= s_is(name, "contenteditable");
    }
}

static void
s_features(const fragment *tree, uint32_t at, features *ret)
{
    *ret = (features){0};
    const fragment_unit *found = tree->units + at;
    if (found->kind == UNIT_ELEMENT || found->kind == UNIT_OPAQUE)
        s_read_features(fragment_tag(tree, at), 1u + found->name_size, ret);
}

static uint64_t
s_hash_lower(slice text)
{
    uint8_t lower[UINT8_MAX];
    size_t size = text.size < sizeof lower ? text.size : sizeof lower;
    for (size_t i = 0; i < size; i++)
        lower[i] = text.data[i] >= 'A' && text.data[i] <= 'Z' ? text.data[i] | 0x20 : text.data[i];
    return XXH3_64bits(lower, size);
}

static identity
s_identity(const fragment *tree, uint32_t at)
{
    if (tree->units[at].kind == UNIT_COMMENT)
        return (identity){.kind = 1};
    features has;
    s_features(tree, at, &has);
    identity made = {.kind = s_hash_lower(fragment_name(tree, at)) ^ (has.ignored ? 2u : 0u)};
    made.kind = XXH3_64bits_withSeed(has.type.data, has.type.size, made.kind);
    for (size_t i = 0; i < KEYS && !made.key; i++)
        if (has.keys[i].size)
            made.key = XXH3_64bits_withSeed(has.keys[i].data, has.keys[i].size, made.kind + i + 1) | 1;
    return made;
}

unit_care
match_units_care(const fragment *tree, uint32_t index)
{
    features has;
    s_features(tree, index, &has);
    return has.ignored ? UNIT_IGNORED : has.edited ? UNIT_EDITED : UNIT_PLAIN;
}

// --- a hash table of old children -----------------------------------------------------------------------

enum { TAKEN = UINT32_MAX - 1, SEVERAL = UINT32_MAX - 2 };

typedef struct {
    uint64_t key;
    uint32_t first; // position of an old child + 1; 0: an empty entry; TAKEN, SEVERAL
} entry;

typedef struct {
    entry *entries;
    size_t mask;
} table;

static table
s_table(size_t count)
{
    size_t size = 16;
    while (size < count * 2)
        size *= 2;
    table made = {calloc(size, sizeof(entry)), size - 1};
    ASSERT(made.entries);
    return made;
}

// The entry of the key, or the empty one where it goes.
static entry *
s_entry(const table *self, uint64_t key)
{
    size_t at = (key ^ key >> 32) & self->mask;
    while (self->entries[at].first && self->entries[at].key != key)
        at = (at + 1) & self->mask;
    return self->entries + at;
}

// --- matching -------------------------------------------------------------------------------------------

// The children between those that are equal at the front and at the end.
typedef struct {
    const unit_children *olds, *news;
    uint32_t head, old_end, new_end;
    identity *old, *new; // from head on
    bool *used;          // of the old ones
    uint32_t *match;
} matching;

static void
s_take(matching *self, uint32_t new, uint32_t old)
{
    self->match[new] = old;
    self->used[old - self->head] = true;
}

// Also clears the keys that several old children have: those are matched like children without.
static void
s_match_keys(matching *self)
{
    uint32_t count = self->old_end - self->head;
    table keys = s_table(count);
    for (uint32_t i = 0; i < count; i++) {
        if (!self->old[i].key)
            continue;
        entry *found = s_entry(&keys, self->old[i].key);
        *found = (entry){self->old[i].key, found->first ? SEVERAL : i + 1};
    }
    for (uint32_t i = 0; i < count; i++)
        if (self->old[i].key && s_entry(&keys, self->old[i].key)->first == SEVERAL)
            self->old[i].key = 0;
    for (uint32_t j = self->head; j < self->new_end; j++) {
        identity *new = self->new + j - self->head;
        if (!new->key)
            continue;
        entry *found = s_entry(&keys, new->key);
        if (found->first == SEVERAL)
            new->key = 0;
        else if (found->first && found->first != TAKEN) {
            s_take(self, j, self->head + found->first - 1);
            found->first = TAKEN;
        }
    }
    free(keys.entries);
}

// Children without a key that are equal, the first old one with the first new one.
static void
s_match_equal(matching *self)
{
    uint32_t count = self->old_end - self->head;
    table contents = s_table(count);
    uint32_t *following = calloc(count + 1, sizeof *following); // of the same content; position + 1
    ASSERT(following);
    for (uint32_t i = count; i-- > 0;) {
        if (self->old[i].key)
            continue;
        uint64_t hash = self->olds->tree->units[self->olds->units[self->head + i]].hash;
        entry *found = s_entry(&contents, hash);
        following[i] = found->first;
        *found = (entry){hash, i + 1};
    }
    for (uint32_t j = self->head; j < self->new_end; j++) {
        if (self->new[j - self->head].key)
            continue;
        uint32_t new = self->news->units[j];
        entry *found = s_entry(&contents, self->news->tree->units[new].hash);
        if (!found->first || found->first == TAKEN)
            continue;
        uint32_t i = found->first - 1;
        if (!match_units_equal(self->olds->tree, self->olds->units[self->head + i], self->news->tree, new))
            continue;
        s_take(self, j, self->head + i);
        found->first = following[i] ? following[i] : TAKEN;
    }
    free(following);
    free(contents.entries);
}

// The rest: the next old child of the same kind, between the old ones that the neighbours of the new one are.
static void
s_match_kinds(matching *self)
{
    uint32_t from = self->head, to = self->head, run_end = self->head;
    for (uint32_t j = self->head; j < self->new_end; j++) {
        if (self->match[j] != MATCH_NONE) {
            from = self->match[j] + 1;
            continue;
        }
        if (j >= run_end) {
            for (run_end = j; run_end < self->new_end && self->match[run_end] == MATCH_NONE;)
                run_end++;
            to = run_end < self->new_end ? self->match[run_end] : self->old_end;
        }
        const identity *new = self->new + j - self->head;
        if (new->key)
            continue;
        for (uint32_t i = from, tries = 0; i < to && tries < MAX_TRIES; i++, tries++) {
            const identity *old = self->old + i - self->head;
            if (self->used[i - self->head] || old->key || old->kind != new->kind)
                continue;
            s_take(self, j, i);
            from = i + 1;
            break;
        }
    }
}

static void
s_match_rest(matching *self)
{
    uint32_t olds = self->old_end - self->head, news = self->new_end - self->head;
    self->old = malloc((olds + news + 1) * sizeof *self->old);
    self->used = calloc(olds + 1, sizeof *self->used);
    ASSERT(self->old && self->used);
    self->new = self->old + olds;
    for (uint32_t i = 0; i < olds; i++)
        self->old[i] = s_identity(self->olds->tree, self->olds->units[self->head + i]);
    for (uint32_t j = 0; j < news; j++)
        self->new[j] = s_identity(self->news->tree, self->news->units[self->head + j]);
    s_match_keys(self);
    s_match_equal(self);
    s_match_kinds(self);
    free(self->old);
    free(self->used);
}

void
match_units(const unit_children *olds, const unit_children *news, uint32_t *ret_match)
{
    matching self = {.olds = olds, .news = news, .match = ret_match};
    uint32_t tail = 0, least = olds->count < news->count ? olds->count : news->count;
    while (self.head < least &&
           match_units_equal(olds->tree, olds->units[self.head], news->tree, news->units[self.head]))
        self.head++;
    while (tail < least - self.head && match_units_equal(olds->tree, olds->units[olds->count - 1 - tail],
                                                         news->tree, news->units[news->count - 1 - tail]))
        tail++;
    self.old_end = olds->count - tail;
    self.new_end = news->count - tail;
    for (uint32_t j = 0; j < news->count; j++)
        ret_match[j] = j < self.head ? j : j >= self.new_end ? j + olds->count - news->count : MATCH_NONE;
    if (self.head < self.old_end && self.head < self.new_end)
        s_match_rest(&self);
}
