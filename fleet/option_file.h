// option_file - the configuration file, in CZMQ's ZPL format (rfc.zeromq.org/spec/4): `key = value` lines,
// comments with #. Does I/O; blocks for as long as the file system does.
#ifndef TROUPE_FLEET_OPTION_FILE_H
#define TROUPE_FLEET_OPTION_FILE_H

#include "common/option_set.h"

// Reads the file at path into the options, as SOURCE_FILE. ERR_SYSTEM, ERR_MALFORMED: ret_why gets a sentence
// without a full stop.
err option_file_read(option_set *options, const char *path, char *ret_why, size_t size);

#endif
