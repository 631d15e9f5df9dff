// moment - the fields of a date, time or datetime, its place in the calendar and its zone's offset. For
// dates.c; the kinds are for all filters.
#ifndef TROUPE_WORKER_PY_FILTERS_MOMENT_H
#define TROUPE_WORKER_PY_FILTERS_MOMENT_H

#include "worker/py/filters/formats.h"
#include "worker/py/python.h"

typedef enum {
    MOMENT_NONE, // of no exact type of these
    MOMENT_DATE,
    MOMENT_TIME,
    MOMENT_DATETIME
} moment_kind;

// Never runs Python.
moment_kind moment_kind_of(PyObject *value);

// A datetime's or a time's tzinfo, or None. Borrowed.
PyObject *moment_zone(PyObject *value);

// Whether it is a datetime, of a subclass perhaps.
bool moment_may_be_datetime(PyObject *value);

// Whether a tzinfo is of the standard library, or of pytz where Django supports that: then it runs no code of
// the project.
bool moment_zone_is_known(PyObject *zone);

typedef struct {
    formats *formats;
    PyObject *value; // borrowed
    moment_kind kind;
    int year, month, day;                  // of a date or datetime
    int hour, minute, second, microsecond; // of a time or datetime, else 0
    int weekday;                           // from Monday, 0
    int yearday;                           // from 1
    bool has_offset;
    PyObject *zone; // borrowed; once has_offset
    PyObject *held; // our reference to it, where there is one
    long offset;    // of the zone, in seconds; once has_offset
} moment;

// Once a process. False with an exception.
bool moment_start(void);

// Its kind is MOMENT_NONE when it is none of the three. Runs no Python.
void moment_init(moment *self, formats *formats, PyObject *value);
void moment_fini(moment *self);

// Whether a datetime or a time has no tzinfo.
bool moment_naive(const moment *self);

// Finds a datetime's zone and offset; for a naive one those of settings.TIME_ZONE. False with or without an
// exception: left to Django. So is a local time that a change of clocks repeats or skips, for which Django
// writes no offset.
bool moment_find_offset(moment *self);

// The ISO week, and the year that it belongs to: the one that its Thursday is in.
int moment_iso_week(const moment *self, int *ret_year);

bool moment_leap(int year);
int moment_month_length(int year, int month);

// Days from 1 January of year 1 to that of `year`.
long moment_days_before_year(int year);

#endif
