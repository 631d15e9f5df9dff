// recorder - writes the worker's black box (proto/black_box.h): what each thread runs and what awaits, so
// that those who come after it can tell what it died of, and that what takes too long is found. A slot is
// written by the thread that runs its turn; any thread may read the atomic parts. Costs a few stores a turn;
// never blocks, but in recorder_new.
#ifndef TROUPE_WORKER_ACTOR_RECORDER_H
#define TROUPE_WORKER_ACTOR_RECORDER_H

#include "proto/black_box.h"

typedef struct recorder recorder;

// fd: a file that whoever started us reads when we are gone; -1: memory of our own. NULL: it cannot be used;
// errno says why. It lives as long as the process, or until recorder_destroy.
recorder *recorder_new(int fd);
void recorder_destroy(recorder **self_p);       // NULL-safe; the file stays as it is
bool recorder_has_reader(const recorder *self); // somebody else looks at it when we are gone
void recorder_clean_exit(recorder *self);       // from now on nobody is to blame: the process ends in order

// A thread's slot, for life; the calling thread's. lane < BLACK_BOX_THREADS.
black_box_slot *recorder_thread_slot(recorder *self, unsigned lane);
// The slot of a turn that goes on awaiting; `from` is empty after it. NULL: no room, so it is not recorded.
black_box_slot *recorder_park(recorder *self, black_box_slot *from);
void recorder_resume(black_box_slot *parked, black_box_slot *slot, uint64_t now); // the other way
// The turn that awaits for the longest, if that is for longer than limit ms; NULL: none.
black_box_slot *recorder_overdue(recorder *self, uint64_t now, uint64_t limit);

// The process ends because of this one: written down for itself, as its turn may end before that.
void recorder_blame(recorder *self, black_box_slot *slot);
void recorder_blame_awaiting(recorder *self); // all that await

void recorder_begin_turn(black_box_slot *slot, const header *head, uint64_t now);
void recorder_note(black_box_slot *slot, slice view,
                   slice event); // which view's code is about to run; NULL-safe
void recorder_end_turn(black_box_slot *slot);

// A thread of ours that dies of a signal names its own turn. Before Python is started, whose faulthandler
// then writes the stacks and calls this. The recorder must live as long as the process.
void recorder_catch_signals(recorder *self);

#endif
