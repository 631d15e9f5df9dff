// route - what becomes of a message: the checks of PROTOCOL.md 7 and the table of 5.4, as functions of what
// is known. Pure: they read records, send nothing, change nothing.
#ifndef TROUPE_BROKER_ROUTING_ROUTE_H
#define TROUPE_BROKER_ROUTING_ROUTE_H

#include "broker/routing/directory.h"
#include "broker/routing/placement.h"

#define NO_WORKER_RETRY_MS 500

// Checks the shape of a message; frames does not count its routing id. OK: *ret_header is of this version and
// of a type that the socket may carry. Otherwise the first error in the order of PROTOCOL.md 7; *ret_header
// then holds what could be decoded, or zeros.
err route_check_front(size_t frames, slice head, size_t body_size, header *ret_header);
// The same for a worker's. A reply over MAX_REPLY_BODY is ERR_TOO_LARGE with the header decoded, since its
// client must be answered.
err route_check_back(size_t frames, size_t client_size, slice head, size_t body_size, header *ret_header);

typedef enum {
    ROUTE_FORWARD, // to worker, the session's owner
    ROUTE_PLACE,   // on worker, as a new session
    ROUTE_RESTORE, // on worker, with what the store has
    ROUTE_DETACH,  // to worker, and no client is attached any more
    ROUTE_PARK,    // until the session has migrated
    ROUTE_ANSWER,  // NOT_EXECUTED, with error and retry_ms
    ROUTE_DROP,    // wants no reply
} route_kind;

typedef struct {
    route_kind kind;
    err error;
    uint32_t retry_ms; // 0: none
    worker *worker;    // NULL: none
} route;

// Where a request goes that names a session. known: the session's record, or NULL. stored: there is none, but
// the store has the session. from: the client.
route route_request(const header *request, const session *known, bool stored, slice from,
                    const registry *workers, uint64_t now, uint64_t worker_dead_ms);

// Admission control: the same decision if its worker may be given a request of that size now, otherwise an
// answer that says when to come back. known: as above. An event behind one that was refused is answered `gap`
// here, since it would cost the worker a turn to find that out.
route route_admit(const route *planned, const header *request, size_t body_size, const session *known,
                  const registry *workers);

// Whether a registered worker may send this about the session. ERR_UNKNOWN_SESSION: the session is not that
// worker's. ERR_STALE: it is, but under another epoch.
err route_reply(const header *reply, const session *known, const worker *from);
// The input to the session's state machine that this reply to this request is.
session_input route_reply_input(uint8_t request_type, uint16_t request_flags, uint8_t reply_type);

#endif
