// Reads what a worker left in its black box (docs/decisions/fleet/0017). The supervisor does so after the
// worker has been reaped, the watchdog while it runs. Nothing in it is trusted: the writer may have died in
// the middle of a write, or may have overwritten the memory with anything, since it runs user code.
#include "proto/black_box.h"

// A text that is too long, or cut in the middle of a character, is left out rather than mended: it goes to
// logs and into EXITED, which must be valid UTF-8.
static slice
s_text(const char *bytes, uint8_t size, size_t most)
{
    slice text = slice_of(bytes, size);
    return size <= most && utf8_is_valid(text) ? text : slice_of(NULL, 0);
}

// A slot without a session was reserved and not filled in yet. A turn that is not an event goes by its
// request's type, as EXITED has it (PROTOCOL.md 5.1).
bool
black_box_slot_read(const black_box_slot *self, running_turn *ret)
{
    if (id_is_zero(self->session))
        return false;
    *ret = (running_turn){
        .session = self->session,
        .sequence = self->sequence,
        .view = s_text(self->view, self->view_size, MAX_VIEW_PATH),
        .event = s_text(self->event, self->event_size, MAX_EVENT_NAME),
    };
    if (!ret->event.size)
        ret->event = slice_text(message_name(self->type));
    return true;
}

// `over` is set by a worker that ends in order: the slots it leaves say nothing about a crash. Where the
// watchdog has marked culprits, the other turns ran beside them and are not to blame (PROTOCOL.md 5.8).
unsigned
black_box_running(slice bytes, running_turn *ret, unsigned most)
{
    // A buffer's memory is aligned for any type; size and magic are checked before anything else is
    // read.
    const black_box *box = (const black_box *)(const void *)bytes.data;
    unsigned count = 0, culprits = 0;
    if (bytes.size != sizeof *box || box->magic != BLACK_BOX_MAGIC || box->over)
        return 0;
    for (unsigned i = 0; i < BLACK_BOX_SLOTS; i++)
        culprits += box->slot[i].state == SLOT_CULPRIT;
    slot_state wanted = culprits ? SLOT_CULPRIT : SLOT_RUNNING;
    for (unsigned i = 0; i < BLACK_BOX_SLOTS && count < most; i++)
        count += box->slot[i].state == (uint32_t)wanted && black_box_slot_read(&box->slot[i], &ret[count]);
    return count;
}
