// state - the session's state machine (proto/session.def). Pure; any thread.
#ifndef TROUPE_BROKER_ROUTING_STATE_H
#define TROUPE_BROKER_ROUTING_STATE_H

typedef enum {
#define STATE(name, word) STATE_##name,
#include "proto/session.def"
    STATE_COUNT
} session_state;

typedef enum {
#define HAPPENING(name) HAPPENING_##name,
#include "proto/session.def"
    HAPPENING_COUNT
} happening;

typedef enum {
#define ACTION(name) ACTION_##name,
#include "proto/session.def"
    ACTION_COUNT
} session_action;

typedef struct {
    session_state next;
    session_action action;
} session_step;

session_step state_step(session_state state, happening what);
const char *state_word(session_state state); // "active"

#endif
