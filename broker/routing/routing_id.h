// routing_id - a ZeroMQ routing id (or a session's id) with its hash, as a key for zhashx. The seed is drawn
// at start: ids come from peers, and zhashx grows its table when many of them share a chain. Pure; any
// thread.
#ifndef TROUPE_BROKER_ROUTING_ROUTING_ID_H
#define TROUPE_BROKER_ROUTING_ROUTING_ID_H

#include "common/limits.h"
#include "common/slice.h"

#include <czmq.h>

typedef struct {
    uint64_t hash;
    uint8_t size;
    uint8_t bytes[MAX_ROUTING_ID];
} routing_id;

#define ROUTING_ID_TEXT (2 * MAX_ROUTING_ID + 1)

routing_id routing_id_of(uint64_t seed, slice bytes); // bytes.size <= MAX_ROUTING_ID

static inline slice
routing_id_bytes(const routing_id *self) // borrowed from self
{
    return slice_of(self->bytes, self->size);
}

// In hex, for a log line; cut to fit. Returns ret_text.
const char *routing_id_text(slice id, char ret_text[ROUTING_ID_TEXT]);

// A table whose keys live in its items and are neither copied nor destroyed. Caller owns it.
zhashx_t *routing_id_table(void);

#endif
