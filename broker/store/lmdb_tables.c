// Three tables of one LMDB file: sessions by id, roots by session and number, and numbers by name. Each value
// starts with a checksum (docs/decisions/fleet/0028).
//
// LMDB's rules that matter here: pointers from mdb_get() and cursors are into the mapped file, and valid
// until the transaction ends or, in a write transaction, until the next write; a read transaction keeps the
// pages that it sees from being reused. One read transaction is kept open from the first read after a write
// until the next write.
#include "broker/store/lmdb_tables.h"

#include "common/errors.h"
#include "proto/snapshot.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    ROOT_KEY = ID_SIZE + 4,
    FILE_MODE = 0600,
    CHECK_SIZE = sizeof(uint64_t),
    // The bytes of a root's head in a snapshot frame.
    ROOT_HEAD = 8
};

// LMDB does not write through it: its interface lacks const.
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

// The number is big-endian, so that a session's roots are neighbours, in ascending order.
static MDB_val
s_root_key(id16 session, uint32_t root, uint8_t ret[ROOT_KEY])
{
    memcpy(ret, session.bytes, ID_SIZE);
    for (unsigned i = 0; i < 4; i++)
        ret[ID_SIZE + i] = (uint8_t)(root >> (24 - 8 * i));
    return s_val(ret, ROOT_KEY);
}

static uint32_t
s_decode_root(const MDB_val *key)
{
    const uint8_t *bytes = (const uint8_t *)key->mv_data + ID_SIZE;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// Key and length are part of it: a valid record under another key, or cut short, is found out.
static uint64_t
s_checksum(const MDB_val *key, const void *content, size_t size)
{
    return XXH3_64bits_withSeed(content, size, XXH3_64bits_withSeed(key->mv_data, key->mv_size, size));
}

// The content of a value, after its checksum. False: the checksum does not match.
static bool
s_verify_content(const MDB_val *key, const MDB_val *value, MDB_val *ret, uint64_t *ret_check)
{
    if (value->mv_size < CHECK_SIZE)
        return false;
    memcpy(ret_check, value->mv_data, CHECK_SIZE);
    *ret = s_val((const uint8_t *)value->mv_data + CHECK_SIZE, value->mv_size - CHECK_SIZE);
    return *ret_check == s_checksum(key, ret->mv_data, ret->mv_size);
}

// The same for a value of a known size.
static bool
s_copy_content(const MDB_val *key, const MDB_val *value, void *ret, size_t size)
{
    MDB_val content;
    uint64_t check;
    if (!s_verify_content(key, value, &content, &check) || content.mv_size != size)
        return false;
    memcpy(ret, content.mv_data, size);
    return true;
}

// MDB_RESERVE returns the place for the value, into which checksum and content go without a copy in
// between.
// MDB_RESERVE returns the place for the value, into which checksum and content go without a copy in
// between.
static int
s_put_checked(MDB_txn *txn, MDB_dbi table, MDB_val key, const void *content, size_t size, uint64_t *ret_check)
{
    MDB_val value = {CHECK_SIZE + size, NULL};
    int code = mdb_put(txn, table, &key, &value, MDB_RESERVE);
    if (code)
        return code;
    *ret_check = s_checksum(&key, content, size);
    memcpy(value.mv_data, ret_check, CHECK_SIZE);
    if (size)
        memcpy((uint8_t *)value.mv_data + CHECK_SIZE, content, size);
    return 0;
}

// --- opening --------------------------------------------------------------------------------------------

// The names of the tables have the version of the format.
static int
s_open_databases(lmdb_tables *self, lmdb_tables_mode mode)
{
    MDB_txn *txn = NULL;
    unsigned flags = mode == LMDB_TABLES_WRITE ? MDB_CREATE : 0;
    int code = mdb_txn_begin(self->env, NULL, mode == LMDB_TABLES_WRITE ? 0 : MDB_RDONLY, &txn);
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
lmdb_tables_open(lmdb_tables *self, const char *path, size_t room, lmdb_tables_mode mode)
{
    // NOLOCK: store_open.c holds a lock of its own. NOSYNC: a checkpoint need not survive a power failure,
    // and the loop must not wait for the disk. NORDAHEAD: reads are random.
    const unsigned always = MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC | MDB_NOTLS;
    unsigned flags = always | (mode == LMDB_TABLES_READ ? MDB_RDONLY : MDB_NORDAHEAD);
    int code = mdb_env_create(&self->env);
    if (!code)
        code = mdb_env_set_maxdbs(self->env, 3);
    if (!code)
        code = mdb_env_set_mapsize(self->env, room);
    // Without MDB_WRITEMAP a full disk is an error and not a SIGBUS.
    if (!code)
        code = mdb_env_open(self->env, path, flags, FILE_MODE);
    return code ? code : s_open_databases(self, mode);
}

// Must precede every write: the transaction would go on showing the state before it.
static void
s_end_reading(lmdb_tables *self)
{
    if (self->reading)
        mdb_txn_abort(self->reading);
    self->reading = NULL;
}

// mdb_txn_abort() would walk structures that a signal has left half changed.
void
lmdb_tables_abandon(lmdb_tables *self)
{
    self->reading = NULL;
}

void
lmdb_tables_close(lmdb_tables *self)
{
    s_end_reading(self);
    if (self->env)
        mdb_env_close(self->env);
    *self = (lmdb_tables){0};
}

// --- reading --------------------------------------------------------------------------------------------

// The open read transaction, or a new one. NULL: failure.
static MDB_txn *
s_read_transaction(lmdb_tables *self)
{
    if (!self->reading && mdb_txn_begin(self->env, NULL, MDB_RDONLY, &self->reading))
        self->reading = NULL;
    return self->reading;
}

// The value is in the mapped file: valid until s_end_reading().
static int
s_get(lmdb_tables *self, MDB_dbi table, MDB_val key, MDB_val *ret)
{
    MDB_txn *txn = s_read_transaction(self);
    return txn ? mdb_get(txn, table, &key, ret) : MDB_BAD_TXN;
}

int
lmdb_tables_transaction(lmdb_tables *self, MDB_txn **ret)
{
    *ret = s_read_transaction(self);
    return *ret ? 0 : MDB_BAD_TXN;
}

int
lmdb_tables_decode_session(const MDB_val *key, const MDB_val *value, id16 *ret_id, session_record *ret)
{
    if (key->mv_size != ID_SIZE)
        return MDB_CORRUPTED;
    memcpy(ret_id->bytes, key->mv_data, ID_SIZE);
    return s_copy_content(key, value, ret, sizeof *ret) ? 0 : MDB_CORRUPTED;
}

int
lmdb_tables_session(lmdb_tables *self, id16 id, session_record *ret)
{
    MDB_val key = s_session_key(&id), value;
    int code = s_get(self, self->sessions, key, &value);
    return code ? code : lmdb_tables_decode_session(&key, &value, &id, ret);
}

// The content is verified only when it is read (lmdb_tables_roots).
int
lmdb_tables_root(lmdb_tables *self, id16 id, uint32_t root, size_t *ret_size, uint64_t *ret_check)
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

// The cursor must be closed by the caller: those of read transactions outlive them.
static int
s_open_cursor(lmdb_tables *self, MDB_dbi table, MDB_cursor **ret)
{
    MDB_txn *txn = s_read_transaction(self);
    return txn ? mdb_cursor_open(txn, table, ret) : MDB_BAD_TXN;
}

// Verifies a root, and adds its size and checksum to sum.
static int
s_read_root(lmdb_tables *self, const MDB_val *key, const MDB_val *value, session_record *sum, buffer *out)
{
    MDB_val content;
    uint64_t check;
    if (key->mv_size != ROOT_KEY || !s_verify_content(key, value, &content, &check))
        return MDB_CORRUPTED;
    self->roots_read++;
    sum->size += content.mv_size + ROOT_HEAD;
    sum->sum += check;
    if (out)
        snapshot_put(out, s_decode_root(key), slice_of(content.mv_data, content.mv_size));
    return 0;
}

// The key may be of any length: the file is not trusted.
static bool
s_belongs_to(const MDB_val *key, const id16 *id)
{
    return key->mv_size >= ID_SIZE && memcmp(key->mv_data, id->bytes, ID_SIZE) == 0;
}

// Walks the neighbours that have the session's id in their keys. A key of another length ends in
// MDB_CORRUPTED.
static int
s_read_roots(lmdb_tables *self, id16 id, session_record *sum, buffer *out)
{
    uint8_t bytes[ROOT_KEY];
    MDB_val key = s_root_key(id, 0, bytes), value;
    MDB_cursor *cursor;
    int code = s_open_cursor(self, self->roots, &cursor);
    if (code)
        return code;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (!code && s_belongs_to(&key, &id) && !(code = s_read_root(self, &key, &value, sum, out)))
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

// Sizes and checksums of all roots are compared with the session's record: that is how a missing root, or
// an older one on a page that should not be reachable, shows.
int
lmdb_tables_roots(lmdb_tables *self, id16 id, buffer *out)
{
    session_record stored, found = {0};
    int code = lmdb_tables_session(self, id, &stored);
    if (!code)
        code = s_read_roots(self, id, &found, out);
    if (!code && (found.size != stored.size || found.sum != stored.sum))
        code = MDB_CORRUPTED;
    return code;
}

// Reads one session beyond the last one that is visited, to know where to continue.
int
lmdb_tables_visit(lmdb_tables *self, id16 *at, unsigned most,
                  void (*visit)(void *context, id16 id, const session_record *found), void *context)
{
    MDB_val key = s_session_key(at), value;
    MDB_cursor *cursor;
    int code = s_open_cursor(self, self->sessions, &cursor);
    if (code)
        return code;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (unsigned seen = 0; !code && seen < most; seen++) {
        session_record found;
        id16 id;
        bool valid = !lmdb_tables_decode_session(&key, &value, &id, &found);
        if (key.mv_size == ID_SIZE)
            visit(context, id, valid ? &found : NULL);
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    id16 next = {{0}};
    if (!code && key.mv_size == ID_SIZE)
        memcpy(next.bytes, key.mv_data, ID_SIZE);
    *at = next;
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

// An absent number is 0: tables that were just created have none.
int
lmdb_tables_number(lmdb_tables *self, const char *name, uint64_t *ret)
{
    MDB_val key = s_val(name, strlen(name)), value;
    int code = s_get(self, self->figures, key, &value);
    *ret = 0;
    if (!code && !s_copy_content(&key, &value, ret, sizeof *ret))
        code = MDB_CORRUPTED;
    return code == MDB_NOTFOUND ? 0 : code;
}

// "mark" is what the format calls the store's id.
int
lmdb_tables_origin(lmdb_tables *self, journal_origin *ret)
{
    int code = lmdb_tables_number(self, "journal", &ret->generation);
    return code ? code : lmdb_tables_number(self, "mark", &ret->store_id);
}

// From the statistics of the table's root page: nothing is walked.
size_t
lmdb_tables_count(lmdb_tables *self)
{
    MDB_stat stat = {0};
    MDB_txn *txn = s_read_transaction(self);
    if (txn)
        mdb_stat(txn, self->sessions, &stat);
    return stat.ms_entries;
}

// --- writing --------------------------------------------------------------------------------------------

// Searches for the session's first root again after each deletion.
static int
s_delete_roots(const lmdb_tables *self, MDB_txn *txn, const id16 *session)
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

// sum: of the roots that this checkpoint wrote; the session's own sum is of those that stay in the tables.
static int
s_write_session(const lmdb_tables *self, MDB_txn *txn, const memtable_session *session, uint64_t sum)
{
    session_record value = {session->touched, session->size, session->sum + sum};
    MDB_val key = s_session_key(&session->id);
    uint64_t check;
    if (session->exists)
        return s_put_checked(txn, self->sessions, key, &value, sizeof value, &check);
    int code = session->stored ? mdb_del(txn, self->sessions, &key, NULL) : 0;
    return code == MDB_NOTFOUND ? 0 : code;
}

// A deleted root that the tables never had is not an error.
static int
s_write_root(const lmdb_tables *self, MDB_txn *txn, const memtable_session *session,
             const memtable_root *root, const uint8_t *bytes, uint64_t *sum)
{
    uint8_t name[ROOT_KEY];
    MDB_val key = s_root_key(session->id, root->root, name);
    uint64_t check = 0;
    int code = root->deleted ? mdb_del(txn, self->roots, &key, NULL)
                             : s_put_checked(txn, self->roots, key, bytes + root->at, root->size, &check);
    *sum += check;
    return code == MDB_NOTFOUND ? 0 : code;
}

static int
s_write_number(const lmdb_tables *self, MDB_txn *txn, const char *name, uint64_t number)
{
    uint64_t check;
    return s_put_checked(txn, self->figures, s_val(name, strlen(name)), &number, sizeof number, &check);
}

// Either everything that was written or nothing.
static int
s_end_transaction(MDB_txn *txn, int code)
{
    if (!code)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return code;
}

// Committed at once, in a transaction of its own.
int
lmdb_tables_set_number(lmdb_tables *self, const char *name, uint64_t number)
{
    MDB_txn *txn;
    s_end_reading(self);
    int code = mdb_txn_begin(self->env, NULL, 0, &txn);
    return code ? code : s_end_transaction(txn, s_write_number(self, txn, name, number));
}

// Obsolete roots go first, then roots, then sessions with the sums of both.
static int
s_write_all(const lmdb_tables *self, MDB_txn *txn, const memtable *memtable, const uint8_t *bytes,
            uint64_t *sums)
{
    int code = 0;
    for (size_t i = 0; !code && i < memtable->session_count; i++)
        if (memtable->sessions[i].stored && memtable->sessions[i].discard_stored)
            code = s_delete_roots(self, txn, &memtable->sessions[i].id);
    for (size_t i = 0; !code && i < memtable->root_count; i++) {
        const memtable_root *root = &memtable->roots[i];
        if (!memtable_is_void(memtable, root))
            code = s_write_root(self, txn, &memtable->sessions[root->session], root, bytes,
                                &sums[root->session]);
    }
    for (size_t i = 0; !code && i < memtable->session_count; i++)
        code = s_write_session(self, txn, &memtable->sessions[i], sums[i]);
    return code;
}

int
lmdb_tables_write(lmdb_tables *self, const memtable *memtable, const uint8_t *bytes, journal_origin origin)
{
    MDB_txn *txn;
    // A read transaction would keep old pages from being reused.
    s_end_reading(self);
    int code = mdb_txn_begin(self->env, NULL, 0, &txn);
    if (code)
        return code;
    uint64_t *sums = calloc(memtable->session_count + 1, sizeof *sums);
    ASSERT(sums);
    code = s_write_all(self, txn, memtable, bytes, sums);
    free(sums);
    if (!code)
        code = s_write_number(self, txn, "mark", origin.store_id);
    code = s_end_transaction(txn, code ? code : s_write_number(self, txn, "journal", origin.generation));
    // LMDB has two meta pages: of the newest transaction, and of the one before. With a second transaction
    // both lead to these sessions, so that one of them may be damaged. A failure here loses nothing.
    if (!code)
        (void)lmdb_tables_set_number(self, "twin", origin.generation);
    return code;
}
