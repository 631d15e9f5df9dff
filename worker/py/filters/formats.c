// What settings, language and time zone say, cached for one rendering. The lookups are Python calls
// that cost more than formatting a value.
#include "worker/py/filters/formats.h"

// Constant after formats_start.
static struct {
    bool started;
    formats_django django;
    PyObject *settings; // django.conf.settings
    PyObject *current_zone, *default_zone;
} s_start;

// Imports a class. False with an exception, or if it is not a class.
static bool
s_import_type(const char *module, const char *name, PyTypeObject **ret_type)
{
    PyObject *found = python_import(module, name);
    *ret_type = (PyTypeObject *)found;
    return found && PyType_Check(found);
}

// A start that failed may be repeated: `started` is set only when everything was found.
bool
formats_start(void)
{
    if (s_start.started)
        return true;
    s_start.started =
        s_import_type("django.utils.safestring", "SafeString", &s_start.django.safe_string) &&
        s_import_type("decimal", "Decimal", &s_start.django.decimal) &&
        (s_start.settings = python_import("django.conf", "settings")) &&
        (s_start.current_zone = python_import("django.utils.timezone", "get_current_timezone")) &&
        (s_start.default_zone = python_import("django.utils.timezone", "get_default_timezone")) &&
        language_start();
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

// Called after every callback into Python. The language's reference is given up at the next lookup,
// to keep this cheap.
void
formats_drop(formats *self)
{
    self->thousands_hold = self->language_holds = false;
    Py_CLEAR(self->zone);
}

// The language may be freed here, if s_renew has dropped it meanwhile.
void
formats_fini(formats *self)
{
    formats_drop(self);
    language_release(&self->language);
}

// The active language, looked up again only after a drop. Borrowed; NULL with an exception.
static language *
s_language(formats *self)
{
    if (!self->language_holds) {
        language_release(&self->language);
        self->language = language_active();
        self->language_holds = self->language != NULL;
    }
    return self->language;
}

const number_style *
formats_numbers(formats *self, int use_l10n)
{
    language *active = s_language(self);
    return active ? language_numbers(active, use_l10n) : NULL;
}

PyObject *
formats_pattern(formats *self, PyObject *name, int use_l10n)
{
    language *active = s_language(self);
    return active ? language_pattern(active, name, use_l10n) : NULL;
}

PyObject *
formats_word(formats *self, unsigned word)
{
    language *active = s_language(self);
    return active ? language_word(active, word) : NULL;
}

// Kept apart from the language, as ints need nothing else.
int
formats_thousands(formats *self)
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

PyObject *
formats_current_zone(formats *self)
{
    if (!self->zone)
        self->zone = PyObject_CallNoArgs(s_start.current_zone);
    return self->zone;
}

int
formats_use_tz(int use_tz)
{
    if (use_tz != FORMATS_UNSET)
        return use_tz;
    PyObject *setting = PyObject_GetAttrString(s_start.settings, "USE_TZ");
    int truth = setting ? PyObject_IsTrue(setting) : -1;
    Py_XDECREF(setting);
    return truth;
}
