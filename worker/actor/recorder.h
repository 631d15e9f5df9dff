// recorder - writes the worker's black box (proto/black_box.h): what each thread runs, and which turns await
// something (decision 17). The supervisor reads there which turn a worker died of, and the watchdog which
// turns take too long. A slot is written by the thread that runs its turn; any thread may read the atomic
// parts. Costs a few stores per turn; only recorder_new blocks.
#ifndef TROUPE_WORKER_ACTOR_RECORDER_H
#define TROUPE_WORKER_ACTOR_RECORDER_H

#include "proto/black_box.h"

typedef struct recorder recorder;

// fd: a file that the supervisor reads when this process has ended, borrowed; -1: private memory. NULL: the
// file cannot be mapped; errno says why.
recorder *recorder_new(int fd);
void recorder_destroy(recorder **self_p); // NULL-safe; the file stays as it is
bool recorder_has_reader(const recorder *self);
void recorder_clean_exit(recorder *self); // the process ends as it should: no turn is to blame

// The calling thread's slot, for life. index < BLACK_BOX_THREADS.
black_box_slot *recorder_thread_slot(recorder *self, unsigned index);
void recorder_begin_turn(black_box_slot *slot, const header *head, uint64_t now);
void recorder_note(black_box_slot *slot, slice view, slice event); // whose code is about to run; NULL-safe
void recorder_end_turn(black_box_slot *slot);

// Moves a turn that awaits something to a slot of its own, and empties the thread's. NULL: none is free, so
// that the turn is not recorded until it is resumed. recorder_resume moves it back.
black_box_slot *recorder_park(recorder *self, black_box_slot *running);
void recorder_resume(black_box_slot *parked, black_box_slot *running, uint64_t now);
void recorder_extend(black_box_slot *parked, uint64_t now); // it may go on: its time counts anew; NULL-safe
// The turn that has awaited the longest, if that is longer than limit ms; NULL: none.
black_box_slot *recorder_overdue(recorder *self, uint64_t now, uint64_t limit);

// The event loop, on which turns that await go on step by step. The first three are for its thread, the
// others for any.
void recorder_begin_step(recorder *self, id16 session);
void recorder_end_step(recorder *self);
void recorder_loop_answered(recorder *self, uint64_t now);
uint64_t recorder_loop_silence(const recorder *self, uint64_t now); // ms since it answered
// The turn whose step the event loop is in; NULL: none that is recorded.
black_box_slot *recorder_stepping(recorder *self);

// The process ends because of this turn. Copies it, since the turn may end before the process does.
void recorder_blame(recorder *self, black_box_slot *culprit);
void recorder_blame_awaiting(recorder *self); // because of one of those that await

// From now on a thread that dies of a signal marks its own turn as the culprit. To be called before Python
// starts, whose faulthandler then writes the stacks first and chains to this. The recorder must live as long
// as the process.
void recorder_catch_signals(recorder *self);

#endif
