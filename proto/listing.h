// listing - the bodies of SESSIONS and LISTED (PROTOCOL.md 5.1, 5.2): a broker's sessions, a page at a time.
// Decoders borrow the body and write *ret only on OK. Pure.
#ifndef TROUPE_LISTING_H
#define TROUPE_LISTING_H

#include "proto/codec.h"
#include "proto/message.h"

typedef struct {
    id16 after;   // those behind this id; zeros: all
    slice worker; // those of this worker, whole or up to a dot; empty: of all, and those in the store
} sessions_body;
err sessions_decode(slice body, sessions_body *ret);
void sessions_encode(const sessions_body *self, buffer *out);

typedef struct {
    id16 session;
    slice state;   // a word of PROTOCOL.md 5.4, in lower case
    slice worker;  // its owner's name; empty: it is in the store only
    bool attached; // a page, or a program that joined, is told what happens
    uint64_t epoch, pending, bytes;
} listed;
// A list of count entries, to be added one by one, in the order of their ids.
void listed_begin(buffer *out, uint32_t count, bool more);
void listed_add(buffer *out, const listed *listed);

typedef struct {
    slice sessions; // raw list, of MAX_LISTED at most
    bool more;      // ask again, after the last of them
} listed_body;
err listed_decode(slice body, listed_body *ret);
// The next one; *cursor begins as 0. ERR_AGAIN: there is no more. ERR_MALFORMED, ERR_TOO_LARGE.
err listed_next(const listed_body *self, size_t *cursor, listed *ret);

#endif
