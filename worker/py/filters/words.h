// words - asks Django for the names of days and months, and the few other words that filters say. Of
// language.c.
#ifndef TROUPE_WORKER_PY_FILTERS_WORDS_H
#define TROUPE_WORKER_PY_FILTERS_WORDS_H

#include "worker/py/python.h"

// Once a process. False with an exception.
bool words_start(void);

// A WORD_ of language.h in the active language. A new reference; NULL with an exception. GIL held; runs
// Python.
PyObject *words_translate(unsigned word);

#endif
