// store_state - what store.c and store_open.c share.
#ifndef TROUPE_BROKER_STORE_STORE_STATE_H
#define TROUPE_BROKER_STORE_STORE_STATE_H

#include "broker/store/journal.h"
#include "broker/store/lmdb_tables.h"
#include "broker/store/memtable.h"
#include "broker/store/store.h"

struct store {
    int lock; // the folder, while it is ours; 0: it is not
    tables tables;
    journal journal; // what was put since they were written,
    fresh fresh;     // and where it is
    size_t limit, used;
    uint64_t boot_before; // the highest that the journal or damaged tables told of
    bool is_new;          // what it knew of starts before is lost, if there were any
    id16 swept;           // where the next sweep begins
};

int store_write_tables(store *self);

#endif
