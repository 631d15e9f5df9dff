// black_box - what a worker is doing, in shared memory that outlives it: a slot for each turn that runs. The
// worker writes it (worker/actor/recorder.h); whoever started the worker reads it after the worker has ended.
// This header is the layout of the memory, and its reader. Pure.
#ifndef TROUPE_BLACK_BOX_H
#define TROUPE_BLACK_BOX_H

#include "proto/bodies.h"

#include <stdatomic.h>

enum {
    // A slot for each thread that runs turns, and one for each turn that awaits; further ones are not
    // recorded.
    BLACK_BOX_THREADS = 256,
    BLACK_BOX_PARKED = 256,
    BLACK_BOX_SLOTS = BLACK_BOX_THREADS + BLACK_BOX_PARKED,
};

typedef enum {
    SLOT_EMPTY,
    // It is being written.
    SLOT_TAKEN,
    SLOT_RUNNING,
    // The process ends because of this turn.
    SLOT_CULPRIT,
} slot_state;

typedef struct {
    _Atomic uint32_t state;
    // The id of the thread that runs it, from gettid(2); 0: the turn awaits.
    int32_t thread;
    // In ms of the worker's clock.
    _Atomic uint64_t since;
    uint64_t sequence;
    id16 session;
    uint8_t type;
    // 0: unknown, or none.
    _Atomic uint8_t view_size, event_size;
    char view[MAX_VIEW_PATH];
    char event[MAX_EVENT_NAME];
} black_box_slot;

typedef struct {
    uint32_t magic;
    // The worker ended in order: no turn is to blame.
    _Atomic uint32_t over;
    black_box_slot slot[BLACK_BOX_SLOTS];
} black_box;

// "TBB1": the 1 is the version of the layout.
#define BLACK_BOX_MAGIC 0x31424254

// The exit code of a worker with a turn that exceeded the hard limit.
enum { EXIT_STUCK = 5 };

// The turn in a slot. False: there is none. Borrows the slot, which its owner may be writing.
bool black_box_slot_read(const black_box_slot *self, running_turn *ret);

// The turns that ran when the worker ended, at most `most`: the culprits if any are marked, else all. Slots
// that make no sense are skipped. event is the request's type ("MOUNT") for a turn that was not an event.
// Borrows bytes.
unsigned black_box_running(slice bytes, running_turn *ret, unsigned most);

#endif
