// Composes a message, and mutates it: frames are added, dropped, cut, overwritten, and their bits flipped.
#include "tests/fuzz/draft.h"

#include "common/limits.h"
#include "tests/fuzz/sockets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void
draft_begin(draft *self)
{
    self->count = 0;
    self->large = slice_of(NULL, 0);
    self->mutated = false;
}

buffer *
draft_frame(draft *self)
{
    ASSERT(self->count < DRAFT_FRAMES);
    buffer *added = &self->frame[self->count++];
    buffer_clear(added);
    return added;
}

void
draft_header(draft *self, const header *head)
{
    uint8_t bytes[HEADER_SIZE];
    header_encode(head, bytes);
    buffer_append(draft_frame(self), bytes, sizeof bytes);
}

size_t
draft_frames(const draft *self, slice ret_frames[DRAFT_FRAMES])
{
    for (size_t i = 0; i < self->count; i++)
        ret_frames[i] = buffer_bytes(&self->frame[i]);
    if (self->large.size)
        ret_frames[self->count - 1] = self->large;
    return self->count;
}

// Changes one byte, always: a value of 0 would change nothing.
static void
s_flip(buffer *frame, program *program)
{
    uint8_t at = program_byte(program), value = program_byte(program);
    if (frame->size)
        frame->data[at % frame->size] ^= (uint8_t)(value ? value : 1);
}

// A frame of zeros at one of the limits, or one byte over it. Allocated once and never freed.
static slice
s_large(unsigned pick)
{
    static const size_t sizes[] = {MAX_REQUEST_BODY,   MAX_REQUEST_BODY + 1, MAX_REPLY_BODY,
                                   MAX_REPLY_BODY + 1, MAX_SNAPSHOT + 1,     SOCKET_LARGE + 1};
    static uint8_t *bytes;
    if (!bytes)
        bytes = calloc(1, MAX_REPLY_BODY + 1);
    ASSERT(bytes);
    return slice_of(bytes, sizes[pick % (sizeof sizes / sizeof *sizes)]);
}

// ttl is the header's last field, in network order at offset 36 (PROTOCOL.md 3).
static void
s_limit_ttl(buffer *head)
{
    head->data[36] = head->data[37] = 0;
    head->data[38] &= 0x1f;
}

void
draft_mutate(draft *self, program *program)
{
    uint8_t how = program_byte(program);
    buffer *frame = &self->frame[(how >> 4) % self->count];
    self->mutated = true;
    switch (how % 8) {
    case 0:
        frame->size = frame->size ? program_byte(program) % frame->size : 0;
        break;
    case 1:
        self->count -= self->count > 1;
        break;
    case 2:
        if (self->count < DRAFT_FRAMES)
            buffer_slice(draft_frame(self), program_bytes(program, 8));
        break;
    case 3:
        if (self->large_left) {
            self->large_left--;
            self->large = s_large(program_byte(program));
        }
        break;
    case 4:
        buffer_clear(frame);
        buffer_slice(frame, program_bytes(program, 64));
        break;
    default:
        s_flip(frame, program);
    }
    for (size_t i = 0; i < self->count; i++)
        if (self->frame[i].size == HEADER_SIZE)
            s_limit_ttl(&self->frame[i]);
}

bool
draft_traces(void)
{
    static int traces = -1;
    if (traces < 0)
        traces = getenv("FUZZ_TRACE") != NULL;
    return traces;
}

// Prints the first frame that decodes as a header, as a mutation may have moved it.
void
draft_trace(uint64_t now, const char *who, const slice frames[], size_t count)
{
    header head = {0};
    char id[ID_TEXT];
    if (!draft_traces())
        return;
    for (size_t i = 0; i < count && !head.version; i++)
        (void)header_decode(frames[i], &head);
    printf("%" PRIu64 " %s %s session=%.4s epoch=%" PRIx64 " sequence=%" PRIx64 " flags=%x frames=%zu\n", now,
           who, message_name(head.type), id_text(head.session, id), head.epoch, head.sequence, head.flags,
           count);
    fflush(stdout);
}
