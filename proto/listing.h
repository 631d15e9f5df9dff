// listing - the bodies of SESSIONS and LISTED (PROTOCOL.md 5.1, 5.2): a broker's sessions, MAX_LISTED at a
// time. Decoders borrow the body and write *ret only on OK, except listed_next(). Pure.
#ifndef TROUPE_LISTING_H
#define TROUPE_LISTING_H

#include "proto/codec.h"
#include "proto/message.h"

typedef struct {
    // Only sessions whose ids follow this one; zeros: all.
    id16 after;
    // Only sessions of the worker of this name, or of those whose names begin with it and a dot; empty: of
    // all workers, and those in the store.
    slice worker;
} sessions_body;
err sessions_decode(slice body, sessions_body *ret);
void sessions_encode(const sessions_body *self, buffer *out);

typedef struct {
    id16 session;
    // A state of PROTOCOL.md 5.4, in lower case.
    slice state;
    // Its owner's name; empty: only the store has it.
    slice worker;
    // A client has joined, and receives PUSH and ENDED.
    bool attached;
    uint64_t epoch, pending, bytes;
} listed;
// Writes the body's head; listed_add() must follow count times, in the order of the ids.
void listed_begin(buffer *out, uint32_t count, bool more);
void listed_add(buffer *out, const listed *listed);

typedef struct {
    // A raw list of at most MAX_LISTED elements.
    slice sessions;
    // There are more: ask again, after the last of these.
    bool more;
} listed_body;
err listed_decode(slice body, listed_body *ret);
// The next session; *cursor must be 0 at first. ERR_AGAIN: there are no more. ERR_MALFORMED and
// ERR_TOO_LARGE: *ret is undefined.
err listed_next(const listed_body *self, size_t *cursor, listed *ret);

#endif
