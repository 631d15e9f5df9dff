// formats - how numbers, dates and times are written: by Django's settings, the active language and the time
// zone. Looked up once a rendering rather than once a value. A callback into Python may change all of it, so
// call formats_drop() after every one.
//
// One rendering owns one of these, on its stack; not thread-safe. GIL held for all of it. Lookups call
// Django, so threads may switch in here.
#ifndef TROUPE_WORKER_PY_FILTERS_FORMATS_H
#define TROUPE_WORKER_PY_FILTERS_FORMATS_H

#include "worker/py/filters/language.h"
#include "worker/py/python.h"

typedef struct {
    bool thousands_hold; // `thousands` was looked up since the last drop
    bool language_holds; // `language` was looked up since the last drop
    bool thousands;      // settings.USE_THOUSAND_SEPARATOR
    language *language;  // the active one; NULL until asked for
    PyObject *zone;      // the current time zone; NULL until asked for
} formats;

// Once a process, after django.setup(); localize_start calls it. May be called again. False with an
// exception.
bool formats_start(void);

void formats_init(formats *self);

// Forgets what was looked up: cheap, since the languages themselves are kept (language.h).
void formats_drop(formats *self);

void formats_fini(formats *self);

// As the functions of language.h, for the active language. What is borrowed lasts until the next drop.

const number_style *formats_numbers(formats *self, int use_l10n);
PyObject *formats_pattern(formats *self, PyObject *name, int use_l10n);
PyObject *formats_word(formats *self, unsigned word);

// settings.USE_THOUSAND_SEPARATOR. -1 with an exception.
int formats_thousands(formats *self);

// settings.USE_TZ where use_tz is FORMATS_UNSET, else use_tz. -1 with an exception.
int formats_use_tz(int use_tz);

// The active time zone. Borrowed until the next drop; NULL with an exception.
PyObject *formats_current_zone(formats *self);

// settings.TIME_ZONE as a tzinfo. A new reference; NULL with an exception.
PyObject *formats_default_zone(void);

// Classes, imported once.
typedef struct {
    PyTypeObject *safe_string; // django.utils.safestring.SafeString
    PyTypeObject *decimal;     // decimal.Decimal
} formats_django;

// Constant after formats_start.
const formats_django *formats_of_django(void);

#endif
