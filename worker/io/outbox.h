// outbox - replies and ended sessions on their way from the pool's threads to the I/O thread. Any thread
// puts; one takes. Puts hold a lock for a moment; an eventfd says that there is something.
#ifndef TROUPE_WORKER_IO_OUTBOX_H
#define TROUPE_WORKER_IO_OUTBOX_H

#include "worker/actor/session.h"

#define OUTBOX_BATCH 32

typedef struct outbox outbox;

outbox *outbox_new(void);
void outbox_destroy(outbox **self_p); // destroys the replies in it; sessions are left. NULL-safe
int outbox_fd(const outbox *self);    // readable when outbox_take would give something; the outbox owns it
void outbox_put(outbox *self, reply **reply_p); // takes the reply
void outbox_put_ended(outbox *self, session *session);
void outbox_wake(outbox *self); // makes the fd readable; async-signal-safe

// For the taker, under load: sleeps until OUTBOX_BATCH replies are there, outbox_hurry is called or the fd is
// readable; at most most_us. Replies that are put meanwhile do not wake it one by one, so outbox_take must
// follow.
void outbox_rest(outbox *self, unsigned most_us);
void outbox_hurry(outbox *self); // no more replies are to be expected: ends a rest; any thread
bool outbox_rests(outbox *self); // the taker is in outbox_rest; any thread

// All replies, oldest first, linked by next; NULL: there are none. Clears the fd.
reply *outbox_take(outbox *self);
// One ended session, after outbox_take in the same wake-up, by when its last reply was taken. NULL: there is
// none.
session *outbox_take_ended(outbox *self);

#endif
