// state - the session's state machine (proto/session.def). Pure; any thread.
#ifndef TROUPE_BROKER_ROUTING_STATE_H
#define TROUPE_BROKER_ROUTING_STATE_H

typedef enum {
#define STATE(name, word) STATE_##name,
#include "proto/session.def"
    STATE_COUNT
} session_state;

typedef enum {
#define INPUT(name) INPUT_##name,
#include "proto/session.def"
    INPUT_COUNT
} session_input;

typedef enum {
#define ACTION(name) ACTION_##name,
#include "proto/session.def"
    ACTION_COUNT
} session_action;

typedef struct {
    session_state next;
    session_action action;
} session_transition;

session_transition state_step(session_state state, session_input input);
const char *state_word(session_state state); // "active"

#endif
