// black_box - what a worker is doing, in memory that outlives it: a slot for each turn that runs. The worker
// writes it (worker/actor/recorder.h); whoever started the worker reads it when that has ended. No I/O; pure.
#ifndef TROUPE_BLACK_BOX_H
#define TROUPE_BLACK_BOX_H

#include "proto/bodies.h"

#include <stdatomic.h>

enum {
    BLACK_BOX_THREADS = 256, // threads that run turns
    BLACK_BOX_PARKED = 256,  // turns that await; what is beyond is not recorded
    BLACK_BOX_SLOTS = BLACK_BOX_THREADS + BLACK_BOX_PARKED,
};

typedef enum {
    SLOT_EMPTY,
    SLOT_TAKEN, // is being written
    SLOT_RUNNING,
    SLOT_CULPRIT, // the process ends because of this one
} slot_state;

typedef struct {
    _Atomic uint32_t state;
    int32_t thread;         // that runs it, as the system numbers them; 0: it awaits
    _Atomic uint64_t since; // ms of the worker's clock
    uint64_t sequence;
    id16 session;
    uint8_t type;
    _Atomic uint8_t view_size, event_size; // 0: not known, or none
    char view[MAX_VIEW_PATH];
    char event[MAX_EVENT_NAME];
} black_box_slot;

typedef struct {
    uint32_t magic;
    _Atomic uint32_t over; // it ended in order: nobody is to blame
    black_box_slot slot[BLACK_BOX_SLOTS];
} black_box;

#define BLACK_BOX_MAGIC 0x31424254 // TBB1

enum { EXIT_STUCK = 5 }; // a worker's exit code: a turn was over the hard limit

// What is written in it. False: nothing that could be one. Borrows the slot, whose owner may write it
// meanwhile.
bool black_box_slot_read(const black_box_slot *self, running_turn *ret);

// What ran when it ended: the culprits if there are, else all. Of what is odd in it (a process may die in the
// middle of a write, or write anything) nothing is said. event is the request's type ("MOUNT") where it was
// no event. Borrows bytes; at most `most`.
unsigned black_box_running(slice bytes, running_turn *ret, unsigned most);

#endif
