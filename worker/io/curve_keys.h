// keys - what a worker shows to the broker, and whom it takes for it, over tcp:// (PROTOCOL.md 10).
#ifndef TROUPE_WORKER_IO_CURVE_KEYS_H
#define TROUPE_WORKER_IO_CURVE_KEYS_H

#include "common/certificate.h"

typedef struct {
    certificate own;           // "": none, the connection is not encrypted
    char broker_key[KEY_TEXT]; // public
} curve_keys;

// The files are NULL where none is given; they are read only if the address is tcp://. Blocks for as long as
// the file system does. ERR_FORBIDDEN: the address wants keys; ERR_SYSTEM, ERR_MALFORMED: of a file. ret_why
// says so, in a sentence without a full stop.
err curve_keys_load(const char *address, const char *key_file, const char *broker_file, curve_keys *ret,
                    char *ret_why, size_t why_size);

#endif
