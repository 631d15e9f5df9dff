// admission - how much a worker may be given at once, and when to come back for who is refused (PROTOCOL.md
// 5.10). Pure: it counts and compares, and knows no clock, no socket and no worker but its own figures.
//
// What waits at a worker costs memory here and time for everybody behind it; so beyond its credit a request
// is answered at once that it was not executed. Three kinds are counted apart, so that none starves another:
// a flood of events does not keep new pages out, crawlers do not stop the pages that live, and what ends
// something is always taken.
#ifndef TROUPE_BROKER_ROUTING_ADMISSION_H
#define TROUPE_BROKER_ROUTING_ADMISSION_H

#include "common/errors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ADMISSION_TARGET_WAIT_MS = 1000, // in which a worker should get to what it was given
    ADMISSION_SESSION_SHARE = 8,     // a session may have an eighth of what is left
    ADMISSION_CONTROL_CREDIT = 4096, // requests that end or ask something
    ADMISSION_SMALL_BODY = 4096,     // bytes of one of those, for which there is always room
    ADMISSION_MIN_RETRY_MS = 64,
    ADMISSION_MAX_RETRY_MS = 1600,
    ADMISSION_WINDOW_MS = 500, // a rate is not taken over less
};

typedef struct {
    unsigned credits; // requests that one worker may have in flight
    size_t budget;    // bytes of requests in flight to all workers
    size_t sessions;  // that one worker may own
} admission_limits;

typedef enum {
    ADMISSION_TURN,    // EVENT, REFRESH, STATS
    ADMISSION_OPEN,    // MOUNT, JOIN: half as many
    ADMISSION_CONTROL, // the rest
    ADMISSION_KINDS
} admission_kind;

// One worker's. All zeros but since, which is when it came.
typedef struct {
    unsigned in_flight[ADMISSION_KINDS];
    size_t bytes;             // of all of them
    uint64_t since;           // when the figures below began; ms
    unsigned served, refused; // since then
    unsigned parked;          // turns that only waited for an awaitable, by its newest heartbeat
    unsigned rate;            // turns a second, while others had to wait; 0: nobody had to
    unsigned crowd;           // who came for each who was served
} admission;

admission_limits admission_defaults(void);
admission_kind admission_kind_of(uint8_t type);

void admission_charge(admission *self, uint8_t type, size_t bytes);
void admission_release(admission *self, uint8_t type, size_t bytes); // answered, or given up
// The worker says that so many sessions waited for a thread and so many turns for an awaitable.
void admission_update(admission *self, uint64_t now, uint64_t queued, uint64_t parked);

unsigned admission_credit(const admission *self, const admission_limits *limits, admission_kind kind);
// Whether it has room for one more of that kind, whatever its size.
bool admission_has_room(const admission *self, const admission_limits *limits, admission_kind kind);
// Whether it may have this: of a session for which so many are waiting already, while all workers together
// have `total` bytes.
bool admission_admits(const admission *self, const admission_limits *limits, uint8_t type, size_t bytes,
                      unsigned waiting, size_t total);
// When to come back: as long as what is in flight will take, times those who compete for it.
uint32_t admission_retry_ms(const admission *self);
// Give or take a quarter, so that who was refused together does not come back together.
uint32_t admission_jitter_ms(uint32_t ms, uint32_t random);

#endif
