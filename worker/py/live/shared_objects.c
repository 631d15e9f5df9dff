// A hash table of addresses, with open addressing. It is empty for most views.
#include "worker/py/live/shared_objects.h"

#include "common/errors.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 32 };

void
shared_objects_fini(shared_objects *self)
{
    for (size_t i = 0; i < self->capacity; i++)
        Py_XDECREF(self->slots[i].object);
    free(self->slots);
    free(self->valid);
    *self = (shared_objects){0};
}

static bool *
s_valid(shared_objects *self)
{
    return self->valid ? self->valid : self->few;
}

void
shared_objects_abandon(shared_objects *self)
{
    if (self->pass_count)
        s_valid(self)[self->pass_count - 1] = false;
}

static void
s_grow_passes(shared_objects *self)
{
    bool *larger = malloc(2 * self->pass_count * sizeof *larger);
    ASSERT(larger);
    memcpy(larger, s_valid(self), self->pass_count * sizeof *larger);
    free(self->valid);
    self->valid = larger;
    self->pass_capacity = 2 * self->pass_count;
}

void
shared_objects_begin(shared_objects *self, uint32_t root)
{
    if (self->root == root)
        shared_objects_abandon(self);
    if (self->pass_count == (self->valid ? self->pass_capacity : sizeof self->few / sizeof *self->few))
        s_grow_passes(self);
    s_valid(self)[self->pass_count++] = true;
    self->root = root;
    self->ordinal = 0;
}

// The slot of the object, or the free one where it belongs. There is always a free one.
static shared_object *
s_slot(const shared_objects *self, PyObject *object)
{
    // Objects are aligned to 16 bytes; the multiplier is 2^64 over the golden ratio.
    uint64_t mixed = (uint64_t)(uintptr_t)object / 16 * UINT64_C(0x9e3779b97f4a7c15);
    size_t mask = self->capacity - 1, i = (size_t)(mixed >> 32) & mask;
    while (self->slots[i].object && self->slots[i].object != object)
        i = (i + 1) & mask;
    return &self->slots[i];
}

const shared_object *
shared_objects_find(const shared_objects *self, PyObject *object)
{
    if (!self->capacity)
        return NULL;
    const shared_object *found = s_slot(self, object);
    const bool *valid = self->valid ? self->valid : self->few;
    return found->object && valid[found->pass] ? found : NULL;
}

// At most half of the slots are used.
static void
s_grow(shared_objects *self)
{
    shared_objects larger = *self;
    larger.capacity = self->capacity ? 2 * self->capacity : FIRST_CAPACITY;
    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    ASSERT(larger.slots);
    for (size_t i = 0; i < self->capacity; i++)
        if (self->slots[i].object)
            *s_slot(&larger, self->slots[i].object) = self->slots[i];
    free(self->slots);
    *self = larger;
}

// One that an abandoned pass has met is there already.
void
shared_objects_add(shared_objects *self, PyObject *object)
{
    ASSERT(self->pass_count);
    if (2 * self->count >= self->capacity)
        s_grow(self);
    shared_object *slot = s_slot(self, object);
    if (!slot->object)
        self->count++;
    *slot = (shared_object){slot->object ? object : Py_NewRef(object), self->root, self->ordinal,
                            self->pass_count - 1};
}
