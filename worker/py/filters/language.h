// language - what Django knows about one language: how numbers and dates are written, and the words that
// filters use. Looked up at first use and kept for the process, until settings, translations or formats
// change. GIL held for all of it; Django is asked in Python, so threads may switch in here.
#ifndef TROUPE_WORKER_PY_FILTERS_LANGUAGE_H
#define TROUPE_WORKER_PY_FILTERS_LANGUAGE_H

#include "worker/py/filters/words.h"
#include "worker/py/python.h"

// How numbers are written.
typedef struct {
    bool known;             // it was looked up
    bool odd;               // of a kind not supported here: leave numbers to Django
    bool thousands;         // groups are wanted for every number
    bool grouped;           // NUMBER_GROUPING is not 0, so there are groups where they are wanted
    PyObject *point;        // exact str
    PyObject *comma;        // exact str
    unsigned char sizes[8]; // of groups, from the right; the last one repeats; 0: no more separators
    unsigned size_count;
} number_style;

// Context.use_l10n and use_tz have three values: false 0, true 1, and this for None, "as the settings say".
enum { FORMATS_UNSET = -1 };

typedef struct language language;

// Once a process, after django.setup(). False with an exception.
bool language_start(void);

// settings.USE_THOUSAND_SEPARATOR, which does not depend on the language. -1 with an exception.
int language_thousands(void);

// The active language. The caller owns a reference; NULL with an exception.
language *language_active(void);

void language_release(language **self_p);

// For each of these, `self` must be the active language, as Django is asked for that one. What is borrowed
// lives as long as it does.

// Borrowed. NULL with an exception.
const number_style *language_numbers(language *self, int use_l10n);

// django.utils.formats.get_format(name). A new reference: another thread may make room for other formats.
// NULL with an exception; NULL without one: it is not a str.
PyObject *language_pattern(language *self, PyObject *name, int use_l10n);

// A WORD_ number's text: an exact str, borrowed. NULL with an exception; NULL without one: it is not a str.
PyObject *language_word(language *self, unsigned word);

#endif
