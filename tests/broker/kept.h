// kept - a broker with a store, a client c1 that joined a session, and its worker; for tests of what is kept.
#ifndef TROUPE_TESTS_KEPT_H
#define TROUPE_TESTS_KEPT_H

#include "proto/snapshot.h"
#include "tests/broker/stage.h"
#include "tests/unit.h"

extern stage kept_stage;
extern char kept_state[64]; // the store's folder
extern zsock_t *kept_client, *kept_worker;
extern uint64_t kept_epoch;

// A session that c1 joined, with one root in the store.
void kept_begin(void);
void kept_end(void);
// An event of the session, and what its worker changed by it.
void kept_event(uint64_t number, const char *now);
// The bytes of a root in what a worker is given; NULL: no such root.
const char *kept_root(const arrival *restore, uint32_t root);
void kept_lose_worker(void);
arrival kept_ask_for_it(message_type type, uint16_t flags, uint64_t sequence);
void kept_large(buffer *ret); // bytes that there is no room for in the store's file as it is; owned
// What is written fails from now on where it would make the file larger.
void kept_fill_disk(bool full);
// The next that the worker is sent, but KEEP.
arrival kept_next_request(void);
// A frame of one root. number: 0: it has none.
void kept_frame(buffer *ret, uint8_t kind, uint32_t number, slice now);
// An event, answered with a snapshot of that kind; the flags that the worker got.
uint16_t kept_event_numbered(uint64_t number, uint8_t kind, uint32_t snapshot, slice now);
void kept_open_peers(const char *as, const char *id, const char *name);
void kept_close_peers(void);

#endif
