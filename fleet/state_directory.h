// state_directory - the directory of a fleet's sockets (PROTOCOL.md 10): private to its user, and locked by
// the one supervisor that uses it. Does I/O; never blocks.
#ifndef TROUPE_FLEET_STATE_DIRECTORY_H
#define TROUPE_FLEET_STATE_DIRECTORY_H

#include "common/option_set.h"

// In bytes, with the NUL. The path of a socket in the directory is limited to 107 bytes (unix(7)).
enum { STATE_DIRECTORY_PATH = 96, STATE_DIRECTORY_ADDRESS = 128 };

// Its path: from --state, else $TROUPE_DEFAULT_STATE (the project's own, which manage.py sets), else
// $XDG_RUNTIME_DIR/troupe, else /run/user/UID/troupe if there is /run/user/UID, else /tmp/troupe-UID;
// python/troupe/state_directory.py looks in the same places. ERR_TOO_LARGE: too long for a socket in it;
// ERR_SYSTEM.
err state_directory_find(const option_set *options, char ret_path[STATE_DIRECTORY_PATH]);
// ipc://PATH/name
void state_directory_address(const char *path, const char *name, char ret_address[STATE_DIRECTORY_ADDRESS]);
// Creates it if need be, and locks it for the life of this process. ERR_NAME_TAKEN: another supervisor holds
// the lock; ERR_SYSTEM. ret_why gets a sentence without a full stop.
err state_directory_lock(const char *path, char *ret_why, size_t size);

#endif
