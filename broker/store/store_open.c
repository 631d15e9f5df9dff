// Opening a store: what a process that is gone left there is checked, and told of where it is damaged
// (docs/decisions/0028).
#include "broker/store/journal_read.h"
#include "broker/store/repair.h"
#include "broker/store/store_state.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// Pages are taken whole, and old ones stay while they are read: the file may need some times what is in it.
#define ROOM_FACTOR 4

enum { MOST_NAMED = 20 };

typedef struct {
    store *self;
    const char *folder, *file; // the latter: what cannot be opened; NULL: the folder
    aside aside;
    buffer bytes; // of the journal's file
    bool has_journal;
    journal_found found;
    salvage_report tables;
    unsigned faults; // in the journal,
    size_t dropped;  // and sessions that are lost with them
} opening;

// --- the folder -----------------------------------------------------------------------------------------

static int
s_make_folder(opening *at)
{
    struct stat status;
    if (mkdir(at->folder, 0700) && errno != EEXIST)
        return errno;
    if (stat(at->folder, &status))
        return errno;
    if (S_ISDIR(status.st_mode))
        return 0;
    aside beside = {.store = at->folder, .why = "damaged"};
    int code = aside_move_store(&beside);
    if (code)
        return code;
    char text[ASIDE_PATH];
    log_event(LEVEL_ERROR, "store_damaged", "reason=\"the store is no folder\" set_aside=%s",
              log_quoted(slice_text(beside.folder), text, sizeof text));
    return mkdir(at->folder, 0700) ? errno : 0;
}

// Two brokers would write over each other.
static int
s_lock(opening *at)
{
    int code = s_make_folder(at);
    if (code)
        return code;
    int folder = open(at->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return errno;
    at->self->lock = folder;
    return flock(folder, LOCK_EX | LOCK_NB) ? errno : 0;
}

// --- the journal ----------------------------------------------------------------------------------------

static int
s_open_journal(opening *at)
{
    store *self = at->self;
    int code = journal_open(&self->journal, at->folder);
    if (code != EINVAL)
        return code;
    journal_close(&self->journal);
    code = aside_move(&at->aside, JOURNAL_NAME);
    if (code)
        return code;
    char text[ASIDE_PATH];
    log_event(LEVEL_ERROR, "store_damaged", "file=" JOURNAL_NAME " reason=\"it is no file\" set_aside=%s",
              log_quoted(slice_text(at->aside.folder), text, sizeof text));
    return journal_open(&self->journal, at->folder);
}

static int
s_load_journal(opening *at)
{
    at->file = JOURNAL_NAME;
    int code = s_open_journal(at);
    if (!code)
        code = journal_load(&at->self->journal, &at->bytes);
    return code;
}

static void
s_replay_entry(void *at_, const journal_entry *entry)
{
    store *self = ((opening *)at_)->self;
    switch (entry->kind) {
    case JOURNAL_FRAME:
        store_put(self, entry->session, entry->bytes, entry->now);
        break;
    case JOURNAL_ROOT:
        store_put_root(self, entry->session, entry->root, entry->bytes, (slice){0});
        break;
    case JOURNAL_TOUCH:
        store_touch(self, entry->session, entry->now);
        break;
    case JOURNAL_DROP:
        store_drop(self, entry->session);
        break;
    }
}

typedef struct {
    opening *at;
    uint64_t buckets;
} dropping;

static void
s_drop_one(opening *at, id16 id, const char *why)
{
    char text[ID_TEXT];
    if (!store_has(at->self, id))
        return;
    store_drop(at->self, id);
    if (at->dropped++ < MOST_NAMED)
        log_event(LEVEL_ERROR, "store_damaged", "file=" JOURNAL_NAME " session=%s reason=\"%s\"",
                  id_text(id, text), why);
}

static void
s_drop_in_doubt(void *dropping_, id16 id, const record *found)
{
    dropping *self = dropping_;
    (void)found;
    if (self->buckets >> journal_bucket(id) & 1)
        s_drop_one(self->at, id, "what it did last may be lost; what is stored is older, and dropped");
}

// What is stored of these may be older than what users have seen: rather nothing.
static void
s_drop_buckets(opening *at, uint64_t buckets)
{
    dropping self = {at, buckets};
    id16 begin = {{0}};
    const fresh *put = &at->self->fresh;
    for (size_t i = 0; i < put->session_count; i++)
        s_drop_in_doubt(&self, put->sessions[i].id, NULL);
    (void)tables_each(&at->self->tables, &begin, UINT32_MAX, s_drop_in_doubt, &self);
}

static void
s_say_hole(const journal_damage *damage, const char *reason)
{
    log_event(LEVEL_ERROR, "store_damaged", "file=" JOURNAL_NAME " offset=%zu bytes=%zu reason=\"%s\"",
              damage->offset, damage->size, reason);
}

static void
s_replay_damage(void *at_, const journal_damage *damage)
{
    opening *at = at_;
    bool says = at->faults++ < MOST_NAMED;
    switch (damage->fault) {
    case JOURNAL_HOLE:
        if (says)
            s_say_hole(damage, "there are no records; sound ones follow");
        break;
    case JOURNAL_BAD:
        if (says)
            s_say_hole(damage, "a record does not match its checksum");
        if (!id_is_zero(damage->session))
            s_drop_one(at, damage->session, "what it did last is lost; what is stored is older, and dropped");
        break;
    case JOURNAL_LOST:
        s_drop_buckets(at, damage->buckets);
        break;
    case JOURNAL_TORN:
        at->faults--; // ordinary
        log_event(LEVEL_WARN, "journal_torn", "offset=%zu hint=\"%s\"", damage->offset,
                  "the last write was cut off, or the file is damaged from there on");
        break;
    }
}

// The journal that goes on top of these tables: of their generation. One of a generation before was done
// with, by a process that did not come to write over it.
static void
s_replay(opening *at)
{
    const journal_visitor visitor = {s_replay_entry, s_replay_damage, at};
    journal_origin origin = at->self->journal.origin;
    if (at->has_journal && at->found.origin.generation == origin.generation)
        journal_read(buffer_bytes(&at->bytes), origin, &visitor);
    else if (!at->has_journal && at->tables.state == SALVAGE_SOUND && origin.generation)
        log_event(LEVEL_WARN, "journal_missing", "bytes=%zu hint=\"%s\"", at->bytes.size,
                  "the file is empty or damaged; what sessions did in about the last second is lost");
}

// It is written over from now on. What was in it is in the tables.
static int
s_renew_journal(opening *at)
{
    char text[ASIDE_PATH];
    store *self = at->self;
    journal_origin origin = self->journal.origin;
    if (!at->faults)
        return 0;
    int code = aside_move(&at->aside, JOURNAL_NAME);
    if (code)
        return code;
    log_event(LEVEL_ERROR, "store_damaged",
              "file=" JOURNAL_NAME " faults=%u sessions_dropped=%zu set_aside=%s", at->faults, at->dropped,
              log_quoted(slice_text(at->aside.folder), text, sizeof text));
    journal_close(&self->journal);
    code = journal_open(&self->journal, at->folder);
    if (!code)
        journal_begin(&self->journal, origin);
    return code;
}

// --- the tables -----------------------------------------------------------------------------------------

static void
s_add_size(void *self_, id16 id, const record *found)
{
    (void)id;
    if (found)
        ((store *)self_)->used += found->size;
}

// Where the tables have no origin they are new, or were lost: the journal's then.
static int
s_find_origin(opening *at, uint64_t mark)
{
    store *self = at->self;
    journal_origin *origin = &self->journal.origin;
    int code = tables_origin(&self->tables, origin);
    at->has_journal = journal_newest(buffer_bytes(&at->bytes), origin->mark, &at->found);
    if (code || origin->mark)
        return code;
    self->is_new = true;
    *origin = at->has_journal ? at->found.origin : (journal_origin){.mark = mark ? mark : 1};
    return tables_write(&self->tables, &self->fresh, NULL, *origin);
}

static int
s_open_tables(opening *at)
{
    char path[ASIDE_PATH];
    store *self = at->self;
    size_t room = self->limit * ROOM_FACTOR + (64U << 20);
    repair_order order = {at->folder, room, buffer_bytes(&at->bytes), &at->aside};
    at->file = TABLES_FILE;
    int code = repair_tables(&order, &at->tables);
    if (code)
        return code;
    if (snprintf(path, sizeof path, "%s/" TABLES_FILE, at->folder) >= ASIDE_PATH)
        return ENAMETOOLONG;
    return tables_open(&self->tables, path, room, TABLES_WRITE);
}

// Of another version's journal nothing is left.
static int
s_forget_journal(opening *at)
{
    journal_close(&at->self->journal);
    buffer_clear(&at->bytes);
    return s_load_journal(at);
}

// --- all of it ------------------------------------------------------------------------------------------

// What was written since the tables were, by a process that is gone, goes there first.
static int
s_open(opening *at, uint64_t mark)
{
    store *self = at->self;
    id16 begin = {{0}};
    int code = s_lock(at);
    if (!code)
        code = s_load_journal(at);
    if (!code)
        code = s_open_tables(at);
    if (!code && at->tables.state == SALVAGE_OTHER)
        code = s_forget_journal(at);
    if (code)
        return code;
    at->file = TABLES_FILE;
    code = s_find_origin(at, mark);
    if (!code)
        code = tables_each(&self->tables, &begin, UINT32_MAX, s_add_size, self);
    if (code)
        return code;
    s_replay(at);
    self->boot_before = at->found.boot > at->tables.boot ? at->found.boot : at->tables.boot;
    code = store_write_tables(self);
    return code ? code : s_renew_journal(at);
}

static void
s_say_why(const opening *at, int code, char *ret_why, size_t why_size)
{
    const char *reason = code == EWOULDBLOCK ? "another broker has it" : mdb_strerror(code);
    snprintf(ret_why, why_size, "%s%s%s: %s", at->folder, at->file ? "/" : "", at->file ? at->file : "",
             reason);
}

store *
store_new(const char *folder, size_t limit, uint64_t seed, char *ret_why, size_t why_size)
{
    store *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->limit = limit;
    self->fresh.seed = seed;
    opening at = {.self = self, .folder = folder, .aside = {.store = folder, .why = "damaged"}};
    buffer_init(&at.bytes);
    int code = s_open(&at, seed);
    buffer_fini(&at.bytes);
    if (!code)
        return self;
    s_say_why(&at, code, ret_why, why_size);
    store_destroy(&self);
    return NULL;
}

void
store_destroy(store **self_p)
{
    store *self = *self_p;
    if (!self)
        return;
    tables_close(&self->tables);
    journal_close(&self->journal);
    fresh_fini(&self->fresh);
    if (self->lock)
        close(self->lock);
    free(self);
    *self_p = NULL;
}
