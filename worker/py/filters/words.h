// words - looks up Django's translations of the names of days and months, and of the few other words that
// filters write. For language.c, which caches them.
#ifndef TROUPE_WORKER_PY_FILTERS_WORDS_H
#define TROUPE_WORKER_PY_FILTERS_WORDS_H

#include "worker/py/python.h"

// Words, by their place in a table.
enum {
    WORD_WEEKDAY = 0,       // 7 from Monday
    WORD_WEEKDAY_SHORT = 7, // 7
    WORD_MONTH = 14,        // 12 from January, as the next four
    WORD_MONTH_SHORT = 26,
    WORD_MONTH_SHORT_TITLE = 38,
    WORD_MONTH_AP = 50,
    WORD_MONTH_ALT = 62,
    WORD_AM = 74,
    WORD_PM,
    WORD_AM_UPPER,
    WORD_PM_UPPER,
    WORD_MIDNIGHT,
    WORD_NOON,
    WORD_YES_NO_MAYBE,
    WORD_TRUNCATED,
    WORD_COUNT
};

// Once a process. False with an exception.
bool words_start(void);

// One of the WORD_ numbers in the active language. A new reference; NULL with an exception. GIL held; runs
// Python.
PyObject *words_translate(unsigned word);

#endif
