// Routing ids with their hashes, as keys of zhashx tables. XXH3 with a random seed: peers choose their ids,
// and could otherwise choose colliding ones.
#include "broker/routing/routing_id.h"

#include "common/errors.h"

#include <xxhash.h>

routing_id
routing_id_of(uint64_t seed, slice bytes)
{
    ASSERT(bytes.size <= MAX_ROUTING_ID);
    routing_id made = {.hash = XXH3_64bits_withSeed(bytes.data, bytes.size, seed),
                       .size = (uint8_t)bytes.size};
    if (bytes.size)
        memcpy(made.bytes, bytes.data, bytes.size);
    return made;
}

// The hash is computed once, when the key is made, and not on each lookup in each table.
static size_t
s_hash(const void *item)
{
    return ((const routing_id *)item)->hash;
}

// zhashx only tests for 0, but its comparator is documented as an order.
static int
s_compare(const void *left, const void *right)
{
    const routing_id *a = left, *b = right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return slice_equal(routing_id_bytes(a), routing_id_bytes(b)) ? 0 : 1;
}

// By default zhashx copies keys as strings and frees the copies; a routing id may contain NUL.
zhashx_t *
routing_id_table(void)
{
    zhashx_t *table = zhashx_new();
    ASSERT(table);
    zhashx_set_key_duplicator(table, NULL);
    zhashx_set_key_destructor(table, NULL);
    zhashx_set_key_hasher(table, s_hash);
    zhashx_set_key_comparator(table, s_compare);
    return table;
}

const char *
routing_id_text(slice id, char ret_text[ROUTING_ID_TEXT])
{
    size_t used = 0;
    for (size_t i = 0; i < id.size && i < MAX_ROUTING_ID; i++)
        used += (size_t)snprintf(ret_text + used, 3, "%02x", id.data[i]);
    ret_text[used] = '\0';
    return ret_text;
}
