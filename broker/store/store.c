// Putting into, reading from and sweeping a store. Every change goes to the journal and to the memtable; the
// tables change in checkpoints only (docs/decisions/fleet/0021).
//
// One rule decides all failures: a snapshot that is older than what a user has seen is worse than none. So a
// session that cannot be stored as it is now, because of limits, a full disk or damage, is dropped as a
// whole. The broker may request it anew from its worker (KEEP).
#include "broker/store/store.h"

#include "broker/routing/epochs.h"
#include "broker/store/store_internal.h"
#include "common/limits.h"
#include "common/log.h"
#include "proto/snapshot.h"

#include <stdlib.h>

enum {
    SWEEP_STEP = 256,
    // A checkpoint is due beyond these; it takes a few ms then.
    CHECKPOINT_BYTES = 8 << 20,
    CHECKPOINT_ENTRIES = 1024
};

// The bytes of a root in a snapshot frame, with its head: what limits and sizes count.
static size_t
s_frame_size(size_t size)
{
    return size + 8;
}

// --- putting --------------------------------------------------------------------------------------------

// `used` is an estimate after damage: it must not wrap. Roots that the memtable has are void by the new
// incarnation; those in the tables are deleted by the next checkpoint.
static void
s_clear_session(store *self, memtable_session *session)
{
    self->used -= session->size < self->used ? session->size : self->used;
    session->size = session->sum = 0;
    session->exists = false;
    session->discard_stored = true;
    session->incarnation++;
}

// Also in the journal, so that a replay drops it, too.
static void
s_drop_session(store *self, memtable_session *session)
{
    s_clear_session(self, session);
    journal_put(&self->journal, &(journal_entry){.kind = JOURNAL_DROP, .session = session->id});
}

// Logged once a session: it is dropped next.
static void
s_log_damaged(id16 id)
{
    char text[ID_TEXT];
    log_event(LEVEL_ERROR, "store_damaged", "file=" LMDB_TABLES_FILE " session=%s reason=\"%s\"",
              id_text(id, text),
              "a record does not match its checksum, or is missing; the session is not stored any more");
}

// A session in its current state. One that cannot be read from the tables is dropped: users have seen newer
// state than what is left of it.
static memtable_session *
s_load_session(store *self, id16 id)
{
    memtable_session *known = memtable_find(&self->memtable, id);
    if (known)
        return known;
    session_record stored = {0};
    int code = lmdb_tables_session(&self->tables, id, &stored);
    if (code == MDB_CORRUPTED)
        s_log_damaged(id);
    known = memtable_add(&self->memtable, id);
    known->touched = stored.touched;
    known->size = stored.size;
    known->sum = stored.sum;
    known->exists = !code;
    known->stored = code != LMDB_TABLES_NOT_FOUND;
    if (known->stored && code)
        s_drop_session(self, known);
    return known;
}

// Takes the stored value of a root out of the session's sum. *ret: its size in a frame. False: the tables
// cannot be read.
static bool
s_replace_stored(store *self, memtable_session *session, uint32_t root, size_t *ret)
{
    size_t size;
    uint64_t check;
    *ret = 0;
    if (session->discard_stored || !session->stored)
        return true;
    int code = lmdb_tables_root(&self->tables, session->id, root, &size, &check);
    if (!code) {
        *ret = s_frame_size(size);
        session->sum -= check;
    }
    return !code || code == LMDB_TABLES_NOT_FOUND;
}

// at: the offset of its value in the journal. False: the tables cannot be read.
static bool
s_put_root(store *self, memtable_session *session, uint32_t root, bool deleted, size_t at, size_t size)
{
    bool new, readable = true;
    memtable_root *entry = memtable_root_entry(&self->memtable, session, root, &new);
    size_t before = entry->deleted ? 0 : s_frame_size(entry->size), now = deleted ? 0 : s_frame_size(size);
    if (new)
        readable = s_replace_stored(self, session, root, &before);
    entry->deleted = deleted;
    entry->at = at;
    entry->size = size;
    session->size += now - before;
    self->used += now - before;
    return readable;
}

// A session that does not fit is dropped: an outdated snapshot would be worse than none.
static err
s_enforce_limits(store *self, memtable_session *session, bool readable)
{
    if (readable && session->size <= MAX_SNAPSHOT && self->used <= self->limit)
        return OK;
    s_drop_session(self, session);
    return readable ? ERR_FULL : ERR_SYSTEM;
}

// A FULL frame clears the session first, so that roots which it does not name are gone. The values stay
// where the journal has them; the memtable only notes offsets.
err
store_put(store *self, id16 session, slice frame, uint64_t now)
{
    snapshot_reader in;
    snapshot_entry entry;
    err error = snapshot_read(frame, &in);
    if (error)
        return error;
    memtable_session *state = s_load_session(self, session);
    if (in.kind == SNAPSHOT_NONE) {
        s_drop_session(self, state);
        return OK;
    }
    if (in.kind == SNAPSHOT_FULL)
        s_clear_session(self, state);
    else if (!state->exists)
        return ERR_UNKNOWN_SESSION;
    state->exists = true;
    state->touched = now;
    size_t at =
        journal_put(&self->journal,
                    &(journal_entry){.kind = JOURNAL_FRAME, .session = session, .now = now, .bytes = frame});
    bool readable = true;
    while (snapshot_next(&in, &entry))
        readable &= entry.root == ROOT_NUMBER ||
                    s_put_root(self, state, entry.root, entry.gone,
                               at + (size_t)(entry.bytes.data - frame.data), entry.bytes.size);
    return s_enforce_limits(self, state, readable);
}

// The value is appended to the journal in two parts, without copying them together first.
err
store_put_root(store *self, id16 session, uint32_t root, slice head, slice body)
{
    memtable_session *state = s_load_session(self, session);
    if (!state->exists)
        return ERR_UNKNOWN_SESSION;
    size_t at =
        journal_put(&self->journal,
                    &(journal_entry){
                        .kind = JOURNAL_ROOT, .session = session, .root = root, .bytes = head, .more = body});
    return s_enforce_limits(self, state, s_put_root(self, state, root, false, at, head.size + body.size));
}

// Also for a session that only the tables have: it enters the memtable without roots, and the next
// checkpoint writes its record.
void
store_touch(store *self, id16 session, uint64_t now)
{
    memtable_session *state = s_load_session(self, session);
    if (!state->exists)
        return;
    state->touched = now;
    journal_put(&self->journal, &(journal_entry){.kind = JOURNAL_TOUCH, .session = session, .now = now});
}

// A session that does not exist needs no entry in the journal.
void
store_drop(store *self, id16 session)
{
    memtable_session *state = s_load_session(self, session);
    if (state->exists)
        s_drop_session(self, state);
}

bool
store_is_dirty(const store *self)
{
    return journal_is_dirty(&self->journal);
}

// --- checkpoints ----------------------------------------------------------------------------------------

// The new generation's number is part of the same LMDB transaction. If the process ends before the
// journal's file says so too, a reader finds a journal of an older generation, whose entries the tables
// have (s_replay in store_open.c).
int
store_write_tables(store *self)
{
    journal_origin next = self->journal.origin;
    next.generation++;
    int code = lmdb_tables_write(&self->tables, &self->memtable, self->journal.bytes.data, next);
    if (code)
        return code;
    journal_begin(&self->journal, next);
    memtable_clear(&self->memtable);
    return 0;
}

// Brings the tables up to date, if something was put. 0, or a code as in lmdb_tables.h. What reads the tables
// calls it first, so that it need not merge them with the memtable.
static int
s_checkpoint(store *self)
{
    return self->memtable.session_count ? store_write_tables(self) : 0;
}

// The sessions in the memtable cannot be stored, and users have seen newer state than the tables have: drop
// them all.
static err
s_drop_unstored(store *self)
{
    for (size_t i = 0; i < self->memtable.session_count; i++)
        s_clear_session(self, &self->memtable.sessions[i]);
    if (!s_checkpoint(self))
        return ERR_SYSTEM;
    // There is no room for that either. Remember them as dropped: the next checkpoint removes them from the
    // tables.
    size_t count = self->memtable.session_count;
    id16 *ids = calloc(count, sizeof *ids);
    ASSERT(ids);
    for (size_t i = 0; i < count; i++)
        ids[i] = self->memtable.sessions[i].id;
    journal_erase(&self->journal);
    memtable_clear(&self->memtable);
    for (size_t i = 0; i < count; i++) {
        memtable_session *dropped = memtable_add(&self->memtable, ids[i]);
        dropped->stored = true;
        s_drop_session(self, dropped);
    }
    free(ids);
    return ERR_SYSTEM;
}

err
store_checkpoint(store *self)
{
    return s_checkpoint(self) ? s_drop_unstored(self) : OK;
}

// When the journal cannot be written, a checkpoint may still find room among the free pages of the tables.
err
store_commit(store *self)
{
    return journal_write(&self->journal) ? store_checkpoint(self) : OK;
}

// A sixteenth is left (PROTOCOL.md 5.5, Lifetime).
bool
store_is_nearly_full(const store *self)
{
    return self->used > self->limit - self->limit / 16;
}

// Bounds the memory of a generation, and the time that one checkpoint takes.
bool
store_needs_checkpoint(const store *self)
{
    return self->journal.bytes.size >= CHECKPOINT_BYTES ||
           self->memtable.root_count + self->memtable.session_count >= CHECKPOINT_ENTRIES;
}

// --- reading --------------------------------------------------------------------------------------------

// A session with a damaged record is loaded, which drops and logs it, so that the answer stays true.
bool
store_has(store *self, id16 session)
{
    session_record stored;
    const memtable_session *known = memtable_find(&self->memtable, session);
    if (known)
        return known->exists;
    int code = lmdb_tables_session(&self->tables, session, &stored);
    return code == MDB_CORRUPTED ? s_load_session(self, session)->exists : !code;
}

// Reads from the tables: what the memtable has of the session is moved there first.
err
store_read(store *self, id16 session, buffer *out)
{
    if (!store_has(self, session))
        return ERR_UNKNOWN_SESSION;
    if (memtable_find(&self->memtable, session) && s_checkpoint(self))
        return ERR_SYSTEM;
    snapshot_begin(out, SNAPSHOT_FULL);
    int code = lmdb_tables_roots(&self->tables, session, out);
    if (code == MDB_CORRUPTED) {
        s_log_damaged(session);
        store_drop(self, session);
    }
    return code ? ERR_SYSTEM : OK;
}

size_t
store_count(store *self)
{
    return s_checkpoint(self) ? 0 : lmdb_tables_count(&self->tables);
}

typedef struct {
    id16 after, *ret;
    size_t count, most;
} listing;

// visit includes the session at its start, which the caller has already.
static void
s_list_session(void *context, id16 id, const session_record *found)
{
    listing *self = context;
    if (found && self->count < self->most && !id_equal(id, self->after))
        self->ret[self->count++] = id;
}

// One more is visited for the one that is skipped.
size_t
store_list(store *self, id16 after, id16 *ret, size_t most)
{
    listing list = {.after = after, .ret = ret, .most = most};
    if (!s_checkpoint(self))
        lmdb_tables_visit(&self->tables, &after, (unsigned)most + 1, s_list_session, &list);
    return list.count;
}

// Without a checkpoint, since it is asked for each line of a listing.
size_t
store_size(store *self, id16 session)
{
    session_record stored;
    const memtable_session *known = memtable_find(&self->memtable, session);
    if (known)
        return known->exists ? known->size : 0;
    return lmdb_tables_session(&self->tables, session, &stored) ? 0 : stored.size;
}

typedef struct {
    uint64_t now, age;
    bool (*is_alive)(void *context, id16 session);
    void *context;
    id16 old[SWEEP_STEP], damaged[SWEEP_STEP];
    size_t count, damaged_count;
} sweep;

static void
s_sweep_session(void *context, id16 id, const session_record *found)
{
    sweep *self = context;
    // store_has() logs and drops it later: the tables must not change now.
    if (!found) {
        self->damaged[self->damaged_count++] = id;
        return;
    }
    // A time in the future is one from before the machine restarted, when its clock began at 0 again.
    bool is_old = found->touched > self->now || self->now - found->touched > self->age;
    if (is_old && !self->is_alive(self->context, id))
        self->old[self->count++] = id;
}

// Candidates are collected first, since the tables must not change while they are read.
size_t
store_sweep(store *self, uint64_t now, uint64_t age, bool (*is_alive)(void *context, id16 session),
            void *context)
{
    sweep pass = {.now = now, .age = age, .is_alive = is_alive, .context = context};
    // On failure they are swept another time.
    if (!s_checkpoint(self))
        lmdb_tables_visit(&self->tables, &self->swept, SWEEP_STEP, s_sweep_session, &pass);
    for (size_t i = 0; i < pass.count; i++)
        store_drop(self, pass.old[i]);
    for (size_t i = 0; i < pass.damaged_count; i++)
        (void)store_has(self, pass.damaged[i]);
    return pass.count;
}

// Never below a number that this store has seen, even if the clock was set back.
err
store_boot(store *self, uint64_t least, uint64_t *ret_boot)
{
    uint64_t before;
    int code = lmdb_tables_number(&self->tables, "boot", &before);
    if (before < self->boot_before)
        before = self->boot_before;
    *ret_boot = least > before ? least : before + BOOT_STEP;
    self->journal.boot = *ret_boot;
    return code || lmdb_tables_set_number(&self->tables, "boot", *ret_boot) ? ERR_SYSTEM : OK;
}

bool
store_is_new(const store *self)
{
    return self->is_new;
}

// A damaged number reads as 0, like one that was never put: callers have to live with that anyway.
uint32_t
store_number(store *self, const char *name)
{
    uint64_t number;
    // 0 if it cannot be read.
    lmdb_tables_number(&self->tables, name, &number);
    return (uint32_t)number;
}

err
store_put_number(store *self, const char *name, uint32_t value)
{
    return lmdb_tables_set_number(&self->tables, name, value) ? ERR_SYSTEM : OK;
}
