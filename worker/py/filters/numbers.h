// numbers - numbers as decimal digits: parsed, rounded, and written in the style of a language.
// Nothing here runs Python code of the project. GIL held where there is a PyObject.
#ifndef TROUPE_WORKER_PY_FILTERS_NUMBERS_H
#define TROUPE_WORKER_PY_FILTERS_NUMBERS_H

#include "worker/py/filters/language.h"
#include "worker/py/python.h"

#include <stddef.h>

// Digits and exponent together. Django writes longer numbers in scientific notation (a guard against denial
// of service): those are left to Django.
#define NUMBERS_LIMIT 200

// `text` × 10^exponent. At least one digit, and no leading zeros but in a zero.
typedef struct {
    bool negative; // of a negative zero too
    int exponent;
    size_t count;
    char text[2 * NUMBERS_LIMIT + 8];
} digits;

// "-12.50", ".5", "1e+16", as Decimal() takes them, ASCII only and without spaces or underscores.
// False: it is something else, or digits and exponent together are more than NUMBERS_LIMIT, or a zero such as
// 0E+5.
bool numbers_of_ascii(const char *text, size_t size, digits *ret_digits);

// The digits of repr(number): the shortest that read back as the same float. False as above, and for inf and
// nan.
bool numbers_of_float(double number, digits *ret_digits);

// The digits of str(number), of an exact int, float or Decimal. False as above; no exception is pending then.
bool numbers_of_object(PyObject *number, digits *ret_digits);

// Rounds half away from zero to `places` (at most NUMBERS_LIMIT) digits after the point, and fills up with
// zeros. A zero loses its sign.
void numbers_round(digits *self, int places);

// numbers_round of a float in binary arithmetic. False: that cannot decide it; use numbers_of_float and
// numbers_round.
bool numbers_round_float(double number, int places, digits *ret_digits);

// Whether there are only zeros after the point.
bool numbers_is_whole(const digits *self);

// Writes it in the style, with separators if `grouped`. A new reference to an exact str; NULL with an
// exception.
PyObject *numbers_str(const digits *self, const number_style *style, bool grouped);

#endif
