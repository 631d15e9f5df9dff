// ticks - who wants a turn by itself, and when: a heap of moments. Not thread-safe (the run queue's lock
// guards it); it has no clock, and never logs.
#ifndef TROUPE_WORKER_ACTOR_TIMER_HEAP_H
#define TROUPE_WORKER_ACTOR_TIMER_HEAP_H

#include <stddef.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

typedef struct { // embedded in whoever waits; all of it is the heap's, but owner
    void *owner;
    uint64_t due; // ms
    size_t place; // in the heap, from 1; 0: not in it
} timer;

typedef struct {
    timer **heap; // of the two below each, at 2n and 2n + 1, none is due before it
    size_t count, room;
} timer_heap;

void timer_heap_init(timer_heap *self);
void timer_heap_fini(timer_heap *self);
// One moment for each: a new one takes the place of the last. TIMER_NEVER: none any more. Before a tick is
// freed it must be out of the heap.
void timer_heap_set(timer_heap *self, timer *timer, uint64_t due);
uint64_t timer_heap_next(const timer_heap *self);       // when the earliest is due; TIMER_NEVER: nobody waits
timer *timer_heap_take(timer_heap *self, uint64_t now); // one that is due, taken out; NULL: none is

#endif
