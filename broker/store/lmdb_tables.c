#include "broker/store/lmdb_tables.h"

#include "common/errors.h"
#include "proto/snapshot.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { ROOT_KEY = ID_SIZE + 4, FILE_MODE = 0600, CHECK_SIZE = sizeof(uint64_t) };

// What a root takes in a frame, besides its value.
enum { ROOT_HEAD = 8 };

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

static MDB_val
s_root_key(id16 session, uint32_t root, uint8_t ret[ROOT_KEY])
{
    memcpy(ret, session.bytes, ID_SIZE);
    for (unsigned i = 0; i < 4; i++)
        ret[ID_SIZE + i] = (uint8_t)(root >> (24 - 8 * i));
    return s_val(ret, ROOT_KEY);
}

static uint32_t
s_root_of(const MDB_val *key)
{
    const uint8_t *at = (const uint8_t *)key->mv_data + ID_SIZE;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint64_t
s_check(const MDB_val *key, const void *content, size_t size)
{
    return XXH3_64bits_withSeed(content, size, XXH3_64bits_withSeed(key->mv_data, key->mv_size, size));
}

// What follows the checksum that each value begins with. False: it does not fit.
static bool
s_content(const MDB_val *key, const MDB_val *value, MDB_val *ret, uint64_t *ret_check)
{
    if (value->mv_size < CHECK_SIZE)
        return false;
    memcpy(ret_check, value->mv_data, CHECK_SIZE);
    *ret = s_val((const uint8_t *)value->mv_data + CHECK_SIZE, value->mv_size - CHECK_SIZE);
    return *ret_check == s_check(key, ret->mv_data, ret->mv_size);
}

// For small values.
static bool
s_copy_content(const MDB_val *key, const MDB_val *value, void *ret, size_t size)
{
    MDB_val content;
    uint64_t check;
    if (!s_content(key, value, &content, &check) || content.mv_size != size)
        return false;
    memcpy(ret, content.mv_data, size);
    return true;
}

static int
s_put_checked(MDB_txn *txn, MDB_dbi to, MDB_val key, const void *content, size_t size, uint64_t *ret_check)
{
    MDB_val value = {CHECK_SIZE + size, NULL};
    int code = mdb_put(txn, to, &key, &value, MDB_RESERVE);
    if (code)
        return code;
    *ret_check = s_check(&key, content, size);
    memcpy(value.mv_data, ret_check, CHECK_SIZE);
    if (size)
        memcpy((uint8_t *)value.mv_data + CHECK_SIZE, content, size);
    return 0;
}

// --- opening --------------------------------------------------------------------------------------------

// Their names say the format: what has others was written by another version.
static int
s_open_each(tables *self, tables_mode mode)
{
    MDB_txn *txn = NULL;
    unsigned flags = mode == TABLES_WRITE ? MDB_CREATE : 0;
    int code = mdb_txn_begin(self->env, NULL, mode == TABLES_WRITE ? 0 : MDB_RDONLY, &txn);
    if (!code)
        code = mdb_dbi_open(txn, "roots-2", flags, &self->roots);
    if (!code)
        code = mdb_dbi_open(txn, "sessions-2", flags, &self->sessions);
    if (!code)
        code = mdb_dbi_open(txn, "figures-2", flags, &self->figures);
    if (!code)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return code;
}

int
tables_open(tables *self, const char *path, size_t room, tables_mode mode)
{
    const unsigned always = MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC | MDB_NOTLS;
    unsigned flags = always | (mode == TABLES_READ ? MDB_RDONLY : MDB_NORDAHEAD);
    int code = mdb_env_create(&self->env);
    if (!code)
        code = mdb_env_set_maxdbs(self->env, 3);
    if (!code)
        code = mdb_env_set_mapsize(self->env, room);
    // No MDB_WRITEMAP: a full disk is an error then, and not a SIGBUS.
    if (!code)
        code = mdb_env_open(self->env, path, flags, FILE_MODE);
    return code ? code : s_open_each(self, mode);
}

static void
s_end_reading(tables *self)
{
    if (self->reading)
        mdb_txn_abort(self->reading);
    self->reading = NULL;
}

void
tables_abandon(tables *self)
{
    self->reading = NULL;
}

void
tables_close(tables *self)
{
    s_end_reading(self);
    if (self->env)
        mdb_env_close(self->env);
    *self = (tables){0};
}

// --- reading --------------------------------------------------------------------------------------------

// NULL: it cannot be had.
static MDB_txn *
s_reading(tables *self)
{
    if (!self->reading && mdb_txn_begin(self->env, NULL, MDB_RDONLY, &self->reading))
        self->reading = NULL;
    return self->reading;
}

static int
s_get(tables *self, MDB_dbi from, MDB_val key, MDB_val *ret)
{
    MDB_txn *txn = s_reading(self);
    return txn ? mdb_get(txn, from, &key, ret) : MDB_BAD_TXN;
}

int
tables_begin(tables *self, MDB_txn **ret)
{
    *ret = s_reading(self);
    return *ret ? 0 : MDB_BAD_TXN;
}

int
tables_session_of(const MDB_val *key, const MDB_val *value, id16 *ret_id, record *ret)
{
    if (key->mv_size != ID_SIZE)
        return MDB_CORRUPTED;
    memcpy(ret_id->bytes, key->mv_data, ID_SIZE);
    return s_copy_content(key, value, ret, sizeof *ret) ? 0 : MDB_CORRUPTED;
}

int
tables_session(tables *self, id16 id, record *ret)
{
    MDB_val key = s_session_key(&id), value;
    int code = s_get(self, self->sessions, key, &value);
    return code ? code : tables_session_of(&key, &value, &id, ret);
}

// Its content is checked when it is given out (tables_roots): that it is this one's, by the session's sum.
int
tables_root(tables *self, id16 id, uint32_t root, size_t *ret_size, uint64_t *ret_check)
{
    uint8_t bytes[ROOT_KEY];
    MDB_val value;
    int code = s_get(self, self->roots, s_root_key(id, root, bytes), &value);
    if (code)
        return code;
    if (value.mv_size < CHECK_SIZE)
        return MDB_CORRUPTED;
    *ret_size = value.mv_size - CHECK_SIZE;
    memcpy(ret_check, value.mv_data, CHECK_SIZE);
    return 0;
}

static int
s_cursor(tables *self, MDB_dbi from, MDB_cursor **ret)
{
    MDB_txn *txn = s_reading(self);
    return txn ? mdb_cursor_open(txn, from, ret) : MDB_BAD_TXN;
}

// Adds it to what the session is said to have.
static int
s_take_root(tables *self, const MDB_val *key, const MDB_val *value, record *sum, buffer *out)
{
    MDB_val content;
    uint64_t check;
    if (key->mv_size != ROOT_KEY || !s_content(key, value, &content, &check))
        return MDB_CORRUPTED;
    self->roots_read++;
    sum->size += content.mv_size + ROOT_HEAD;
    sum->sum += check;
    if (out)
        snapshot_put(out, s_root_of(key), slice_of(content.mv_data, content.mv_size));
    return 0;
}

static bool
s_is_of(const MDB_val *key, const id16 *id)
{
    return key->mv_size >= ID_SIZE && memcmp(key->mv_data, id->bytes, ID_SIZE) == 0;
}

static int
s_take_roots(tables *self, id16 id, record *sum, buffer *out)
{
    uint8_t bytes[ROOT_KEY];
    MDB_val key = s_root_key(id, 0, bytes), value;
    MDB_cursor *cursor;
    int code = s_cursor(self, self->roots, &cursor);
    if (code)
        return code;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (!code && s_is_of(&key, &id) && !(code = s_take_root(self, &key, &value, sum, out)))
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

int
tables_roots(tables *self, id16 id, buffer *out)
{
    record stored, found = {0};
    int code = tables_session(self, id, &stored);
    if (!code)
        code = s_take_roots(self, id, &found, out);
    if (!code && (found.size != stored.size || found.sum != stored.sum))
        code = MDB_CORRUPTED;
    return code;
}

int
tables_each(tables *self, id16 *at, unsigned most, void (*each)(void *context, id16 id, const record *found),
            void *context)
{
    MDB_val key = s_session_key(at), value;
    MDB_cursor *cursor;
    int code = s_cursor(self, self->sessions, &cursor);
    if (code)
        return code;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (unsigned seen = 0; !code && seen < most; seen++) {
        record found;
        id16 id;
        bool sound = !tables_session_of(&key, &value, &id, &found);
        if (key.mv_size == ID_SIZE)
            each(context, id, sound ? &found : NULL);
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    id16 next = {{0}};
    if (!code && key.mv_size == ID_SIZE)
        memcpy(next.bytes, key.mv_data, ID_SIZE);
    *at = next;
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

int
tables_figure(tables *self, const char *name, uint64_t *ret)
{
    MDB_val key = s_val(name, strlen(name)), value;
    int code = s_get(self, self->figures, key, &value);
    *ret = 0;
    if (!code && !s_copy_content(&key, &value, ret, sizeof *ret))
        code = MDB_CORRUPTED;
    return code == MDB_NOTFOUND ? 0 : code;
}

int
tables_origin(tables *self, journal_origin *ret)
{
    int code = tables_figure(self, "journal", &ret->generation);
    return code ? code : tables_figure(self, "mark", &ret->mark);
}

size_t
tables_count(tables *self)
{
    MDB_stat stat = {0};
    MDB_txn *txn = s_reading(self);
    if (txn)
        mdb_stat(txn, self->sessions, &stat);
    return stat.ms_entries;
}

// --- writing --------------------------------------------------------------------------------------------

static int
s_delete_roots(const tables *self, MDB_txn *txn, const id16 *session)
{
    MDB_cursor *cursor;
    MDB_val key = s_session_key(session), value;
    int code = mdb_cursor_open(txn, self->roots, &cursor);
    if (code)
        return code;
    while (!(code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)) &&
           memcmp(key.mv_data, session->bytes, ID_SIZE) == 0 && !(code = mdb_cursor_del(cursor, 0)))
        key = s_session_key(session);
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int
s_write_session(const tables *self, MDB_txn *txn, const fresh_session *written, uint64_t sum)
{
    record known = {written->touched, written->size, written->sum + sum};
    MDB_val key = s_session_key(&written->id);
    uint64_t check;
    if (written->here)
        return s_put_checked(txn, self->sessions, key, &known, sizeof known, &check);
    int code = written->stored ? mdb_del(txn, self->sessions, &key, NULL) : 0;
    return code == MDB_NOTFOUND ? 0 : code;
}

static int
s_write_root(const tables *self, MDB_txn *txn, const fresh_session *session, const fresh_root *one,
             const uint8_t *bytes, uint64_t *sum)
{
    uint8_t name[ROOT_KEY];
    MDB_val key = s_root_key(session->id, one->root, name);
    uint64_t check = 0;
    int code = one->gone ? mdb_del(txn, self->roots, &key, NULL)
                         : s_put_checked(txn, self->roots, key, bytes + one->at, one->size, &check);
    *sum += check;
    return code == MDB_NOTFOUND ? 0 : code;
}

static int
s_write_figure(const tables *self, MDB_txn *txn, const char *name, uint64_t number)
{
    uint64_t check;
    return s_put_checked(txn, self->figures, s_val(name, strlen(name)), &number, sizeof number, &check);
}

static int
s_end(MDB_txn *txn, int code)
{
    if (!code)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return code;
}

int
tables_set_figure(tables *self, const char *name, uint64_t number)
{
    MDB_txn *txn;
    s_end_reading(self);
    int code = mdb_txn_begin(self->env, NULL, 0, &txn);
    return code ? code : s_end(txn, s_write_figure(self, txn, name, number));
}

static int
s_write_all(const tables *self, MDB_txn *txn, const fresh *from, const uint8_t *bytes, uint64_t *sums)
{
    int code = 0;
    for (size_t i = 0; !code && i < from->session_count; i++)
        if (from->sessions[i].stored && from->sessions[i].anew)
            code = s_delete_roots(self, txn, &from->sessions[i].id);
    for (size_t i = 0; !code && i < from->root_count; i++) {
        const fresh_root *one = &from->roots[i];
        if (!fresh_is_void(from, one))
            code = s_write_root(self, txn, &from->sessions[one->session], one, bytes, &sums[one->session]);
    }
    for (size_t i = 0; !code && i < from->session_count; i++)
        code = s_write_session(self, txn, &from->sessions[i], sums[i]);
    return code;
}

int
tables_write(tables *self, const fresh *from, const uint8_t *bytes, journal_origin origin)
{
    MDB_txn *txn;
    s_end_reading(self); // a reader keeps old pages from being used again
    int code = mdb_txn_begin(self->env, NULL, 0, &txn);
    if (code)
        return code;
    uint64_t *sums = calloc(from->session_count + 1, sizeof *sums);
    ASSERT(sums);
    code = s_write_all(self, txn, from, bytes, sums);
    free(sums);
    if (!code)
        code = s_write_figure(self, txn, "mark", origin.mark);
    code = s_end(txn, code ? code : s_write_figure(self, txn, "journal", origin.generation));
    // LMDB has two meta pages, of the newest transaction and of the one before. Now both lead to these
    // sessions, and either may be damaged. What was to be written is, also when this fails.
    if (!code)
        (void)tables_set_figure(self, "twin", origin.generation);
    return code;
}
