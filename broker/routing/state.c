#include "broker/routing/state.h"

#include "common/errors.h"

static const session_step s_steps[STATE_COUNT][HAPPENING_COUNT] = {
#define T(state, happening, next, action)                                                                    \
    [STATE_##state][HAPPENING_##happening] = {STATE_##next, ACTION_##action},
#include "proto/session.def"
};

static const char *const s_words[STATE_COUNT] = {
#define STATE(name, word) [STATE_##name] = word,
#include "proto/session.def"
};

session_step
state_step(session_state state, happening what)
{
    ASSERT((unsigned)state < STATE_COUNT && (unsigned)what < HAPPENING_COUNT);
    return s_steps[state][what];
}

const char *
state_word(session_state state)
{
    ASSERT((unsigned)state < STATE_COUNT);
    return s_words[state];
}
