// state_folder - a folder in memory (tmpfs, where there is one) for a store under fuzzing, and a disk that
// can be full. Linked with FUZZ_WRAP (meson.build), which leads pwrite() and mdb_txn_commit() here.
#ifndef TROUPE_TESTS_STATE_FOLDER_H
#define TROUPE_TESTS_STATE_FOLDER_H

typedef enum { DISK_HAS_ROOM, DISK_TAKES_TABLES, DISK_IS_FULL } disk_state;

const char *state_folder(void); // made at the first call, and removed when the process ends
void state_folder_clear(void);  // what is in it
void state_folder_disk(disk_state state);

#endif
