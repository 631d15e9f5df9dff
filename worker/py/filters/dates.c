// Dates and times by a format string: one writer for each format character of
// django.utils.dateformat. Django's table of characters is compared with ours at start-up, so a
// Django that adds one formats all dates itself.
#include "worker/py/filters/dates.h"

#include "worker/py/filters/chars.h"
#include "worker/py/filters/moment.h"

#include <stdlib.h>
#include <string.h>

// Constant after dates_start.
static struct {
    bool knows_characters; // the format characters are those that are written here
    bool pads_years;       // "Y" has four digits (since Django 4.2 or so)
    PyObject *tzname, *dst, *isoformat;
} s_start;

// Appends what one format character stands for. False: left to Django, or an exception is pending.
typedef bool (*writer)(moment *self, chars *out);

// Asks the installed Django instead of looking at its version: for the regular expression of its
// format characters, and whether year 1 is "0001" or "1".
static bool
s_ask_django(void)
{
    PyObject *type = python_import("django.utils.dateformat", "DateFormat");
    PyObject *pattern = python_import("django.utils.dateformat", "re_formatchars");
    PyObject *text = pattern ? PyObject_GetAttrString(pattern, "pattern") : NULL;
    PyObject *date = text ? python_import("datetime", "date") : NULL;
    PyObject *first = date ? PyObject_CallFunction(date, "iii", 1, 1, 1) : NULL;
    PyObject *format = first ? PyObject_CallOneArg(type, first) : NULL;
    PyObject *year = format ? PyObject_CallMethod(format, "Y", NULL) : NULL;
    if (year) {
        s_start.pads_years = PyUnicode_Check(year) && PyUnicode_CompareWithASCIIString(year, "0001") == 0;
        s_start.knows_characters = PyUnicode_CompareWithASCIIString(
                                       text, "(?<!\\\\)([aAbcdDeEfFgGhHiIjlLmMnNoOPrsStTUuwWyYzZ])") == 0;
    }
    Py_XDECREF(type);
    Py_XDECREF(pattern);
    Py_XDECREF(text);
    Py_XDECREF(date);
    Py_XDECREF(first);
    Py_XDECREF(format);
    Py_XDECREF(year);
    return year != NULL;
}

bool
dates_start(void)
{
    return moment_start() && s_ask_django() && (s_start.tzname = PyUnicode_InternFromString("tzname")) &&
           (s_start.dst = PyUnicode_InternFromString("dst")) &&
           (s_start.isoformat = PyUnicode_InternFromString("isoformat"));
}

// Appends and drops a new reference, which may be NULL with an exception.
static bool
s_add_owned(chars *out, PyObject *text)
{
    bool ok = text && PyUnicode_Check(text);
    if (ok)
        chars_add_text(out, text);
    Py_XDECREF(text);
    return ok;
}

// Appends a translated word; false: Django must do it, or an exception.
static bool
s_add_word(moment *self, chars *out, unsigned word)
{
    PyObject *text = formats_word(self->formats, word);
    if (text)
        chars_add_text(out, text);
    return text != NULL;
}

// Each writer is named after its character; `s_upper_` for capitals. A comment says what it writes and where
// Django has a rule of its own.

// a.m. or p.m., translated
static bool
s_a(moment *self, chars *out)
{
    return s_add_word(self, out, self->hour > 11 ? WORD_PM : WORD_AM);
}

// AM or PM, translated
static bool
s_upper_a(moment *self, chars *out)
{
    return s_add_word(self, out, self->hour > 11 ? WORD_PM_UPPER : WORD_AM_UPPER);
}

// jan: the month in three lower-case letters
static bool
s_b(moment *self, chars *out)
{
    return s_add_word(self, out, WORD_MONTH_SHORT + (unsigned)self->month - 1);
}

// ISO 8601, by isoformat(): the tzinfo's utcoffset() must not be code of the project.
static bool
s_c(moment *self, chars *out)
{
    if (self->kind != MOMENT_DATE && !moment_naive(self) && !moment_zone_is_known(moment_zone(self->value)))
        return false;
    return s_add_owned(out, PyObject_CallMethodNoArgs(self->value, s_start.isoformat));
}

// 01 to 31
static bool
s_d(moment *self, chars *out)
{
    chars_add_number(out, self->day, 2);
    return true;
}

// Fri: the weekday, short
static bool
s_upper_d(moment *self, chars *out)
{
    return s_add_word(self, out, WORD_WEEKDAY_SHORT + (unsigned)self->weekday);
}

// The zone's name. Django writes "" where the datetime is naive or its hour is ambiguous, and for a
// time.
static bool
s_e(moment *self, chars *out)
{
    if (self->kind == MOMENT_TIME || moment_naive(self))
        return true;
    if (!moment_find_offset(self))
        return false;
    PyObject *name = PyObject_CallMethodNoArgs(self->value, s_start.tzname);
    if (name != Py_None)
        return s_add_owned(out, name);
    Py_DECREF(name);
    return true;
}

// The month as it stands in a date, in languages that inflect it
static bool
s_upper_e(moment *self, chars *out)
{
    return s_add_word(self, out, WORD_MONTH_ALT + (unsigned)self->month - 1);
}

// 1 to 12
static bool
s_g(moment *self, chars *out)
{
    chars_add_number(out, self->hour % 12 ? self->hour % 12 : 12, 0);
    return true;
}

// 1:30: hours and minutes of a 12-hour clock; the minutes are left out if zero
static bool
s_f(moment *self, chars *out)
{
    s_g(self, out);
    if (self->minute == 0)
        return true;
    chars_add(out, ':');
    chars_add_number(out, self->minute, 2);
    return true;
}

// January
static bool
s_upper_f(moment *self, chars *out)
{
    return s_add_word(self, out, WORD_MONTH + (unsigned)self->month - 1);
}

// 0 to 23
static bool
s_upper_g(moment *self, chars *out)
{
    chars_add_number(out, self->hour, 0);
    return true;
}

// 01 to 12
static bool
s_h(moment *self, chars *out)
{
    chars_add_number(out, self->hour % 12 ? self->hour % 12 : 12, 2);
    return true;
}

// 00 to 23
static bool
s_upper_h(moment *self, chars *out)
{
    chars_add_number(out, self->hour, 2);
    return true;
}

// 00 to 59: minutes
static bool
s_i(moment *self, chars *out)
{
    chars_add_number(out, self->minute, 2);
    return true;
}

// 1 in daylight saving time, else 0. A zone that does not know (None) counts as 0.
static bool
s_upper_i(moment *self, chars *out)
{
    if (!moment_find_offset(self))
        return false;
    PyObject *dst = PyObject_CallMethodOneArg(self->zone, s_start.dst, self->value);
    int summer = dst ? PyObject_IsTrue(dst) : -1;
    Py_XDECREF(dst);
    chars_add(out, summer > 0 ? '1' : '0');
    return summer >= 0;
}

// 1 to 31
static bool
s_j(moment *self, chars *out)
{
    chars_add_number(out, self->day, 0);
    return true;
}

// Friday
static bool
s_l(moment *self, chars *out)
{
    return s_add_word(self, out, WORD_WEEKDAY + (unsigned)self->weekday);
}

// True in a leap year: Django writes str() of a bool.
static bool
s_upper_l(moment *self, chars *out)
{
    chars_add_ascii(out, moment_leap(self->year) ? "True" : "False");
    return true;
}

// 01 to 12: the month
static bool
s_m(moment *self, chars *out)
{
    chars_add_number(out, self->month, 2);
    return true;
}

// Jan
static bool
s_upper_m(moment *self, chars *out)
{
    return s_add_word(self, out, WORD_MONTH_SHORT_TITLE + (unsigned)self->month - 1);
}

// 1 to 12: the month
static bool
s_n(moment *self, chars *out)
{
    chars_add_number(out, self->month, 0);
    return true;
}

// The month as the Associated Press abbreviates it
static bool
s_upper_n(moment *self, chars *out)
{
    return s_add_word(self, out, WORD_MONTH_AP + (unsigned)self->month - 1);
}

// The year that the ISO week belongs to
static bool
s_o(moment *self, chars *out)
{
    int year;
    moment_iso_week(self, &year);
    chars_add_number(out, year, 0);
    return true;
}

// +0200: seconds of an offset, which some historical zones have, are left out.
static void
s_add_offset(const moment *self, chars *out)
{
    long seconds = labs(self->offset);
    chars_add(out, self->offset < 0 ? '-' : '+');
    chars_add_number(out, seconds / 3600, 2);
    chars_add_number(out, seconds / 60 % 60, 2);
}

// The offset from UTC; "" for a time
static bool
s_upper_o(moment *self, chars *out)
{
    if (self->kind == MOMENT_TIME)
        return true;
    if (!moment_find_offset(self))
        return false;
    s_add_offset(self, out);
    return true;
}

// 1:30 p.m., midnight or noon
static bool
s_upper_p(moment *self, chars *out)
{
    if (self->minute == 0 && self->hour % 12 == 0)
        return s_add_word(self, out, self->hour ? WORD_NOON : WORD_MIDNIGHT);
    s_f(self, out);
    chars_add(out, ' ');
    return s_a(self, out);
}

// RFC 5322, as in an e-mail's header, and therefore always in English. Left to Django: a naive
// datetime, and an offset with seconds in it, which s_add_offset would leave out.
static bool
s_r(moment *self, chars *out)
{
    static const char days[] = "MonTueWedThuFriSatSun";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (self->kind != MOMENT_DATETIME || moment_naive(self) || !moment_find_offset(self) ||
        self->offset % 60 != 0)
        return false;
    for (int i = 0; i < 3; i++)
        chars_add(out, (unsigned char)days[self->weekday * 3 + i]);
    chars_add_ascii(out, ", ");
    chars_add_number(out, self->day, 2);
    chars_add(out, ' ');
    for (int i = 0; i < 3; i++)
        chars_add(out, (unsigned char)months[(self->month - 1) * 3 + i]);
    chars_add(out, ' ');
    chars_add_number(out, self->year, 4);
    const int clock[] = {self->hour, self->minute, self->second};
    for (int i = 0; i < 3; i++) {
        chars_add(out, i == 0 ? ' ' : ':');
        chars_add_number(out, clock[i], 2);
    }
    chars_add(out, ' ');
    s_add_offset(self, out);
    return true;
}

// 00 to 59: seconds
static bool
s_s(moment *self, chars *out)
{
    chars_add_number(out, self->second, 2);
    return true;
}

// st, nd, rd, th: English, and not translated
static bool
s_upper_s(moment *self, chars *out)
{
    int last = self->day / 10 == 1 ? 0 : self->day % 10;
    chars_add_ascii(out, last == 1 ? "st" : last == 2 ? "nd" : last == 3 ? "rd" : "th");
    return true;
}

// 28 to 31: the length of the month
static bool
s_t(moment *self, chars *out)
{
    chars_add_number(out, moment_month_length(self->year, self->month), 0);
    return true;
}

// The zone's abbreviation; "" for a time
static bool
s_upper_t(moment *self, chars *out)
{
    if (self->kind == MOMENT_TIME)
        return true;
    if (!moment_find_offset(self))
        return false;
    return s_add_owned(out, PyObject_CallMethodOneArg(self->zone, s_start.tzname, self->value));
}

// Microseconds, six digits
static bool
s_u(moment *self, chars *out)
{
    chars_add_number(out, self->microsecond, 6);
    return true;
}

// Seconds since 1970. Django's versions differ in how they round microseconds and in what a naive
// time means, so those are left to Django.
static bool
s_upper_u(moment *self, chars *out)
{
    if (self->kind != MOMENT_DATETIME || moment_naive(self) || self->microsecond || !moment_find_offset(self))
        return false;
    long days = moment_days_before_year(self->year) + self->yearday - 1 - moment_days_before_year(1970);
    chars_add_number(out,
                     days * 86400 + self->hour * 3600L + self->minute * 60L + self->second - self->offset, 0);
    return true;
}

// 0 (Sunday) to 6
static bool
s_w(moment *self, chars *out)
{
    chars_add_number(out, (self->weekday + 1) % 7, 0);
    return true;
}

// The ISO week of the year
static bool
s_upper_w(moment *self, chars *out)
{
    int year;
    chars_add_number(out, moment_iso_week(self, &year), 0);
    return true;
}

// Two digits of the year
static bool
s_y(moment *self, chars *out)
{
    chars_add_number(out, self->year % 100, 2);
    return true;
}

// The year
static bool
s_upper_y(moment *self, chars *out)
{
    chars_add_number(out, self->year, s_start.pads_years ? 4 : 0);
    return true;
}

// The day of the year, from 1
static bool
s_z(moment *self, chars *out)
{
    chars_add_number(out, self->yearday, 0);
    return true;
}

// The offset from UTC in seconds; "" for a time
static bool
s_upper_z(moment *self, chars *out)
{
    if (self->kind == MOMENT_TIME)
        return true;
    if (!moment_find_offset(self))
        return false;
    chars_add_number(out, self->offset, 0);
    return true;
}

// What a character needs of the value. One that a value cannot answer is left to Django, which
// raises TypeError or lets the filter give "".
enum { DAY = 1, CLOCK = 2, ANY = 0 };

static const struct {
    unsigned char needs;
    writer write;
} s_characters[128] = {
    ['a'] = {CLOCK, s_a},       ['A'] = {CLOCK, s_upper_a},
    ['b'] = {DAY, s_b},         ['c'] = {ANY, s_c},
    ['d'] = {DAY, s_d},         ['D'] = {DAY, s_upper_d},
    ['e'] = {CLOCK, s_e},       ['E'] = {DAY, s_upper_e},
    ['f'] = {CLOCK, s_f},       ['F'] = {DAY, s_upper_f},
    ['g'] = {CLOCK, s_g},       ['G'] = {CLOCK, s_upper_g},
    ['h'] = {CLOCK, s_h},       ['H'] = {CLOCK, s_upper_h},
    ['i'] = {CLOCK, s_i},       ['I'] = {DAY | CLOCK, s_upper_i},
    ['j'] = {DAY, s_j},         ['l'] = {DAY, s_l},
    ['L'] = {DAY, s_upper_l},   ['m'] = {DAY, s_m},
    ['M'] = {DAY, s_upper_m},   ['n'] = {DAY, s_n},
    ['N'] = {DAY, s_upper_n},   ['o'] = {DAY, s_o},
    ['O'] = {CLOCK, s_upper_o}, ['P'] = {CLOCK, s_upper_p},
    ['r'] = {DAY | CLOCK, s_r}, ['s'] = {CLOCK, s_s},
    ['S'] = {DAY, s_upper_s},   ['t'] = {DAY, s_t},
    ['T'] = {CLOCK, s_upper_t}, ['U'] = {DAY | CLOCK, s_upper_u},
    ['u'] = {CLOCK, s_u},       ['w'] = {DAY, s_w},
    ['W'] = {DAY, s_upper_w},   ['y'] = {DAY, s_y},
    ['Y'] = {DAY, s_upper_y},   ['z'] = {DAY, s_z},
    ['Z'] = {CLOCK, s_upper_z},
};

// The characters of dateformat.TimeFormat, the only ones that the `time` filter writes.
static const char s_of_time[] = "aAefgGhHiOPsTuZ";

// One format character. False: the value has nothing for it, or its writer left it to Django.
static bool
s_write(moment *self, Py_UCS4 character, bool times_only, chars *out)
{
    static const unsigned has[] = {
        [MOMENT_NONE] = 0, [MOMENT_DATE] = DAY, [MOMENT_TIME] = CLOCK, [MOMENT_DATETIME] = DAY | CLOCK};
    if (s_characters[character].needs & ~has[self->kind])
        return false;
    if (times_only && !strchr(s_of_time, (int)character))
        return false;
    return s_characters[character].write(self, out);
}

// Whether a format character starts here. One after a backslash does not: it is the look-behind in
// Django's regular expression, which looks at one character only.
static bool
s_is_format(const void *data, int kind, Py_ssize_t position)
{
    Py_UCS4 character = PyUnicode_READ(kind, data, position);
    return character < 128 && s_characters[character].write &&
           (position == 0 || PyUnicode_READ(kind, data, position - 1) != '\\');
}

// The pattern from left to right. Django removes backslashes from the text between format
// characters by a second regular expression, in which "." does not match a newline.
static bool
s_write_all(moment *self, PyObject *pattern, bool times_only, chars *out)
{
    int kind = (int)PyUnicode_KIND(pattern);
    const void *data = PyUnicode_DATA(pattern);
    Py_ssize_t size = PyUnicode_GET_LENGTH(pattern);
    for (Py_ssize_t i = 0; i < size; i++) {
        Py_UCS4 character = PyUnicode_READ(kind, data, i);
        if (s_is_format(data, kind, i)) {
            if (!s_write(self, character, times_only, out))
                return false;
            continue;
        }
        // A backslash goes and what follows it stays, unless that is nothing or a newline.
        if (character == '\\' && i + 1 < size && PyUnicode_READ(kind, data, i + 1) != '\n')
            character = PyUnicode_READ(kind, data, ++i);
        chars_add(out, character);
    }
    return true;
}

PyObject *
dates_format(formats *formats, PyObject *value, PyObject *pattern, bool times_only)
{
    moment self;
    moment_init(&self, formats, value);
    if (self.kind == MOMENT_NONE || !s_start.knows_characters)
        return NULL;
    chars out;
    chars_init(&out);
    PyObject *text = s_write_all(&self, pattern, times_only, &out) ? chars_str(&out) : NULL;
    chars_fini(&out);
    moment_fini(&self);
    return text;
}
