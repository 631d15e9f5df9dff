// socket_file - prepares the file of an ipc:// socket: its directory, and what an earlier process left in its
// place. Does I/O, and may wait while another broker binds in the same directory.
#ifndef TROUPE_BROKER_IO_SOCKET_FILE_H
#define TROUPE_BROKER_IO_SOCKET_FILE_H

#include "common/errors.h"

#include <stddef.h>

// Makes path ready to be bound: its directory exists, belongs to this user and is closed to others
// (PROTOCOL.md 10), and no file is in the way. OK: the directory is locked against other brokers; call
// socket_file_unlock(*ret_lock) once the path is bound. ERR_SYSTEM: ret_why says why not.
err socket_file_claim(const char *path, int *ret_lock, char *ret_why, size_t why_size);
void socket_file_unlock(int lock); // -1 is harmless

#endif
