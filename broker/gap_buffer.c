// Replies and pushes of a session while the store lacks a snapshot that was lost on its way. Who receives a
// message is decided when it leaves the buffer, as if it had just arrived.
#include "broker/gap_buffer.h"

#include <stdlib.h>

typedef struct {
    list_link of_session;
    wire_message message; // routing id, client, header, body
    header head;
    gap_buffer_resume *resume;
    size_t size; // counted in gap_buffer_bytes; kept here, as resuming takes the frames
} gap_entry;

// The memory that an entry takes. The struct counts, or many empty messages would be free.
static size_t
s_size(const wire_message *message)
{
    return sizeof(gap_entry) + wire_message_frame(message, 3).size;
}

static void
s_destroy_entry(broker *self, session *session, gap_entry *entry)
{
    self->gap_buffer_bytes -= entry->size;
    session->gap_buffer_count--;
    list_remove(&entry->of_session);
    wire_message_clear(&entry->message);
    free(entry);
}

// Replies are bounded by the pending requests; pushes are not, and a page notices a lost one and asks for its
// root (PROTOCOL.md 5.9). So pushes get half of the room, and never keep a reply out.
static bool
s_has_room(const broker *self, const session *session, const wire_message *message, const header *head)
{
    bool push = head->type == MSG_PUSH;
    unsigned most = push ? MAX_GAP_BUFFER_PUSHES : MAX_GAP_BUFFER_PUSHES + MAX_PENDING;
    size_t room = push ? MAX_GAP_BUFFER / 2 : MAX_GAP_BUFFER;
    return session->gap_buffer_count < most && self->gap_buffer_bytes + s_size(message) <= room;
}

// The request of a dropped reply is answered when its deadline passes (pending_requests.c).
bool
gap_buffer_put(broker *self, session *session, wire_message *message, const header *head,
               gap_buffer_resume *resume)
{
    char id[ID_TEXT];
    if (!session->has_gap)
        return false;
    if (!s_has_room(self, session, message, head)) {
        self->counters.dropped++;
        broker_log(self, LOG_FULL, LEVEL_WARN, "gap_buffer_dropped", "session=%s type=%s buffered=%u",
                   id_text(session->id, id), message_name(head->type), session->gap_buffer_count);
        return true;
    }
    gap_entry *added = calloc(1, sizeof *added);
    ASSERT(added);
    added->size = s_size(message);
    wire_message_take(&added->message, message, 4);
    added->head = *head;
    added->resume = resume;
    list_append(&session->gap_buffer, &added->of_session);
    session->gap_buffer_count++;
    self->gap_buffer_bytes += added->size;
    return true;
}

// has_gap is cleared first, or each message would be buffered again. Resuming may change the session's state
// and send messages, but does not end the session.
void
gap_buffer_release(broker *self, session *session)
{
    session->has_gap = false;
    while (!list_is_empty(&session->gap_buffer)) {
        gap_entry *first = LIST_ITEM(session->gap_buffer.next, gap_entry, of_session);
        first->resume(self, session, &first->message, &first->head);
        s_destroy_entry(self, session, first);
    }
}

// Nothing of this was seen by a client, so the store's older state is still the newest that anybody knows.
static void
s_discard(broker *self, session *session)
{
    while (
        !list_is_empty(&session->gap_buffer)) // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it left the list
        s_destroy_entry(self, session, LIST_ITEM(session->gap_buffer.next, gap_entry, of_session));
}

// When the worker is lost, its buffered messages are lost with it, since the next worker starts from the
// store. When it has let the session go, no snapshot will follow, and there is nothing to wait for.
void
gap_buffer_session_ended(broker *self, session *session, const session_end *end)
{
    if (end->cause == INPUT_LOST)
        s_discard(self, session);
    else
        gap_buffer_release(self, session);
}

void
gap_buffer_discard_all(broker *self)
{
    for (session *each = directory_first(self->sessions); each; each = directory_next(self->sessions, each))
        s_discard(self, each);
}
