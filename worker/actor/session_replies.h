// session_replies - the number of a session's last event, and the replies to the last few, which a repeat
// gets (PROTOCOL.md 7). A DONE that is too large is kept without its body. For turns: one at a time.
#ifndef TROUPE_WORKER_ACTOR_SESSION_REPLIES_H
#define TROUPE_WORKER_ACTOR_SESSION_REPLIES_H

#include "worker/actor/session.h"

uint64_t session_last_event(const session *self);
// sequence must follow the last event. Copies what it keeps of the reply.
void session_finish_event(session *self, uint64_t sequence, const reply *reply);

typedef enum { REPLY_GONE, REPLY_WHOLE, REPLY_WITHOUT_BODY } reply_state;
// REPLY_WHOLE: *ret_reply is borrowed until the next event.
reply_state session_find_reply(const session *self, uint64_t sequence, const reply **ret_reply);
// The reply in that place, index < MAX_REPLIES_KEPT; NULL without its body. *ret_sequence is 0 if there is
// none.
const reply *session_reply_at(const session *self, unsigned index, uint64_t *ret_sequence, bool *ret_whole);
// Of a session that is restored: keeps a copy. An empty body was too large for the store, too.
void session_restore_reply(session *self, const reply *reply);

#endif
