// stored_session - a broker with a store, a client c1 that joined a session, and its worker; for tests of
// what is stored.
#ifndef TROUPE_TESTS_STORED_SESSION_H
#define TROUPE_TESTS_STORED_SESSION_H

#include "proto/snapshot.h"
#include "tests/broker/stage.h"
#include "tests/unit.h"

extern stage stored_stage;
extern char stored_folder[64]; // the store's folder
extern zsock_t *stored_client, *stored_worker;
extern uint64_t stored_epoch;

// A session that c1 joined, with one root in the store.
void stored_begin(void);
void stored_end(void);
// An event of the session, and what its worker changed by it.
void stored_event(uint64_t number, const char *now);
// The bytes of a root in what a worker is given; NULL: no such root.
const char *stored_root(const arrival *restore, uint32_t root);
void stored_lose_worker(void);
arrival stored_request_again(message_type type, uint16_t flags, uint64_t sequence);
void stored_large(buffer *ret); // bytes that there is no room for in the store's file as it is; owned
// What is written fails from now on where it would make the file larger.
void stored_fill_disk(bool full);
// The next that the worker is sent, but KEEP.
arrival stored_next_request(void);
// A frame of one root. number: 0: it has none.
void stored_frame(buffer *ret, uint8_t kind, uint32_t number, slice now);
// An event, answered with a snapshot of that kind; the flags that the worker got.
uint16_t stored_event_numbered(uint64_t number, uint8_t kind, uint32_t snapshot, slice now);
void stored_open_peers(const char *as, const char *id, const char *name);
void stored_close_peers(void);

#endif
