// block_type - what all instances of one block of a template share: the classes of its slots, its chunk (the
// JSON that the browser builds instances from, PROTOCOL.md 9.5) and the chunk's hash. Made once per block,
// when a plan is read from Python; immutable from then on. Reference-counted: any thread, with or without the
// GIL. Pure.
#ifndef TROUPE_WORKER_PAGE_BLOCK_TYPE_H
#define TROUPE_WORKER_PAGE_BLOCK_TYPE_H

#include "common/slice.h"

#define BLOCK_TYPE_MAX_SLOTS 65535
#define BLOCK_TYPE_MAX_HASH  16

// Classes of slots, the letters of PROTOCOL.md 9.5.
enum {
    CLASS_TEXT = 't',
    CLASS_ATTRIBUTE = 'a',
    CLASS_TAG = 'g',
    CLASS_BRANCH = 'b',
    CLASS_LIST = 'l',
    CLASS_RAW = 'r',
    CLASS_REGION = 'h',
    CLASS_TITLE = 'T',
};

typedef struct block_type block_type;

// Copies all three. classes: the letters of slot 1, 2, …; chunk: JSON, passed on unread. The caller owns one
// reference. NULL if a class is unknown, or there are too many, or the hash is empty or too long.
block_type *block_type_new(slice classes, slice hash, slice chunk);
// Takes another reference, and returns self.
const block_type *block_type_hold(const block_type *self);
// Gives one reference back; the last one frees. NULL-safe; nulls *self_p.
void block_type_release(const block_type **self_p);

unsigned block_type_slots(const block_type *self);
// 1 <= slot <= block_type_slots.
char block_type_class(const block_type *self, unsigned slot);
// Both borrowed from self.
slice block_type_hash(const block_type *self);
slice block_type_chunk(const block_type *self);

#endif
