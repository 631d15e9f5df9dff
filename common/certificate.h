// certificate - a CURVE public key or key pair in a file, as written by `troupe keygen`, CZMQ's zcert and
// pyzmq's zmq.auth: lines of `public-key = "…"` and `secret-key = "…"`, in Z85 (rfc.zeromq.org/spec/32). All
// other lines are ignored.
#ifndef TROUPE_COMMON_CERTIFICATE_H
#define TROUPE_COMMON_CERTIFICATE_H

#include "common/errors.h"
#include "common/slice.h"

enum { KEY_SIZE = 40, KEY_TEXT = KEY_SIZE + 1, MAX_CERTIFICATE = 16 << 10 };

typedef struct {
    char public_key[KEY_TEXT];
    // "": the file has only the public key.
    char secret_key[KEY_TEXT];
} certificate;

// ERR_MALFORMED: no public key, or an invalid key. *ret is written only on OK.
err certificate_parse(slice text, certificate *ret);
// Reads a file; blocks for as long as the file system does. ERR_SYSTEM, ERR_MALFORMED: ret_why gets a
// sentence without a full stop.
err certificate_load(const char *path, certificate *ret, char *ret_why, size_t why_size);
// The same for a file that must have a secret key.
err certificate_load_secret(const char *path, certificate *ret, char *ret_why, size_t why_size);

#endif
