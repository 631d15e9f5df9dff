// tables - sessions and their roots in a file (LMDB): what was put once, and is read seldom. Only store.c
// uses this. Not thread-safe; logs nothing. Codes are 0, an errno or LMDB's; mdb_strerror() knows all of
// them.
#ifndef TROUPE_BROKER_TABLES_H
#define TROUPE_BROKER_TABLES_H

#include "broker/fresh.h"
#include "common/buffer.h"

#include <lmdb.h>

#define TABLES_NONE MDB_NOTFOUND

typedef struct {
    MDB_env *env;
    MDB_dbi roots, sessions, figures;
    MDB_txn *reading; // NULL: not begun since they were written
} tables;

typedef struct {
    uint64_t touched; // ms
    uint64_t size;    // of all its roots, with what each takes in a frame
} record;

// room: bytes that are to fit. Makes the folder (0700).
int tables_open(tables *self, const char *folder, size_t room);
void tables_close(tables *self); // also of zeros

int tables_session(tables *self, id16 id, record *ret);             // TABLES_NONE
int tables_root(tables *self, id16 id, uint32_t root, size_t *ret); // the size of its value; TABLES_NONE
int tables_roots(tables *self, id16 id, buffer *out);               // as entries of a snapshot frame
int tables_figure(tables *self, const char *name, uint64_t *ret);   // 0 where there is none
int tables_set_figure(tables *self, const char *name, uint64_t number);
// Calls each with sessions from *at on, most of them at most; then *at is where to go on, or zeros.
int tables_each(tables *self, id16 *at, unsigned most, void (*each)(void *context, id16 id, const record *of),
                void *context);
size_t tables_count(tables *self); // of sessions

// Takes over what is fresh, whose values are in bytes, and sets the figure: all of that or nothing.
int tables_write(tables *self, const fresh *from, const uint8_t *bytes, const char *figure, uint64_t number);

#endif
