// formats - how a value that is no text is written for the active language: numbers, dates, times.
//
// It keeps what Django's settings, active language and time zone say, so that this is looked up once a
// rendering and not once a value. Whoever calls into Python may have changed them: formats_drop() after every
// callback.
//
// One rendering owns one of these, on its stack; not thread-safe. GIL held for all of it. What is asked of
// Django (formats, translations, zones) runs Python, so threads may switch in here.
#ifndef TROUPE_WORKER_PY_FILTERS_FORMATS_H
#define TROUPE_WORKER_PY_FILTERS_FORMATS_H

#include "worker/py/filters/language.h"
#include "worker/py/python.h"

typedef struct {
    bool thousands_hold; // `thousands` was looked up since the last drop
    bool language_holds; // `of` was looked up since the last drop
    bool thousands;      // settings.USE_THOUSAND_SEPARATOR
    language *of;        // the active one; NULL until asked for
    PyObject *zone;      // the current time zone; NULL until asked for
} formats;

// Once a process, after django.setup(); filters_init calls it. May be called again. False with an exception.
bool formats_start(void);

void formats_init(formats *self);

// Forgets what was looked up: cheap, since the languages themselves are kept (language.h).
void formats_drop(formats *self);

void formats_fini(formats *self);

// What django.template.base.render_value_in_context makes of a value before it is escaped, for the exact
// types None, bool, int, float, Decimal, date, time and datetime. `use_l10n` and `use_tz`: 0, 1 or
// FORMATS_UNSET. A new reference to an exact str; NULL with an exception; NULL without one: not for me.
PyObject *formats_localize(formats *self, PyObject *value, int use_l10n, int use_tz);

// django.utils.timezone.template_localtime, for a filter that expects_localtime: a new reference to `value`
// itself, or to the datetime in the current time zone. NULL with an exception; NULL without one: not for me
// (a subclass of datetime, or one with a tzinfo that is neither of the standard library nor of pytz).
PyObject *formats_localtime(formats *self, PyObject *value, int use_tz);

// For the filters, as in language.h, of the active language. What is borrowed lasts until the next drop.

const number_style *formats_numbers(formats *self, int use_l10n);
PyObject *formats_pattern(formats *self, PyObject *name, int use_l10n);
PyObject *formats_word(formats *self, unsigned word);

// settings.TIME_ZONE as a tzinfo. A new reference; NULL with an exception.
PyObject *formats_default_zone(void);

// Of the Django that is installed.
typedef struct {
    PyTypeObject *safe_string; // django.utils.safestring.SafeString
    PyTypeObject *decimal;     // decimal.Decimal
} formats_django;

// Constant after formats_start.
const formats_django *formats_of_django(void);

#endif
