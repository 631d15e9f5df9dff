// store - the newest snapshot of each session, in a directory, so that sessions outlive workers and brokers.
// Not thread-safe; one process at a time has the directory. Writes are batched: nothing is durable before
// store_commit, which does not wait for the disk: what it wrote survives this process, but not a power
// failure.
//
// store_commit appends to a journal. A checkpoint moves its content into LMDB tables, when there is much or
// when somebody reads (docs/decisions/fleet/0021).
#ifndef TROUPE_BROKER_STORE_STORE_H
#define TROUPE_BROKER_STORE_STORE_H

#include "common/buffer.h"
#include "common/errors.h"
#include "common/hex.h"

typedef struct store store;

// Creates the directory (0700) if need be. Damaged files are logged and set aside
// (docs/decisions/fleet/0028). limit: bytes of all snapshots, at most. seed: random. NULL: it cannot be
// opened; ret_why gets a sentence without a full stop.
store *store_new(const char *folder, size_t limit, uint64_t seed, char *ret_why, size_t why_size);
// NULL-safe. What was not committed is lost.
void store_destroy(store **self_p);

// The boot number of this start: `least`, ms since 1970, if that is above those of all earlier starts that
// this store has seen; otherwise above those, with room for the epochs that they assigned
// (broker/routing/epochs.h). Written at once. ERR_SYSTEM.
err store_boot(store *self, uint64_t least, uint64_t *ret_boot);

// Whether it knows nothing of earlier starts: it was just created, or that was lost.
bool store_is_new(const store *self);

// A number under a short name, which outlives this start; 0: never put. Written at once. ERR_SYSTEM.
uint32_t store_number(store *self, const char *name);
err store_put_number(store *self, const char *name, uint32_t value);

// Applies a snapshot frame (proto/snapshot.h), which was validated before. now: in ms, for store_sweep; may
// restart at 0 with the machine. ERR_FULL: the limit of the store or of one session (MAX_SNAPSHOT) was
// exceeded: the session is dropped. ERR_UNKNOWN_SESSION: changes of a session that is not stored; ignored.
// ERR_SYSTEM.
err store_put(store *self, id16 session, slice frame, uint64_t now);
// Like a SNAPSHOT_CHANGES frame with this root, whose value is head and body. Errors as above.
err store_put_root(store *self, id16 session, uint32_t root, slice head, slice body);
// Restarts the age of a session for store_sweep.
void store_touch(store *self, id16 session, uint64_t now);
void store_drop(store *self, id16 session);
// OK: all that was put is stored. ERR_SYSTEM: sessions that were changed since the last checkpoint are
// dropped.
err store_commit(store *self);
// Whether something was put since the last commit.
bool store_is_dirty(const store *self);
// Whether it is about to reach its limit.
bool store_is_nearly_full(const store *self);
// Whether a checkpoint is due; call store_checkpoint when no client waits.
bool store_needs_checkpoint(const store *self);
// Errors as store_commit.
err store_checkpoint(store *self);

// Reads include what was put and not yet committed.
bool store_has(store *self, id16 session);
// A SNAPSHOT_FULL frame. ERR_UNKNOWN_SESSION; ERR_SYSTEM.
err store_read(store *self, id16 session, buffer *out);
// The number of sessions.
size_t store_count(store *self);
// The ids after `after`, in ascending order. Returns how many: `most` at most.
size_t store_list(store *self, id16 after, id16 *ret, size_t most);
// The bytes of a session; 0: not stored.
size_t store_size(store *self, id16 session);
// Drops sessions that were neither changed nor touched for more than age ms, except those that is_alive.
// Looks at a few hundred sessions per call. Returns how many it dropped.
size_t store_sweep(store *self, uint64_t now, uint64_t age, bool (*is_alive)(void *context, id16 session),
                   void *context);

#endif
