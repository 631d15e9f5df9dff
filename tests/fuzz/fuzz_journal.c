// What a journal's file says after anything happened to it: a sound one is written here, the input says what
// is done to it, and whatever is read from it must be one of the entries that were written, as it was, and in
// order.
//
// The input is a list of strokes of 6 bytes: what to do, where (2), how far (2), and a byte to do it with.
// What is left over is read as a journal of its own.
#include "broker/store/journal_read.h"
#include "broker/store/journal_record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRIES = 24, BATCH = 3, STROKE = 6, MOST_STROKES = 16, MOST_CONTENT = 90 };

static const journal_origin s_origin = {.generation = 5, .mark = UINT64_C(0x1234567890abcdef)};

typedef struct {
    unsigned next; // the entry that is to come, at the earliest
    const uint8_t *begin, *end;
} reader_state;

static id16
s_session(unsigned number)
{
    id16 id = {{0}};
    memset(id.bytes, (int)(number % 7 + 1), ID_SIZE);
    return id;
}

static slice
s_content(unsigned number, uint8_t bytes[MOST_CONTENT])
{
    size_t size = number * 37 % MOST_CONTENT;
    memset(bytes, (int)number, size);
    return slice_of(bytes, size);
}

// As journal.c writes it; its file is never opened.
static buffer
s_sound(void)
{
    uint8_t bytes[MOST_CONTENT];
    journal writer = {.file = -1};
    buffer_init(&writer.bytes);
    journal_begin(&writer, s_origin);
    for (unsigned i = 0; i < ENTRIES; i++) {
        journal_put(&writer, &(journal_entry){.kind = JOURNAL_FRAME,
                                              .session = s_session(i),
                                              .now = i,
                                              .bytes = s_content(i, bytes)});
        if (i % BATCH == BATCH - 1)
            (void)journal_write(&writer);
    }
    return writer.bytes;
}

static void
s_entry(void *context, const journal_entry *entry)
{
    uint8_t bytes[MOST_CONTENT];
    reader_state *self = context;
    ASSERT(entry->now >= self->next && entry->now < ENTRIES && entry->kind == JOURNAL_FRAME);
    ASSERT(id_equal(entry->session, s_session((unsigned)entry->now)));
    ASSERT(slice_equal(entry->bytes, s_content((unsigned)entry->now, bytes)));
    self->next = (unsigned)entry->now + 1;
}

static void
s_damage(void *context, const journal_damage *damage)
{
    const reader_state *self = context;
    size_t size = (size_t)(self->end - self->begin);
    ASSERT(damage->offset <= size && damage->size <= size - damage->offset);
}

// Nothing: the file is read as it is.
static void
s_stroke(buffer *file, const uint8_t stroke[STROKE])
{
    size_t at = (size_t)(stroke[1] | stroke[2] << 8), far = (size_t)(stroke[3] | stroke[4] << 8);
    if (at >= file->size)
        return;
    size_t rest = file->size - at, size = far < rest ? far : rest;
    switch (stroke[0] % 5) {
    case 0:
        file->data[at] ^= stroke[5];
        break;
    case 1:
        memset(file->data + at, stroke[5], size);
        break;
    case 2:
        file->size = at;
        break;
    case 3: // one part over another, as a page that went to the wrong place
        memmove(file->data + at, file->data + far % file->size,
                rest < file->size - far % file->size ? rest : file->size - far % file->size);
        break;
    default:
        memmove(file->data + at, file->data + at + size, rest - size);
        file->size -= size;
    }
}

static void
s_read(slice file, uint64_t mark)
{
    journal_found found;
    reader_state state = {0, file.data, file.data + file.size};
    uint8_t *exact = malloc(file.size + 1); // AddressSanitizer sees what is behind it
    ASSERT(exact);
    if (file.size)
        memcpy(exact, file.data, file.size);
    state.begin = exact;
    state.end = exact + file.size;
    journal_visitor visitor = {s_entry, s_damage, &state};
    slice copy = slice_of(exact, file.size);
    if (journal_newest(copy, mark, &found))
        ASSERT(!mark || (found.origin.mark == mark && found.origin.generation == s_origin.generation));
    journal_read(copy, s_origin, &visitor);
    free(exact);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    buffer file = s_sound();
    size_t at = 0;
    for (unsigned i = 0; i < MOST_STROKES && size - at >= STROKE; i++, at += STROKE)
        s_stroke(&file, data + at);
    s_read(buffer_bytes(&file), s_origin.mark);
    s_read(buffer_bytes(&file), 0);
    s_read(slice_of(data + at, size - at), s_origin.mark);
    buffer_fini(&file);
    return 0;
}
