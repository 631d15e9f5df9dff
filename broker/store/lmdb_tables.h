// lmdb_tables - sessions and their roots in an LMDB file: written in checkpoints, and read seldom. For the
// files of the store only. Not thread-safe; logs nothing. Functions return 0, an errno or a code of LMDB;
// mdb_strerror() knows all of them. MDB_CORRUPTED: the checksum of a record, over its key, length and
// content, does not match.
//
// The file is not locked: store_open.c sees to it that one process at a time has it.
#ifndef TROUPE_BROKER_STORE_LMDB_TABLES_H
#define TROUPE_BROKER_STORE_LMDB_TABLES_H

#include "broker/store/journal.h"
#include "broker/store/memtable.h"
#include "common/buffer.h"

#include <lmdb.h>

#define LMDB_TABLES_NOT_FOUND MDB_NOTFOUND
#define LMDB_TABLES_FILE      "data.mdb"

typedef struct {
    MDB_env *env;
    MDB_dbi roots, sessions, figures;
    // The read transaction; NULL: none since the last write.
    MDB_txn *reading;
    // Roots that were read so far.
    uint64_t roots_read;
} lmdb_tables;

typedef struct {
    // In ms.
    uint64_t touched;
    // Of all its roots, each with its head in a frame.
    uint64_t size;
    // Of the checksums of all its roots: detects missing and outdated ones.
    uint64_t sum;
} session_record;

typedef enum { LMDB_TABLES_WRITE, LMDB_TABLES_READ } lmdb_tables_mode;

// path: of the file. room: bytes that must fit. LMDB_TABLES_WRITE creates what is missing.
int lmdb_tables_open(lmdb_tables *self, const char *path, size_t room, lmdb_tables_mode mode);
void lmdb_tables_close(lmdb_tables *self); // also for zeros
// Forgets the read transaction without ending it: after a signal inside of LMDB.
void lmdb_tables_abandon(lmdb_tables *self);

int lmdb_tables_session(lmdb_tables *self, id16 id, session_record *ret); // LMDB_TABLES_NOT_FOUND
// The size of a root's value, and its stored checksum. LMDB_TABLES_NOT_FOUND.
int lmdb_tables_root(lmdb_tables *self, id16 id, uint32_t root, size_t *ret_size, uint64_t *ret_check);
// Appends all roots of a session, as entries of a snapshot frame; out: NULL, to verify them only.
// MDB_CORRUPTED also if a root is missing. On failure out may have some of them.
int lmdb_tables_roots(lmdb_tables *self, id16 id, buffer *out);
int lmdb_tables_number(lmdb_tables *self, const char *name, uint64_t *ret); // 0 if there is none
int lmdb_tables_set_number(lmdb_tables *self, const char *name, uint64_t number);
int lmdb_tables_origin(lmdb_tables *self, journal_origin *ret); // zeros if there is none
// Calls visit for sessions from *at on, `most` of them at most; then *at is where to continue, or zeros at
// the end. found: NULL if the record is damaged.
int lmdb_tables_visit(lmdb_tables *self, id16 *at, unsigned most,
                      void (*visit)(void *context, id16 id, const session_record *found), void *context);
size_t lmdb_tables_count(lmdb_tables *self); // sessions

// Writes the entries of a memtable, whose values are in bytes, and sets the origin: all of that or nothing.
int lmdb_tables_write(lmdb_tables *self, const memtable *memtable, const uint8_t *bytes,
                      journal_origin origin);

// For salvage.c, which reads record by record. The transaction belongs to the tables.
int lmdb_tables_transaction(lmdb_tables *self, MDB_txn **ret);
int lmdb_tables_decode_session(const MDB_val *key, const MDB_val *value, id16 *ret_id, session_record *ret);

#endif
