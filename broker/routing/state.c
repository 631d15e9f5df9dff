// The session's state machine: proto/session.def, which PROTOCOL.md 5.4 prints, as an array.
#include "broker/routing/state.h"

#include "common/errors.h"

static const session_transition s_transitions[STATE_COUNT][INPUT_COUNT] = {
#define T(state, input, next, action) [STATE_##state][INPUT_##input] = {STATE_##next, ACTION_##action},
#include "proto/session.def"
};

static const char *const s_words[STATE_COUNT] = {
#define STATE(name, word) [STATE_##name] = word,
#include "proto/session.def"
};

// Neither index comes from a peer: message types are translated to inputs before (route.c).
session_transition
state_step(session_state state, session_input input)
{
    ASSERT((unsigned)state < STATE_COUNT && (unsigned)input < INPUT_COUNT);
    return s_transitions[state][input];
}

const char *
state_word(session_state state)
{
    ASSERT((unsigned)state < STATE_COUNT);
    return s_words[state];
}
