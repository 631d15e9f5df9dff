// bodies - the bodies of PROTOCOL.md 5 as structs. Decoders borrow the body; encoders append to a buffer. No
// I/O; pure; any thread.
//
// Every decoder returns OK, ERR_MALFORMED or ERR_TOO_LARGE, and writes *ret only on OK; announce_next(),
// which reads into the same struct again and again, leaves it undefined on an error. Raw slices are scanned
// msgpack; "or empty" is for optional keys.
#ifndef TROUPE_BODIES_H
#define TROUPE_BODIES_H

#include "proto/codec.h"
#include "proto/message.h"

typedef struct {
    slice path;
    slice params;   // raw map
    slice request;  // raw map, or empty
    slice init;     // raw map, or empty
    slice identity; // or empty
    bool has_view;
    id16 view;
} mount_body;
err mount_decode(slice body, mount_body *ret);

typedef struct {
    id16 view;
    uint64_t version;
    slice path;
    slice params; // raw map
    slice init;   // raw map, or empty
    slice url;    // path and query that this view was mounted with, or empty
} join_view;

typedef struct {
    uint64_t generation;
    slice identity;
    slice request; // raw map
    unsigned count;
    join_view views[MAX_VIEWS];
} join_body;
err join_decode(slice body, join_body *ret);

typedef struct {
    id16 view;
    slice name;
    slice params; // raw map
} event_body;
err event_decode(slice body, event_body *ret);
err view_decode(slice body, id16 *ret_view); // UNMOUNT

typedef struct {
    id16 view;
    // Raw list of str: the hashes that the page lacks; empty: it asks for the whole root.
    slice chunks;
    // The page cannot be adopted: send this view's changes as whole roots from now on.
    bool whole;
} refresh_body;
err refresh_decode(slice body, refresh_body *ret);

typedef struct {
    id16 view;
    uint64_t version;
} ack_body;
err ack_decode(slice body, ack_body *ret);
err logout_decode(slice body, slice *ret_identity);

// A turn that ran when its worker ended.
typedef struct {
    id16 session;
    uint64_t sequence;
    slice view;  // its path, or empty
    slice event; // or empty
} running_turn;

typedef struct {
    // From 1 to 2^31 - 1, which kill(2) takes for a process. Above: ERR_TOO_LARGE.
    uint64_t pid;
    unsigned count;
    running_turn running[MAX_RUNNING];
} exited_body;
err exited_decode(slice body, exited_body *ret);
void exited_encode(const exited_body *self, buffer *out);

typedef struct {
    id16 view;
    uint64_t version;
    slice html;
    bool has_at;
    uint64_t at;
    uint64_t last;
    slice effects; // raw map, or empty
} mounted_body;
void mounted_encode(const mounted_body *self, buffer *out);

// One element of JOINED's views, unless it has an error.
typedef struct {
    id16 view;
    uint64_t version;
    // What patches call the view within its session.
    uint64_t number;
    // The page can be adopted: the hashes of all chunks that the view has used are sent.
    bool adoptable;
    unsigned chunk_count;
    const slice *chunks;
    bool anew;     // it could not be restored, and was mounted anew
    slice html;    // or empty
    slice title;   // JSON, or empty
    slice effects; // raw map, or empty
} joined_view;
void joined_view_encode(const joined_view *self, buffer *out);

typedef struct {
    uint64_t version;
    // Each may be empty: the request's flags decide.
    slice frame, patch, html;
    slice effects; // raw map, or empty
} done_body;
void done_encode(const done_body *self, buffer *out);

typedef struct {
    // Empty where there is an error.
    slice frame;
    // A raw map like the body of FAILED, and the view that failed.
    slice error;
    id16 view;
    slice effects; // raw map, or empty
} push_body;
void push_encode(const push_body *self, buffer *out);

typedef struct {
    slice file;
    uint64_t line;
    slice function;
    slice source;
} fault_frame;

typedef struct {
    err kind; // an OUTCOME_FAILED error
    slice message;
    slice type;
    slice view_path;
    slice event;
    unsigned count;
    const fault_frame *frames;
    slice effects;    // raw map, or empty
    slice debug_page; // at most MAX_DEBUG_PAGE; left out if empty
} failed_body;
void failed_encode(const failed_body *self, buffer *out);

// NOT_EXECUTED and UNKNOWN. message: err_text() if empty. retry_ms: left out if 0.
void refusal_encode(err reason, slice message, uint32_t retry_ms, buffer *out);
// With the view and event that are to blame; either may be empty.
void refusal_blame_encode(err reason, slice message, uint32_t retry_ms, slice view_path, slice event,
                          buffer *out);
// Which of FAILED, NOT_EXECUTED and UNKNOWN an error is answered with.
message_type refusal_type(err reason);
// ENDED, GOODBYE and RELEASED, with an empty message; REFUSED.
void reason_encode(const char *reason, slice message, buffer *out);
void empty_encode(buffer *out);

typedef struct {
    slice name;
    uint64_t pid;
    uint64_t threads;
    slice version;
} register_body;
err register_decode(slice body, register_body *ret);
void register_encode(const register_body *self, buffer *out);

typedef struct {
    uint64_t boot;
    uint64_t heartbeat_ms;
    // The broker has a store: replies must carry snapshots (PROTOCOL.md 5.5).
    bool snapshots;
    // A worker that is silent for this long is dead; WORKER_DEAD_MS if absent.
    uint64_t dead_ms;
} welcome_body;
err welcome_decode(slice body, welcome_body *ret);
void welcome_encode(const welcome_body *self, buffer *out);
void identify_encode(uint64_t boot, buffer *out);
err identify_decode(slice body, uint64_t *ret_boot);

// ANNOUNCE: what a worker owns (PROTOCOL.md 5.7).
typedef enum { ANNOUNCED_HELD, ANNOUNCED_UNADOPTED, ANNOUNCED_ATTACHED, ANNOUNCED_DETACHED } announced_state;
typedef struct {
    id16 session;
    uint64_t epoch;
    announced_state state;
    // The routing id of the attached client; empty in any other state.
    slice client;
} announced;
typedef struct {
    slice sessions; // raw list
    bool last;
} announce_body;
err announce_decode(slice body, announce_body *ret);
// The next session; *cursor must be 0 at first. ERR_AGAIN: there are no more.
err announce_next(const announce_body *self, size_t *cursor, announced *ret);
// Writes the body's head; announce_add() must follow count times.
void announce_begin(buffer *out, uint32_t count, bool last);
void announce_add(buffer *out, const announced *announced);

typedef struct {
    uint64_t sent;
    uint64_t sessions, views, queued, running, busy_ms, turns;
    uint64_t parked;
} heartbeat_body;
err heartbeat_decode(slice body, heartbeat_body *ret);
void heartbeat_encode(const heartbeat_body *self, buffer *out);

typedef struct {
    uint64_t sent;
    uint64_t boot;
} echo_body; // the broker's answer to HEARTBEAT
err echo_decode(slice body, echo_body *ret);
void echo_encode(const echo_body *self, buffer *out);

typedef struct {
    slice reason;
    slice message; // or empty
} reason_body;
err reason_decode(slice body, reason_body *ret);

#endif
