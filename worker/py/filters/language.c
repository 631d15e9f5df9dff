// What Django knows about each language, looked up in Python once and kept until settings,
// translations or formats change.
#include "worker/py/filters/language.h"

#include "common/errors.h"
#include "worker/py/filters/words.h"

#include <limits.h>
#include <stdlib.h>

// Reference-counted: the table of languages owns one reference, and each rendering that uses it
// another, so that s_renew may drop a language while other threads render in it.
struct language {
    size_t references;
    number_style numbers[3]; // by use_l10n + 1
    PyObject *patterns[3]; // dicts from a format's name to the format, by use_l10n + 1; NULL until asked for
    PyObject *words[WORD_COUNT];
};

// Constant after language_start.
static struct {
    PyObject *settings;     // django.conf.settings
    PyObject *formats;      // django.utils.formats
    PyObject *translations; // django.utils.translation.trans_real
    PyObject *get_format, *get_language;
    PyObject *thousands, *l10n, *l10n_internal, *catalogs, *format_cache; // names
    PyTypeObject *safe_string;
    bool l10n_setting; // settings.USE_L10N counts (before Django 5.0)
} s_start;

// What all languages were looked up with: when one of these changes, they are looked up again.
// Django starts new cache dicts when settings change (in tests), or a translation file (in
// development), so their identity is compared.
typedef struct {
    PyObject *catalogs;     // Django's translations, a dict
    PyObject *format_cache; // Django's formats, a dict
    bool thousands, l10n;
} basis;

static struct {
    basis basis;
    PyObject *languages; // a dict of capsules
} s_known;

static const char s_capsule[] = "troupe.language";

// Django before 5.0, where settings.USE_L10N counts. False with an exception.
static bool
s_old_django(bool *ret_old)
{
    PyObject *version = python_import("django", "VERSION");
    PyObject *major = version ? PySequence_GetItem(version, 0) : NULL;
    *ret_old = major && PyLong_AsLong(major) < 5;
    Py_XDECREF(version);
    Py_XDECREF(major);
    return !PyErr_Occurred();
}

bool
language_start(void)
{
    return s_old_django(&s_start.l10n_setting) && words_start() &&
           (s_start.settings = python_import("django.conf", "settings")) &&
           (s_start.formats = PyImport_ImportModule("django.utils.formats")) &&
           (s_start.translations = PyImport_ImportModule("django.utils.translation.trans_real")) &&
           (s_start.get_format = python_import("django.utils.formats", "get_format")) &&
           (s_start.get_language = python_import("django.utils.translation", "get_language")) &&
           (s_start.safe_string = (PyTypeObject *)python_import("django.utils.safestring", "SafeString")) &&
           (s_start.thousands = PyUnicode_InternFromString("USE_THOUSAND_SEPARATOR")) &&
           (s_start.l10n = PyUnicode_InternFromString("USE_L10N")) &&
           (s_start.l10n_internal = PyUnicode_InternFromString("_USE_L10N_INTERNAL")) &&
           (s_start.catalogs = PyUnicode_InternFromString("_translations")) &&
           (s_start.format_cache = PyUnicode_InternFromString("_format_cache"));
}

// The truth of a setting. -1 with an exception.
static int
s_setting(PyObject *name)
{
    PyObject *setting = PyObject_GetAttr(s_start.settings, name);
    int truth = setting ? PyObject_IsTrue(setting) : -1;
    Py_XDECREF(setting);
    return truth;
}

// settings.USE_L10N, which counts before Django 5.0, read as Django's own code does: without its deprecation
// warning. -1 with an exception.
static int
s_use_l10n(void)
{
    if (!s_start.l10n_setting)
        return 1;
    int truth = s_setting(s_start.l10n_internal);
    if (truth >= 0 || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return truth;
    PyErr_Clear();
    return s_setting(s_start.l10n);
}

int
language_thousands(void)
{
    return s_setting(s_start.thousands);
}

// Drops the references to Django's caches.
static void
s_basis_clear(basis *self)
{
    Py_CLEAR(self->catalogs);
    Py_CLEAR(self->format_cache);
}

// What languages would be looked up with now; the new references are the caller's. False with an
// exception.
static bool
s_basis_now(basis *ret_basis)
{
    int thousands = s_setting(s_start.thousands);
    int l10n = thousands < 0 ? -1 : s_use_l10n();
    if (l10n < 0)
        return false;
    *ret_basis = (basis){.thousands = thousands, .l10n = l10n};
    ret_basis->catalogs = PyObject_GetAttr(s_start.translations, s_start.catalogs);
    ret_basis->format_cache =
        ret_basis->catalogs ? PyObject_GetAttr(s_start.formats, s_start.format_cache) : NULL;
    if (!ret_basis->format_cache)
        s_basis_clear(ret_basis);
    return ret_basis->format_cache != NULL;
}

// Whether nothing has changed. The held references keep the old dicts' addresses from being used
// again.
static bool
s_basis_holds(const basis *now)
{
    const basis *known = &s_known.basis;
    return now->catalogs == known->catalogs && now->format_cache == known->format_cache &&
           now->thousands == known->thousands && now->l10n == known->l10n;
}

// Forgets every language if they were looked up with something else. The new table is in place
// before the old one is dropped, which may run destructors. False with an exception.
static bool
s_renew(void)
{
    basis now;
    if (!s_basis_now(&now))
        return false;
    if (s_known.languages && s_basis_holds(&now)) {
        s_basis_clear(&now);
        return true;
    }
    PyObject *none = PyDict_New();
    if (!none) {
        s_basis_clear(&now);
        return false;
    }
    basis before = s_known.basis;
    PyObject *languages = s_known.languages;
    s_known.basis = now;
    s_known.languages = none;
    s_basis_clear(&before);
    Py_XDECREF(languages);
    return true;
}

// Drops the references; `known` stays, as the language is being freed.
static void
s_number_style_clear(number_style *self)
{
    Py_CLEAR(self->point);
    Py_CLEAR(self->comma);
}

void
language_release(language **self_p)
{
    language *self = *self_p;
    *self_p = NULL;
    if (!self || --self->references > 0)
        return;
    for (unsigned i = 0; i < 3; i++) {
        s_number_style_clear(&self->numbers[i]);
        Py_CLEAR(self->patterns[i]);
    }
    for (unsigned i = 0; i < WORD_COUNT; i++)
        Py_CLEAR(self->words[i]);
    free(self);
}

// The capsule's destructor: the table's reference goes with it.
static void
s_capsule_gone(PyObject *capsule)
{
    language *self = PyCapsule_GetPointer(capsule, s_capsule);
    language_release(&self);
}

// A new language with nothing looked up yet. The table owns it; NULL with an exception.
static language *
s_add(PyObject *name)
{
    language *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->references = 1;
    PyObject *capsule = PyCapsule_New(self, s_capsule, s_capsule_gone);
    if (!capsule) {
        language_release(&self);
        return NULL;
    }
    bool ok = PyDict_SetItem(s_known.languages, name, capsule) == 0;
    Py_DECREF(capsule);
    return ok ? self : NULL;
}

language *
language_active(void)
{
    PyObject *name = PyObject_CallNoArgs(s_start.get_language);
    if (!name || !s_renew()) {
        Py_XDECREF(name);
        return NULL;
    }
    PyObject *capsule = PyDict_GetItemWithError(s_known.languages, name);
    language *self = NULL;
    if (capsule)
        self = PyCapsule_GetPointer(capsule, s_capsule);
    else if (!PyErr_Occurred())
        self = s_add(name);
    Py_DECREF(name);
    if (self)
        self->references++;
    return self;
}

// django.utils.formats.get_format(name). New reference.
static PyObject *
s_get_format(PyObject *name, int use_l10n)
{
    PyObject *localized = use_l10n == FORMATS_UNSET ? Py_None : use_l10n ? Py_True : Py_False;
    return PyObject_CallFunctionObjArgs(s_start.get_format, name, Py_None, localized, NULL);
}

// The same for a C string.
static PyObject *
s_get_format_named(const char *name, int use_l10n)
{
    PyObject *text = PyUnicode_FromString(name);
    PyObject *found = text ? s_get_format(text, use_l10n) : NULL;
    Py_XDECREF(text);
    return found;
}

// Appends one group size. 0 means "as the one before" after another size, and "no groups" as the
// first. False: of another kind, or there are too many.
static bool
s_add_size(number_style *style, PyObject *size)
{
    int overflow = 0;
    long count = PyLong_CheckExact(size) ? PyLong_AsLongAndOverflow(size, &overflow) : -1;
    if (overflow || count < 0 || count > UCHAR_MAX || style->size_count == sizeof style->sizes)
        return false;
    if (count == 0 && style->size_count > 0)
        count = style->sizes[style->size_count - 1];
    style->sizes[style->size_count++] = (unsigned char)count;
    return true;
}

// NUMBER_GROUPING: one size, or a sequence of them (India's is (3, 2, 0)). False: of another kind.
static bool
s_grouping(number_style *style, PyObject *grouping)
{
    style->size_count = 0;
    style->grouped = true;
    if (PyLong_CheckExact(grouping)) {
        bool ok = s_add_size(style, grouping);
        style->grouped = ok && style->sizes[0] != 0;
        return ok;
    }
    if (!PyTuple_CheckExact(grouping) && !PyList_CheckExact(grouping))
        return false;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(grouping); i++)
        if (!s_add_size(style, PySequence_Fast_GET_ITEM(grouping, i)))
            return false;
    return style->size_count > 0;
}

// Whether numbers are localized: use_l10n, or by default the setting; from Django 5.0 on always. -1
// with an exception.
static int
s_localized(int use_l10n)
{
    if (use_l10n != FORMATS_UNSET)
        return use_l10n != 0;
    return s_start.l10n_setting ? s_setting(s_start.l10n) : 1;
}

// Fills style with separators and grouping. Asking Django may let another thread run, which may
// fill it meanwhile: the first one wins, since pointers into it may be out already. False with an
// exception.
static bool
s_look_up_numbers(number_style *style, int use_l10n)
{
    PyObject *point = s_get_format_named("DECIMAL_SEPARATOR", use_l10n);
    PyObject *grouping = point ? s_get_format_named("NUMBER_GROUPING", use_l10n) : NULL;
    PyObject *comma = grouping ? s_get_format_named("THOUSAND_SEPARATOR", use_l10n) : NULL;
    int thousands = comma ? s_setting(s_start.thousands) : -1;
    int localized = thousands < 0 ? -1 : s_localized(use_l10n);
    bool ok = localized >= 0;
    if (ok && !style->known) {
        style->thousands = localized && thousands;
        style->odd =
            !PyUnicode_CheckExact(point) || !PyUnicode_CheckExact(comma) || !s_grouping(style, grouping);
        style->point = Py_NewRef(point);
        style->comma = Py_NewRef(comma);
        style->known = true;
    }
    Py_XDECREF(point);
    Py_XDECREF(grouping);
    Py_XDECREF(comma);
    return ok;
}

const number_style *
language_numbers(language *self, int use_l10n)
{
    number_style *style = &self->numbers[use_l10n + 1];
    return style->known || s_look_up_numbers(style, use_l10n) ? style : NULL;
}

// Formats may come out of data ({{ day|date:row.format }}), so that a cache of them is emptied when
// it is full. A value that is no text, which a project's format module may define, is left to
// Django.
PyObject *
language_pattern(language *self, PyObject *name, int use_l10n)
{
    enum { MANY = 64 };
    PyObject **known = &self->patterns[use_l10n + 1];
    PyObject *pattern = *known ? PyDict_GetItemWithError(*known, name) : NULL;
    if (pattern || PyErr_Occurred())
        return Py_XNewRef(pattern);
    pattern = s_get_format(name, use_l10n);
    if (!pattern)
        return NULL;
    if (!*known || PyDict_GET_SIZE(*known) >= MANY)
        Py_XSETREF(*known, PyDict_New());
    bool plain = PyUnicode_CheckExact(pattern) || Py_IS_TYPE(pattern, s_start.safe_string);
    if (!plain || !*known || PyDict_SetItem(*known, name, pattern) < 0)
        Py_CLEAR(pattern);
    return pattern;
}

// The first thread to translate a word wins: a pointer to it may be borrowed already.
PyObject *
language_word(language *self, unsigned word)
{
    ASSERT(word < WORD_COUNT);
    if (!self->words[word]) {
        PyObject *text = words_translate(word);
        if (text && !self->words[word])
            self->words[word] = Py_NewRef(text);
        Py_XDECREF(text);
        if (!text)
            return NULL;
    }
    return PyUnicode_CheckExact(self->words[word]) ? self->words[word] : NULL;
}
