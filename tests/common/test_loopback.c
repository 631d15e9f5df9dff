// Which endpoints are on this machine, with the names and addresses that only look so.
#include "common/loopback.h"

#include "tests/unit.h"

#include <string.h>

static void
test_loopback(void)
{
    CU_ASSERT_STRING_EQUAL(loopback_number("localhost"), "127.0.0.1");
    CU_ASSERT_STRING_EQUAL(loopback_number("127.9.8.7"), "127.9.8.7");
    CU_ASSERT_STRING_EQUAL(loopback_number("[::1]"), "[::1]");
    CU_ASSERT_STRING_EQUAL(loopback_number("[0:0:0:0:0:0:0:1]"), "[::1]");
    static const char *const others[] = {"",          "[",     "[]",   "::1",
                                         "128.0.0.1", "127.1", "[::]", "localhost.example.org"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        CU_ASSERT_PTR_NULL(loopback_number(others[i]));
}

static void
test_private(void)
{
    static const char *const without[] = {"ipc:///run/front", "inproc://x", "tcp://localhost:1",
                                          "tcp://127.0.0.1:1", "tcp://[::1]:1"};
    static const char *const exposed[] = {
        "tcp://10.0.0.1:1", "tcp://broker.example.org:1",   "tcp://0.0.0.0:1", "tcp://[::]:1", "tcp://",
        "tcp://10.0.0.1",   "tcp://127.0.0.1.example.org:1"};
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        CU_ASSERT_TRUE(loopback_is_private(without[i]));
    for (size_t i = 0; i < sizeof exposed / sizeof *exposed; i++)
        CU_ASSERT_FALSE(loopback_is_private(exposed[i]));
    char text[400] = "tcp://";
    memset(text + 6, '1', 300);
    CU_ASSERT_FALSE(loopback_is_private(text));
}

static void
test_here(void)
{
    static const char *const here[] = {NULL,        "",    "localhost:0:0:4711",
                                       "127.0.0.1", "::1", "::ffff:127.0.0.1"};
    static const char *const elsewhere[] = {"10.0.0.1", "fe80::1", "::ffff:10.0.0.1", "2001:db8::1"};
    for (size_t i = 0; i < sizeof here / sizeof *here; i++)
        CU_ASSERT_TRUE(loopback_is_here(here[i]));
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        CU_ASSERT_FALSE(loopback_is_here(elsewhere[i]));
}

static const unit_test s_tests[] = {
    {"the loopback's names", test_loopback},
    {"what may do without keys", test_private},
    {"who is on this machine", test_here},
};
UNIT_MAIN("host", s_tests)
