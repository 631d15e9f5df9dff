// tree - what the page shows, slot by slot, as hashes and lengths: never as text. It answers one question:
// does this value differ from the one that was sent last? Embedded in the view actor. Not thread-safe; pure.
//
// A template whose slots are not known yet is one region: slot 0, the whole root.
#ifndef TROUPE_TREE_H
#define TROUPE_TREE_H

#include "common/slice.h"

#define TREE_KEY_SIZE 192 // XXH3's secret

typedef struct {
    uint8_t bytes[TREE_KEY_SIZE]; // unpredictable: no input can be made to collide
} tree_key;

enum { SLOT_ROOT = 0 };

typedef struct {
    uint64_t hash;
    size_t size;
    bool known; // false: nothing was sent yet
} tree_slot;

typedef struct {
    tree_slot root;
} tree;

void tree_init(tree *self);
// Takes value as what the slot shows now. True if that is a change.
bool tree_set(tree *self, unsigned slot, slice value, const tree_key *key);
void tree_forget(tree *self, unsigned slot); // the next tree_set is a change

#endif
