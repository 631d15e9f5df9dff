// salvage - goes through a file of tables in a child process, since LMDB ends with a signal on some of what a
// damaged file may hold. Blocks until the child is done. Logs, from the child, which sessions are damaged.
#ifndef TROUPE_BROKER_STORE_SALVAGE_H
#define TROUPE_BROKER_STORE_SALVAGE_H

#include "broker/store/lmdb_tables.h"

typedef enum {
    SALVAGE_DAMAGED,
    SALVAGE_SOUND,
    SALVAGE_EMPTY, // no tables were made yet
    SALVAGE_OTHER, // tables of another version, or another program's
} salvage_state;

typedef struct {
    salvage_state state;
    journal_origin origin; // zeros where that is lost, as with these:
    uint64_t boot, workers;
    uint64_t sessions, damaged; // those that are sound, and those that are known not to be
    int code;                   // salvage_copy: why it could not write; 0, an errno or LMDB's
    char reason[128];           // of the first damage; "": none
} salvage_report;

void salvage_inspect(const char *path, size_t room, salvage_report *ret);
// What is sound goes into a file that is not there yet.
void salvage_copy(const char *path, const char *to, size_t room, salvage_report *ret);

#endif
