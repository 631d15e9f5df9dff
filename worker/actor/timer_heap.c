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

static void
s_put(timer_heap *self, size_t place, timer *timer)
{
    self->heap[place] = timer;
    timer->place = place;
}

// Looks for the place of one, from this place up, and then down.
static void
s_settle(timer_heap *self, size_t place, timer *timer)
{
    for (; place > 1 && timer->due < self->heap[place / 2]->due; place /= 2)
        s_put(self, place, self->heap[place / 2]);
    for (size_t below; (below = 2 * place) <= self->count; place = below) {
        if (below < self->count && self->heap[below + 1]->due < self->heap[below]->due)
            below++;
        if (timer->due <= self->heap[below]->due)
            break;
        s_put(self, place, self->heap[below]);
    }
    s_put(self, place, timer);
}

static void
s_remove(timer_heap *self, timer *one)
{
    timer *last = self->heap[self->count--];
    if (last != one)
        s_settle(self, one->place, last);
    one->place = 0;
}

static void
s_add(timer_heap *self, timer *timer)
{
    if (self->count + 1 >= self->room) {
        self->room = self->room ? 2 * self->room : 64;
        self->heap = realloc(self->heap, self->room * sizeof *self->heap);
        ASSERT(self->heap);
    }
    s_settle(self, ++self->count, timer);
}

void
timer_heap_set(timer_heap *self, timer *timer, uint64_t due)
{
    timer->due = due;
    if (due == TIMER_NEVER) {
        if (timer->place)
            s_remove(self, timer);
    } else if (timer->place) {
        s_settle(self, timer->place, timer);
    } else {
        s_add(self, timer);
    }
}

uint64_t
timer_heap_next(const timer_heap *self)
{
    return self->count ? self->heap[1]->due : TIMER_NEVER;
}

timer *
timer_heap_take(timer_heap *self, uint64_t now)
{
    if (timer_heap_next(self) > now || !self->count)
        return NULL;
    timer *due = self->heap[1];
    s_remove(self, due);
    return due;
}
