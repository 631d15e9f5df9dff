// The names of days and months and a few words that filters write, from Django's own translations.
// Not cached here: language.c does that.
#include "worker/py/filters/words.h"

// Constant after words_start.
static struct {
    PyObject *weekdays, *weekdays_short, *months, *months_short, *months_ap, *months_alt;
    PyObject *gettext, *pgettext;
} s_start;

// New reference; NULL with an exception, also if module is NULL.
static PyObject *
s_name(PyObject *module, const char *name)
{
    return module ? PyObject_GetAttrString(module, name) : NULL;
}

bool
words_start(void)
{
    PyObject *dates = PyImport_ImportModule("django.utils.dates");
    PyObject *translation = dates ? PyImport_ImportModule("django.utils.translation") : NULL;
    bool ok = translation && (s_start.weekdays = s_name(dates, "WEEKDAYS")) &&
              (s_start.weekdays_short = s_name(dates, "WEEKDAYS_ABBR")) &&
              (s_start.months = s_name(dates, "MONTHS")) &&
              (s_start.months_short = s_name(dates, "MONTHS_3")) &&
              (s_start.months_ap = s_name(dates, "MONTHS_AP")) &&
              (s_start.months_alt = s_name(dates, "MONTHS_ALT")) &&
              (s_start.gettext = s_name(translation, "gettext")) &&
              (s_start.pgettext = s_name(translation, "pgettext"));
    Py_XDECREF(dates);
    Py_XDECREF(translation);
    return ok;
}

// A lazy translation out of one of Django's dicts, as text. New reference.
static PyObject *
s_listed(PyObject *names, unsigned key)
{
    PyObject *number = PyLong_FromUnsignedLong(key);
    PyObject *lazy = number ? PyObject_GetItem(names, number) : NULL;
    PyObject *text = lazy ? PyObject_Str(lazy) : NULL;
    Py_XDECREF(number);
    Py_XDECREF(lazy);
    return text;
}

// text.title(), as Django's "M" does: its list has the abbreviations in lower case. Steals text,
// which may be NULL.
static PyObject *
s_titled(PyObject *text)
{
    PyObject *title = text ? PyObject_CallMethod(text, "title", NULL) : NULL;
    Py_XDECREF(text);
    return title;
}

// The WORD_ numbers are ranges in ascending order, so they are tested from the highest down.
// Messages are the exact msgids that Django's code uses, or its catalogs would not have them.
PyObject *
words_translate(unsigned word)
{
    static const char *const messages[] = {
        [WORD_AM - WORD_AM] = "a.m.",
        [WORD_PM - WORD_AM] = "p.m.",
        [WORD_AM_UPPER - WORD_AM] = "AM",
        [WORD_PM_UPPER - WORD_AM] = "PM",
        [WORD_MIDNIGHT - WORD_AM] = "midnight",
        [WORD_NOON - WORD_AM] = "noon",
        [WORD_YES_NO_MAYBE - WORD_AM] = "yes,no,maybe",
    };
    if (word == WORD_TRUNCATED)
        return PyObject_CallFunction(s_start.pgettext, "ss", "String to return when truncating text",
                                     "%(truncated_text)s\xe2\x80\xa6");
    if (word >= WORD_AM)
        return PyObject_CallFunction(s_start.gettext, "s", messages[word - WORD_AM]);
    if (word >= WORD_MONTH_ALT)
        return s_listed(s_start.months_alt, word - WORD_MONTH_ALT + 1);
    if (word >= WORD_MONTH_AP)
        return s_listed(s_start.months_ap, word - WORD_MONTH_AP + 1);
    if (word >= WORD_MONTH_SHORT_TITLE)
        return s_titled(s_listed(s_start.months_short, word - WORD_MONTH_SHORT_TITLE + 1));
    if (word >= WORD_MONTH_SHORT)
        return s_listed(s_start.months_short, word - WORD_MONTH_SHORT + 1);
    if (word >= WORD_MONTH)
        return s_listed(s_start.months, word - WORD_MONTH + 1);
    if (word >= WORD_WEEKDAY_SHORT)
        return s_listed(s_start.weekdays_short, word - WORD_WEEKDAY_SHORT);
    return s_listed(s_start.weekdays, word);
}
