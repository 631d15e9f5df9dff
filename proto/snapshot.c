// Entries of a snapshot frame (PROTOCOL.md 5.5). The format is not msgpack: the broker walks every frame that
// passes and must find each root's bytes without looking into them.
//
// A worker packs a value straight into the frame (snapshot_open, then snapshot_close, which fills in the
// length), so that the state of a large view is not copied once more.
#include "proto/snapshot.h"

#include "common/limits.h"

// The length of an entry that deletes its root. No value is that long: MAX_SNAPSHOT is far below.
#define GONE UINT32_MAX

// Root and length, in network order.
enum { ENTRY_HEAD = 8 };

static void
s_put_u32(uint8_t *bytes, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t
s_get_u32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

// buffer_reserve() may move the buffer: pointers into it are taken again after each entry.
static void
s_head(buffer *out, uint32_t root, uint32_t length)
{
    uint8_t *bytes = buffer_reserve(out, ENTRY_HEAD);
    s_put_u32(bytes, root);
    s_put_u32(bytes + 4, length);
    buffer_wrote(out, ENTRY_HEAD);
}

void
snapshot_begin(buffer *out, snapshot_kind kind)
{
    buffer_byte(out, (char)kind);
}

void
snapshot_put(buffer *out, uint32_t root, slice bytes)
{
    ASSERT(bytes.size < GONE);
    s_head(out, root, (uint32_t)bytes.size);
    buffer_slice(out, bytes);
}

// Must be the first entry: snapshot_number() looks at no other.
void
snapshot_put_number(buffer *out, uint32_t number)
{
    uint8_t bytes[4];
    s_put_u32(bytes, number);
    snapshot_put(out, ROOT_NUMBER, slice_of(bytes, sizeof bytes));
}

void
snapshot_gone(buffer *out, uint32_t root)
{
    s_head(out, root, GONE);
}

// Returns an offset, not a pointer, since the caller's appends may move the buffer.
size_t
snapshot_open(buffer *out, uint32_t root)
{
    s_head(out, root, 0);
    return out->size;
}

// The bytes came from this process: a value that is too long for its length field is a bug.
void
snapshot_close(buffer *out, size_t opened)
{
    ASSERT(opened >= ENTRY_HEAD && opened <= out->size && out->size - opened < GONE);
    s_put_u32(out->data + opened - 4, (uint32_t)(out->size - opened));
}

// For a value that cannot be stored: nothing of it stays in the frame.
void
snapshot_cancel(buffer *out, size_t opened)
{
    ASSERT(opened >= ENTRY_HEAD && opened <= out->size);
    out->size = opened - ENTRY_HEAD;
}

// What follows the first `size` bytes.
static slice
s_behind(slice bytes, size_t size)
{
    return slice_of(bytes.data + size, bytes.size - size);
}

// Returns false also for an entry that does not fit: snapshot_read() has told a caller of it by then, and
// on bytes that it did not check this ends the walk.
bool
snapshot_next(snapshot_reader *self, snapshot_entry *ret)
{
    if (self->rest.size < ENTRY_HEAD)
        return false;
    uint32_t length = s_get_u32(self->rest.data + 4);
    size_t size = length == GONE ? 0 : length;
    if (size > self->rest.size - ENTRY_HEAD)
        return false;
    *ret = (snapshot_entry){s_get_u32(self->rest.data), length == GONE,
                            slice_of(self->rest.data + ENTRY_HEAD, size)};
    self->rest = s_behind(self->rest, ENTRY_HEAD + size);
    return true;
}

// Walks the whole frame before anything of it is used, so that the store never applies half of one.
// SNAPSHOT_NONE with entries contradicts itself.
err
snapshot_read(slice frame, snapshot_reader *ret)
{
    if (frame.size > MAX_SNAPSHOT)
        return ERR_TOO_LARGE;
    if (frame.size == 0 || frame.data[0] < SNAPSHOT_FULL || frame.data[0] > SNAPSHOT_NONE)
        return ERR_MALFORMED;
    snapshot_reader walk = {(snapshot_kind)frame.data[0], s_behind(frame, 1)}, whole = walk;
    snapshot_entry entry;
    while (snapshot_next(&walk, &entry))
        if (walk.kind == SNAPSHOT_NONE)
            return ERR_MALFORMED;
    if (walk.rest.size)
        return ERR_MALFORMED;
    *ret = whole;
    return OK;
}

// On any bytes, since the broker compares numbers before it has validated the frame. 0 means none: numbers
// start at 1.
uint32_t
snapshot_number(slice frame)
{
    snapshot_reader in = {.rest = s_behind(frame, frame.size > 0)};
    snapshot_entry first;
    return snapshot_next(&in, &first) && first.root == ROOT_NUMBER && first.bytes.size == 4
               ? s_get_u32(first.bytes.data)
               : 0;
}
