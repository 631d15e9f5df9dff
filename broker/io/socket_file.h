// socket_file - the file of an ipc:// socket: its directory, and what an earlier process left in its place.
// Does I/O; blocks for no longer than another broker takes to bind.
#ifndef TROUPE_BROKER_IO_SOCKET_FILE_H
#define TROUPE_BROKER_IO_SOCKET_FILE_H

#include "common/errors.h"

#include <stddef.h>

// Makes path ready to be bound: its directory exists, is ours and closed to others (PROTOCOL.md 10), and no
// file is in the way. On OK the directory is locked against other brokers that do the same;
// socket_file_unlock(*ret_lock) once it is bound. ERR_SYSTEM: ret_why says why not.
err socket_file_claim(const char *path, int *ret_lock, char *ret_why, size_t why_size);
void socket_file_unlock(int lock); // -1 is harmless

#endif
