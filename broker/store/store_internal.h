// store_internal - what store.c and store_open.c share.
#ifndef TROUPE_BROKER_STORE_STORE_INTERNAL_H
#define TROUPE_BROKER_STORE_STORE_INTERNAL_H

#include "broker/store/journal.h"
#include "broker/store/lmdb_tables.h"
#include "broker/store/memtable.h"
#include "broker/store/store.h"

struct store {
    // The descriptor of the directory, which holds the lock; 0: not locked.
    int lock;
    lmdb_tables tables;
    // What was put since the last checkpoint, and an index to it.
    journal journal;
    memtable memtable;
    // Bytes of all snapshots.
    size_t limit, used;
    // The highest boot number in the journal or in damaged tables.
    uint64_t boot_before;
    bool is_new;
    // Where the next sweep begins.
    id16 swept;
};

// A checkpoint, even if nothing was put: a new generation begins. 0, or a code as in lmdb_tables.h.
int store_write_tables(store *self);

#endif
