// Native filters of numbers (|floatformat, |intcomma, |add, |divisibleby), and |pluralize, which
// counts.
#include "worker/py/filters/filters_internal.h"
#include "worker/py/filters/numbers.h"

#include <stdlib.h>

// Constant after filters_number_start.
static struct {
    bool decimal_intcomma; // intcomma makes a Decimal of what is no float, not an int (since Django 6.0)
} s_start;

// Asks the installed Django instead of looking at its version: as a Decimal "-0" keeps its sign, as
// an int it does not.
bool
filters_number_start(PyObject *humanize)
{
    PyObject *text = PyObject_CallMethod(humanize, "intcomma", "s", "-0");
    s_start.decimal_intcomma = text && PyUnicode_Check(text) && PyUnicode_GET_LENGTH(text) == 2;
    Py_XDECREF(text);
    return text != NULL;
}

// floatformat's argument: "2g" is two places, grouped; "u" means not localized; negative places are
// shown only if the fraction is not zero.
typedef struct {
    long places;
    bool grouped;
    int use_l10n;
} float_style;

// Takes "g", "u", "gu" or "ug" off the end. What is left is the number of places; nothing: the
// default. False: left to Django.
static bool
s_parse_text_style(PyObject *arg, float_style *ret_style)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(arg);
    if (size == 0)
        return false;
    bool unlocalized = false;
    for (int i = 0; i < 2 && size > 0; i++) {
        Py_UCS4 last = PyUnicode_READ_CHAR(arg, size - 1);
        bool *flag = last == 'g' ? &ret_style->grouped : last == 'u' ? &unlocalized : NULL;
        if (!flag || *flag)
            break;
        *flag = true;
        size--;
    }
    if (unlocalized)
        ret_style->use_l10n = 0;
    if (size == 0)
        return true;
    PyObject *number = PyUnicode_Substring(arg, 0, size);
    bool ok = number && filters_number(number, &ret_style->places);
    Py_XDECREF(number);
    return ok;
}

// floatformat's argument, or its default of -1. False: left to Django, as are more than
// NUMBERS_LIMIT places.
static bool
s_parse_style(PyObject *arg, float_style *ret_style)
{
    *ret_style = (float_style){.places = -1, .use_l10n = 1};
    if (arg && filters_is_text(arg) && !s_parse_text_style(arg, ret_style))
        return false;
    if (arg && !filters_is_text(arg) && !filters_number(arg, &ret_style->places))
        return false;
    return labs(ret_style->places) <= NUMBERS_LIMIT;
}

// The value as a float, if it is one or a bool: Decimal("True") fails, so Django takes float(True).
static bool
s_float_of(PyObject *value, double *ret_number)
{
    if (!PyFloat_CheckExact(value) && !PyBool_Check(value))
        return false;
    *ret_number = PyBool_Check(value) ? value == Py_True : PyFloat_AS_DOUBLE(value);
    return true;
}

// The digits that Decimal(str(value)) would have. False: left to Django.
static bool
s_digits_of(PyObject *value, digits *ret_digits)
{
    if (!filters_is_text(value))
        return numbers_of_object(value, ret_digits);
    return PyUnicode_IS_ASCII(value) &&
           numbers_of_ascii(PyUnicode_DATA(value), (size_t)PyUnicode_GET_LENGTH(value), ret_digits);
}

// The value's digits, rounded half up to |places|, or to none if places is not positive and the
// fraction is zero. False: left to Django. Below 1e15 a float without a fraction is a whole number
// also by its digits.
static bool
s_rounded(PyObject *value, long places, digits *ret_digits)
{
    double number;
    int wanted = (int)labs(places);
    if (s_float_of(value, &number)) {
        if (places <= 0 && number > -1e15 && number < 1e15 && number == (double)(long long)number)
            wanted = 0;
        if (numbers_round_float(number, wanted, ret_digits))
            return true;
        if (!numbers_of_float(number, ret_digits))
            return false;
    } else if (!s_digits_of(value, ret_digits)) {
        return false;
    }
    numbers_round(ret_digits, places <= 0 && numbers_is_whole(ret_digits) ? 0 : wanted);
    return true;
}

// Django marks the result as safe, and groups it if the settings say so or "g" does. Localization
// is on unless the argument has "u", whatever the context says.
PyObject *
filter_floatformat(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)autoescape;
    float_style wanted;
    digits number;
    if (!s_parse_style(arg, &wanted))
        return filters_leave_to_django();
    if (value == Py_None)
        return filters_empty();
    if (!PyFloat_CheckExact(value) && !PyLong_CheckExact(value) && !PyBool_Check(value) &&
        !Py_IS_TYPE(value, formats_of_django()->decimal) && !filters_is_text(value))
        return filters_leave_to_django();
    if (!s_rounded(value, wanted.places, &number))
        return filters_leave_to_django();
    const number_style *style = formats_numbers(f, wanted.use_l10n);
    if (!style || style->odd)
        return NULL;
    return filters_mark_safe(numbers_str(&number, style, style->thousands || wanted.grouped));
}

// Whether int(text) is a plain sequence of digits, perhaps after a minus.
static bool
s_is_digits(PyObject *text)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    for (Py_ssize_t i = 0; i < size; i++) {
        Py_UCS4 character = PyUnicode_READ_CHAR(text, i);
        if ((character < '0' || character > '9') && (i > 0 || character != '-'))
            return false;
    }
    return true;
}

// number_format(value, force_grouping=True). Before Django 6.0 what is no float was made an int
// first, so that "-0" lost its sign. number_format marks an int as safe where the language has no
// groups.
PyObject *
filter_intcomma(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)autoescape;
    digits number;
    bool fraction = PyFloat_CheckExact(value) || Py_IS_TYPE(value, formats_of_django()->decimal);
    if (arg ||
        (!fraction && !PyLong_CheckExact(value) && !(PyUnicode_CheckExact(value) && s_is_digits(value))))
        return filters_leave_to_django();
    if (!s_digits_of(value, &number))
        return filters_leave_to_django();
    fraction = fraction || s_start.decimal_intcomma;
    if (!fraction && number.text[0] == '0')
        number.negative = false;
    const number_style *style = formats_numbers(f, 1);
    if (!style || style->odd)
        return NULL;
    PyObject *text = numbers_str(&number, style, true);
    return fraction || style->grouped ? text : filters_mark_safe(text);
}

// float(value) == 1: 1 or 0; -1: it is no number; -2: left to Django.
static int
s_is_one(PyObject *value)
{
    if (PyFloat_CheckExact(value))
        return PyFloat_AS_DOUBLE(value) == 1.0;
    if (PyLong_CheckExact(value)) {
        int overflow;
        long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
        return overflow ? -2 : number == 1;
    }
    if (!filters_is_scalar(value))
        return -2;
    PyObject *number = filters_is_text(value) ? PyFloat_FromString(value) : PyNumber_Float(value);
    int is_one = number ? PyFloat_AS_DOUBLE(number) == 1.0 : -1;
    Py_XDECREF(number);
    if (is_one < 0) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_TypeError))
            is_one = -2;
        PyErr_Clear();
    }
    return is_one;
}

// What |pluralize asks: whether the number is 1, or the length of a list. 1 or 0; negative as by
// s_is_one.
static int
s_counts_one(PyObject *value)
{
    if (PyList_CheckExact(value) || PyTuple_CheckExact(value))
        return PySequence_Fast_GET_SIZE(value) == 1;
    if (PyDict_CheckExact(value))
        return PyDict_GET_SIZE(value) == 1;
    return s_is_one(value);
}

// The argument is "plural" or "singular,plural", by default "s"; more commas, or a value that is no
// number, give "".
PyObject *
filter_pluralize(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)autoescape;
    if (arg && !filters_is_text(arg))
        return filters_leave_to_django();
    int is_one = s_counts_one(value);
    if (is_one == -2)
        return filters_leave_to_django();
    if (!arg)
        return is_one == 0 ? PyUnicode_InternFromString("s") : filters_empty();
    Py_ssize_t size = PyUnicode_GET_LENGTH(arg);
    Py_ssize_t comma = PyUnicode_FindChar(arg, ',', 0, size, 1);
    bool more = comma >= 0 && PyUnicode_FindChar(arg, ',', comma + 1, size, 1) >= 0;
    if (is_one < 0 || more)
        return filters_empty();
    if (is_one)
        return comma < 0 ? filters_empty() : PyUnicode_Substring(arg, 0, comma);
    return PyUnicode_Substring(arg, comma + 1, size);
}

// int(value) % int(arg) == 0. Whatever raises, such as a division by zero, is raised again by
// Django's own call.
PyObject *
filter_divisibleby(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)autoescape;
    if (!arg || !filters_is_scalar(value) || !filters_is_scalar(arg))
        return filters_leave_to_django();
    PyObject *left = PyNumber_Long(value);
    PyObject *right = left ? PyNumber_Long(arg) : NULL;
    PyObject *rest = right ? PyNumber_Remainder(left, right) : NULL;
    Py_XDECREF(left);
    Py_XDECREF(right);
    if (!rest) {
        PyErr_Clear();
        return NULL;
    }
    int remains = PyObject_IsTrue(rest);
    Py_DECREF(rest);
    return PyBool_FromLong(!remains);
}

// int(value) + int(arg). NULL with an exception, or without one where an operand is no scalar.
static PyObject *
s_sum_of_ints(PyObject *value, PyObject *arg)
{
    PyObject *left = filters_is_scalar(value) ? PyNumber_Long(value) : NULL;
    PyObject *right = left && filters_is_scalar(arg) ? PyNumber_Long(arg) : NULL;
    PyObject *sum = right ? PyNumber_Add(left, right) : NULL;
    Py_XDECREF(left);
    Py_XDECREF(right);
    return sum;
}

// Types that int() refuses, and that can be added without running code of the project.
static bool
s_is_sequence(PyObject *value)
{
    return PyList_CheckExact(value) || PyTuple_CheckExact(value);
}

// Adds as ints if both convert, else by +, else "". A SafeString is left to Django, since a sum of
// strs may be safe.
PyObject *
filter_add(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)autoescape;
    if (!arg || !(filters_is_scalar(value) || s_is_sequence(value)) || filters_is_safe(value) ||
        !(filters_is_scalar(arg) || s_is_sequence(arg)))
        return filters_leave_to_django();
    PyObject *sum = s_sum_of_ints(value, arg);
    if (sum)
        return sum;
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_ValueError) &&
        !PyErr_ExceptionMatches(PyExc_TypeError)) {
        // int() of an infinite float is an OverflowError, which Django's own call raises again.
        PyErr_Clear();
        return NULL;
    }
    PyErr_Clear();
    sum = PyNumber_Add(value, arg);
    if (sum)
        return sum;
    PyErr_Clear();
    return filters_empty();
}
