// migration - moves the sessions of a draining worker to others, between two turns (PROTOCOL.md 5.6).
#ifndef TROUPE_BROKER_MIGRATION_H
#define TROUPE_BROKER_MIGRATION_H

#include "broker/core.h"

back_handler migration_drain;
back_handler migration_moved;

session_end_hook migration_session_ended;
// Continues with draining workers whose queue was full.
void migration_tick(broker *self);

#endif
