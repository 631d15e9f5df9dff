// state_folder - a directory in memory (tmpfs if available) for a store under fuzzing, and a disk that can be
// full. Linked with FUZZ_WRAP (meson.build), which redirects pwrite() and mdb_txn_commit() here.
#ifndef TROUPE_TESTS_STATE_FOLDER_H
#define TROUPE_TESTS_STATE_FOLDER_H

typedef enum { DISK_HAS_ROOM, DISK_TAKES_TABLES, DISK_IS_FULL } disk_state;

// Created by the first call, and removed when the process exits.
const char *state_folder(void);
// Removes its content.
void state_folder_clear(void);
void state_folder_disk(disk_state state);

#endif
