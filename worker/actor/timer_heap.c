#include "worker/actor/timer_heap.h"

#include "common/errors.h"

#include <stdlib.h>

void
ticks_init(ticks *self)
{
    *self = (ticks){0};
}

void
ticks_fini(ticks *self)
{
    free(self->heap);
    *self = (ticks){0};
}

static void
s_put(ticks *self, size_t place, tick *one)
{
    self->heap[place] = one;
    one->place = place;
}

// Looks for the place of one, from this place up, and then down.
static void
s_settle(ticks *self, size_t place, tick *one)
{
    for (; place > 1 && one->due < self->heap[place / 2]->due; place /= 2)
        s_put(self, place, self->heap[place / 2]);
    for (size_t below; (below = 2 * place) <= self->count; place = below) {
        if (below < self->count && self->heap[below + 1]->due < self->heap[below]->due)
            below++;
        if (one->due <= self->heap[below]->due)
            break;
        s_put(self, place, self->heap[below]);
    }
    s_put(self, place, one);
}

static void
s_remove(ticks *self, tick *one)
{
    tick *last = self->heap[self->count--];
    if (last != one)
        s_settle(self, one->place, last);
    one->place = 0;
}

static void
s_add(ticks *self, tick *one)
{
    if (self->count + 1 >= self->room) {
        self->room = self->room ? 2 * self->room : 64;
        self->heap = realloc(self->heap, self->room * sizeof *self->heap);
        ASSERT(self->heap);
    }
    s_settle(self, ++self->count, one);
}

void
ticks_set(ticks *self, tick *one, uint64_t due)
{
    one->due = due;
    if (due == TICK_NEVER) {
        if (one->place)
            s_remove(self, one);
    } else if (one->place) {
        s_settle(self, one->place, one);
    } else {
        s_add(self, one);
    }
}

uint64_t
ticks_next(const ticks *self)
{
    return self->count ? self->heap[1]->due : TICK_NEVER;
}

tick *
ticks_take(ticks *self, uint64_t now)
{
    if (ticks_next(self) > now || !self->count)
        return NULL;
    tick *due = self->heap[1];
    s_remove(self, due);
    return due;
}
