// allow - whose keys may connect: the public keys (*.cert, *.key) in FOLDER/clients for the front socket, in
// FOLDER/workers for the back one. Read anew when somebody asks and a second has gone by, so that a key that
// is added or taken away counts for who connects next. Reads the file system; logs what
// it found whenever that is something else.
#ifndef TROUPE_BROKER_IO_ALLOW_LIST_H
#define TROUPE_BROKER_IO_ALLOW_LIST_H

#include "common/certificate.h"

#include <stdint.h>

enum { ALLOW_REREAD_MS = 1000, MAX_ALLOWED = 4096 };

typedef enum { SIDE_FRONT, SIDE_BACK, SIDE_COUNT } allow_side;
const char *side_word(allow_side self); // "front"

typedef struct allow allow;
// NULL: there is no such folder; ret_why says so, in a sentence without a full stop.
allow *allow_new(const char *folder, uint64_t now, char *ret_why, size_t why_size);
void allow_destroy(allow **self_p); // NULL-safe
// Whether that key, in Z85, may connect there.
bool allow_has(allow *self, allow_side where, const char *public_key, uint64_t now);
size_t allow_count(const allow *self, allow_side where);

#endif
