// Decimal digits as text: parsed, rounded half up and grouped, without making a Decimal of
// Python's.
#include "worker/py/filters/numbers.h"

#include "common/errors.h"
#include "worker/py/filters/chars.h"

#include <stdlib.h>
#include <string.h>

// An exponent stops growing here: it is over NUMBERS_LIMIT anyway, and must not overflow.
#define MAX_EXPONENT 100000

// Reads the coefficient: its digits without leading zeros, and an exponent of minus the digits
// after the point. Returns where it ends; NULL: there are no digits, or too many.
static const char *
s_coefficient(const char *next, const char *end, digits *self)
{
    bool after_point = false, any = false;
    self->count = 0;
    self->exponent = 0;
    for (; next < end; next++) {
        if (*next == '.' && !after_point) {
            after_point = true;
            continue;
        }
        if (*next < '0' || *next > '9')
            break;
        any = true;
        self->exponent -= after_point;
        if (self->count == 1 && self->text[0] == '0')
            self->count = 0;
        if (self->count == NUMBERS_LIMIT)
            return NULL;
        self->text[self->count++] = *next;
    }
    return any ? next : NULL;
}

// Adds the exponent at next, if one is there. False: it is malformed.
static bool
s_exponent(const char *next, const char *end, digits *self)
{
    if (next == end)
        return true;
    if (*next != 'e' && *next != 'E')
        return false;
    next++;
    bool negative = next < end && *next == '-';
    if (next < end && (*next == '-' || *next == '+'))
        next++;
    if (next == end)
        return false;
    int exponent = 0;
    for (; next < end; next++) {
        if (*next < '0' || *next > '9')
            return false;
        if (exponent < MAX_EXPONENT)
            exponent = exponent * 10 + (*next - '0');
    }
    self->exponent += negative ? -exponent : exponent;
    return true;
}

bool
numbers_of_ascii(const char *text, size_t size, digits *ret_digits)
{
    const char *next = text, *end = text + size;
    ret_digits->negative = next < end && *next == '-';
    if (next < end && (*next == '-' || *next == '+'))
        next++;
    next = s_coefficient(next, end, ret_digits);
    if (!next || !s_exponent(next, end, ret_digits))
        return false;
    bool zero = ret_digits->text[0] == '0';
    return !(zero && ret_digits->exponent > 0) &&
           ret_digits->count + (size_t)abs(ret_digits->exponent) <= NUMBERS_LIMIT;
}

// repr() of a float: 'r' gives the shortest digits that read back as the same number. "inf" and
// "nan" are refused by numbers_of_ascii.
bool
numbers_of_float(double number, digits *ret_digits)
{
    char *text = PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    ASSERT(text);
    bool ok = numbers_of_ascii(text, strlen(text), ret_digits);
    PyMem_Free(text);
    return ok;
}

// An int beyond CPython's limit of digits has no str(): that exception is dropped, as Django's own
// call raises it again.
bool
numbers_of_object(PyObject *number, digits *ret_digits)
{
    if (PyFloat_CheckExact(number))
        return numbers_of_float(PyFloat_AS_DOUBLE(number), ret_digits);
    PyObject *text = PyObject_Str(number);
    if (!text)
        PyErr_Clear();
    bool ok = text && PyUnicode_IS_ASCII(text) &&
              numbers_of_ascii(PyUnicode_DATA(text), (size_t)PyUnicode_GET_LENGTH(text), ret_digits);
    Py_XDECREF(text);
    return ok;
}

// A positive exponent has no digits after the point at all.
bool
numbers_is_whole(const digits *self)
{
    size_t after = self->exponent < 0 ? (size_t)-self->exponent : 0;
    for (size_t i = after < self->count ? self->count - after : 0; i < self->count; i++)
        if (self->text[i] != '0')
            return false;
    return true;
}

// Adds one to the last digit. Nines become zeros; if all are, the number grows by a digit.
static void
s_carry(digits *self)
{
    size_t i = self->count;
    while (i > 0 && self->text[i - 1] == '9')
        self->text[--i] = '0';
    if (i > 0) {
        self->text[i - 1]++;
        return;
    }
    memmove(self->text + 1, self->text, self->count++);
    self->text[0] = '1';
}

// Drops that many digits from the right and rounds half up; the caller corrects the exponent. With
// more to drop than there are digits, the first dropped one is a zero.
static void
s_cut(digits *self, size_t surplus)
{
    bool up = surplus <= self->count && self->text[self->count - surplus] >= '5';
    self->count = surplus < self->count ? self->count - surplus : 0;
    if (self->count == 0)
        self->text[self->count++] = '0';
    if (up)
        s_carry(self);
}

// ROUND_HALF_UP of the decimal module. Django drops the sign of a number that rounds to zero.
void
numbers_round(digits *self, int places)
{
    ASSERT(places >= 0 && places <= NUMBERS_LIMIT);
    int surplus = -self->exponent - places;
    if (surplus > 0)
        s_cut(self, (size_t)surplus);
    else if (self->text[0] != '0')
        for (; surplus < 0; surplus++)
            self->text[self->count++] = '0';
    self->exponent = -places;
    if (self->text[0] == '0')
        self->negative = false;
}

// The fast way, without digits: the float is scaled and rounded as a double, unless it is so close
// to a half that the error of doing so could decide. Below 1e-150 the digits must be counted: there
// may be more than NUMBERS_LIMIT.
bool
numbers_round_float(double number, int places, digits *ret_digits)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    double size = number < 0 ? -number : number;
    if (places < 0 || places > 6 || (size < 1e-150 && size > 0))
        return false;
    double scaled = size * powers[places];
    if (!(scaled < 2147483648.0))
        return false;
    // Below 2^31 both this product and the number that repr() shows are less than a millionth away from the
    // exact value. So its digits could round the other way only if they were closer to a half than that.
    double below = (double)(unsigned long)scaled;
    double rest = scaled - below;
    if (rest > 0.5 - 1e-4 && rest < 0.5 + 1e-4)
        return false;
    unsigned long left = (unsigned long)below + (rest > 0.5);
    char reversed[24];
    size_t count = 0;
    do
        reversed[count++] = (char)('0' + left % 10);
    while (left /= 10);
    ret_digits->count = count;
    for (size_t i = 0; i < count; i++)
        ret_digits->text[i] = reversed[count - 1 - i];
    ret_digits->exponent = -places;
    ret_digits->negative = number < 0 && ret_digits->text[0] != '0';
    return true;
}

// The digit at 10^`power`; a zero where the text has none.
static char
s_digit(const digits *self, int power)
{
    int from_right = power - self->exponent;
    if (from_right < 0 || from_right >= (int)self->count)
        return '0';
    return self->text[self->count - 1 - (size_t)from_right];
}

// Whether a separator is written to the left of the digit at 10^`power`, for each power below
// `highest`. Group sizes are counted from the right and the last one repeats, while digits are
// written from the left.
static void
s_breaks(const number_style *style, int highest, bool *ret_breaks)
{
    unsigned group = 0, size = style->sizes[0], filled = 0;
    for (int power = 0; power < highest; power++) {
        ret_breaks[power] = ++filled == size && size != 0;
        if (!ret_breaks[power])
            continue;
        filled = 0;
        if (group + 1 < style->size_count)
            size = style->sizes[++group];
    }
}

// A number below one has a single zero in front of the point.
PyObject *
numbers_str(const digits *self, const number_style *style, bool grouped)
{
    bool breaks[2 * NUMBERS_LIMIT + 8];
    int highest = self->exponent + (int)self->count - 1;
    if (highest < 0)
        highest = 0;
    grouped = grouped && style->grouped;
    if (grouped)
        s_breaks(style, highest, breaks);
    chars out;
    chars_init(&out);
    if (self->negative)
        chars_add(&out, '-');
    for (int power = highest; power >= 0; power--) {
        chars_add(&out, (unsigned char)s_digit(self, power));
        if (grouped && power > 0 && breaks[power - 1])
            chars_add_text(&out, style->comma);
    }
    if (self->exponent < 0)
        chars_add_text(&out, style->point);
    for (int power = -1; power >= self->exponent; power--)
        chars_add(&out, (unsigned char)s_digit(self, power));
    PyObject *text = chars_str(&out);
    chars_fini(&out);
    return text;
}
