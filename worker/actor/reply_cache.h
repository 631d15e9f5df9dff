// reply_cache - the number of a session's last event, and the replies to the last few events, for repeats
// (PROTOCOL.md 7). A DONE that is too large is kept without its body. For turns, one at a time.
#ifndef TROUPE_WORKER_ACTOR_REPLY_CACHE_H
#define TROUPE_WORKER_ACTOR_REPLY_CACHE_H

#include "worker/actor/session.h"

uint64_t session_last_event(const session *self);
// The event of that number, which must follow the last one, is over. Copies what it keeps of the reply.
void session_finish_event(session *self, uint64_t sequence, const reply *reply);

typedef enum { REPLY_GONE, REPLY_WHOLE, REPLY_WITHOUT_BODY } reply_state;
// REPLY_WHOLE: *ret_reply is borrowed until the next event.
reply_state session_find_reply(const session *self, uint64_t sequence, const reply **ret_reply);
// The reply in that place, index < MAX_REPLIES_KEPT; NULL if it is kept without its body. *ret_sequence is 0
// if the place is empty.
const reply *session_reply_at(const session *self, unsigned index, uint64_t *ret_sequence, bool *ret_whole);
// For a session that is restored: keeps a copy. An empty body means that the reply was too large to keep.
void session_restore_reply(session *self, const reply *reply);

#endif
