// route - what becomes of a message: PROTOCOL.md 7's order of checks and the session's table, as functions of
// what is known. Pure: they read records, send nothing, change nothing.
#ifndef TROUPE_BROKER_ROUTING_ROUTE_H
#define TROUPE_BROKER_ROUTING_ROUTE_H

#include "broker/routing/directory.h"
#include "broker/routing/placement.h"

#define NO_WORKER_RETRY_MS 500

// The shape of a message, its routing id not counted. OK: *ret_header is of this version and of a type that
// the socket may carry. Otherwise the first error that PROTOCOL.md 7 names, and *ret_header holds what could
// be read: zeros, if nothing.
err route_check_front(size_t frames, slice head, size_t body_size, header *ret_header);
// From a worker. A reply over MAX_REPLY_BODY is ERR_TOO_LARGE with the header read: its client must hear of
// it.
err route_check_back(size_t frames, size_t client_size, slice head, size_t body_size, header *ret_header);

typedef enum {
    ROUTE_FORWARD, // to worker, the session's owner
    ROUTE_PLACE,   // on worker, as a new session
    ROUTE_RESTORE, // on worker, with what the store has
    ROUTE_DETACH,  // to worker, and nobody is attached any more
    ROUTE_PARK,    // until the session has moved
    ROUTE_ANSWER,  // with error, and when to come back
    ROUTE_DROP,    // wants no answer
} route_kind;

typedef struct {
    route_kind kind;
    err error;
    uint32_t retry_ms; // 0: not said
    worker *worker;    // NULL: none
} route;

// A request that names a session. known is that session's record, or NULL; stored: without one the store has
// it; from is the client.
route route_request(const header *request, const session *known, bool stored, slice from,
                    const registry *workers, uint64_t now, uint64_t worker_dead_ms);

// The same route if its worker may have a request of that size now; else to the answer that says when to come
// back. known: as above. An event behind one that was refused is a gap already here: it would cost the worker
// a turn to find that out.
route route_admit(const route *planned, const header *request, size_t body_size, const session *known,
                  const registry *workers);

// A reply, or what is unasked, from a registered worker. OK: it may pass. ERR_UNKNOWN_SESSION: not that
// worker's session. ERR_STALE: its, but under another epoch.
err route_reply(const header *reply, const session *known, const worker *from);
// What a reply to that request means to the session.
session_input route_reply_input(uint8_t request_type, uint16_t request_flags, uint8_t reply_type);

#endif
