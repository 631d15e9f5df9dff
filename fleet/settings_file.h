// settings_file - the configuration file, in CZMQ's ZPL format (rfc.zeromq.org/spec/4): `key = value` lines,
// comments with #. Does I/O; blocks for as long as the file system does.
#ifndef TROUPE_FLEET_SETTINGS_FILE_H
#define TROUPE_FLEET_SETTINGS_FILE_H

#include "fleet/settings.h"

// Reads path into the settings, as SOURCE_FILE. ERR_SYSTEM, ERR_MALFORMED: ret_why says why, in a sentence
// without a full stop.
err settings_file_read(settings *into, const char *path, char *ret_why, size_t size);

#endif
