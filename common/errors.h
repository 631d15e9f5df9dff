// errors - what can go wrong, in one table (errors.def), and the assertion that is always on.
// Pure; any thread.
#ifndef TROUPE_COMMON_ERRORS_H
#define TROUPE_COMMON_ERRORS_H

typedef enum {
    OK = 0,
#define ERROR(name, word, outcome, text) name,
#include "common/errors.def"
#undef ERROR
    ERR_COUNT
} err;

// What an error means for the request that met it (PROTOCOL.md 7). LOCAL never travels.
typedef enum { OUTCOME_NOT_EXECUTED, OUTCOME_FAILED, OUTCOME_UNKNOWN, OUTCOME_LOCAL } outcome;

const char *err_word(err e); // "busy"; "ok" for OK
const char *err_text(err e); // a sentence without a full stop
outcome err_outcome(err e);  // e is not OK

// A bug: prints where, and aborts. Never for what came over a wire.
#define ASSERT(condition) ((condition) ? (void)0 : assert_failed(#condition, __FILE__, __LINE__))
_Noreturn void assert_failed(const char *condition, const char *file, int line);

#endif
