#include "worker/io/curve_keys.h"

#include "common/host.h"

#include <stdio.h>

err
curve_keys_load(const char *address, const char *key_file, const char *broker_file, curve_keys *ret,
                char *ret_why, size_t why_size)
{
    certificate broker;
    *ret = (curve_keys){0};
    if (strncmp(address, "tcp://", 6) != 0)
        return OK;
    if (!key_file && !broker_file && host_is_private(address))
        return OK;
    if (!key_file || !broker_file) {
        snprintf(ret_why, why_size, "%s wants both --key and --server-key%s", address,
                 host_is_private(address) ? ", or neither"
                                          : ": tcp:// off the loopback is never used without keys");
        return ERR_FORBIDDEN;
    }
    err error = certificate_load_secret(key_file, &ret->own, ret_why, why_size);
    if (!error)
        error = certificate_load(broker_file, &broker, ret_why, why_size);
    if (!error)
        memcpy(ret->broker_key, broker.public_key, KEY_TEXT);
    return error;
}
