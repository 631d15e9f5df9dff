// Native filters of text (django.template.defaultfilters). Most are @stringfilter in Django: they
// work on str(value), and leave a SafeString to Django, since is_safe decides what becomes of it.
#include "worker/py/filters/chars.h"
#include "worker/py/filters/filters_internal.h"

#include "common/errors.h"

#include <string.h>

enum { MAX_WIDTH = 1000000 };

// Constant after filters_text_start.
static struct {
    PyObject *lower, *upper, *title, *ljust, *rjust, *center; // names
    PyObject *empty, *percent, *form;
    PyObject *normalize, *combining; // of unicodedata
    bool center_by_format;           // the odd space of |center goes to the right (since Django 6.0)
} s_start;

// A function of unicodedata. New reference, kept for good.
static PyObject *
s_of_unicodedata(const char *name)
{
    PyObject *module = PyImport_ImportModule("unicodedata");
    PyObject *found = module ? PyObject_GetAttrString(module, name) : NULL;
    Py_XDECREF(module);
    return found;
}

// Asks Django's |center on which side it puts an odd space: str.center() and format() differ, and
// Django changed from one to the other.
static bool
s_ask_center(bool *ret_by_format)
{
    PyObject *module = PyImport_ImportModule("django.template.defaultfilters");
    PyObject *text = module ? PyObject_CallMethod(module, "center", "si", "ab", 5) : NULL;
    *ret_by_format = text && PyUnicode_Check(text) && PyUnicode_GET_LENGTH(text) == 5 &&
                     PyUnicode_READ_CHAR(text, 1) == 'a';
    Py_XDECREF(module);
    Py_XDECREF(text);
    return text != NULL;
}

// Method names are interned once, so that calling them builds no str.
bool
filters_text_start(void)
{
    return (s_start.lower = PyUnicode_InternFromString("lower")) &&
           (s_start.upper = PyUnicode_InternFromString("upper")) &&
           (s_start.title = PyUnicode_InternFromString("title")) &&
           (s_start.ljust = PyUnicode_InternFromString("ljust")) &&
           (s_start.rjust = PyUnicode_InternFromString("rjust")) &&
           (s_start.center = PyUnicode_InternFromString("center")) &&
           (s_start.empty = PyUnicode_InternFromString("")) &&
           (s_start.percent = PyUnicode_InternFromString("%")) &&
           (s_start.form = PyUnicode_InternFromString("NFC")) &&
           (s_start.normalize = s_of_unicodedata("normalize")) &&
           (s_start.combining = s_of_unicodedata("combining")) && s_ask_center(&s_start.center_by_format);
}

// str(value).method(). New reference; NULL: left to Django, or an exception.
static PyObject *
s_method(PyObject *value, PyObject *method)
{
    PyObject *text = filters_text_of(value);
    PyObject *result = text ? PyObject_CallMethodNoArgs(text, method) : NULL;
    Py_XDECREF(text);
    return result;
}

PyObject *
filter_lower(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)arg;
    (void)autoescape;
    return s_method(value, s_start.lower);
}

PyObject *
filter_upper(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)arg;
    (void)autoescape;
    return s_method(value, s_start.upper);
}

// One character may become two in upper case ("ß"), so str.upper() does it.
PyObject *
filter_capfirst(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)arg;
    (void)autoescape;
    PyObject *text = filters_text_of(value);
    if (!text || PyUnicode_GET_LENGTH(text) == 0)
        return text;
    PyObject *first = PyUnicode_Substring(text, 0, 1);
    PyObject *capital = first ? PyObject_CallMethodNoArgs(first, s_start.upper) : NULL;
    PyObject *rest = capital ? PyUnicode_Substring(text, 1, PyUnicode_GET_LENGTH(text)) : NULL;
    PyObject *whole = rest ? PyUnicode_Concat(capital, rest) : NULL;
    Py_DECREF(text);
    Py_XDECREF(first);
    Py_XDECREF(capital);
    Py_XDECREF(rest);
    return whole;
}

// Whether str.title() made a capital here that Django makes small again: after a digit, as in "3Rd", or after
// an apostrophe, as in "It'S".
static bool
s_wrong_capital(int kind, const void *data, Py_ssize_t position)
{
    Py_UCS4 here = PyUnicode_READ(kind, data, position);
    if (here < 'A' || here > 'Z' || position == 0)
        return false;
    Py_UCS4 before = PyUnicode_READ(kind, data, position - 1);
    if (Py_UNICODE_ISDECIMAL(before))
        return true;
    Py_UCS4 first = position > 1 ? PyUnicode_READ(kind, data, position - 2) : 0;
    return before == '\'' && first >= 'a' && first <= 'z';
}

// str.title(), then Django's two corrections. Both only turn a letter of ASCII to lower case, so
// the text keeps its length and is corrected in place.
PyObject *
filter_title(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)arg;
    (void)autoescape;
    PyObject *titled = s_method(value, s_start.title);
    if (!titled)
        return NULL;
    chars out;
    chars_init(&out);
    chars_add_text(&out, titled);
    int kind = (int)PyUnicode_KIND(titled);
    const void *data = PyUnicode_DATA(titled);
    bool changed = false;
    for (size_t i = 0; i < out.size; i++)
        if (s_wrong_capital(kind, data, (Py_ssize_t)i)) {
            out.data[i] += 'a' - 'A';
            changed = true;
        }
    if (changed)
        Py_SETREF(titled, chars_str(&out));
    chars_fini(&out);
    return titled;
}

// Whether the character combines with the one before it, and so does not count for |truncatechars.
// unicodedata is asked for 256 code points at a time, once a process; below U+0300 none combines.
static bool
s_combines(Py_UCS4 character)
{
    enum { BLOCK = 256, BLOCKS = 0x110000 / BLOCK };
    static struct {
        bool known;
        bool any;
        uint32_t bits[BLOCK / 32];
    } blocks[BLOCKS];
    if (character < 0x300)
        return false;
    uint32_t in_block = character % BLOCK;
    if (!blocks[character / BLOCK].known) {
        for (Py_UCS4 i = 0; i < BLOCK; i++) {
            PyObject *single = PyUnicode_FromOrdinal((int)(character - in_block + i));
            PyObject *class = single ? PyObject_CallOneArg(s_start.combining, single) : NULL;
            ASSERT(class);
            if (PyObject_IsTrue(class)) {
                blocks[character / BLOCK].bits[i / 32] |= 1u << i % 32;
                blocks[character / BLOCK].any = true;
            }
            Py_DECREF(single);
            Py_DECREF(class);
        }
        blocks[character / BLOCK].known = true;
    }
    return blocks[character / BLOCK].any &&
           (blocks[character / BLOCK].bits[in_block / 32] >> in_block % 32 & 1);
}

// The translated "%(truncated_text)s…", and where its placeholder begins and ends.
typedef struct {
    PyObject *form; // borrowed
    Py_ssize_t before, after;
} ending;

// The translated form of a truncated text, taken apart. False: left to Django, because it has no
// placeholder or other percent signs, or with an exception.
static bool
s_ending(formats *f, ending *ret_ending)
{
    static const char placeholder[] = "%(truncated_text)s";
    PyObject *form = formats_word(f, WORD_TRUNCATED);
    if (!form)
        return false;
    Py_ssize_t size = PyUnicode_GET_LENGTH(form), length = (Py_ssize_t)strlen(placeholder);
    Py_ssize_t percent = PyUnicode_FindChar(form, '%', 0, size, 1);
    if (percent < 0 || percent + length > size || PyUnicode_FindChar(form, '%', percent + 1, size, 1) >= 0)
        return false;
    for (Py_ssize_t i = 0; i < length; i++)
        if (PyUnicode_READ_CHAR(form, percent + i) != (unsigned char)placeholder[i])
            return false;
    *ret_ending = (ending){form, percent, percent + length};
    return true;
}

// How many characters of the text stay if it is cut to `length` together with its ending; 0 if not
// even that fits (calculate_truncate_chars_length in Django).
static long
s_room(const ending *end, long length)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(end->form);
    for (Py_ssize_t i = 0; i < size && length > 0; i++)
        if ((i < end->before || i >= end->after) && !s_combines(PyUnicode_READ_CHAR(end->form, i)))
            length--;
    return length;
}

// Where to cut: before the first character that has no room. -1: the whole text is not longer than
// `length`.
static Py_ssize_t
s_cut_at(PyObject *text, long room, long length)
{
    Py_ssize_t cut = -1, size = PyUnicode_GET_LENGTH(text);
    int kind = (int)PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    long seen = 0;
    for (Py_ssize_t i = 0; i < size; i++) {
        if (s_combines(PyUnicode_READ(kind, data, i)))
            continue;
        if (++seen > room && cut < 0)
            cut = i;
        if (seen > length)
            return cut;
    }
    return -1;
}

// The text in NFC, whose characters |truncatechars counts. Below U+0300 every text is in NFC
// already. New reference.
static PyObject *
s_normalized(PyObject *text)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    int kind = (int)PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    bool simple = kind == PyUnicode_1BYTE_KIND;
    if (!simple) {
        simple = true;
        for (Py_ssize_t i = 0; simple && i < size; i++)
            simple = PyUnicode_READ(kind, data, i) < 0x300;
    }
    if (simple)
        return Py_NewRef(text);
    return PyObject_CallFunctionObjArgs(s_start.normalize, s_start.form, text, NULL);
}

// A truncated text with its ending. New reference.
static PyObject *
s_ended(PyObject *text, Py_ssize_t cut, const ending *end)
{
    chars out;
    chars_init(&out);
    chars_add_part(&out, end->form, 0, end->before);
    chars_add_part(&out, text, 0, cut);
    chars_add_part(&out, end->form, end->after, PyUnicode_GET_LENGTH(end->form));
    PyObject *ended = chars_str(&out);
    chars_fini(&out);
    return ended;
}

// A length that is no number, or not positive, is left to Django.
PyObject *
filter_truncatechars(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)autoescape;
    long length;
    ending end;
    if (!filters_number(arg, &length) || length <= 0)
        return filters_leave_to_django();
    PyObject *given = filters_text_of(value);
    PyObject *text = given && s_ending(f, &end) ? s_normalized(given) : NULL;
    Py_XDECREF(given);
    if (!text)
        return NULL;
    Py_ssize_t cut = s_cut_at(text, s_room(&end, length), length);
    if (cut >= 0)
        Py_SETREF(text, s_ended(text, cut, &end));
    return text;
}

// The next word of str.split(): *from_p moves to its beginning. False: there is none left.
static bool
s_word(PyObject *text, Py_ssize_t *from_p, Py_ssize_t *ret_end)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(text), at = *from_p;
    int kind = (int)PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    while (at < size && Py_UNICODE_ISSPACE(PyUnicode_READ(kind, data, at)))
        at++;
    *from_p = at;
    while (at < size && !Py_UNICODE_ISSPACE(PyUnicode_READ(kind, data, at)))
        at++;
    *ret_end = at;
    return at > *from_p;
}

// Appends " …", unless the text ends with it already: Django does not add it twice.
static void
s_add_ellipsis(chars *out)
{
    enum { ELLIPSIS = 0x2026 };
    bool there = out->size >= 2 && out->data[out->size - 1] == ELLIPSIS && out->data[out->size - 2] == ' ';
    if (there)
        return;
    chars_add(out, ' ');
    chars_add(out, ELLIPSIS);
}

// Words are joined by single spaces even if nothing is cut.
PyObject *
filter_truncatewords(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)autoescape;
    long length;
    if (!filters_number(arg, &length) || length <= 0)
        return filters_leave_to_django();
    PyObject *text = filters_text_of(value);
    if (!text)
        return NULL;
    chars out;
    chars_init(&out);
    long words = 0;
    for (Py_ssize_t from = 0, end; s_word(text, &from, &end); from = end) {
        if (words++ == length) {
            s_add_ellipsis(&out);
            break;
        }
        if (words > 1)
            chars_add(&out, ' ');
        chars_add_part(&out, text, from, end);
    }
    Py_DECREF(text);
    PyObject *cut = chars_str(&out);
    chars_fini(&out);
    return cut;
}

// len(value.split()). The result is a number, so a SafeString needs no special care.
PyObject *
filter_wordcount(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)arg;
    (void)autoescape;
    PyObject *text = filters_is_safe(value) ? Py_NewRef(value) : filters_text_of(value);
    if (!text)
        return NULL;
    long words = 0;
    for (Py_ssize_t from = 0, end; s_word(text, &from, &end); from = end)
        words++;
    Py_DECREF(text);
    return PyLong_FromLong(words);
}

PyObject *
filter_cut(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)autoescape;
    if (!arg || !filters_is_text(arg))
        return filters_leave_to_django();
    PyObject *text = filters_text_of(value);
    PyObject *rest = text ? PyUnicode_Replace(text, arg, s_start.empty, -1) : NULL;
    Py_XDECREF(text);
    return rest;
}

// |ljust, |rjust and the older |center, by the method of str.
static PyObject *
s_padded(PyObject *value, PyObject *arg, PyObject *method)
{
    long width;
    if (!filters_number(arg, &width) || width > MAX_WIDTH)
        return filters_leave_to_django();
    PyObject *text = filters_text_of(value);
    PyObject *number = text ? PyLong_FromLong(width) : NULL;
    PyObject *padded = number ? PyObject_CallMethodOneArg(text, method, number) : NULL;
    Py_XDECREF(text);
    Py_XDECREF(number);
    return padded;
}

PyObject *
filter_ljust(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)autoescape;
    return s_padded(value, arg, s_start.ljust);
}

PyObject *
filter_rjust(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)autoescape;
    return s_padded(value, arg, s_start.rjust);
}

// The newer |center: f"{value:^{width}}", or the value if the width is not positive.
static PyObject *
s_center_by_format(PyObject *value, PyObject *arg)
{
    long width;
    if (!filters_number(arg, &width) || width > MAX_WIDTH)
        return filters_leave_to_django();
    PyObject *text = filters_text_of(value);
    if (!text || width <= 0)
        return text;
    PyObject *form = PyUnicode_FromFormat("^%ld", width);
    PyObject *padded = form ? PyObject_Format(text, form) : NULL;
    Py_DECREF(text);
    Py_XDECREF(form);
    return padded;
}

PyObject *
filter_center(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)autoescape;
    if (s_start.center_by_format)
        return s_center_by_format(value, arg);
    return s_padded(value, arg, s_start.center);
}

// ("%" + arg) % value. Python formats an exact builtin type without running code of the project.
// Django gives "" for a ValueError or TypeError.
PyObject *
filter_stringformat(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)autoescape;
    if (!arg || !filters_is_text(arg) || !filters_is_scalar(value) || filters_is_safe(value))
        return filters_leave_to_django();
    PyObject *form = PyUnicode_Concat(s_start.percent, arg);
    PyObject *text = form ? PyUnicode_Format(form, value) : NULL;
    Py_XDECREF(form);
    if (text)
        return text;
    bool silent = PyErr_ExceptionMatches(PyExc_ValueError) || PyErr_ExceptionMatches(PyExc_TypeError);
    PyErr_Clear();
    return silent ? filters_empty() : NULL;
}

// The unreserved characters, which urllib.parse.quote never quotes.
static bool
s_never_quoted(unsigned char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte && strchr("_.-~", byte));
}

// urllib.parse.quote(value, safe): the bytes of its UTF-8, "/" being safe unless the argument says
// otherwise. A lone surrogate has no UTF-8: Django's own call raises that again.
PyObject *
filter_urlencode(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)autoescape;
    if (arg && (!filters_is_text(arg) || !PyUnicode_IS_ASCII(arg)))
        return filters_leave_to_django();
    const char *safe = arg ? PyUnicode_DATA(arg) : "/";
    size_t safe_size = arg ? (size_t)PyUnicode_GET_LENGTH(arg) : 1;
    PyObject *text = filters_text_of(value);
    Py_ssize_t size = 0;
    const char *utf8 = text ? PyUnicode_AsUTF8AndSize(text, &size) : NULL;
    if (!utf8) {
        Py_XDECREF(text);
        PyErr_Clear();
        return NULL;
    }
    chars out;
    chars_init(&out);
    for (Py_ssize_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)utf8[i];
        bool plain = s_never_quoted(byte) || memchr(safe, byte, safe_size);
        chars_add(&out, plain ? byte : '%');
        if (!plain) {
            chars_add(&out, (unsigned char)"0123456789ABCDEF"[byte >> 4]);
            chars_add(&out, (unsigned char)"0123456789ABCDEF"[byte & 15]);
        }
    }
    Py_DECREF(text);
    PyObject *quoted = chars_str(&out);
    chars_fini(&out);
    return quoted;
}

// What slugify() makes of one ASCII character: lower case, '-' for a separator, 0 for what is
// removed.
static char
s_slug_character(Py_UCS4 character)
{
    if (character >= 'A' && character <= 'Z')
        return (char)(character + ('a' - 'A'));
    bool word =
        (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') || character == '_';
    if (word)
        return (char)character;
    return character == '-' || Py_UNICODE_ISSPACE(character) ? '-' : 0;
}

// slugify() of text in NFKD, in one pass: separators are merged as they are written, and the ends
// stripped afterwards. New reference.
static PyObject *
s_slug(PyObject *decomposed)
{
    chars out;
    chars_init(&out);
    Py_ssize_t size = PyUnicode_GET_LENGTH(decomposed);
    for (Py_ssize_t i = 0; i < size; i++) {
        Py_UCS4 character = PyUnicode_READ_CHAR(decomposed, i);
        char slug = character < 128 ? s_slug_character(character) : 0;
        if (slug && !(slug == '-' && out.size > 0 && out.data[out.size - 1] == '-'))
            chars_add(&out, (unsigned char)slug);
    }
    while (out.size > 0 && (out.data[out.size - 1] == '-' || out.data[out.size - 1] == '_'))
        out.size--;
    size_t from = 0;
    while (from < out.size && (out.data[from] == '-' || out.data[from] == '_'))
        from++;
    PyObject *slug =
        PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, out.data + from, (Py_ssize_t)(out.size - from));
    chars_fini(&out);
    return slug;
}

// NFKD splits "é" into "e" and an accent, which is not ASCII and goes. ASCII text is its own NFKD.
PyObject *
filter_slugify(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)arg;
    (void)autoescape;
    PyObject *text = filters_text_of(value);
    if (text && !PyUnicode_IS_ASCII(text))
        Py_SETREF(text, PyObject_CallFunction(s_start.normalize, "sO", "NFKD", text));
    PyObject *slug = text ? s_slug(text) : NULL;
    Py_XDECREF(text);
    return slug;
}
