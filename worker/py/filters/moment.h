// moment - a date, time or datetime taken apart, with its place in the calendar and its zone's offset. Of
// dates.c.
#ifndef TROUPE_WORKER_PY_FILTERS_MOMENT_H
#define TROUPE_WORKER_PY_FILTERS_MOMENT_H

#include "worker/py/filters/dates.h"
#include "worker/py/filters/formats.h"
#include "worker/py/python.h"

typedef struct {
    formats *f;
    PyObject *value; // borrowed
    dates_kind kind;
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

// Its kind is DATES_NONE when it is none of the three. Runs no Python.
void moment_init(moment *self, formats *f, PyObject *value);
void moment_fini(moment *self);

// Of a datetime, or of a time: it has no tzinfo.
bool moment_naive(const moment *self);

// Of a datetime. The zone and its offset; for a naive one those of the settings. False with or without an
// exception: not for us. That is so where the hour is there twice or not at all: Django writes no offset
// then.
bool moment_find_offset(moment *self);

// The ISO week, and the year that it belongs to: the one that its Thursday is in.
int moment_iso_week(const moment *self, int *ret_year);

bool moment_leap(int year);
int moment_month_length(int year, int month);

// Days from 1 January of year 1 to that of `year`.
long moment_days_before_year(int year);

#endif
