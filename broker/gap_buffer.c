// What a worker says of a session while the store lacks a snapshot that was lost on its way: nobody sees it
// before the store has all of it (PROTOCOL.md 5.5). To whom it goes is found out then, as if it came then.
#include "broker/core.h"

#include <stdlib.h>

typedef struct {
    list_link of_session;
    wire_message in; // routing id, client, header, body
    header head;
    gap_buffer_resume *resume;
    size_t size; // counted in gap_buffer_bytes; the frames are gone once it was resumed
} gap_entry;

static size_t
s_size(const wire_message *in)
{
    return sizeof(gap_entry) + wire_message_frame(in, 3).size;
}

static void
s_destroy(broker *self, session *of, gap_entry *gone)
{
    self->gap_buffer_bytes -= gone->size;
    of->gap_buffer_count--;
    list_remove(&gone->of_session);
    wire_message_clear(&gone->in);
    free(gone);
}

// Replies are as many as requests are pending; a page asks again for what a lost push would have shown it. So
// pushes have half the room, and never keep a reply out.
static bool
s_has_room(const broker *self, const session *of, const wire_message *in, const header *head)
{
    bool push = head->type == MSG_PUSH;
    unsigned most = push ? MAX_GAP_BUFFER_PUSHES : MAX_GAP_BUFFER_PUSHES + MAX_PENDING;
    size_t room = push ? MAX_GAP_BUFFER / 2 : MAX_GAP_BUFFER;
    return of->gap_buffer_count < most && self->gap_buffer_bytes + s_size(in) <= room;
}

bool
gap_buffer_put(broker *self, session *of, wire_message *in, const header *head, gap_buffer_resume *resume)
{
    char id[ID_TEXT];
    if (!of->has_gap)
        return false;
    if (!s_has_room(self, of, in, head)) {
        self->counters.dropped++;
        broker_log(self, LOG_FULL, LEVEL_WARN, "gap_buffer_dropped", "session=%s type=%s buffered=%u",
                   id_text(of->id, id), message_name(head->type), of->gap_buffer_count);
        return true;
    }
    gap_entry *one = calloc(1, sizeof *one);
    ASSERT(one);
    one->size = s_size(in);
    wire_message_take(&one->in, in, 4);
    one->head = *head;
    one->resume = resume;
    list_append(&of->gap_buffer, &one->of_session);
    of->gap_buffer_count++;
    self->gap_buffer_bytes += one->size;
    return true;
}

void
gap_buffer_release(broker *self, session *of)
{
    of->has_gap = false;
    while (!list_is_empty(&of->gap_buffer)) {
        gap_entry *first = LIST_ITEM(of->gap_buffer.next, gap_entry, of_session);
        first->resume(self, of, &first->in, &first->head);
        s_destroy(self, of, first);
    }
}

void
gap_buffer_discard(broker *self, session *of)
{
    while (
        !list_is_empty(&of->gap_buffer)) // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list
        s_destroy(self, of, LIST_ITEM(of->gap_buffer.next, gap_entry, of_session));
}

void
gap_buffer_discard_all(broker *self)
{
    for (session *each = directory_first(self->sessions); each; each = directory_next(self->sessions, each))
        gap_buffer_discard(self, each);
}
