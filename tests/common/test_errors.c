// Every error has a name and a meaning, and an assertion aborts.
#include "common/errors.h"

#include "tests/common/death.h"
#include "tests/unit.h"

#include <string.h>

static void
test_every_error_has_word_and_text(void)
{
    for (int e = OK; e < ERR_COUNT; e++) {
        const char *word = err_word((err)e), *text = err_text((err)e);
        ASSERT(word && text);
        CU_ASSERT(strlen(word) > 0);
        CU_ASSERT(strspn(word, "abcdefghijklmnopqrstuvwxyz_") == strlen(word));
        CU_ASSERT(strlen(text) > 0 && text[strlen(text) - 1] != '.');
    }
}

static void
test_words_are_distinct(void)
{
    for (int a = OK; a < ERR_COUNT; a++)
        for (int b = a + 1; b < ERR_COUNT; b++)
            CU_ASSERT_STRING_NOT_EQUAL(err_word((err)a), err_word((err)b));
}

static void
test_known_words_and_outcomes(void)
{
    CU_ASSERT_STRING_EQUAL(err_word(OK), "ok");
    CU_ASSERT_STRING_EQUAL(err_word(ERR_FULL), "busy");
    CU_ASSERT_STRING_EQUAL(err_word(ERR_TOO_LARGE), "too_large");
    CU_ASSERT_EQUAL(err_outcome(ERR_FULL), OUTCOME_NOT_EXECUTED);
    CU_ASSERT_EQUAL(err_outcome(ERR_PYTHON), OUTCOME_FAILED);
    CU_ASSERT_EQUAL(err_outcome(ERR_WORKER_LOST), OUTCOME_UNKNOWN);
    CU_ASSERT_EQUAL(err_outcome(ERR_AGAIN), OUTCOME_LOCAL);
}

static void
s_outcome_of_ok(void)
{
    (void)err_outcome(OK);
}

static void
s_word_beyond_the_last(void)
{
    (void)err_word(ERR_COUNT);
}

static void
s_text_below_the_first(void)
{
    (void)err_text((err)-1);
}

static void
s_true(void)
{
    ASSERT(1 + 1 == 2);
}

static void
test_bugs_abort(void)
{
    CU_ASSERT(death_by_abort(s_outcome_of_ok));
    CU_ASSERT(death_by_abort(s_word_beyond_the_last));
    CU_ASSERT(death_by_abort(s_text_below_the_first));
    CU_ASSERT(!death_by_abort(s_true));
}

static const unit_test s_tests[] = {
    {"every error has a word and a text", test_every_error_has_word_and_text},
    {"words are distinct", test_words_are_distinct},
    {"known words and outcomes", test_known_words_and_outcomes},
    {"bugs abort", test_bugs_abort},
};
UNIT_MAIN("errors", s_tests)
