// Ids to text and back, and text that is no id.
#include "common/hex.h"

#include "tests/unit.h"

#include <ctype.h>
#include <stdlib.h>

static const char s_digits[] = "0123456789abcdef0f1e2d3c4b5a6978";

static id16
s_parsed(const char *text)
{
    id16 id = {{0}};
    CU_ASSERT_EQUAL(id_parse(slice_text(text), &id), OK);
    return id;
}

static void
test_there_and_back(void)
{
    char text[ID_TEXT];
    id16 id = s_parsed(s_digits);
    CU_ASSERT_EQUAL(id.bytes[0], 0x01);
    CU_ASSERT_EQUAL(id.bytes[7], 0xef);
    CU_ASSERT_EQUAL(id.bytes[15], 0x78);
    CU_ASSERT_PTR_EQUAL(id_text(id, text), text);
    CU_ASSERT_STRING_EQUAL(text, s_digits);
}

static void
test_every_byte_value(void)
{
    char text[ID_TEXT];
    for (unsigned value = 0; value < 256; value++) {
        id16 id;
        memset(id.bytes, (int)value, ID_SIZE);
        id16 back = s_parsed(id_text(id, text));
        CU_ASSERT(id_equal(id, back));
    }
}

static void
test_upper_case_is_read(void)
{
    char upper[ID_TEXT] = {0};
    for (size_t i = 0; i < ID_TEXT - 1; i++)
        upper[i] = (char)toupper(s_digits[i]);
    CU_ASSERT(id_equal(s_parsed(upper), s_parsed(s_digits)));
}

static void
test_every_wrong_length(void)
{
    for (size_t size = 0; size <= 40; size++) {
        char *text =
            malloc(size + 1); // exactly what the slice says, and one, so that a read beyond meets ASan
        memset(text, 'a', size);
        id16 id = {{9}};
        err expected = size == 32 ? OK : ERR_MALFORMED;
        CU_ASSERT_EQUAL(id_parse(slice_of(text, size), &id), expected);
        CU_ASSERT(expected == OK || id.bytes[0] == 9);
        free(text);
    }
    id16 id;
    CU_ASSERT_EQUAL(id_parse((slice){0}, &id), ERR_MALFORMED);
}

// Every byte that is no digit, at every place.
static void
test_every_wrong_digit(void)
{
    unsigned wrong = 0;
    for (size_t at = 0; at < 32; at++)
        for (int c = 0; c < 256; c++) {
            char text[32];
            memcpy(text, s_digits, 32);
            text[at] = (char)c;
            id16 id;
            bool digit = c < 128 && isxdigit(c);
            wrong += (id_parse(slice_of(text, 32), &id) == OK) != digit;
        }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void
test_zero_and_equal(void)
{
    id16 zero = {{0}}, last = {{0}};
    last.bytes[ID_SIZE - 1] = 1;
    CU_ASSERT(id_is_zero(zero));
    CU_ASSERT(!id_is_zero(last));
    CU_ASSERT(!id_equal(zero, last));
    CU_ASSERT(id_equal(last, last));
}

static const unit_test s_tests[] = {
    {"there and back", test_there_and_back},         {"every byte value", test_every_byte_value},
    {"upper case is read", test_upper_case_is_read}, {"every wrong length", test_every_wrong_length},
    {"every wrong digit", test_every_wrong_digit},   {"zero and equal", test_zero_and_equal},
};
UNIT_MAIN("hex", s_tests)
