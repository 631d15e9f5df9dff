// quarantine - a circuit breaker for sessions whose turns end workers (PROTOCOL.md 5.8). One that ended two
// within a minute is held for ten: it is not placed on another. Bounded: a new entry replaces the oldest, one
// that is not held first. Pure; not thread-safe.
#ifndef TROUPE_BROKER_ROUTING_QUARANTINE_H
#define TROUPE_BROKER_ROUTING_QUARANTINE_H

#include "proto/bodies.h"

enum {
    MAX_QUARANTINED = 256,
    QUARANTINE_WITHIN_MS = 60 * 1000,
    QUARANTINE_HOLD_MS = 600 * 1000,
    QUARANTINE_TEXT = 512,
};

typedef struct {
    id16 session;
    uint64_t at;    // ms: when it last ended a worker
    uint64_t until; // when the quarantine ends; 0: it is not held
    uint8_t view_size, event_size;
    char view[MAX_VIEW_PATH], event[MAX_EVENT_NAME]; // what ran; not terminated
} quarantine_entry;

typedef struct quarantine quarantine;
quarantine *quarantine_new(void);
void quarantine_destroy(quarantine **self_p); // NULL-safe

// Notes a turn that ran when its worker ended. True: the session is held from now on, and was not before.
bool quarantine_record(quarantine *self, const running_turn *turn, uint64_t now);
// NULL: the session is not held. Borrowed until the next quarantine_record.
const quarantine_entry *quarantine_find_held(const quarantine *self, id16 session, uint64_t now);
// The session's entry if it was recorded at this very `now`, held or not; otherwise NULL. Borrowed as above.
const quarantine_entry *quarantine_find_recent(const quarantine *self, id16 session, uint64_t now);
// "'add' of shop.Cart ended two workers within a minute" for an entry that is held; "… ended its worker" for
// another. Returns ret_text.
const char *quarantine_text(const quarantine_entry *self, char ret_text[QUARANTINE_TEXT]);

#endif
