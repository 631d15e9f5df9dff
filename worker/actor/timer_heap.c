// A binary heap in an array, from index 1. Each timer knows its place, so that a session's timer can be moved
// or removed without a search: every turn of a page that ticks does that.
#include "worker/actor/timer_heap.h"

#include "common/errors.h"

#include <stdlib.h>

void
timer_heap_init(timer_heap *self)
{
    *self = (timer_heap){0};
}

void
timer_heap_fini(timer_heap *self)
{
    free(self->heap);
    *self = (timer_heap){0};
}

// Every move must write down the new place, by which timer_heap_set finds the timer.
static void
s_put(timer_heap *self, size_t place, timer *timer)
{
    self->heap[place] = timer;
    timer->place = place;
}

// Puts a timer where it belongs, from this place upwards or downwards. At most one of the loops moves it.
static void
s_sift(timer_heap *self, size_t place, timer *timer)
{
    for (; place > 1 && timer->due < self->heap[place / 2]->due; place /= 2)
        s_put(self, place, self->heap[place / 2]);
    for (size_t child; (child = 2 * place) <= self->count; place = child) {
        if (child < self->count && self->heap[child + 1]->due < self->heap[child]->due)
            child++;
        if (timer->due <= self->heap[child]->due)
            break;
        s_put(self, place, self->heap[child]);
    }
    s_put(self, place, timer);
}

// The last timer fills the gap, from which it may have to move either way: it comes from another subtree.
static void
s_remove(timer_heap *self, timer *removed)
{
    timer *last = self->heap[self->count--];
    if (last != removed)
        s_sift(self, removed->place, last);
    removed->place = 0;
}

// Grows by doubling and never shrinks: there are as many timers as sessions with ticks, and a pointer is
// small.
static void
s_add(timer_heap *self, timer *timer)
{
    if (self->count + 1 >= self->room) {
        self->room = self->room ? 2 * self->room : 64;
        self->heap = realloc(self->heap, self->room * sizeof *self->heap);
        ASSERT(self->heap);
    }
    s_sift(self, ++self->count, timer);
}

void
timer_heap_set(timer_heap *self, timer *timer, uint64_t due)
{
    timer->due = due;
    if (due == TIMER_NEVER) {
        if (timer->place)
            s_remove(self, timer);
    } else if (timer->place) {
        s_sift(self, timer->place, timer);
    } else {
        s_add(self, timer);
    }
}

uint64_t
timer_heap_next(const timer_heap *self)
{
    return self->count ? self->heap[1]->due : TIMER_NEVER;
}

// One at a time, so that the caller needs no list. An empty heap is checked for, as `now` may be TIMER_NEVER.
timer *
timer_heap_take(timer_heap *self, uint64_t now)
{
    if (timer_heap_next(self) > now || !self->count)
        return NULL;
    timer *due = self->heap[1];
    s_remove(self, due);
    return due;
}
