// curve_keys - the CURVE key pair that a worker authenticates with over tcp://, and the broker's public key,
// by which it authenticates the broker (PROTOCOL.md 10). Holds a secret: wipe it after use.
#ifndef TROUPE_WORKER_IO_CURVE_KEYS_H
#define TROUPE_WORKER_IO_CURVE_KEYS_H

#include "common/certificate.h"

typedef struct {
    certificate own;           // empty: none, and the connection is not encrypted
    char broker_key[KEY_TEXT]; // Z85; empty with own
} curve_keys;

// key_file and broker_file may be NULL. Reads them only if the address is tcp://; blocks on the file system.
// ERR_FORBIDDEN: the address requires CURVE authentication. ERR_SYSTEM, ERR_MALFORMED: a file cannot be used.
// ret_message then says why, without a full stop.
err curve_keys_load(const char *address, const char *key_file, const char *broker_file, curve_keys *ret_keys,
                    char *ret_message, size_t message_size);

#endif
