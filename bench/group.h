// group - sessions that all do the same: which view, which event, and how often. Pure but for reading its
// specification.
//
//     name=light,view=benched.views.Counter,event=increment,sessions=64,rate=640
//
// view, event   what to mount and what to call
// sessions      how many
// rate          events a second over all of them, sent when they are due whether answers came or not; without
// it each
//               session sends its next event when its last one is answered
// stagger       ms over which a group without a rate starts
// loops         a parameter of that name for the handler
#ifndef TROUPE_BENCH_GROUP_H
#define TROUPE_BENCH_GROUP_H

#include "bench/samples.h"
#include "common/buffer.h"
#include "common/hex.h"

#include <stdbool.h>

#define MOST_WAITING 8 // a page keeps so many unanswered; the rest waits in it

typedef struct {
    const char *name, *view, *event; // of the specification, which is cut up in place
    unsigned sessions, rate, stagger, loops;
} group_spec;

typedef struct {
    group_spec spec;
    samples latencies; // of what was due while it was measured
    size_t errors;
    uint64_t due;   // when the next event of a group with a rate is due; ns
    unsigned turn;  // which session it is of
    unsigned first; // index of its first session
} group;

// False: not a specification; says why on standard error. text is cut up and borrowed for life.
bool group_parse(char *text, group_spec *ret);

// A session's events: those sent and unanswered in front, those that wait to be sent behind.
typedef struct {
    group *of;
    id16 id, view;
    uint64_t epoch;
    uint64_t sequence; // of the last one sent
    uint32_t worker;   // index
    uint64_t *due;     // a ring: when each of them was due, ns
    unsigned head, count, sent, room;
} member;

void member_init(member *self, group *group);
void member_fini(member *self);
void member_add(member *self, uint64_t due);
uint64_t member_take(member *self); // the oldest one sent; there must be one
bool member_may_send(const member *self);
void member_event(const member *self, buffer *out); // the body of EVENT

#endif
