// Opening a store: locks the directory, checks and repairs what an earlier process left there, replays its
// journal, and logs and sets aside what is damaged (docs/decisions/fleet/0028). Blocks, before the broker's
// loop begins.
//
// Damage never keeps a broker from starting; what an operator can correct does, such as a file that may not
// be read, a full disk, or another broker in the same directory.
#include "broker/store/journal_read.h"
#include "broker/store/repair.h"
#include "broker/store/store_internal.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// LMDB allocates whole pages, and keeps old ones while they are read: the file may need several times its
// content.
#define ROOM_FACTOR 4

// Lines about single sessions or places; a summary follows in any case.
enum { MAX_LOGGED = 20 };

typedef struct {
    store *self;
    // The file that is being opened, for errors; NULL: the directory.
    const char *folder, *file;
    set_aside set_aside;
    // Of the journal file.
    buffer bytes;
    bool has_journal;
    journal_found found;
    salvage_report tables;
    // Damage in the journal, and sessions that were dropped for it.
    unsigned faults;
    size_t dropped;
} opening;

// --- the folder -----------------------------------------------------------------------------------------

// A file in the place of the directory is moved away: it cannot be a store.
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
    set_aside moved = {.store = at->folder, .why = "damaged"};
    int code = set_aside_move_store(&moved);
    if (code)
        return code;
    char text[SET_ASIDE_PATH];
    log_event(LEVEL_ERROR, "store_damaged", "reason=\"the store is not a directory\" set_aside=%s",
              log_quoted(slice_text(moved.folder), text, sizeof text));
    return mkdir(at->folder, 0700) ? errno : 0;
}

// Two brokers would overwrite each other's data. flock(2) on the directory itself needs no file that could be
// damaged or deleted, and ends with the process.
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

// EINVAL: something else has its name.
static int
s_open_journal(opening *at)
{
    store *self = at->self;
    int code = journal_open(&self->journal, at->folder);
    if (code != EINVAL)
        return code;
    journal_close(&self->journal);
    code = set_aside_move(&at->set_aside, JOURNAL_NAME);
    if (code)
        return code;
    char text[SET_ASIDE_PATH];
    log_event(LEVEL_ERROR, "store_damaged",
              "file=" JOURNAL_NAME " reason=\"not a regular file\" set_aside=%s",
              log_quoted(slice_text(at->set_aside.folder), text, sizeof text));
    return journal_open(&self->journal, at->folder);
}

// Read as a whole before the tables are touched: it decides whether they are outdated.
static int
s_load_journal(opening *at)
{
    at->file = JOURNAL_NAME;
    int code = s_open_journal(at);
    if (!code)
        code = journal_load(&at->self->journal, &at->bytes);
    return code;
}

// Through the same functions that the entry came from. They also append to the journal in memory, which
// the checkpoint after the replay discards. Their errors are those of the first time: the session was
// dropped then, too.
static void
s_replay_entry(void *context, const journal_entry *entry)
{
    store *self = ((opening *)context)->self;
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
} bucket_drop;

// Only what exists now: an intact entry after the damage may have dropped the session already.
static void
s_drop_damaged(opening *at, id16 id, const char *why)
{
    char text[ID_TEXT];
    if (!store_has(at->self, id))
        return;
    store_drop(at->self, id);
    if (at->dropped++ < MAX_LOGGED)
        log_event(LEVEL_ERROR, "store_damaged", "file=" JOURNAL_NAME " session=%s reason=\"%s\"",
                  id_text(id, text), why);
}

// found is not needed: a damaged record is dropped by store_has().
static void
s_drop_if_affected(void *context, id16 id, const session_record *found)
{
    bucket_drop *self = context;
    (void)found;
    if (self->buckets >> journal_bucket(id) & 1)
        s_drop_damaged(self->at, id, "its latest changes may be lost; the outdated rest is dropped");
}

// Users may have seen newer state of these sessions than what is stored: drop them.
static void
s_drop_buckets(opening *at, uint64_t buckets)
{
    bucket_drop drop = {at, buckets};
    id16 begin = {{0}};
    const memtable *put = &at->self->memtable;
    for (size_t i = 0; i < put->session_count; i++)
        s_drop_if_affected(&drop, put->sessions[i].id, NULL);
    (void)lmdb_tables_visit(&at->self->tables, &begin, UINT32_MAX, s_drop_if_affected, &drop);
}

// offset and bytes, so that the file that was set aside can be examined.
static void
s_log_damage(const journal_damage *damage, const char *reason)
{
    log_event(LEVEL_ERROR, "store_damaged", "file=" JOURNAL_NAME " offset=%zu bytes=%zu reason=\"%s\"",
              damage->offset, damage->size, reason);
}

// Faults other than a torn end make the file worth setting aside (s_renew_journal).
static void
s_replay_damage(void *context, const journal_damage *damage)
{
    opening *at = context;
    bool logs = at->faults++ < MAX_LOGGED;
    switch (damage->fault) {
    case JOURNAL_HOLE:
        if (logs)
            s_log_damage(damage, "no valid records here; valid ones follow");
        break;
    case JOURNAL_CORRUPT:
        if (logs)
            s_log_damage(damage, "a record does not match its checksum");
        if (!id_is_zero(damage->session))
            s_drop_damaged(at, damage->session, "its latest changes are lost; the outdated rest is dropped");
        break;
    case JOURNAL_LOST:
        s_drop_buckets(at, damage->buckets);
        break;
    case JOURNAL_TORN:
        // Normal after a crash: no fault.
        at->faults--;
        log_event(LEVEL_WARN, "journal_torn", "offset=%zu hint=\"%s\"", damage->offset,
                  "the last write was torn, or the file is damaged from there on");
        break;
    }
}

// Replays the journal if it belongs to these tables: if it is of their generation. An older one is in the
// tables already; the process ended before it could overwrite it.
static void
s_replay(opening *at)
{
    const journal_visitor visitor = {s_replay_entry, s_replay_damage, at};
    journal_origin origin = at->self->journal.origin;
    if (at->has_journal && at->found.origin.generation == origin.generation)
        journal_read(buffer_bytes(&at->bytes), origin, &visitor);
    else if (!at->has_journal && at->tables.state == SALVAGE_SOUND && origin.generation)
        log_event(LEVEL_WARN, "journal_missing", "bytes=%zu hint=\"%s\"", at->bytes.size,
                  "the file is empty or damaged; changes of about the last second are lost");
}

// The journal is about to be overwritten; what was valid in it is in the tables. A damaged file is set aside
// first.
static int
s_renew_journal(opening *at)
{
    char text[SET_ASIDE_PATH];
    store *self = at->self;
    journal_origin origin = self->journal.origin;
    if (!at->faults)
        return 0;
    int code = set_aside_move(&at->set_aside, JOURNAL_NAME);
    if (code)
        return code;
    log_event(LEVEL_ERROR, "store_damaged",
              "file=" JOURNAL_NAME " faults=%u sessions_dropped=%zu set_aside=%s", at->faults, at->dropped,
              log_quoted(slice_text(at->set_aside.folder), text, sizeof text));
    journal_close(&self->journal);
    code = journal_open(&self->journal, at->folder);
    if (!code)
        journal_begin(&self->journal, origin);
    return code;
}

// --- the tables -----------------------------------------------------------------------------------------

// `used` is not stored: it is counted at each start. Damaged records count nothing.
static void
s_add_size(void *context, id16 id, const session_record *found)
{
    (void)id;
    if (found)
        ((store *)context)->used += found->size;
}

// Tables without an origin are new, or replace lost ones: they get the journal's.
static int
s_find_origin(opening *at, uint64_t store_id)
{
    store *self = at->self;
    journal_origin *origin = &self->journal.origin;
    int code = lmdb_tables_origin(&self->tables, origin);
    at->has_journal = journal_find_newest(buffer_bytes(&at->bytes), origin->store_id, &at->found);
    if (code || origin->store_id)
        return code;
    self->is_new = true;
    *origin = at->has_journal ? at->found.origin : (journal_origin){.store_id = store_id ? store_id : 1};
    return lmdb_tables_write(&self->tables, &self->memtable, NULL, *origin);
}

// The map's size is address space, not memory or disk: it is as large as the file may ever become.
static int
s_open_tables(opening *at)
{
    char path[SET_ASIDE_PATH];
    store *self = at->self;
    size_t room = self->limit * ROOM_FACTOR + (64U << 20);
    repair_request order = {at->folder, room, buffer_bytes(&at->bytes), &at->set_aside};
    at->file = LMDB_TABLES_FILE;
    int code = repair_tables(&order, &at->tables);
    if (code)
        return code;
    if (snprintf(path, sizeof path, "%s/" LMDB_TABLES_FILE, at->folder) >= SET_ASIDE_PATH)
        return ENAMETOOLONG;
    return lmdb_tables_open(&self->tables, path, room, LMDB_TABLES_WRITE);
}

// The journal was set aside with the tables of another version: start an empty one.
static int
s_forget_journal(opening *at)
{
    journal_close(&at->self->journal);
    buffer_clear(&at->bytes);
    return s_load_journal(at);
}

// --- opening ------------------------------------------------------------------------------------------

// The order matters: the journal is read before the tables are repaired by it, and replayed before its file
// is reused.
static int
s_open_store(opening *at, uint64_t store_id)
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
    at->file = LMDB_TABLES_FILE;
    code = s_find_origin(at, store_id);
    if (!code)
        code = lmdb_tables_visit(&self->tables, &begin, UINT32_MAX, s_add_size, self);
    if (code)
        return code;
    s_replay(at);
    self->boot_before = at->found.boot > at->tables.boot ? at->found.boot : at->tables.boot;
    code = store_write_tables(self);
    return code ? code : s_renew_journal(at);
}

// mdb_strerror() knows the system's errors as well.
static void
s_explain(const opening *at, int code, char *ret_why, size_t why_size)
{
    const char *reason = code == EWOULDBLOCK ? "another broker is using it" : mdb_strerror(code);
    snprintf(ret_why, why_size, "%s%s%s: %s", at->folder, at->file ? "/" : "", at->file ? at->file : "",
             reason);
}

store *
store_new(const char *folder, size_t limit, uint64_t seed, char *ret_why, size_t why_size)
{
    store *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->limit = limit;
    self->memtable.seed = seed;
    opening at = {.self = self, .folder = folder, .set_aside = {.store = folder, .why = "damaged"}};
    buffer_init(&at.bytes);
    int code = s_open_store(&at, seed);
    buffer_fini(&at.bytes);
    if (!code)
        return self;
    s_explain(&at, code, ret_why, why_size);
    store_destroy(&self);
    return NULL;
}

// Closing the directory releases the lock: last, when nothing writes any more.
void
store_destroy(store **self_p)
{
    store *self = *self_p;
    if (!self)
        return;
    lmdb_tables_close(&self->tables);
    journal_close(&self->journal);
    memtable_fini(&self->memtable);
    if (self->lock)
        close(self->lock);
    free(self);
    *self_p = NULL;
}
