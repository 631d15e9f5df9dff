// snapshot - what a session needs to come back, as roots of bytes (PROTOCOL.md 5.5). No I/O; pure; any
// thread.
//
// A frame is one byte for its kind, and entries {u32 root, u32 length, bytes}. Only a worker knows what the
// bytes of a root mean; the broker keeps the newest of each.
#ifndef TROUPE_SNAPSHOT_H
#define TROUPE_SNAPSHOT_H

#include "common/buffer.h"
#include "common/errors.h"

typedef enum {
    SNAPSHOT_FULL = 1,    // these roots and no others
    SNAPSHOT_CHANGES = 2, // these roots in place of what they were
    SNAPSHOT_NONE = 3,    // the session cannot be kept; no entries
} snapshot_kind;

// Roots: (a view's number << 16 | an attribute's), and these.
// Whose session it is, and its views.
#define ROOT_SESSION UINT32_C(0xffff0000)
// What changes with each event: numbers and versions.
#define ROOT_PROGRESS UINT32_C(0xffff0001)
// u64 in network order: the highest event that the broker answered UNKNOWN.
#define ROOT_SETTLED UINT32_C(0xffff0002)
// Only of a session that migrates: who keeps it alive.
#define ROOT_LEASE UINT32_C(0xffff0003)
// u32 in network order: the frame's number. Never stored.
#define ROOT_NUMBER UINT32_C(0xffff0004)
// Only of a session that migrates, with a view's place in ROOT_SESSION added: the view's request. Never
// stored.
#define ROOT_REQUESTS UINT32_C(0xfffd0000)
// With an event's number modulo MAX_REPLIES_KEPT added: header and body of its reply.
#define ROOT_REPLIES UINT32_C(0xfffe0000)
// Attribute 0xffff of a view is the state_version of its other attributes.
enum { MAX_ROOT_VIEW = 0xfff0, MAX_ROOT_ATTRIBUTE = 0xfffe };

static inline uint32_t
snapshot_root(unsigned of_view, unsigned attribute)
{
    return (uint32_t)of_view << 16 | attribute;
}

// Writing.
void snapshot_begin(buffer *out, snapshot_kind kind);
// Must be the first entry. number: not 0.
void snapshot_put_number(buffer *out, uint32_t number);
void snapshot_put(buffer *out, uint32_t root, slice bytes);
// An entry that deletes the root.
void snapshot_gone(buffer *out, uint32_t root);
// An entry whose bytes the caller appends to the buffer: then snapshot_close() writes their length, or
// snapshot_cancel() removes the entry. opened: what snapshot_open() returned.
size_t snapshot_open(buffer *out, uint32_t root);
void snapshot_close(buffer *out, size_t opened);
void snapshot_cancel(buffer *out, size_t opened);

// Reading.
typedef struct {
    uint32_t root;
    bool gone;
    slice bytes; // borrowed from the frame
} snapshot_entry;

typedef struct {
    snapshot_kind kind;
    slice rest;
} snapshot_reader;

// ERR_MALFORMED: an unknown kind, or entries that do not fill the frame; ERR_TOO_LARGE: over MAX_SNAPSHOT.
err snapshot_read(slice frame, snapshot_reader *ret);
bool snapshot_next(snapshot_reader *self, snapshot_entry *ret); // false at the end
uint32_t snapshot_number(slice frame);                          // of any bytes; 0: it has none

#endif
