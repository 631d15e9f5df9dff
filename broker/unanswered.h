// unanswered - requests that their worker will never answer: the broker answers them (PROTOCOL.md 5.4, 5.8).
#ifndef TROUPE_BROKER_UNANSWERED_H
#define TROUPE_BROKER_UNANSWERED_H

#include "broker/core.h"

// Answers what is pending, and tells the attached client of the end.
session_end_hook unanswered_session_ended;
// Answers requests whose deadline has passed.
void unanswered_tick(broker *self);

#endif
