// ticks - who wants a turn by itself, and when: a heap of moments. Not thread-safe (the run queue's lock
// guards it); it has no clock, and never logs.
#ifndef TROUPE_WORKER_ACTOR_TIMER_HEAP_H
#define TROUPE_WORKER_ACTOR_TIMER_HEAP_H

#include <stddef.h>
#include <stdint.h>

#define TICK_NEVER UINT64_MAX

typedef struct { // embedded in whoever waits; all of it is the heap's, but owner
    void *owner;
    uint64_t due; // ms
    size_t place; // in the heap, from 1; 0: not in it
} tick;

typedef struct {
    tick **heap; // of the two below each, at 2n and 2n + 1, none is due before it
    size_t count, room;
} ticks;

void ticks_init(ticks *self);
void ticks_fini(ticks *self);
// One moment for each: a new one takes the place of the last. TICK_NEVER: none any more. Before a tick is
// freed it must be out of the heap.
void ticks_set(ticks *self, tick *one, uint64_t due);
uint64_t ticks_next(const ticks *self);      // when the earliest is due; TICK_NEVER: nobody waits
tick *ticks_take(ticks *self, uint64_t now); // one that is due, taken out; NULL: none is

#endif
