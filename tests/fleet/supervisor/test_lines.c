#include "fleet/supervisor/lines.h"

#include "tests/unit.h"

static lines *s_lines;

static void
s_feed(const char *text)
{
    lines_feed(s_lines, slice_text(text));
}

static void
s_expect(const char *line)
{
    slice got;
    CU_ASSERT_TRUE_FATAL(lines_next(s_lines, &got));
    CU_ASSERT_TRUE(slice_is(got, line));
}

static void
s_expect_none(void)
{
    slice got;
    CU_ASSERT_FALSE(lines_next(s_lines, &got));
}

static void
test_pieces(void)
{
    s_lines = lines_new();
    s_expect_none();
    s_feed("on");
    s_expect_none();
    s_feed("e\n\ntwo\nthr");
    s_expect("one");
    s_expect("");
    s_expect("two");
    s_expect_none();
    CU_ASSERT_TRUE(slice_is(lines_tail(s_lines), "one\n\ntwo\n"));
    s_feed("ee");
    lines_end(s_lines);
    s_expect("three");
    s_expect_none();
    CU_ASSERT_TRUE(slice_is(lines_tail(s_lines), "one\n\ntwo\nthree\n"));
    lines_destroy(&s_lines);
    lines_destroy(&s_lines);
}

static void
test_long_line(void)
{
    s_lines = lines_new();
    for (int i = 0; i < 1000; i++)
        s_feed("0123456789");
    slice got;
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_TRUE(lines_next(s_lines, &got));
        CU_ASSERT_EQUAL(got.size, LINE_MOST);
    }
    s_expect_none();
    s_feed("\n");
    CU_ASSERT_TRUE(lines_next(s_lines, &got));
    CU_ASSERT_EQUAL(got.size, 2000);
    lines_destroy(&s_lines);
}

static void
test_tail_is_bounded(void)
{
    s_lines = lines_new();
    slice got;
    for (int i = 0; i < 5000; i++) {
        s_feed("0123456789\n");
        CU_ASSERT_TRUE(lines_next(s_lines, &got));
        CU_ASSERT_TRUE(lines_tail(s_lines).size <= TAIL_MOST);
    }
    CU_ASSERT_EQUAL(lines_tail(s_lines).size % 11, 0);
    CU_ASSERT_TRUE(lines_tail(s_lines).size > TAIL_MOST - 11);
    lines_destroy(&s_lines);
}

static void
s_assert_reason(const char *output, const char *reason)
{
    char text[64];
    slice got;
    s_lines = lines_new();
    s_feed(output);
    lines_end(s_lines);
    while (lines_next(s_lines, &got))
        continue;
    CU_ASSERT_STRING_EQUAL(lines_reason(s_lines, text, sizeof text), reason);
    lines_destroy(&s_lines);
}

static void
test_reason(void)
{
    s_assert_reason("", "");
    s_assert_reason("something\nlevel=ERROR event=bind_failed\n\n", "level=ERROR event=bind_failed");
    s_assert_reason(
        "Traceback (most recent call last):\n  File \"x\", line 1\n    import y\nKeyError: 'a'\n\n"
        "During handling of the above exception, another exception occurred:\n\n"
        "Traceback (most recent call last):\n  File \"x\", line 2\nModuleNotFoundError: No module\n"
        "named so\nlevel=ERROR event=project_failed\n",
        "ModuleNotFoundError: No module");
    s_assert_reason("Traceback (most recent call last):\n  cut off", "  cut off");
    s_assert_reason("0123456789012345678901234567890123456789012345678901234567890123456789\n",
                    "012345678901234567890123456789012345678901234567890123456789012");
}

static const unit_test s_tests[] = {
    {"lines come in pieces", test_pieces},
    {"a long line is cut", test_long_line},
    {"the tail is bounded, and of whole lines", test_tail_is_bounded},
    {"why a process ended", test_reason},
};
UNIT_MAIN("lines", s_tests)
