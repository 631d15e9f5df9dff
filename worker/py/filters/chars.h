// chars - a string builder of code points. Lives on the stack and moves to the heap when it outgrows `small`.
// GIL held where there is a PyObject; out of memory aborts.
#ifndef TROUPE_WORKER_PY_FILTERS_CHARS_H
#define TROUPE_WORKER_PY_FILTERS_CHARS_H

#include "worker/py/python.h"

#include <stddef.h>

typedef struct {
    Py_UCS4 *data; // `small` until it is full
    size_t size;
    size_t room;
    Py_UCS4 small[96];
} chars;

void chars_init(chars *self);
void chars_fini(chars *self);

// Makes room for `count` more and returns where they go. The caller adds to `size` what it wrote.
Py_UCS4 *chars_reserve(chars *self, size_t count);

static inline void
chars_add(chars *self, Py_UCS4 character)
{
    if (self->size == self->room)
        chars_reserve(self, 1);
    self->data[self->size++] = character;
}

// `text` is a str or of a subclass.
void chars_add_text(chars *self, PyObject *text);

// Characters [begin, end).
void chars_add_part(chars *self, PyObject *text, Py_ssize_t begin, Py_ssize_t end);

void chars_add_ascii(chars *self, const char *text);

// In decimal, with leading zeros up to `width`.
void chars_add_number(chars *self, long number, int width);

// The text as a new reference to an exact str; NULL with an exception. `self` is unchanged.
PyObject *chars_str(const chars *self);

#endif
