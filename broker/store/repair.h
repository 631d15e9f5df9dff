// repair - sees to it that a store's tables can be opened: goes through them (salvage.h), and where they are
// damaged makes new ones of what is sound, and sets the old file aside. Blocks; logs what it did.
#ifndef TROUPE_BROKER_STORE_REPAIR_H
#define TROUPE_BROKER_STORE_REPAIR_H

#include "broker/store/journal_read.h"
#include "broker/store/salvage.h"
#include "broker/store/set_aside.h"

typedef struct {
    const char *folder;
    size_t room;
    slice journal; // the bytes of its file
    aside *aside;
} repair_order;

// 0: the file is sound, or is not there. ret: what it says; zeros where it was lost. Otherwise an errno or
// LMDB's code, and nothing has changed.
int repair_tables(const repair_order *order, salvage_report *ret);

#endif
