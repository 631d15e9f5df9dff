// What a worker says of a session while the store lacks a snapshot that was lost on its way: nobody sees it
// before the store has all of it (PROTOCOL.md 5.5). To whom it goes is found out then, as if it came then.
#include "broker/core.h"

#include <stdlib.h>

typedef struct {
    list_link of_session;
    parcel in; // routing id, client, header, body
    header head;
    back_resume *resume;
    size_t size; // counted in withheld_bytes; the frames are gone once it was resumed
} withheld;

static size_t
s_size(const parcel *in)
{
    return sizeof(withheld) + parcel_frame(in, 3).size;
}

static void
s_destroy(broker *self, session *of, withheld *gone)
{
    self->withheld_bytes -= gone->size;
    of->withheld_count--;
    list_remove(&gone->of_session);
    parcel_clear(&gone->in);
    free(gone);
}

// Replies are as many as requests are pending; a page asks again for what a lost push would have shown it. So
// pushes have half the room, and never keep a reply out.
static bool
s_has_room(const broker *self, const session *of, const parcel *in, const header *head)
{
    bool push = head->type == MSG_PUSH;
    unsigned most = push ? MAX_WITHHELD_PUSHES : MAX_WITHHELD_PUSHES + MAX_PENDING;
    size_t room = push ? MAX_WITHHELD / 2 : MAX_WITHHELD;
    return of->withheld_count < most && self->withheld_bytes + s_size(in) <= room;
}

bool
withheld_put(broker *self, session *of, parcel *in, const header *head, back_resume *resume)
{
    char id[ID_TEXT];
    if (!of->waits)
        return false;
    if (!s_has_room(self, of, in, head)) {
        self->count.dropped++;
        broker_log(self, GATE_FULL, LEVEL_WARN, "withheld_dropped", "session=%s type=%s withheld=%u",
                   id_text(of->id, id), message_name(head->type), of->withheld_count);
        return true;
    }
    withheld *one = calloc(1, sizeof *one);
    ASSERT(one);
    one->size = s_size(in);
    parcel_take(&one->in, in, 4);
    one->head = *head;
    one->resume = resume;
    list_append(&of->withheld, &one->of_session);
    of->withheld_count++;
    self->withheld_bytes += one->size;
    return true;
}

void
withheld_release(broker *self, session *of)
{
    of->waits = false;
    while (!list_is_empty(&of->withheld)) {
        withheld *first = LIST_ITEM(of->withheld.next, withheld, of_session);
        first->resume(self, of, &first->in, &first->head);
        s_destroy(self, of, first);
    }
}

void
withheld_forget(broker *self, session *of)
{
    while (!list_is_empty(&of->withheld)) // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list
        s_destroy(self, of, LIST_ITEM(of->withheld.next, withheld, of_session));
}

void
withheld_forget_all(broker *self)
{
    for (session *each = directory_first(self->sessions); each; each = directory_next(self->sessions, each))
        withheld_forget(self, each);
}
