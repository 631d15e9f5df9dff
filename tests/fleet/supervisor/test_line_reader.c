// Lines of a child's output, and what is remembered of its end.
#include "fleet/supervisor/line_reader.h"

#include "tests/unit.h"

static line_reader *s_reader;

static void
s_feed(const char *text)
{
    line_reader_feed(s_reader, slice_text(text));
}

static void
s_expect(const char *line)
{
    slice got;
    CU_ASSERT_TRUE_FATAL(line_reader_next(s_reader, &got));
    CU_ASSERT_TRUE(slice_is(got, line));
}

static void
s_expect_none(void)
{
    slice got;
    CU_ASSERT_FALSE(line_reader_next(s_reader, &got));
}

static void
test_pieces(void)
{
    s_reader = line_reader_new();
    s_expect_none();
    s_feed("on");
    s_expect_none();
    s_feed("e\n\ntwo\nthr");
    s_expect("one");
    s_expect("");
    s_expect("two");
    s_expect_none();
    CU_ASSERT_TRUE(slice_is(line_reader_tail(s_reader), "one\n\ntwo\n"));
    s_feed("ee");
    line_reader_end(s_reader);
    s_expect("three");
    s_expect_none();
    CU_ASSERT_TRUE(slice_is(line_reader_tail(s_reader), "one\n\ntwo\nthree\n"));
    line_reader_destroy(&s_reader);
    line_reader_destroy(&s_reader);
}

static void
test_long_line(void)
{
    s_reader = line_reader_new();
    for (int i = 0; i < 1000; i++)
        s_feed("0123456789");
    slice got;
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_TRUE(line_reader_next(s_reader, &got));
        CU_ASSERT_EQUAL(got.size, MAX_LINE);
    }
    s_expect_none();
    s_feed("\n");
    CU_ASSERT_TRUE(line_reader_next(s_reader, &got));
    CU_ASSERT_EQUAL(got.size, 2000);
    line_reader_destroy(&s_reader);
}

static void
test_tail_is_bounded(void)
{
    s_reader = line_reader_new();
    slice got;
    for (int i = 0; i < 5000; i++) {
        s_feed("0123456789\n");
        CU_ASSERT_TRUE(line_reader_next(s_reader, &got));
        CU_ASSERT_TRUE(line_reader_tail(s_reader).size <= MAX_TAIL);
    }
    CU_ASSERT_EQUAL(line_reader_tail(s_reader).size % 11, 0);
    CU_ASSERT_TRUE(line_reader_tail(s_reader).size > MAX_TAIL - 11);
    line_reader_destroy(&s_reader);
}

static void
s_assert_reason(const char *output, const char *reason)
{
    char text[64];
    slice got;
    s_reader = line_reader_new();
    s_feed(output);
    line_reader_end(s_reader);
    while (line_reader_next(s_reader, &got))
        continue;
    CU_ASSERT_STRING_EQUAL(line_reader_reason(s_reader, text, sizeof text), reason);
    line_reader_destroy(&s_reader);
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
UNIT_MAIN("line_reader", s_tests)
