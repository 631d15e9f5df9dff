// tables - sessions and their roots in a file (LMDB): what was put once, and is read seldom. Only store.c and
// salvage.c use this. Not thread-safe; logs nothing. Codes are 0, an errno or LMDB's; mdb_strerror() knows
// all of them. MDB_CORRUPTED: a record whose checksum, of its key, length and content, is not right.
//
// The file has no lock: one process at a time has it (store.c sees to that).
#ifndef TROUPE_BROKER_STORE_LMDB_TABLES_H
#define TROUPE_BROKER_STORE_LMDB_TABLES_H

#include "broker/store/journal.h"
#include "broker/store/memtable.h"
#include "common/buffer.h"

#include <lmdb.h>

#define TABLES_NONE MDB_NOTFOUND
#define TABLES_FILE "data.mdb"

typedef struct {
    MDB_env *env;
    MDB_dbi roots, sessions, figures;
    MDB_txn *reading;    // NULL: not begun since they were written
    uint64_t roots_read; // so far
} tables;

typedef struct {
    uint64_t touched; // ms
    uint64_t size;    // of all its roots, with what each takes in a frame
    uint64_t sum;     // of all its roots' checksums: none is missing, and none is an older one
} record;

typedef enum { TABLES_WRITE, TABLES_READ } tables_mode;

// path: of the file. room: bytes that are to fit. TABLES_WRITE makes what is not there.
int tables_open(tables *self, const char *path, size_t room, tables_mode mode);
void tables_close(tables *self);   // also of zeros
void tables_abandon(tables *self); // forgets what is being read, without touching it

int tables_session(tables *self, id16 id, record *ret); // TABLES_NONE
// The size of a root's value and the checksum that it was stored with. TABLES_NONE
int tables_root(tables *self, id16 id, uint32_t root, size_t *ret_size, uint64_t *ret_check);
// All of a session, as entries of a snapshot frame; out: NULL, to see that it is sound. MDB_CORRUPTED also
// where a root is missing. On failure there may be something in out.
int tables_roots(tables *self, id16 id, buffer *out);
int tables_figure(tables *self, const char *name, uint64_t *ret); // 0 where there is none
int tables_set_figure(tables *self, const char *name, uint64_t number);
int tables_origin(tables *self, journal_origin *ret); // zeros where there is none
// Calls each with sessions from *at on, most of them at most; then *at is where to go on, or zeros. found:
// NULL where the record is damaged.
int tables_each(tables *self, id16 *at, unsigned most,
                void (*each)(void *context, id16 id, const record *found), void *context);
size_t tables_count(tables *self); // of sessions

// Takes over what is fresh, whose values are in bytes, and sets the origin: all of that or nothing.
int tables_write(tables *self, const fresh *from, const uint8_t *bytes, journal_origin origin);

// For who goes through them record by record.
int tables_begin(tables *self, MDB_txn **ret); // the transaction that is read in
int tables_session_of(const MDB_val *key, const MDB_val *value, id16 *ret_id, record *ret);

#endif
