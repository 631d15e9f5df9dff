// state_folder - a directory for a store under fuzzing, in memory where there is a tmpfs, and a disk that can
// be full. FUZZ_WRAP (meson.build) makes the linker redirect pwrite() and mdb_txn_commit() here.
#ifndef TROUPE_TESTS_STATE_FOLDER_H
#define TROUPE_TESTS_STATE_FOLDER_H

typedef enum { DISK_HAS_ROOM, DISK_TAKES_TABLES, DISK_IS_FULL } disk_state;

// Created by the first call, and removed when the process exits.
const char *state_folder(void);
// Removes the files in it.
void state_folder_clear(void);
void state_folder_disk(disk_state state);

#endif
