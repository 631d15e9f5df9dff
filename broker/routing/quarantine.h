// quarantine - sessions whose turns ended workers (PROTOCOL.md 5.8). One that ended two within a minute is
// held for ten: nothing is placed for it. Bounded: where there is no room, what was noted first goes,
// suspects before those that are held. Pure; not thread-safe.
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
    uint64_t until; // it is held; 0: it is a quarantine_entry
    uint8_t view_size, event_size;
    char view[MAX_VIEW_PATH], event[MAX_EVENT_NAME]; // what ran
} quarantine_entry;

typedef struct quarantine quarantine;
quarantine *quarantine_new(void);
void quarantine_destroy(quarantine **self_p); // NULL-safe

// What ran when a worker ended. True: it is held from now on, and was not before.
bool quarantine_record(quarantine *self, const running_turn *turn, uint64_t now);
// NULL: it may run. Borrowed until the next quarantine_record.
const quarantine_entry *quarantine_find_held(const quarantine *self, id16 session, uint64_t now);
// Whether it was noted just now. NULL: it was not.
const quarantine_entry *quarantine_find_recent(const quarantine *self, id16 session, uint64_t now);
// "'add' of shop.Cart ended two workers within a minute", of one that is held; of a quarantine_entry "… ended
// its worker". Returns ret_text.
const char *quarantine_text(const quarantine_entry *self, char ret_text[QUARANTINE_TEXT]);

#endif
