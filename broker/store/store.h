// store - the newest snapshot of each session, in a folder, so that it outlives workers and brokers. Not
// thread-safe; one process at a time has a folder. Writes are gathered: nothing that was put is kept before
// store_commit, which is not waited for to reach the disk: what it wrote outlives this process, not the
// machine's power.
//
// store_commit writes to a journal, which is folded into tables (LMDB) when there is much, or somebody reads
// (docs/decisions/0021).
#ifndef TROUPE_BROKER_STORE_STORE_H
#define TROUPE_BROKER_STORE_STORE_H

#include "common/buffer.h"
#include "common/errors.h"
#include "common/hex.h"

typedef struct store store;

// Makes the folder (0700) if need be. What is damaged is named in the log and set aside
// (docs/decisions/0028). limit: bytes that snapshots may have, at most. seed: drawn at random. NULL: it
// cannot be had; ret_why says so in a sentence without a full stop.
store *store_new(const char *folder, size_t limit, uint64_t seed, char *ret_why, size_t why_size);
void store_destroy(store **self_p); // NULL-safe; what was not committed is lost

// The number of this start: `least`, ms since 1970, where that is above the number of every other start that
// this store has seen; otherwise above those, with room for the epochs that they gave
// (broker/routing/epochs.h). It is written at once. ERR_SYSTEM.
err store_boot(store *self, uint64_t least, uint64_t *ret_boot);

// Whether it has no figures of starts before: it was made just now, or they were lost.
bool store_is_new(const store *self);

// A number under a short name, as it was put last by any start; 0: never. It is written at once. ERR_SYSTEM.
uint32_t store_figure(store *self, const char *name);
err store_put_figure(store *self, const char *name, uint32_t value);

// What a snapshot frame says (proto/snapshot.h; it was read before). now: ms, for store_sweep; may
// begin again at 0 when the machine does.
// ERR_FULL: the limit, of the store or of one session (MAX_SNAPSHOT), was met: nothing of this session is
// kept any more. ERR_UNKNOWN_SESSION: changes of a session that is not here; dropped. ERR_SYSTEM.
err store_put(store *self, id16 session, slice frame, uint64_t now);
// One root, as if a SNAPSHOT_CHANGES frame had it. Errors as above.
err store_put_root(store *self, id16 session, uint32_t root, slice head, slice body);
void store_touch(store *self, id16 session, uint64_t now); // as if it had been put something for
void store_drop(store *self, id16 session);
err store_commit(store *self); // OK: nothing was put, or all is kept. ERR_SYSTEM: what was put is not kept
bool store_is_open(const store *self);    // whether something was put since the last commit
bool store_is_crowded(const store *self); // whether it is about to meet its limit
bool store_is_full(const store *self);    // whether it is time for store_fold: nobody should wait for it
err store_fold(store *self);              // as store_commit

// Reading sees what was put.
bool store_has(store *self, id16 session);
// A SNAPSHOT_FULL frame. ERR_UNKNOWN_SESSION; ERR_SYSTEM.
err store_read(store *self, id16 session, buffer *out);
size_t store_count(store *self); // of sessions
// The ids behind `after`, lowest first. Returns how many there are, of most at most.
size_t store_list(store *self, id16 after, id16 *ret, size_t most);
size_t store_size(store *self, id16 session); // its bytes; 0: it has none
// Drops sessions that nobody put anything for, or touched, for more than age ms. is_alive(context, session):
// that one stays. Looks at no more than a few hundred in a call. Returns how many it dropped.
size_t store_sweep(store *self, uint64_t now, uint64_t age, bool (*is_alive)(void *context, id16 session),
                   void *context);

#endif
