// hash_key - the secret that keys every hash of what a page shows. Each process makes one at random: values
// are compared by hash alone, and nobody outside can construct two that collide.
#ifndef TROUPE_WORKER_PAGE_HASH_KEY_H
#define TROUPE_WORKER_PAGE_HASH_KEY_H

#include <stdint.h>

// XXH3's default size of what it calls a secret (XXH_SECRET_DEFAULT_SIZE).
#define HASH_KEY_SIZE 192

typedef struct {
    uint8_t bytes[HASH_KEY_SIZE];
} hash_key;

#endif
