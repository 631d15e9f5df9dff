// repair - makes sure that a store's tables can be opened: checks them (salvage.h), and if they are damaged
// writes new ones with the valid records and sets the old file aside. Blocks; logs what it did.
#ifndef TROUPE_BROKER_STORE_REPAIR_H
#define TROUPE_BROKER_STORE_REPAIR_H

#include "broker/store/journal_read.h"
#include "broker/store/salvage.h"
#include "broker/store/set_aside.h"

typedef struct {
    const char *folder;
    size_t room;
    // The content of the journal file.
    slice journal;
    set_aside *set_aside;
} repair_request;

// 0: the file is valid now, or is not there. ret: what is known of its content; zeros where that was lost.
// Otherwise an errno or a code of LMDB, and nothing has changed.
int repair_tables(const repair_request *request, salvage_report *ret);

#endif
