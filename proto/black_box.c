// Layout of a slot in shared memory. Its reader trusts nothing: the writer may have died in the middle.
#include "proto/black_box.h"

static slice
s_text(const char *bytes, uint8_t size, size_t most)
{
    slice text = slice_of(bytes, size);
    return size <= most && utf8_is_valid(text) ? text : slice_of(NULL, 0);
}

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

unsigned
black_box_running(slice bytes, running_turn *ret, unsigned most)
{
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
