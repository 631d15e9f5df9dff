#include "broker/store/store.h"

#include "broker/routing/epochs.h"
#include "broker/store/store_state.h"
#include "common/limits.h"
#include "common/log.h"
#include "proto/snapshot.h"

#include <stdlib.h>

enum {
    SWEEP_STEP = 256,
    MOST_FRESH_BYTES = 8 << 20, // more is folded into the tables,
    MOST_FRESH = 1024,          // which takes some ms at most
};

static size_t
s_weight(size_t size) // of a root, as in a frame
{
    return size + 8;
}

// --- putting --------------------------------------------------------------------------------------------

static void
s_remove(store *self, fresh_session *of)
{
    self->used -= of->size < self->used ? of->size : self->used;
    of->size = of->sum = 0;
    of->here = false;
    of->anew = true;
    of->life++;
}

static void
s_drop(store *self, fresh_session *of)
{
    s_remove(self, of);
    journal_put(&self->journal, &(journal_entry){.kind = JOURNAL_DROP, .session = of->id});
}

// Once: it is dropped then.
static void
s_say_damaged(id16 id)
{
    char text[ID_TEXT];
    log_event(LEVEL_ERROR, "store_damaged", "file=" TABLES_FILE " session=%s reason=\"%s\"",
              id_text(id, text),
              "a record of it does not match its checksum, or is missing; it is not stored any more");
}

// A session as it is by now. One that the tables cannot tell of is dropped: what they have would be older
// than what users have seen.
static fresh_session *
s_session(store *self, id16 id)
{
    fresh_session *known = fresh_find(&self->fresh, id);
    if (known)
        return known;
    record stored = {0};
    int code = tables_session(&self->tables, id, &stored);
    if (code == MDB_CORRUPTED)
        s_say_damaged(id);
    known = fresh_add(&self->fresh, id);
    known->touched = stored.touched;
    known->size = stored.size;
    known->sum = stored.sum;
    known->here = !code;
    known->stored = code != TABLES_NONE;
    if (known->stored && code)
        s_drop(self, known);
    return known;
}

// What the tables have of a root takes in a frame; it counts no more in the session's sum. False: they cannot
// be read.
static bool
s_replaces(store *self, fresh_session *session, uint32_t root, size_t *ret)
{
    size_t size;
    uint64_t check;
    *ret = 0;
    if (session->anew || !session->stored)
        return true;
    int code = tables_root(&self->tables, session->id, root, &size, &check);
    if (!code) {
        *ret = s_weight(size);
        session->sum -= check;
    }
    return !code || code == TABLES_NONE;
}

// at: where its value is in the journal. False: the tables cannot be read.
static bool
s_put(store *self, fresh_session *of, uint32_t root, bool gone, size_t at, size_t size)
{
    bool new, readable = true;
    fresh_root *known = fresh_root_of(&self->fresh, of, root, &new);
    size_t before = known->gone ? 0 : s_weight(known->size), now = gone ? 0 : s_weight(size);
    if (new)
        readable = s_replaces(self, of, root, &before);
    known->gone = gone;
    known->at = at;
    known->size = size;
    of->size += now - before;
    self->used += now - before;
    return readable;
}

static err
s_keep(store *self, fresh_session *of, bool readable)
{
    if (readable && of->size <= MAX_SNAPSHOT && self->used <= self->limit)
        return OK;
    s_drop(self, of);
    return readable ? ERR_FULL : ERR_SYSTEM;
}

err
store_put(store *self, id16 session, slice frame, uint64_t now)
{
    snapshot_reader in;
    snapshot_entry entry;
    err error = snapshot_read(frame, &in);
    if (error)
        return error;
    fresh_session *of = s_session(self, session);
    if (in.kind == SNAPSHOT_NONE) {
        s_drop(self, of);
        return OK;
    }
    if (in.kind == SNAPSHOT_FULL)
        s_remove(self, of);
    else if (!of->here)
        return ERR_UNKNOWN_SESSION;
    of->here = true;
    of->touched = now;
    size_t at =
        journal_put(&self->journal,
                    &(journal_entry){.kind = JOURNAL_FRAME, .session = session, .now = now, .bytes = frame});
    bool readable = true;
    while (snapshot_next(&in, &entry))
        readable &= entry.root == ROOT_NUMBER ||
                    s_put(self, of, entry.root, entry.gone, at + (size_t)(entry.bytes.data - frame.data),
                          entry.bytes.size);
    return s_keep(self, of, readable);
}

err
store_put_root(store *self, id16 session, uint32_t root, slice head, slice body)
{
    fresh_session *of = s_session(self, session);
    if (!of->here)
        return ERR_UNKNOWN_SESSION;
    size_t at =
        journal_put(&self->journal,
                    &(journal_entry){
                        .kind = JOURNAL_ROOT, .session = session, .root = root, .bytes = head, .more = body});
    return s_keep(self, of, s_put(self, of, root, false, at, head.size + body.size));
}

void
store_touch(store *self, id16 session, uint64_t now)
{
    fresh_session *of = s_session(self, session);
    if (!of->here)
        return;
    of->touched = now;
    journal_put(&self->journal, &(journal_entry){.kind = JOURNAL_TOUCH, .session = session, .now = now});
}

void
store_drop(store *self, id16 session)
{
    fresh_session *of = s_session(self, session);
    if (of->here)
        s_drop(self, of);
}

bool
store_is_open(const store *self)
{
    return journal_is_open(&self->journal);
}

// --- keeping --------------------------------------------------------------------------------------------

// Also where nothing is fresh: a new generation begins.
int
store_write_tables(store *self)
{
    journal_origin next = self->journal.origin;
    next.generation++;
    int code = tables_write(&self->tables, &self->fresh, self->journal.bytes.data, next);
    if (code)
        return code;
    journal_begin(&self->journal, next);
    fresh_clear(&self->fresh);
    return 0;
}

// Brings the tables up to date. What the file of the journal has is of no generation any more, then. 0, or a
// code.
static int
s_fold(store *self)
{
    return self->fresh.session_count ? store_write_tables(self) : 0;
}

// What is fresh cannot be kept, and what the tables have of these sessions is older than what people have
// seen.
static err
s_give_up(store *self)
{
    for (size_t i = 0; i < self->fresh.session_count; i++)
        s_remove(self, &self->fresh.sessions[i]);
    if (!s_fold(self))
        return ERR_SYSTEM;
    // Not even that has room. They are gone for whoever asks, and from the tables with the next fold.
    size_t count = self->fresh.session_count;
    id16 *gone = calloc(count, sizeof *gone);
    ASSERT(gone);
    for (size_t i = 0; i < count; i++)
        gone[i] = self->fresh.sessions[i].id;
    journal_void(&self->journal);
    fresh_clear(&self->fresh);
    for (size_t i = 0; i < count; i++) {
        fresh_session *one = fresh_add(&self->fresh, gone[i]);
        one->stored = true;
        s_drop(self, one);
    }
    free(gone);
    return ERR_SYSTEM;
}

err
store_fold(store *self)
{
    return s_fold(self) ? s_give_up(self) : OK;
}

err
store_commit(store *self)
{
    return journal_write(&self->journal) ? store_fold(self) : OK;
}

bool
store_is_crowded(const store *self)
{
    return self->used > self->limit - self->limit / 16;
}

bool
store_is_full(const store *self)
{
    return self->journal.bytes.size >= MOST_FRESH_BYTES ||
           self->fresh.root_count + self->fresh.session_count >= MOST_FRESH;
}

// --- reading --------------------------------------------------------------------------------------------

bool
store_has(store *self, id16 session)
{
    record stored;
    const fresh_session *known = fresh_find(&self->fresh, session);
    if (known)
        return known->here;
    int code = tables_session(&self->tables, session, &stored);
    return code == MDB_CORRUPTED ? s_session(self, session)->here : !code;
}

err
store_read(store *self, id16 session, buffer *out)
{
    if (!store_has(self, session))
        return ERR_UNKNOWN_SESSION;
    if (fresh_find(&self->fresh, session) && s_fold(self))
        return ERR_SYSTEM;
    snapshot_begin(out, SNAPSHOT_FULL);
    int code = tables_roots(&self->tables, session, out);
    if (code == MDB_CORRUPTED) {
        s_say_damaged(session);
        store_drop(self, session);
    }
    return code ? ERR_SYSTEM : OK;
}

size_t
store_count(store *self)
{
    return s_fold(self) ? 0 : tables_count(&self->tables);
}

typedef struct {
    id16 after, *ret;
    size_t count, most;
} listing;

static void
s_list(void *to_, id16 id, const record *found)
{
    listing *to = to_;
    if (found && to->count < to->most && !id_equal(id, to->after))
        to->ret[to->count++] = id;
}

size_t
store_list(store *self, id16 after, id16 *ret, size_t most)
{
    listing to = {.after = after, .ret = ret, .most = most};
    if (!s_fold(self))
        tables_each(&self->tables, &after, (unsigned)most + 1, s_list, &to);
    return to.count;
}

size_t
store_size(store *self, id16 session)
{
    record stored;
    const fresh_session *known = fresh_find(&self->fresh, session);
    if (known)
        return known->here ? known->size : 0;
    return tables_session(&self->tables, session, &stored) ? 0 : stored.size;
}

typedef struct {
    uint64_t now, age;
    bool (*is_alive)(void *context, id16 session);
    void *context;
    id16 old[SWEEP_STEP], damaged[SWEEP_STEP];
    size_t count, damaged_count;
} sweep;

static void
s_look(void *looking_, id16 id, const record *found)
{
    sweep *looking = looking_;
    if (!found) { // it is named, and dropped
        looking->damaged[looking->damaged_count++] = id;
        return;
    }
    bool is_old = found->touched > looking->now ||
                  looking->now - found->touched > looking->age; // the former from before the machine's start
    if (is_old && !looking->is_alive(looking->context, id))
        looking->old[looking->count++] = id;
}

size_t
store_sweep(store *self, uint64_t now, uint64_t age, bool (*is_alive)(void *context, id16 session),
            void *context)
{
    sweep looking = {.now = now, .age = age, .is_alive = is_alive, .context = context};
    if (!s_fold(self)) // on failure they are looked at another time
        tables_each(&self->tables, &self->swept, SWEEP_STEP, s_look, &looking);
    for (size_t i = 0; i < looking.count; i++)
        store_drop(self, looking.old[i]);
    for (size_t i = 0; i < looking.damaged_count; i++)
        (void)store_has(self, looking.damaged[i]);
    return looking.count;
}

err
store_boot(store *self, uint64_t least, uint64_t *ret_boot)
{
    uint64_t before;
    int code = tables_figure(&self->tables, "boot", &before);
    if (before < self->boot_before)
        before = self->boot_before;
    *ret_boot = least > before ? least : before + BOOT_STEP;
    self->journal.boot = *ret_boot;
    return code || tables_set_figure(&self->tables, "boot", *ret_boot) ? ERR_SYSTEM : OK;
}

bool
store_is_new(const store *self)
{
    return self->is_new;
}

uint32_t
store_figure(store *self, const char *name)
{
    uint64_t figure;
    tables_figure(&self->tables, name, &figure); // 0 where it cannot be read
    return (uint32_t)figure;
}

err
store_put_figure(store *self, const char *name, uint32_t value)
{
    return tables_set_figure(&self->tables, name, value) ? ERR_SYSTEM : OK;
}
