// outbox - replies and ended sessions on their way from the pool's threads to the I/O thread. Any thread
// puts; one thread takes. A mutex is held for a few instructions only; an eventfd wakes the taker.
#ifndef TROUPE_WORKER_IO_OUTBOX_H
#define TROUPE_WORKER_IO_OUTBOX_H

#include "worker/actor/session.h"

#define OUTBOX_BATCH 32

typedef struct outbox outbox;

outbox *outbox_new(void);
// No thread may still put. Destroys the replies in it, and leaves the sessions. NULL-safe.
void outbox_destroy(outbox **self_p);
// Readable when outbox_take would return something. The outbox owns it.
int outbox_fd(const outbox *self);
void outbox_put(outbox *self, reply **reply_p); // consumes *reply_p
// Lends the session to the taker, which frees it. Its last reply must have been put before.
void outbox_put_ended(outbox *self, session *session);
// Makes the fd readable. Async-signal-safe.
void outbox_wake(outbox *self);

// For the taker, under load: sleeps until there are OUTBOX_BATCH replies, outbox_hurry is called or the fd is
// readable, and for most_us at most. Replies that are put meanwhile do not wake it one by one, so outbox_take
// must follow.
void outbox_rest(outbox *self, unsigned most_us);
// Ends a rest, as no more replies are to be expected. Any thread.
void outbox_hurry(outbox *self);
bool outbox_rests(outbox *self); // the taker is in outbox_rest; any thread

// All replies, oldest first, linked by next, and the caller's; NULL: there are none. Clears the fd.
reply *outbox_take(outbox *self);
// A session that had ended by the last outbox_take, which therefore returned its last reply; NULL: no more.
session *outbox_take_ended(outbox *self);

#endif
