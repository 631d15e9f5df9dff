// timer_heap - a binary heap of timers, the earliest first. Setting, moving and taking one is O(log n). Not
// thread-safe (the run queue's lock guards it); has no clock of its own; never logs.
#ifndef TROUPE_WORKER_ACTOR_TIMER_HEAP_H
#define TROUPE_WORKER_ACTOR_TIMER_HEAP_H

#include <stddef.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

// Embedded in whoever waits. Only the heap uses its members, except owner.
typedef struct {
    void *owner;
    uint64_t due; // ms
    size_t place; // in the heap, from 1; 0: not in it
} timer;

typedef struct {
    timer **heap; // children are at 2n and 2n + 1; no child is due before its parent
    size_t count, room;
} timer_heap;

void timer_heap_init(timer_heap *self);
void timer_heap_fini(timer_heap *self); // timers are left
// Sets or moves a timer. TIMER_NEVER takes it out, as must be done before it is freed.
void timer_heap_set(timer_heap *self, timer *timer, uint64_t due);
uint64_t timer_heap_next(const timer_heap *self);       // when the earliest is due; TIMER_NEVER: none is
timer *timer_heap_take(timer_heap *self, uint64_t now); // takes out one that is due; NULL: none is

#endif
