// Stands in for the disk under a store, and lets it be full on command: pwrite() is how the journal is
// written, mdb_txn_commit() how LMDB's tables are.
#include "tests/fuzz/state_folder.h"

#include "common/errors.h"

#include <dirent.h>
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char s_folder[64];
static disk_state s_disk;

ssize_t __real_pwrite64(int file, const void *bytes, size_t size, off_t at);
ssize_t __wrap_pwrite64(int file, const void *bytes, size_t size, off_t at);
int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);

ssize_t
__wrap_pwrite64(int file, const void *bytes, size_t size, off_t at)
{
    if (s_disk == DISK_HAS_ROOM)
        return __real_pwrite64(file, bytes, size, at);
    errno = ENOSPC;
    return -1;
}

// A commit that fails has freed the transaction nevertheless (LMDB's documentation of mdb_txn_commit).
int
__wrap_mdb_txn_commit(MDB_txn *txn)
{
    if (s_disk != DISK_IS_FULL)
        return __real_mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return ENOSPC;
}

void
state_folder_disk(disk_state state)
{
    s_disk = state;
}

// The store has no folders in its folder, so this does not descend.
void
state_folder_clear(void)
{
    DIR *dir = opendir(s_folder);
    char path[sizeof s_folder + 256];
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        snprintf(path, sizeof path, "%s/%s", s_folder, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    closedir(dir);
}

static void
s_remove(void)
{
    state_folder_clear();
    rmdir(s_folder);
}

const char *
state_folder(void)
{
    if (*s_folder)
        return s_folder;
    snprintf(s_folder, sizeof s_folder, "%s",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm/troupe-fuzz-XXXXXX" : "/tmp/troupe-fuzz-XXXXXX");
    ASSERT(mkdtemp(s_folder));
    atexit(s_remove);
    return s_folder;
}
