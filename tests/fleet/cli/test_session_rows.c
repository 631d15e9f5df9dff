// Rows of `troupe sessions`, with names that would move the terminal's cursor.
#include "fleet/cli/session_rows.h"

#include "tests/unit.h"

static id16
s_id(uint8_t first, uint8_t second, uint8_t last)
{
    id16 id = {{first, second}};
    id.bytes[ID_SIZE - 1] = last;
    return id;
}

static void
test_prefixes(void)
{
    id_prefix got;
    CU_ASSERT_EQUAL(id_prefix_parse("aB3", &got), OK);
    CU_ASSERT_TRUE(id_prefix_has(&got, s_id(0xab, 0x30, 0)) && id_prefix_has(&got, s_id(0xab, 0x3f, 9)));
    CU_ASSERT_FALSE(id_prefix_has(&got, s_id(0xab, 0x40, 0)) || id_prefix_has(&got, s_id(0xaa, 0x30, 0)));
    CU_ASSERT_TRUE(id_equal(got.first, s_id(0xab, 0x30, 0)));
    id16 before = id_prefix_before(&got);
    CU_ASSERT_EQUAL(
        memcmp(before.bytes, "\xab\x2f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", ID_SIZE), 0);
    CU_ASSERT_EQUAL(id_prefix_parse("000102030405060708090a0b0c0d0e0f", &got), OK);
    CU_ASSERT_TRUE(id_prefix_has(&got, got.first));
    CU_ASSERT_EQUAL(id_prefix_before(&got).bytes[ID_SIZE - 1], 0x0e);
    CU_ASSERT_EQUAL(id_prefix_parse("0", &got), OK);
    CU_ASSERT_TRUE(id_is_zero(id_prefix_before(&got)));
    static const char *const bad[] = {"", "g", "ab ", "-1", "000102030405060708090a0b0c0d0e0f0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_EQUAL(id_prefix_parse(bad[i], &got), ERR_MALFORMED);
}

static void
s_is(void (*write)(const listed *, buffer *), const listed *listed, const char *wanted)
{
    buffer out;
    buffer_init(&out);
    write(listed, &out);
    CU_ASSERT_TRUE(slice_is(buffer_bytes(&out), wanted));
    buffer_fini(&out);
}

static void
test_rows(void)
{
    listed active = {s_id(0xab, 0, 1), slice_text("active"), slice_text("worker-1.2"), true, 7, 3, 4711};
    s_is(session_rows_table, &active,
         "ab000000000000000000000000000001  active     worker-1.2       attached       3      4711\n");
    s_is(session_rows_json, &active,
         "{\"session\": \"ab000000000000000000000000000001\", \"state\": \"active\", \"worker\": "
         "\"worker-1.2\", "
         "\"attached\": true, \"epoch\": 7, \"pending\": 3, \"bytes\": 4711}");
    listed stored = {s_id(0, 0, 1), slice_text("stored"), slice_text(""), false, 0, 0, 0};
    s_is(session_rows_table, &stored,
         "00000000000000000000000000000001  stored     -                -              0         -\n");
    s_is(session_rows_json, &stored,
         "{\"session\": \"00000000000000000000000000000001\", \"state\": \"stored\", \"attached\": false, "
         "\"epoch\": 0, \"pending\": 0, \"bytes\": 0}");
}

// A worker calls itself what it likes.
static void
test_hostile_names(void)
{
    listed listed = {s_id(0, 0, 1), slice_text("active"), slice_text("a\x1b[2J\"\\\n"), false, 0, 0, 0};
    s_is(session_rows_table, &listed,
         "00000000000000000000000000000001  active     a\\x1b[2J\"\\\\x0a   -              0         -\n");
    s_is(session_rows_json, &listed,
         "{\"session\": \"00000000000000000000000000000001\", \"state\": \"active\", \"worker\": "
         "\"a\\u001b[2J\\\"\\\\\\u000a\", \"attached\": false, \"epoch\": 0, \"pending\": 0, \"bytes\": 0}");
}

static const unit_test s_tests[] = {
    {"the beginnings of ids", test_prefixes},
    {"rows", test_rows},
    {"names that a worker made up", test_hostile_names},
};
UNIT_MAIN("session_rows", s_tests)
