// certificate - a CURVE key or pair of keys in a file, as `troupe keygen`, CZMQ's zcert and pyzmq's zmq.auth
// write them: lines of `public-key = "…"` and `secret-key = "…"`, in ZeroMQ's Z85 form. Anything else in it
// is left unread.
#ifndef TROUPE_COMMON_CERTIFICATE_H
#define TROUPE_COMMON_CERTIFICATE_H

#include "common/errors.h"
#include "common/slice.h"

enum { KEY_SIZE = 40, KEY_TEXT = KEY_SIZE + 1, MAX_CERTIFICATE = 16 << 10 };

typedef struct {
    char public_key[KEY_TEXT];
    char secret_key[KEY_TEXT]; // "": it has none
} certificate;

// ERR_MALFORMED: there is no public key, or one that is none. *ret is written only on OK.
err certificate_parse(slice text, certificate *ret);
// Reads a file; blocks for as long as the file system does. ERR_SYSTEM, ERR_MALFORMED: ret_why says why, in a
// sentence without a full stop.
err certificate_load(const char *path, certificate *ret, char *ret_why, size_t why_size);
// So too, and it has to have its secret key.
err certificate_load_secret(const char *path, certificate *ret, char *ret_why, size_t why_size);

#endif
