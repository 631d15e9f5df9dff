// Decides when CURVE is required: on every tcp:// address off the loopback. ipc:// and inproc:// never use
// keys, as the file system's permissions, or the process, protect them.
#include "worker/io/curve_keys.h"

#include "common/loopback.h"

#include <stdio.h>

// One key without the other is refused even on the loopback: the operator meant to use CURVE.
err
curve_keys_load(const char *address, const char *key_file, const char *broker_file, curve_keys *ret_keys,
                char *ret_message, size_t message_size)
{
    certificate broker;
    *ret_keys = (curve_keys){0};
    if (strncmp(address, "tcp://", 6) != 0)
        return OK;
    bool private = loopback_is_private(address);
    if (!key_file && !broker_file && private)
        return OK;
    if (!key_file || !broker_file) {
        snprintf(ret_message, message_size, "%s requires both --key and --server-key%s", address,
                 private ? ", or neither" : ": tcp:// off the loopback requires keys");
        return ERR_FORBIDDEN;
    }
    err error = certificate_load_secret(key_file, &ret_keys->own, ret_message, message_size);
    if (!error)
        error = certificate_load(broker_file, &broker, ret_message, message_size);
    if (!error)
        memcpy(ret_keys->broker_key, broker.public_key, KEY_TEXT);
    return error;
}
