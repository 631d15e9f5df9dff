#include "worker/py/filters/formats.h"

#include "worker/py/filters/dates.h"
#include "worker/py/filters/numbers.h"

// Constant after formats_start.
static struct {
    bool started;
    formats_django django;
    PyObject *settings; // django.conf.settings
    PyObject *current_zone, *default_zone;
    PyObject *none, *true_, *false_; // as text
    PyObject *date_format, *time_format, *datetime_format;
    PyObject *astimezone;
} s_start;

// "module:name", or NULL with an exception.
static PyObject *
s_import(const char *module, const char *name)
{
    PyObject *from = PyImport_ImportModule(module);
    PyObject *found = from ? PyObject_GetAttrString(from, name) : NULL;
    Py_XDECREF(from);
    return found;
}

static bool
s_import_type(const char *module, const char *name, PyTypeObject **ret_type)
{
    PyObject *found = s_import(module, name);
    *ret_type = (PyTypeObject *)found;
    return found && PyType_Check(found);
}

static bool
s_texts(void)
{
    return (s_start.none = PyUnicode_InternFromString("None")) &&
           (s_start.true_ = PyUnicode_InternFromString("True")) &&
           (s_start.false_ = PyUnicode_InternFromString("False")) &&
           (s_start.date_format = PyUnicode_InternFromString("DATE_FORMAT")) &&
           (s_start.time_format = PyUnicode_InternFromString("TIME_FORMAT")) &&
           (s_start.datetime_format = PyUnicode_InternFromString("DATETIME_FORMAT")) &&
           (s_start.astimezone = PyUnicode_InternFromString("astimezone"));
}

bool
formats_start(void)
{
    if (s_start.started)
        return true;
    s_start.started = s_texts() &&
                      s_import_type("django.utils.safestring", "SafeString", &s_start.django.safe_string) &&
                      s_import_type("decimal", "Decimal", &s_start.django.decimal) &&
                      (s_start.settings = s_import("django.conf", "settings")) &&
                      (s_start.current_zone = s_import("django.utils.timezone", "get_current_timezone")) &&
                      (s_start.default_zone = s_import("django.utils.timezone", "get_default_timezone")) &&
                      language_start() && dates_start();
    return s_start.started;
}

const formats_django *
formats_of_django(void)
{
    return &s_start.django;
}

void
formats_init(formats *self)
{
    *self = (formats){0};
}

void
formats_drop(formats *self)
{
    self->thousands_hold = self->language_holds = false;
    Py_CLEAR(self->zone);
}

void
formats_fini(formats *self)
{
    formats_drop(self);
    language_release(&self->of);
}

static language *
s_language(formats *self)
{
    if (!self->language_holds) {
        language_release(&self->of);
        self->of = language_active();
        self->language_holds = self->of != NULL;
    }
    return self->of;
}

const number_style *
formats_numbers(formats *self, int use_l10n)
{
    language *of = s_language(self);
    return of ? language_numbers(of, use_l10n) : NULL;
}

PyObject *
formats_pattern(formats *self, PyObject *name, int use_l10n)
{
    language *of = s_language(self);
    return of ? language_pattern(of, name, use_l10n) : NULL;
}

PyObject *
formats_word(formats *self, unsigned word)
{
    language *of = s_language(self);
    return of ? language_word(of, word) : NULL;
}

// settings.USE_THOUSAND_SEPARATOR. -1 with an exception.
static int
s_thousands(formats *self)
{
    if (self->thousands_hold)
        return self->thousands;
    int thousands = language_thousands();
    self->thousands_hold = thousands >= 0;
    self->thousands = thousands > 0;
    return thousands;
}

PyObject *
formats_default_zone(void)
{
    return PyObject_CallNoArgs(s_start.default_zone);
}

// settings.USE_TZ if the context does not say. -1 with an exception.
static int
s_wants_local(int use_tz)
{
    if (use_tz != FORMATS_UNSET)
        return use_tz;
    PyObject *setting = PyObject_GetAttrString(s_start.settings, "USE_TZ");
    int truth = setting ? PyObject_IsTrue(setting) : -1;
    Py_XDECREF(setting);
    return truth;
}

PyObject *
formats_localtime(formats *self, PyObject *value, int use_tz)
{
    dates_kind kind = dates_kind_of(value);
    if (kind != DATES_DATETIME)
        return kind == DATES_NONE && dates_may_be_datetime(value) ? NULL : Py_NewRef(value);
    PyObject *zone = dates_zone(value);
    if (zone == Py_None)
        return Py_NewRef(value);
    if (!dates_zone_is_ours(zone))
        return NULL;
    int wanted = s_wants_local(use_tz);
    if (wanted <= 0)
        return wanted < 0 ? NULL : Py_NewRef(value);
    if (!self->zone && !(self->zone = PyObject_CallNoArgs(s_start.current_zone)))
        return NULL;
    return PyObject_CallMethodOneArg(value, s_start.astimezone, self->zone);
}

static PyObject *
s_localize_float(formats *self, PyObject *value, int use_l10n)
{
    digits number;
    if (use_l10n == 0)
        return PyObject_Str(value);
    if (!numbers_of_object(value, &number))
        return NULL;
    const number_style *style = formats_numbers(self, use_l10n);
    if (!style || style->odd)
        return NULL;
    return numbers_str(&number, style, style->thousands);
}

// An int without groups is the same in every language, so nothing is looked up for it.
static PyObject *
s_localize_int(formats *self, PyObject *value, int use_l10n)
{
    if (use_l10n == 0)
        return PyObject_Str(value);
    int thousands = s_thousands(self);
    if (thousands < 0)
        return NULL;
    return thousands ? s_localize_float(self, value, use_l10n) : PyObject_Str(value);
}

static PyObject *
s_localize_date(formats *self, PyObject *value, PyObject *name, bool times_only, int use_l10n)
{
    PyObject *pattern = formats_pattern(self, name, use_l10n);
    PyObject *text = pattern ? dates_format(self, value, pattern, times_only) : NULL;
    Py_XDECREF(pattern);
    return text;
}

static PyObject *
s_localize_datetime(formats *self, PyObject *value, int use_l10n, int use_tz)
{
    PyObject *local = formats_localtime(self, value, use_tz);
    PyObject *text = local ? s_localize_date(self, local, s_start.datetime_format, false, use_l10n) : NULL;
    Py_XDECREF(local);
    return text;
}

PyObject *
formats_localize(formats *self, PyObject *value, int use_l10n, int use_tz)
{
    if (PyLong_CheckExact(value))
        return s_localize_int(self, value, use_l10n);
    if (PyFloat_CheckExact(value) || Py_IS_TYPE(value, s_start.django.decimal))
        return s_localize_float(self, value, use_l10n);
    if (value == Py_None)
        return Py_NewRef(s_start.none);
    if (PyBool_Check(value))
        return Py_NewRef(value == Py_True ? s_start.true_ : s_start.false_);
    switch (dates_kind_of(value)) {
    case DATES_DATETIME:
        return s_localize_datetime(self, value, use_l10n, use_tz);
    case DATES_DATE:
        return s_localize_date(self, value, s_start.date_format, false, use_l10n);
    case DATES_TIME:
        return s_localize_date(self, value, s_start.time_format, true, use_l10n);
    case DATES_NONE:
        break;
    }
    return NULL;
}
