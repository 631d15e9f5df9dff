// The journal reader on a damaged file. A valid file is written, the input says how to damage it, and every
// entry that is read must be one that was written, unchanged and in order (decision 28).
//
// The input is a list of edits of 6 bytes: operation, offset (2), length (2), and a byte to use. What follows
// the last edit is read as a journal of its own.
#include "broker/store/journal_internal.h"
#include "broker/store/journal_read.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRIES = 24, BATCH = 3, EDIT_SIZE = 6, MAX_EDITS = 16, MAX_CONTENT = 90 };

static const journal_origin s_origin = {.generation = 5, .store_id = UINT64_C(0x1234567890abcdef)};

typedef struct {
    unsigned next;              // the lowest number that may be read next
    const uint8_t *begin, *end; // of the file
} reader_state;

static id16
s_session(unsigned number)
{
    id16 id = {{0}};
    memset(id.bytes, (int)(number % 7 + 1), ID_SIZE);
    return id;
}

// Content that is known from the number alone, of varying size, so that it can be compared.
static slice
s_content(unsigned number, uint8_t bytes[MAX_CONTENT])
{
    size_t size = number * 37 % MAX_CONTENT;
    memset(bytes, (int)number, size);
    return slice_of(bytes, size);
}

// Written by the real writer, in several batches. Without a file journal_write fails, and the bytes stay.
static buffer
s_write_valid(void)
{
    uint8_t bytes[MAX_CONTENT];
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
    uint8_t bytes[MAX_CONTENT];
    reader_state *self = context;
    ASSERT(entry->now >= self->next && entry->now < ENTRIES && entry->kind == JOURNAL_FRAME);
    ASSERT(id_equal(entry->session, s_session((unsigned)entry->now)));
    ASSERT(slice_equal(entry->bytes, s_content((unsigned)entry->now, bytes)));
    self->next = (unsigned)entry->now + 1;
}

// Damage that is reported lies within the file.
static void
s_damage(void *context, const journal_damage *damage)
{
    const reader_state *self = context;
    size_t size = (size_t)(self->end - self->begin);
    ASSERT(damage->offset <= size && damage->size <= size - damage->offset);
}

// Applies one edit, cut to what is left of the file; one beyond its end does nothing.
static void
s_edit(buffer *file, const uint8_t edit[EDIT_SIZE])
{
    size_t at = (size_t)(edit[1] | edit[2] << 8), far = (size_t)(edit[3] | edit[4] << 8);
    if (at >= file->size)
        return;
    size_t rest = file->size - at, size = far < rest ? far : rest;
    switch (edit[0] % 5) {
    case 0:
        file->data[at] ^= edit[5];
        break;
    case 1:
        memset(file->data + at, edit[5], size);
        break;
    case 2:
        file->size = at;
        break;
    case 3: // copies one part over another, like a misdirected write
        memmove(file->data + at, file->data + far % file->size,
                rest < file->size - far % file->size ? rest : file->size - far % file->size);
        break;
    default:
        memmove(file->data + at, file->data + at + size, rest - size);
        file->size -= size;
    }
}

static void
s_read(slice file, uint64_t store_id)
{
    journal_found found;
    reader_state state = {0, file.data, file.data + file.size};
    uint8_t *exact = malloc(file.size + 1); // so that AddressSanitizer detects reads beyond its end
    ASSERT(exact);
    if (file.size)
        memcpy(exact, file.data, file.size);
    state.begin = exact;
    state.end = exact + file.size;
    journal_visitor visitor = {s_entry, s_damage, &state};
    slice copy = slice_of(exact, file.size);
    if (journal_find_newest(copy, store_id, &found))
        ASSERT(!store_id ||
               (found.origin.store_id == store_id && found.origin.generation == s_origin.generation));
    journal_read(copy, s_origin, &visitor);
    free(exact);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    buffer file = s_write_valid();
    size_t at = 0;
    for (unsigned i = 0; i < MAX_EDITS && size - at >= EDIT_SIZE; i++, at += EDIT_SIZE)
        s_edit(&file, data + at);
    s_read(buffer_bytes(&file), s_origin.store_id);
    s_read(buffer_bytes(&file), 0);
    s_read(slice_of(data + at, size - at), s_origin.store_id);
    buffer_fini(&file);
    return 0;
}
