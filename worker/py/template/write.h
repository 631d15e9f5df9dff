// write - Python text into a buffer, as UTF-8: escaped as django.utils.html.escape does, or as it is. GIL
// held; runs no Python code. A lone surrogate becomes three bytes.
#ifndef TROUPE_WORKER_PY_TEMPLATE_WRITE_H
#define TROUPE_WORKER_PY_TEMPLATE_WRITE_H

#include "common/buffer.h"
#include "worker/py/python.h"

// text: a str or an instance of a subclass; its characters are taken, no method is called. Returns whether
// there were lone surrogates among them.
bool write_text(buffer *out, PyObject *text, bool escape);
// Decimal digits of a number.
void write_integer(buffer *out, long long value);
// Bytes that write_text wrote, as an exact str. surrogates: whether write_text returned true for any of them.
// New reference; NULL with an exception.
PyObject *write_read(slice text, bool surrogates);

#endif
