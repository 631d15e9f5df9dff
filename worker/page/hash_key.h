// hash_key - the secret that keys every hash of what a page shows. A process makes one at random, so that no
// input can be made to collide.
#ifndef TROUPE_WORKER_PAGE_HASH_KEY_H
#define TROUPE_WORKER_PAGE_HASH_KEY_H

#include <stdint.h>

#define HASH_KEY_SIZE 192 // what XXH3 calls its secret

typedef struct {
    uint8_t bytes[HASH_KEY_SIZE];
} hash_key;

#endif
