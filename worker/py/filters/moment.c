// A date, time or datetime taken apart by CPython's C API for datetime, without calling Python but
// for the zone's offset.
#include "worker/py/filters/moment.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include <datetime.h>
#pragma GCC diagnostic pop

// Constant after moment_start.
static struct {
    PyTypeObject *utc_type;  // datetime.timezone
    PyTypeObject *zone_info; // zoneinfo.ZoneInfo
    PyObject *pytz_types;    // a tuple, or NULL: Django does not use pytz
    PyObject *utcoffset;
} s_start;

// pytz's base classes, where this Django knows them: it supports pytz up to 4.2. False with an
// exception.
static bool
s_pytz(void)
{
    PyObject *found = python_import("django.utils.timezone", "_PYTZ_BASE_CLASSES");
    if (!found && !PyErr_ExceptionMatches(PyExc_AttributeError))
        return false;
    PyErr_Clear();
    if (found && PyTuple_CheckExact(found))
        s_start.pytz_types = found;
    else
        Py_XDECREF(found);
    return true;
}

// PyDateTime_IMPORT sets a static pointer: each file that uses the datetime API needs it.
bool
moment_start(void)
{
    PyDateTime_IMPORT;
    return PyDateTimeAPI && s_pytz() &&
           (s_start.utc_type = (PyTypeObject *)python_import("datetime", "timezone")) &&
           (s_start.zone_info = (PyTypeObject *)python_import("zoneinfo", "ZoneInfo")) &&
           (s_start.utcoffset = PyUnicode_InternFromString("utcoffset"));
}

// datetime is a subclass of date, which PyDate_CheckExact does not match.
moment_kind
moment_kind_of(PyObject *value)
{
    if (PyDateTime_CheckExact(value))
        return MOMENT_DATETIME;
    if (PyDate_CheckExact(value))
        return MOMENT_DATE;
    return PyTime_CheckExact(value) ? MOMENT_TIME : MOMENT_NONE;
}

bool
moment_may_be_datetime(PyObject *value)
{
    return PyDateTime_Check(value);
}

// Never called for a date, which has no tzinfo.
PyObject *
moment_zone(PyObject *value)
{
    return PyTime_Check(value) ? PyDateTime_TIME_GET_TZINFO(value) : PyDateTime_DATE_GET_TZINFO(value);
}

// datetime.timezone and ZoneInfo by exact type: a subclass may override anything. pytz makes a
// class for each zone, so there the base class decides.
bool
moment_zone_is_known(PyObject *zone)
{
    if (Py_IS_TYPE(zone, s_start.utc_type) || Py_IS_TYPE(zone, s_start.zone_info))
        return true;
    for (Py_ssize_t i = 0; s_start.pytz_types && i < PyTuple_GET_SIZE(s_start.pytz_types); i++) {
        PyObject *type = PyTuple_GET_ITEM(s_start.pytz_types, i);
        if (PyType_Check(type) && PyObject_TypeCheck(zone, (PyTypeObject *)type))
            return true;
    }
    return false;
}

bool
moment_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int
moment_month_length(int year, int month)
{
    static const unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return lengths[month - 1] + (month == 2 && moment_leap(year));
}

// The proleptic Gregorian calendar, as datetime has it.
long
moment_days_before_year(int year)
{
    long past = year - 1;
    return past * 365 + past / 4 - past / 100 + past / 400;
}

// Weekday and day of the year. 1 January of year 1 is a Monday.
static void
s_set_date(moment *self)
{
    self->yearday = self->day;
    for (int month = 1; month < self->month; month++)
        self->yearday += moment_month_length(self->year, month);
    self->weekday = (int)((moment_days_before_year(self->year) + self->yearday - 1) % 7);
}

void
moment_init(moment *self, formats *formats, PyObject *value)
{
    *self = (moment){.formats = formats, .value = value, .kind = moment_kind_of(value)};
    if (self->kind == MOMENT_DATE || self->kind == MOMENT_DATETIME) {
        self->year = PyDateTime_GET_YEAR(value);
        self->month = PyDateTime_GET_MONTH(value);
        self->day = PyDateTime_GET_DAY(value);
        s_set_date(self);
    }
    if (self->kind == MOMENT_DATETIME) {
        self->hour = PyDateTime_DATE_GET_HOUR(value);
        self->minute = PyDateTime_DATE_GET_MINUTE(value);
        self->second = PyDateTime_DATE_GET_SECOND(value);
        self->microsecond = PyDateTime_DATE_GET_MICROSECOND(value);
    }
    if (self->kind == MOMENT_TIME) {
        self->hour = PyDateTime_TIME_GET_HOUR(value);
        self->minute = PyDateTime_TIME_GET_MINUTE(value);
        self->second = PyDateTime_TIME_GET_SECOND(value);
        self->microsecond = PyDateTime_TIME_GET_MICROSECOND(value);
    }
}

// The zone's offset at that time, in seconds: a timedelta's days are negative west of UTC, its
// seconds never. False: none, or an exception.
static bool
s_offset_at(PyObject *zone, PyObject *when, long *ret_seconds)
{
    PyObject *delta = PyObject_CallMethodOneArg(zone, s_start.utcoffset, when);
    bool ok = delta && PyDelta_Check(delta);
    if (ok)
        *ret_seconds = PyDateTime_DELTA_GET_DAYS(delta) * 86400L + PyDateTime_DELTA_GET_SECONDS(delta);
    Py_XDECREF(delta);
    return ok;
}

// Whether the local time exists exactly once. django.utils.dateformat asks for the offset with the
// other fold, and writes no zone where that differs: in the hour that a change of clocks repeats or
// skips.
static bool
s_once(const moment *self, PyObject *zone)
{
    if (!Py_IS_TYPE(zone, s_start.zone_info))
        // A fixed offset, or a zone of pytz, which ignores the fold.
        return true;
    PyObject *other = PyDateTimeAPI->DateTime_FromDateAndTimeAndFold(
        self->year, self->month, self->day, self->hour, self->minute, self->second, self->microsecond,
        moment_zone(self->value), !PyDateTime_DATE_GET_FOLD(self->value), PyDateTimeAPI->DateTimeType);
    long offset;
    bool once = other && s_offset_at(zone, other, &offset) && offset == self->offset;
    Py_XDECREF(other);
    return once;
}

bool
moment_naive(const moment *self)
{
    return moment_zone(self->value) == Py_None;
}

// A naive datetime takes the default zone, whose reference must outlive the moment: it is held.
bool
moment_find_offset(moment *self)
{
    if (self->has_offset)
        return true;
    PyObject *zone = moment_zone(self->value);
    if (zone == Py_None) {
        if (!(self->held = formats_default_zone()))
            return false;
        zone = self->held;
        if (!Py_IS_TYPE(zone, s_start.zone_info))
            return false;
    }
    self->zone = zone;
    self->has_offset =
        moment_zone_is_known(zone) && s_offset_at(zone, self->value, &self->offset) && s_once(self, zone);
    return self->has_offset;
}

// Counted from the Thursday of the week, which decides which year a week belongs to.
int
moment_iso_week(const moment *self, int *ret_year)
{
    int week = (self->yearday - self->weekday + 9) / 7;
    *ret_year = self->year;
    int days = moment_leap(self->year) ? 366 : 365;
    if (week < 1) {
        *ret_year = self->year - 1;
        return (self->yearday + (moment_leap(self->year - 1) ? 366 : 365) - self->weekday + 9) / 7;
    }
    if (self->yearday - self->weekday + 3 > days) {
        *ret_year = self->year + 1;
        return 1;
    }
    return week;
}

void
moment_fini(moment *self)
{
    Py_CLEAR(self->held);
}
