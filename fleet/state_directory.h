// home - the fleet's directory: closed to others, locked by the one supervisor that uses it, and the place of
// its sockets (PROTOCOL.md 10). Does I/O; never blocks.
#ifndef TROUPE_FLEET_STATE_DIRECTORY_H
#define TROUPE_FLEET_STATE_DIRECTORY_H

#include "fleet/settings.h"

enum { HOME_PATH = 96, HOME_ADDRESS = 128 }; // a socket's path has 107 bytes at most

// Where it is: as the settings say, else $XDG_RUNTIME_DIR/troupe, else /run/user/UID/troupe, as
// python/troupe/conf.py assumes. ERR_TOO_LARGE: the path is too long for a socket in it.
err home_find(const settings *given, char ret_path[HOME_PATH]);
void home_address(const char *path, const char *name, char ret_address[HOME_ADDRESS]); // ipc://PATH/name
// Makes it and locks it for the life of this process. ERR_NAME_TAKEN: another supervisor has it. ERR_SYSTEM.
// ret_why says so, in a sentence without a full stop.
err home_claim(const char *path, char *ret_why, size_t size);

#endif
