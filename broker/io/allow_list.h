// allow_list - the public keys that may connect: FOLDER/clients/*.cert and *.key for the front socket,
// FOLDER/workers for the back one (PROTOCOL.md 10). Read again when a peer connects and a second has passed,
// so a file that is added or removed counts for the peers that connect from then on. Reads the file system in
// the caller's thread; logs when what it found has changed.
#ifndef TROUPE_BROKER_IO_ALLOW_LIST_H
#define TROUPE_BROKER_IO_ALLOW_LIST_H

#include "common/certificate.h"

#include <stdint.h>

enum { ALLOW_LIST_REREAD_MS = 1000, MAX_ALLOWED = 4096 };

typedef enum { SIDE_FRONT, SIDE_BACK, SIDE_COUNT } socket_side;
const char *side_word(socket_side self); // "front"

typedef struct allow_list allow_list;
// NULL: there is no such folder; ret_why says why, without a full stop. Caller owns the result.
allow_list *allow_list_new(const char *folder, uint64_t now, char *ret_why, size_t why_size);
void allow_list_destroy(allow_list **self_p); // NULL-safe
// Whether that key, in Z85, may connect to that side.
bool allow_list_has(allow_list *self, socket_side side, const char *public_key, uint64_t now);
size_t allow_list_count(const allow_list *self, socket_side side);

#endif
