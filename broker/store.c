#include "broker/store.h"

#include "common/limits.h"
#include "proto/snapshot.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

// Pages are taken whole, and old ones stay while they are read: the file may need some times what is in it.
#define ROOM_FACTOR 4

enum { ROOT_KEY = ID_SIZE + 4, SWEEP_STEP = 256, FILE_MODE = 0600 };

typedef struct {
    uint64_t touched; // ms
    uint64_t size;    // of all its roots, with what each takes in a frame
} record;

typedef struct {
    id16 *at;
    size_t count, room;
} ids;

struct store {
    MDB_env *env;
    MDB_dbi roots, sessions, figures;
    MDB_txn *writing; // what is gathered; NULL: nothing
    size_t limit, used;
    ids touched; // sessions that were put something for since the last commit
    ids doomed;  // older here than what was seen, sorted: each write drops them, until one succeeds
    bool failed; // a write since the last commit
    bool broken; // nothing here can be trusted
    id16 swept;  // where the next sweep begins
};

static MDB_val
s_val(const void *data, size_t size)
{
    return (MDB_val){size, (void *)data};
}

static MDB_val
s_session_key(const id16 *id)
{
    return s_val(id->bytes, ID_SIZE);
}

static void
s_root_key(id16 session, uint32_t root, uint8_t ret[ROOT_KEY])
{
    memcpy(ret, session.bytes, ID_SIZE);
    for (unsigned i = 0; i < 4; i++)
        ret[ID_SIZE + i] = (uint8_t)(root >> (24 - 8 * i));
}

static uint32_t
s_root_of(const MDB_val *key)
{
    const uint8_t *at = (const uint8_t *)key->mv_data + ID_SIZE;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static size_t
s_weight(size_t size) // of a root, as in a frame
{
    return size + 8;
}

static bool
s_ok(store *self, int code)
{
    if (code && code != MDB_NOTFOUND)
        self->failed = true;
    return code == 0;
}

static bool
s_find(store *self, id16 session, record *ret)
{
    MDB_val key = s_session_key(&session), value;
    if (!s_ok(self, mdb_get(self->writing, self->sessions, &key, &value)) || value.mv_size != sizeof *ret)
        return false;
    memcpy(ret, value.mv_data, sizeof *ret);
    return true;
}

static void
s_remove(store *self, id16 session)
{
    record known;
    if (s_find(self, session, &known))
        self->used -= known.size < self->used ? known.size : self->used;
    MDB_val key = s_session_key(&session), value;
    s_ok(self, mdb_del(self->writing, self->sessions, &key, NULL));
    MDB_cursor *cursor;
    if (!s_ok(self, mdb_cursor_open(self->writing, self->roots, &cursor)))
        return;
    while (s_ok(self, mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)) &&
           memcmp(key.mv_data, session.bytes, ID_SIZE) == 0 && s_ok(self, mdb_cursor_del(cursor, 0)))
        key = s_session_key(&session);
    mdb_cursor_close(cursor);
}

static bool
s_begin(store *self)
{
    if (self->writing)
        return true;
    if (mdb_txn_begin(self->env, NULL, 0, &self->writing)) {
        self->writing = NULL;
        self->failed = true;
        return false;
    }
    for (size_t i = 0; i < self->doomed.count; i++)
        s_remove(self, self->doomed.at[i]);
    return true;
}

// --- opening --------------------------------------------------------------------------------------------

static int
s_open_tables(store *self)
{
    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(self->env, NULL, 0, &txn);
    if (!code)
        code = mdb_dbi_open(txn, "roots", MDB_CREATE, &self->roots);
    if (!code)
        code = mdb_dbi_open(txn, "sessions", MDB_CREATE, &self->sessions);
    if (!code)
        code = mdb_dbi_open(txn, "figures", MDB_CREATE, &self->figures);
    if (code) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn);
}

// What is in it already.
static int
s_count_used(store *self)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int code = mdb_txn_begin(self->env, NULL, MDB_RDONLY, &txn);
    if (!code)
        code = mdb_cursor_open(txn, self->sessions, &cursor);
    while (!code && !(code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) {
        record known;
        if (value.mv_size != sizeof known || key.mv_size != ID_SIZE)
            code = MDB_CORRUPTED;
        else
            memcpy(&known, value.mv_data, sizeof known), self->used += known.size;
    }
    if (cursor)
        mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int
s_open(store *self, const char *folder)
{
    int code = mkdir(folder, 0700) && errno != EEXIST ? errno : 0;
    if (!code)
        code = mdb_env_create(&self->env);
    if (!code)
        code = mdb_env_set_maxdbs(self->env, 3);
    if (!code)
        code = mdb_env_set_mapsize(self->env, self->limit * ROOM_FACTOR + (64U << 20));
    // No MDB_WRITEMAP: a full disk is an error then, and not a SIGBUS.
    if (!code)
        code = mdb_env_open(self->env, folder, MDB_NOSYNC | MDB_NOTLS | MDB_NORDAHEAD, FILE_MODE);
    if (!code)
        code = s_open_tables(self);
    return code ? code : s_count_used(self);
}

store *
store_new(const char *folder, size_t limit, char *ret_why, size_t why_size)
{
    store *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->limit = limit;
    int code = s_open(self, folder);
    if (!code)
        return self;
    snprintf(ret_why, why_size, "%s: %s", folder, mdb_strerror(code));
    store_destroy(&self);
    return NULL;
}

void
store_destroy(store **self_p)
{
    store *self = *self_p;
    if (!self)
        return;
    if (self->writing)
        mdb_txn_abort(self->writing);
    if (self->env)
        mdb_env_close(self->env);
    free(self->touched.at);
    free(self->doomed.at);
    free(self);
    *self_p = NULL;
}

static uint32_t
s_figure(store *self, MDB_txn *txn, const char *name)
{
    MDB_val key = s_val(name, strlen(name)), value;
    uint32_t figure = 0;
    if (mdb_get(txn, self->figures, &key, &value) == 0 && value.mv_size == sizeof figure)
        memcpy(&figure, value.mv_data, sizeof figure);
    return figure;
}

void
store_put_figure(store *self, const char *name, uint32_t value)
{
    MDB_val key = s_val(name, strlen(name)), data = s_val(&value, sizeof value);
    if (s_begin(self))
        s_ok(self, mdb_put(self->writing, self->figures, &key, &data, 0));
}

err
store_boot(store *self, uint32_t *ret_boot)
{
    if (!s_begin(self))
        return ERR_SYSTEM;
    *ret_boot = s_figure(self, self->writing, "boot") + 1;
    store_put_figure(self, "boot", *ret_boot);
    return store_commit(self);
}

// --- writing --------------------------------------------------------------------------------------------

static void
s_add(ids *to, id16 id)
{
    if (to->count && id_equal(to->at[to->count - 1], id))
        return;
    if (to->count == to->room) {
        to->room = to->room ? 2 * to->room : 64;
        to->at = realloc(to->at, to->room * sizeof *to->at);
        ASSERT(to->at);
    }
    to->at[to->count++] = id;
}

static int
s_compare(const void *one, const void *other)
{
    return memcmp(one, other, sizeof(id16));
}

static void
s_sort(ids *self) // each once
{
    size_t count = self->count;
    if (!count)
        return;
    qsort(self->at, count, sizeof *self->at, s_compare);
    self->count = 0;
    for (size_t i = 0; i < count; i++)
        s_add(self, self->at[i]);
}

// Puts head and body as one root; no data: takes it away.
static void
s_put(store *self, id16 session, record *known, uint32_t root, bool gone, slice head, slice body)
{
    uint8_t bytes[ROOT_KEY];
    s_root_key(session, root, bytes);
    MDB_val key = s_val(bytes, sizeof bytes), value;
    if (s_ok(self, mdb_get(self->writing, self->roots, &key, &value))) {
        known->size -= s_weight(value.mv_size);
        self->used -= s_weight(value.mv_size);
    }
    if (gone) {
        s_ok(self, mdb_del(self->writing, self->roots, &key, NULL));
        return;
    }
    value = s_val(NULL, head.size + body.size);
    if (!s_ok(self, mdb_put(self->writing, self->roots, &key, &value, MDB_RESERVE)))
        return;
    if (head.size)
        memcpy(value.mv_data, head.data, head.size);
    if (body.size)
        memcpy((uint8_t *)value.mv_data + head.size, body.data, body.size);
    known->size += s_weight(head.size + body.size);
    self->used += s_weight(head.size + body.size);
}

static err
s_keep(store *self, id16 session, const record *known)
{
    if (self->failed)
        return ERR_SYSTEM;
    MDB_val key = s_session_key(&session), value = s_val(known, sizeof *known);
    if (!s_ok(self, mdb_put(self->writing, self->sessions, &key, &value, 0)))
        return ERR_SYSTEM;
    if (known->size <= MAX_SNAPSHOT && self->used <= self->limit)
        return OK;
    s_remove(self, session); // with what its record says by now
    return ERR_FULL;
}

err
store_put(store *self, id16 session, slice frame, uint64_t now)
{
    snapshot_reader in;
    snapshot_entry entry;
    err error = snapshot_read(frame, &in);
    if (error)
        return error;
    if (!s_begin(self))
        return ERR_SYSTEM;
    s_add(&self->touched, session);
    record known = {0};
    if (in.kind != SNAPSHOT_CHANGES)
        s_remove(self, session);
    else if (!s_find(self, session, &known))
        return ERR_UNKNOWN_SESSION;
    if (in.kind == SNAPSHOT_NONE)
        return OK;
    known.touched = now;
    while (snapshot_next(&in, &entry))
        s_put(self, session, &known, entry.root, entry.gone, slice_of(NULL, 0), entry.bytes);
    return s_keep(self, session, &known);
}

err
store_put_root(store *self, id16 session, uint32_t root, slice head, slice body)
{
    record known;
    if (!s_begin(self))
        return ERR_SYSTEM;
    if (!s_find(self, session, &known))
        return ERR_UNKNOWN_SESSION;
    s_add(&self->touched, session);
    s_put(self, session, &known, root, false, head, body);
    return s_keep(self, session, &known);
}

void
store_touch(store *self, id16 session, uint64_t now)
{
    record known;
    if (!s_begin(self) || !s_find(self, session, &known))
        return;
    s_add(&self->touched, session);
    known.touched = now;
    s_keep(self, session, &known);
}

void
store_drop(store *self, id16 session)
{
    if (!s_begin(self))
        return;
    s_add(&self->touched, session);
    s_remove(self, session);
}

bool
store_is_open(const store *self)
{
    return self->writing || self->failed;
}

static bool
s_write(store *self)
{
    MDB_txn *txn = self->writing;
    self->writing = NULL;
    bool failed = self->failed;
    self->failed = false;
    if (!txn)
        return !failed;
    if (failed) {
        mdb_txn_abort(txn);
        return false;
    }
    if (mdb_txn_commit(txn))
        return false;
    self->doomed.count = 0;
    return true;
}

// What these sessions have here is older than what people have seen. To drop it may need room as well, on a
// disk that has none.
static void
s_doom_touched(store *self)
{
    for (size_t i = 0; i < self->touched.count; i++)
        s_add(&self->doomed, self->touched.at[i]);
    s_sort(&self->doomed);
    s_begin(self);
    s_write(self);
}

static bool
s_is_doomed(const store *self, id16 session)
{
    const ids *all = &self->doomed;
    return all->count && bsearch(&session, all->at, all->count, sizeof *all->at, s_compare);
}

err
store_commit(store *self)
{
    bool written = s_write(self);
    if (!written) {
        s_doom_touched(self);
        self->used = 0;
        if (s_count_used(self))
            self->broken = true;
    }
    self->touched.count = 0;
    return written ? OK : ERR_SYSTEM;
}

// --- reading --------------------------------------------------------------------------------------------

// The transaction to read in: that of the writes that are gathered, so that they are seen, or one of its own.
static MDB_txn *
s_reading(store *self)
{
    MDB_txn *txn = self->writing;
    if (!txn && mdb_txn_begin(self->env, NULL, MDB_RDONLY, &txn))
        txn = NULL;
    return txn;
}

static void
s_read(store *self, MDB_txn *txn)
{
    if (txn && txn != self->writing)
        mdb_txn_abort(txn);
}

uint32_t
store_figure(store *self, const char *name)
{
    MDB_txn *txn = s_reading(self);
    uint32_t figure = txn ? s_figure(self, txn, name) : 0;
    s_read(self, txn);
    return figure;
}

bool
store_has(store *self, id16 session)
{
    if (self->broken || (!self->writing && s_is_doomed(self, session)))
        return false;
    MDB_txn *txn = s_reading(self);
    MDB_val key = s_session_key(&session), value;
    bool has = txn && mdb_get(txn, self->sessions, &key, &value) == 0;
    s_read(self, txn);
    return has;
}

static err
s_read_roots(store *self, MDB_txn *txn, id16 session, buffer *out)
{
    uint8_t bytes[ROOT_KEY];
    s_root_key(session, 0, bytes);
    MDB_val key = s_val(bytes, sizeof bytes), value;
    MDB_cursor *cursor;
    if (mdb_cursor_open(txn, self->roots, &cursor))
        return ERR_SYSTEM;
    int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; !code && memcmp(key.mv_data, session.bytes, ID_SIZE) == 0;
         code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
        snapshot_put(out, s_root_of(&key), slice_of(value.mv_data, value.mv_size));
    mdb_cursor_close(cursor);
    return code && code != MDB_NOTFOUND ? ERR_SYSTEM : OK;
}

err
store_read(store *self, id16 session, buffer *out)
{
    if (!store_has(self, session))
        return ERR_UNKNOWN_SESSION;
    MDB_txn *txn = s_reading(self);
    if (!txn)
        return ERR_SYSTEM;
    snapshot_begin(out, SNAPSHOT_FULL);
    err error = s_read_roots(self, txn, session, out);
    s_read(self, txn);
    return error;
}

size_t
store_count(store *self)
{
    MDB_stat stat = {0};
    MDB_txn *txn = s_reading(self);
    if (txn)
        mdb_stat(txn, self->sessions, &stat);
    s_read(self, txn);
    return stat.ms_entries;
}

size_t
store_sweep(store *self, uint64_t now, uint64_t age, bool (*is_alive)(void *context, id16 session),
            void *context)
{
    id16 old[SWEEP_STEP];
    size_t count = 0;
    MDB_cursor *cursor = NULL;
    MDB_txn *txn = s_reading(self);
    MDB_val key = s_session_key(&self->swept), value;
    int code = txn ? mdb_cursor_open(txn, self->sessions, &cursor) : MDB_NOTFOUND;
    if (!code)
        code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (unsigned seen = 0; !code && seen < SWEEP_STEP; seen++) {
        record known;
        id16 id;
        memcpy(&known, value.mv_data, sizeof known);
        memcpy(id.bytes, key.mv_data, ID_SIZE);
        bool is_old = known.touched > now || now - known.touched > age; // from before the machine's start
        if (is_old && !is_alive(context, id))
            old[count++] = id;
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    self->swept = (id16){{0}};
    if (!code)
        memcpy(self->swept.bytes, key.mv_data, ID_SIZE);
    if (cursor)
        mdb_cursor_close(cursor);
    s_read(self, txn);
    for (size_t i = 0; i < count; i++)
        store_drop(self, old[i]);
    return count;
}
