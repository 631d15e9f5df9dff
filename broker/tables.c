#include "broker/tables.h"

#include "common/errors.h"
#include "proto/snapshot.h"

#include <errno.h>
#include <sys/stat.h>

enum { ROOT_KEY = ID_SIZE + 4, FILE_MODE = 0600 };

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

// --- opening --------------------------------------------------------------------------------------------

static int
s_open_each(tables *self)
{
    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(self->env, NULL, 0, &txn);
    if (!code)
        code = mdb_dbi_open(txn, "roots", MDB_CREATE, &self->roots);
    if (!code)
        code = mdb_dbi_open(txn, "sessions", MDB_CREATE, &self->sessions);
    if (!code)
        code = mdb_dbi_open(txn, "figures", MDB_CREATE, &self->figures);
    if (!code)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return code;
}

int
tables_open(tables *self, const char *folder, size_t room)
{
    int code = mkdir(folder, 0700) && errno != EEXIST ? errno : 0;
    if (!code)
        code = mdb_env_create(&self->env);
    if (!code)
        code = mdb_env_set_maxdbs(self->env, 3);
    if (!code)
        code = mdb_env_set_mapsize(self->env, room);
    // No MDB_WRITEMAP: a full disk is an error then, and not a SIGBUS.
    if (!code)
        code = mdb_env_open(self->env, folder, MDB_NOSYNC | MDB_NOTLS | MDB_NORDAHEAD, FILE_MODE);
    return code ? code : s_open_each(self);
}

static void
s_end_reading(tables *self)
{
    if (self->reading)
        mdb_txn_abort(self->reading);
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
tables_session(tables *self, id16 id, record *ret)
{
    MDB_val value;
    int code = s_get(self, self->sessions, s_session_key(&id), &value);
    if (code)
        return code;
    if (value.mv_size != sizeof *ret)
        return MDB_CORRUPTED;
    memcpy(ret, value.mv_data, sizeof *ret);
    return 0;
}

int
tables_root(tables *self, id16 id, uint32_t root, size_t *ret)
{
    uint8_t bytes[ROOT_KEY];
    MDB_val value;
    int code = s_get(self, self->roots, s_root_key(id, root, bytes), &value);
    if (!code)
        *ret = value.mv_size;
    return code;
}

static int
s_cursor(tables *self, MDB_dbi of, MDB_cursor **ret)
{
    MDB_txn *txn = s_reading(self);
    return txn ? mdb_cursor_open(txn, of, ret) : MDB_BAD_TXN;
}

int
tables_roots(tables *self, id16 id, buffer *out)
{
    uint8_t bytes[ROOT_KEY];
    MDB_val key = s_root_key(id, 0, bytes), value;
    MDB_cursor *cursor;
    int code = s_cursor(self, self->roots, &cursor);
    if (code)
        return code;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; !code && memcmp(key.mv_data, id.bytes, ID_SIZE) == 0;
         code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
        snapshot_put(out, s_root_of(&key), slice_of(value.mv_data, value.mv_size));
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

int
tables_each(tables *self, id16 *at, unsigned most, void (*each)(void *context, id16 id, const record *of),
            void *context)
{
    MDB_val key = s_session_key(at), value;
    MDB_cursor *cursor;
    int code = s_cursor(self, self->sessions, &cursor);
    if (code)
        return code;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (unsigned seen = 0; !code && seen < most; seen++) {
        record of;
        id16 id;
        if (value.mv_size != sizeof of || key.mv_size != ID_SIZE) {
            code = MDB_CORRUPTED;
            break;
        }
        memcpy(&of, value.mv_data, sizeof of);
        memcpy(id.bytes, key.mv_data, ID_SIZE);
        each(context, id, &of);
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    id16 next = {{0}};
    if (!code)
        memcpy(next.bytes, key.mv_data, ID_SIZE);
    *at = next;
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

int
tables_figure(tables *self, const char *name, uint64_t *ret)
{
    MDB_val value;
    int code = s_get(self, self->figures, s_val(name, strlen(name)), &value);
    uint32_t small = 0;
    *ret = 0;
    if (!code && value.mv_size == sizeof *ret) {
        memcpy(ret, value.mv_data, sizeof *ret);
    } else if (!code && value.mv_size == sizeof small) { // as they were written before there was a journal
        memcpy(&small, value.mv_data, sizeof small);
        *ret = small;
    }
    return code == MDB_NOTFOUND ? 0 : code;
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
s_write_session(const tables *self, MDB_txn *txn, const fresh_session *of)
{
    record known = {of->touched, of->size};
    MDB_val key = s_session_key(&of->id), value = s_val(&known, sizeof known);
    int code = of->stored && of->anew ? s_delete_roots(self, txn, &of->id) : 0;
    if (!code && of->here)
        code = mdb_put(txn, self->sessions, &key, &value, 0);
    else if (!code && of->stored)
        code = mdb_del(txn, self->sessions, &key, NULL);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int
s_write_root(const tables *self, MDB_txn *txn, const fresh_session *of, const fresh_root *one,
             const uint8_t *bytes)
{
    uint8_t name[ROOT_KEY];
    MDB_val key = s_root_key(of->id, one->root, name), value = s_val(bytes + one->at, one->size);
    int code = one->gone ? mdb_del(txn, self->roots, &key, NULL) : mdb_put(txn, self->roots, &key, &value, 0);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int
s_write_figure(const tables *self, MDB_txn *txn, const char *name, uint64_t number)
{
    MDB_val key = s_val(name, strlen(name)), value = s_val(&number, sizeof number);
    return mdb_put(txn, self->figures, &key, &value, 0);
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

int
tables_write(tables *self, const fresh *from, const uint8_t *bytes, const char *figure, uint64_t number)
{
    MDB_txn *txn;
    s_end_reading(self); // a reader keeps old pages from being used again
    int code = mdb_txn_begin(self->env, NULL, 0, &txn);
    if (code)
        return code;
    for (size_t i = 0; !code && i < from->session_count; i++)
        code = s_write_session(self, txn, &from->sessions[i]);
    for (size_t i = 0; !code && i < from->root_count; i++) {
        const fresh_root *one = &from->roots[i];
        if (!fresh_is_void(from, one))
            code = s_write_root(self, txn, &from->sessions[one->session], one, bytes);
    }
    return s_end(txn, code ? code : s_write_figure(self, txn, figure, number));
}
