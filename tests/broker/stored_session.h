// stored_session - a broker with a store, a client c1 that joined a session, and its worker; for tests of
// what is stored and when.
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
// An event of the session, and the change that its worker made in it.
void stored_event(uint64_t number, const char *now);
// The bytes of a root in the RESTORE that a worker received; NULL: no such root.
const char *stored_root(const arrival *restore, uint32_t root);
void stored_lose_worker(void);
arrival stored_request_again(message_type type, uint16_t flags, uint64_t sequence);
void stored_large(buffer *ret); // bytes that there is no room for in the store's file as it is; owned
// From now on each write that would make a file larger fails, as on a full disk.
void stored_fill_disk(bool full);
// The next message to the worker that is not KEEP.
arrival stored_next_request(void);
// A snapshot frame of one root. number: the frame's; 0: none.
void stored_frame(buffer *ret, uint8_t kind, uint32_t number, slice now);
// An event that the worker answers with a snapshot of that kind. Returns the flags that the worker received.
uint16_t stored_event_numbered(uint64_t number, uint8_t kind, uint32_t snapshot, slice now);
void stored_open_peers(const char *as, const char *id, const char *name);
void stored_close_peers(void);

#endif
