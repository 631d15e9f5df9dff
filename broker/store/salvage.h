// salvage - reads a file of LMDB tables in a child process, since LMDB may crash on a damaged file. Blocks
// until the child has exited. Logs, from the child, which sessions are damaged.
#ifndef TROUPE_BROKER_STORE_SALVAGE_H
#define TROUPE_BROKER_STORE_SALVAGE_H

#include "broker/store/lmdb_tables.h"

typedef enum {
    SALVAGE_DAMAGED,
    SALVAGE_SOUND,
    // No tables were created yet.
    SALVAGE_EMPTY,
    // Tables of another version, or of another program.
    SALVAGE_OTHER,
} salvage_state;

typedef struct {
    salvage_state state;
    // Zeros if lost, like boot and workers.
    journal_origin origin;
    uint64_t boot, workers;
    // Valid sessions, and those that are known to be damaged.
    uint64_t sessions, damaged;
    // Why nothing could be written: 0, an errno or a code of LMDB.
    int code;
    // Of the first damage; "": none.
    char reason[128];
} salvage_report;

void salvage_inspect(const char *path, size_t room, salvage_report *ret);
// Copies what is valid to a new file.
void salvage_copy(const char *path, const char *copy_path, size_t room, salvage_report *ret);

#endif
