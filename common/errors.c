// Names and meanings of errors, generated from errors.def, and what a failed assertion prints.
#include "common/errors.h"

#include <stdio.h>
#include <stdlib.h>

// OK has no row in errors.def: it is never sent, and only logs show it.
static const struct {
    const char *word;
    const char *text;
    outcome outcome;
} s_errors[ERR_COUNT] = {
    [OK] = {"ok", "no error", OUTCOME_LOCAL},
#define ERROR(name, word, outcome, text) [name] = {word, text, OUTCOME_##outcome},
#include "common/errors.def"
#undef ERROR
};

const char *
err_word(err e)
{
    ASSERT((unsigned)e < ERR_COUNT);
    return s_errors[e].word;
}

const char *
err_text(err e)
{
    ASSERT((unsigned)e < ERR_COUNT);
    return s_errors[e].text;
}

outcome
err_outcome(err e)
{
    ASSERT(e != OK && (unsigned)e < ERR_COUNT);
    return s_errors[e].outcome;
}

// Written like a log line, but not by log.c, which may be what failed. abort() leaves a core and an exit
// by SIGABRT, which the supervisor reports.
void
assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "level=FATAL event=assertion condition=\"%s\" at=%s:%d\n", condition, file, line);
    abort();
}
