// admission - how much a worker may be given at once, and when a client that is refused should come back
// (PROTOCOL.md 5.10). Pure: counts and compares figures of one worker; no clock, no socket.
//
// Requests that wait at a worker cost memory here and time for everybody after them, so beyond its credit a
// request is answered at once that it was not executed. Three kinds are counted apart, so that none starves
// another: a flood of events does not keep new pages out, crawlers do not stop existing pages, and what ends
// something always passes.
#ifndef TROUPE_BROKER_ROUTING_ADMISSION_H
#define TROUPE_BROKER_ROUTING_ADMISSION_H

#include "common/errors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ADMISSION_TARGET_WAIT_MS = 1000, // in which a worker should get to what it was given
    ADMISSION_SESSION_SHARE = 8,     // a session may have an eighth of the credit that is left
    ADMISSION_CONTROL_CREDIT = 4096, // of control requests
    ADMISSION_SMALL_BODY = 4096,     // bytes of a control request for which the budget does not matter
    ADMISSION_MIN_RETRY_MS = 64,
    ADMISSION_MAX_RETRY_MS = 1600,
    ADMISSION_WINDOW_MS = 500, // at least, to measure a rate over
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

// One worker's figures. At first all zeros, except since: when it registered.
typedef struct {
    unsigned in_flight[ADMISSION_KINDS];
    size_t bytes;             // of all of them
    uint64_t since;           // when the figures below began; ms
    unsigned served, refused; // since then
    unsigned parked;          // turns that awaited something, by its newest heartbeat
    unsigned rate;            // turns per second while others had to wait; 0: none had to
    unsigned crowd;           // requests refused for each one served
} admission;

admission_limits admission_defaults(void);
admission_kind admission_kind_of(uint8_t type);

void admission_charge(admission *self, uint8_t type, size_t bytes);
void admission_release(admission *self, uint8_t type, size_t bytes); // answered, or given up
// A heartbeat: so many sessions wait for a thread (queued), and so many turns await something (parked).
void admission_update(admission *self, uint64_t now, uint64_t queued, uint64_t parked);

unsigned admission_credit(const admission *self, const admission_limits *limits, admission_kind kind);
// Whether there is credit for one more of that kind, whatever its size.
bool admission_has_room(const admission *self, const admission_limits *limits, admission_kind kind);
// Whether the worker may be given this request. waiting: unanswered requests of its session. total: bytes in
// flight to all workers.
bool admission_admits(const admission *self, const admission_limits *limits, uint8_t type, size_t bytes,
                      unsigned waiting, size_t total);
// When a refused client should come back; at most ADMISSION_MAX_RETRY_MS.
uint32_t admission_retry_ms(const admission *self);
// ms give or take a quarter, so that clients refused together do not return together.
uint32_t admission_jitter_ms(uint32_t ms, uint32_t random);

#endif
