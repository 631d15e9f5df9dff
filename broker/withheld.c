// What a worker says of a session while the store lacks a snapshot that was lost on its way: nobody sees it
// before the store has all of it (PROTOCOL.md 5.5). To whom it goes is found out then, as if it came then.
#include "broker/core.h"

#include <stdlib.h>

typedef struct {
    list_link of_session;
    parcel in; // routing id, client, header, body
    header head;
    back_resume *resume;
} withheld;

static void
s_destroy(withheld *gone)
{
    list_remove(&gone->of_session);
    parcel_clear(&gone->in);
    free(gone);
}

bool
withheld_put(session *of, parcel *in, const header *head, back_resume *resume)
{
    if (!of->waits)
        return false;
    withheld *one = calloc(1, sizeof *one);
    ASSERT(one);
    parcel_take(&one->in, in, 4);
    one->head = *head;
    one->resume = resume;
    list_append(&of->withheld, &one->of_session);
    return true;
}

void
withheld_release(broker *self, session *of)
{
    of->waits = false;
    while (!list_is_empty(&of->withheld)) {
        withheld *first = LIST_ITEM(of->withheld.next, withheld, of_session);
        first->resume(self, of, &first->in, &first->head);
        s_destroy(first);
    }
}

void
withheld_forget(session *of)
{
    while (!list_is_empty(&of->withheld)) // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list
        s_destroy(LIST_ITEM(of->withheld.next, withheld, of_session));
}

void
withheld_forget_all(broker *self)
{
    for (session *each = directory_first(self->sessions); each; each = directory_next(self->sessions))
        withheld_forget(each);
}
