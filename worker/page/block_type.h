// shape - what all instances of one block of a template share: its slots' classes, its chunk (the JSON that
// the browser builds instances from) and the chunk's hash. Made once a block, when a plan is taken over from
// Python; immutable from then on. Counted references: any thread, with or without the GIL. Pure.
#ifndef TROUPE_WORKER_PAGE_BLOCK_TYPE_H
#define TROUPE_WORKER_PAGE_BLOCK_TYPE_H

#include "common/slice.h"

#define SHAPE_MAX_SLOTS 65535
#define SHAPE_MAX_HASH  16

// Classes of slots, one letter each.
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

typedef struct shape shape;

// Copies all three. classes: the letters of slot 1, 2, …; chunk: JSON, passed on unread. The caller owns one
// reference. NULL if a class is unknown, or there are too many, or the hash is empty or too long.
shape *shape_new(slice classes, slice hash, slice chunk);
const shape *shape_hold(const shape *self); // one reference more; returns self
void shape_release(const shape **self_p);   // NULL-safe; nulls *self_p; the last one frees

unsigned shape_slots(const shape *self);
char shape_class(const shape *self, unsigned slot); // 1 <= slot <= shape_slots
slice shape_hash(const shape *self);                // these two live as long as the shape
slice shape_chunk(const shape *self);

#endif
