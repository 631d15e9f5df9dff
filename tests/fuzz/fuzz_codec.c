// An input is a whole message, header and body, as a receiver gets it. libFuzzer drives this (scripts/fuzz);
// replay.c runs the corpus through it as an ordinary test. Frames are copied to blocks of their exact size
// (exact.h), so that AddressSanitizer detects reads beyond their end.
#include "proto/message.h"
#include "proto/scan.h"

#include "tests/proto/decode.h"
#include "tests/proto/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A header that decodes must encode to the same bytes, even one of another version or an unknown type.
static void
s_header(slice frame, header *ret_header)
{
    uint8_t back[HEADER_SIZE];
    err error = header_decode(frame, ret_header);
    ASSERT(error == OK || error == ERR_VERSION || error == ERR_TYPE || error == ERR_MALFORMED);
    ASSERT((error == ERR_MALFORMED) == (frame.size != HEADER_SIZE));
    if (error == ERR_MALFORMED)
        return;
    header_encode(ret_header, back);
    ASSERT(memcmp(back, frame.data, HEADER_SIZE) == 0);
}

// A value that scans lies within the bytes, scans to the same size alone and at every depth that it fits in,
// and does not scan when its last byte is missing. Returns its size; 0: it does not scan.
static size_t
s_scan(slice bytes)
{
    size_t size = msgpack_scan(bytes, MAX_DEPTH), shallow = 0;
    ASSERT(size <= bytes.size);
    for (unsigned depth = 0; depth < MAX_DEPTH; depth++) {
        size_t now = msgpack_scan(bytes, depth);
        ASSERT(now == size || now == 0);
        // What fits in some depth fits in all greater ones.
        ASSERT(!shallow || now == size);
        shallow = now;
    }
    if (size == 0)
        return 0;
    ASSERT(msgpack_scan(slice_of(bytes.data, size), MAX_DEPTH) == size);
    slice cut = exact_copy(slice_of(bytes.data, size - 1));
    ASSERT(msgpack_scan(cut, MAX_DEPTH) == 0);
    exact_free(cut);
    return size;
}

// The elements of a list or map that scans are adjacent, as many as its head says, and end where it ends. A
// map's keys and values are elements each, while msgpack_count counts pairs.
static void
s_walk(slice value)
{
    uint64_t bytes, values;
    size_t head = msgpack_head(value, &bytes, &values), cursor = 0, reached = head;
    ASSERT(head > 0);
    if (values == 0)
        return;
    slice element;
    uint64_t count = 0;
    for (; msgpack_next(value, &cursor, &element); count++) {
        ASSERT(element.data == value.data + reached && element.size > 0);
        reached += element.size;
        ASSERT(cursor == reached);
    }
    ASSERT(count == values && reached == value.size);
    ASSERT(msgpack_count(value) == values || 2 * (uint64_t)msgpack_count(value) == values);
}

// A reader accepts nothing that does not scan, and its keys and values lie within the body.
static void
s_readers(slice body)
{
    reader in;
    reader_init(&in, body);
    ASSERT(in.count <= MAX_KEYS);
    ASSERT(in.error || msgpack_scan(body, MAX_DEPTH) == body.size);
    for (unsigned i = 0; i < in.count && !in.error; i++) {
        const slice key = in.entry[i].key, value = in.entry[i].value;
        ASSERT(key.data >= body.data && key.data + key.size <= body.data + body.size);
        ASSERT(value.data >= body.data && value.data + value.size <= body.data + body.size);
    }
}

// Every decoder must cope with every body: peers are not trusted to send the body of the type they name.
static void
s_decoders(slice body)
{
    for (unsigned type = 0; type < 256; type++)
        for (int from_worker = 0; from_worker < 2; from_worker++) {
            if (message_direction((uint8_t)type) == DIRECTION_NONE)
                continue;
            err error = decode_any((message_type)type, from_worker, body);
            ASSERT(error == OK || error == ERR_MALFORMED || error == ERR_TOO_LARGE);
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t head = size < HEADER_SIZE ? size : HEADER_SIZE;
    slice frame = exact_copy(slice_of(data, head)), body = exact_copy(slice_of(data + head, size - head));
    header decoded;
    s_header(frame, &decoded);
    size_t scanned = s_scan(body);
    if (scanned)
        s_walk(slice_of(body.data, scanned));
    s_readers(body);
    s_decoders(body);
    exact_free(body);
    exact_free(frame);
    return 0;
}
