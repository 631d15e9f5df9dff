// fake - views without Python: a counter whose handlers are named in fake.c, a clock that stands still, and a
// list of what was emitted.
#ifndef TROUPE_TEST_FAKE_H
#define TROUPE_TEST_FAKE_H

#include "worker/actor/dispatch.h"
#include "worker/actor/reply_cache.h"
#include "worker/actor/session_store_status.h"

typedef struct {
    view_ops ops;
    clock_ops clock;
    turn_host host;
    hash_key key;
    _Atomic uint64_t now;
    reply *answers[64]; // emitted, oldest first
    unsigned count;
    _Atomic int open_views, open_scopes; // several threads run turns in test_pool
    _Atomic uint64_t store;              // snapshots go there; 0: nowhere
    const char *request;                 // the URL of what pack_request() gives; NULL: nothing
    char joined[80];                     // the URL that join() was given last
    unsigned joins;                      // that were made: each has a sequence of its own
    unsigned mount_status;               // mount() answers by itself
    const char *template;                // printf format of one %d
    const block_type *page, *branch;     // set by fake_slots: a plan of one text, and a branch for odd counts
    void (*done)(void *);                // of the awaitable that waits
    void (*note)(void *, await_note);    // the same
    void *done_context;
    err settles;      // how it ends
    await_note noted; // the last one
    unsigned resumable;
    _Atomic unsigned interrupts, dumps;       // how often it was asked to
    unsigned armed_times;                     // how often the session said when it wants its next turn
    uint64_t armed;                           // what it said last
    uint64_t interval;                        // of every view's ticks; 0: none
    void (*tell)(void *context, void *owner); // that something changed
    void *tell_context;
    void *owner;             // of the view that was opened last
    int tick_adds;           // to the count, at each tick; 0: it raises
    uint64_t again_ms;       // of the last go_on()
    _Atomic unsigned pauses; // how often one was asked for
    const char *members;     // of the effects of every turn; NULL: it has none
    const char *identity;    // that every turn changes it to; NULL: it does not
    bool unpackable;         // what no snapshot can hold
    bool forbid;             // authorize() says no
    bool raises;             // so it does instead
    slice raised;            // its effects
    bool loose;              // what it shows does not fit
    _Atomic bool awaits;     // await() was called
    bool interruptible;
    bool tick_awaits; // its end
    bool paused;      // what is awaited is, until go_on()
    bool changed;     // what every view says when it is asked
    bool leaves;      // every handler sends the user elsewhere
    bool not_stored;  // conclude() fails
} fake;

void fake_init(fake *self);
void fake_fini(fake *self); // checks that nothing was left open

request *fake_request(fake *self, message_type type, uint64_t sequence, uint16_t flags, slice body);
request *fake_mount(fake *self, uint16_t flags, id16 id);
request *fake_event(fake *self, uint64_t sequence, id16 id, const char *name, uint16_t flags);
request *fake_join(fake *self, uint64_t generation, id16 id, uint64_t version);
request *fake_join_two(fake *self, uint64_t generation, id16 first, id16 second, uint64_t version);
request *fake_view_request(fake *self, message_type type, id16 id);
request *fake_refresh(fake *self, id16 id, const char *chunk, bool whole); // chunk may be NULL

// From now on its pages have a plan: {"1": the count, "2": a branch that says the count when it is odd}.
void fake_slots(fake *self);

// A turn that nobody asked for; the reply, or NULL.
const reply *fake_push(fake *self, session *session, turn_result *ret_result);
// Runs it and gives the reply that came last; NULL if none came.
const reply *fake_run(fake *self, session *session, request *request, turn_result *ret_result);
// A field of a reply's body, as text; "" if it is not there.
const char *fake_text(const reply *from, const char *key, char room[2048]);
uint64_t fake_uint(const reply *from, const char *key);

extern const id16 FAKE_SESSION, FAKE_VIEW, FAKE_OTHER;

#endif
