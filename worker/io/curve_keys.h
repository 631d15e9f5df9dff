// curve_keys - the certificate that a worker shows to the broker over tcp://, and the broker's public key, by
// which it knows the broker (PROTOCOL.md 10).
#ifndef TROUPE_WORKER_IO_CURVE_KEYS_H
#define TROUPE_WORKER_IO_CURVE_KEYS_H

#include "common/certificate.h"

typedef struct {
    certificate own;           // "": none, and the connection is not encrypted
    char broker_key[KEY_TEXT]; // public
} curve_keys;

// A file is NULL where none is given. Reads them only if the address is tcp://, and blocks for as long as the
// file system does. ERR_FORBIDDEN: the address requires CURVE authentication; ERR_SYSTEM, ERR_MALFORMED:
// about a file. ret_message then says why, without a full stop.
err curve_keys_load(const char *address, const char *key_file, const char *broker_file, curve_keys *ret_keys,
                    char *ret_message, size_t message_size);

#endif
