// A growing string of code points. Most results of a filter are short: they never leave the stack.
#include "worker/py/filters/chars.h"

#include "common/errors.h"

#include <stdlib.h>
#include <string.h>

void
chars_init(chars *self)
{
    self->data = self->small;
    self->size = 0;
    self->room = sizeof self->small / sizeof *self->small;
}

void
chars_fini(chars *self)
{
    if (self->data != self->small)
        free(self->data);
}

// Half as much again each time, so that appending costs constant time on average. The first growth
// copies what the small array holds; realloc does so for later ones. Out of memory aborts.
Py_UCS4 *
chars_reserve(chars *self, size_t count)
{
    size_t wanted = self->size + count;
    if (wanted > self->room) {
        size_t room = wanted + wanted / 2;
        Py_UCS4 *old = self->data == self->small ? NULL : self->data;
        self->data = realloc(old, room * sizeof *self->data);
        ASSERT(self->data);
        if (!old)
            memcpy(self->data, self->small, self->size * sizeof *self->small);
        self->room = room;
    }
    return self->data + self->size;
}

// PyUnicode_READ widens CPython's 1, 2 or 4 bytes a character to a code point.
void
chars_add_part(chars *self, PyObject *text, Py_ssize_t begin, Py_ssize_t end)
{
    Py_UCS4 *out = chars_reserve(self, (size_t)(end - begin));
    int kind = (int)PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = begin; i < end; i++)
        *out++ = PyUnicode_READ(kind, data, i);
    self->size += (size_t)(end - begin);
}

void
chars_add_text(chars *self, PyObject *text)
{
    chars_add_part(self, text, 0, PyUnicode_GET_LENGTH(text));
}

void
chars_add_ascii(chars *self, const char *text)
{
    while (*text)
        chars_add(self, (unsigned char)*text++);
}

// The sign comes before the zeros and is not part of the width, unlike in printf. It is taken off
// in unsigned arithmetic, where -LONG_MIN has a value.
void
chars_add_number(chars *self, long number, int width)
{
    char digits[24];
    int count = 0;
    unsigned long left = number < 0 ? 0ul - (unsigned long)number : (unsigned long)number;
    if (number < 0)
        chars_add(self, '-');
    do
        digits[count++] = (char)('0' + left % 10);
    while (left /= 10);
    while (count < width)
        digits[count++] = '0';
    while (count)
        chars_add(self, (unsigned char)digits[--count]);
}

// CPython looks for the largest code point and stores the str as narrowly as that allows.
PyObject *
chars_str(const chars *self)
{
    return PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, self->data, (Py_ssize_t)self->size);
}
