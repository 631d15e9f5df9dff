// Skipping over msgpack values, nested and broken ones included.
#include "proto/scan.h"

#include "proto/codec.h"

#include "tests/common/death.h"
#include "tests/proto/exact.h"
#include "tests/unit.h"

// Scans a copy that is exactly size bytes long.
static size_t
s_scan(const void *bytes, size_t size, unsigned depth)
{
    slice copy = exact_copy(slice_of(bytes, size));
    size_t scanned = msgpack_scan(copy, depth);
    exact_free(copy);
    return scanned;
}

// The whole scans to its size, also with more behind it, and nothing shorter scans.
static void
s_check_value(const void *bytes, size_t size)
{
    CU_ASSERT_EQUAL(s_scan(bytes, size, MAX_DEPTH), size);
    for (size_t cut = 0; cut < size; cut++)
        CU_ASSERT_EQUAL(s_scan(bytes, cut, MAX_DEPTH), 0);
    uint8_t longer[600] = {0};
    memcpy(longer, bytes, size);
    CU_ASSERT_EQUAL(s_scan(longer, size + 3, MAX_DEPTH), size);
}

// The shortest value of each type byte, with lengths and counts of 0, then of 1 or 2.
static size_t
s_value_of(uint8_t type, uint8_t length, uint8_t ret_bytes[600])
{
    static const struct {
        uint8_t length_bytes, fixed, per_item;
    } shapes[32] = {
        {0, 0, 0},  {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {1, 0, 1}, {2, 0, 1}, {4, 0, 1}, {1, 1, 1},
        {2, 1, 1},  {4, 1, 1}, {0, 4, 0}, {0, 8, 0}, {0, 1, 0}, {0, 2, 0}, {0, 4, 0}, {0, 8, 0},
        {0, 1, 0},  {0, 2, 0}, {0, 4, 0}, {0, 8, 0}, {0, 2, 0}, {0, 3, 0}, {0, 5, 0}, {0, 9, 0},
        {0, 17, 0}, {1, 0, 1}, {2, 0, 1}, {4, 0, 1}, {2, 0, 1}, {4, 0, 1}, {2, 0, 2}, {4, 0, 2},
    };
    memset(ret_bytes, 0, 600); // zeros behind are fixints, as elements, and any byte, as payload
    ret_bytes[0] = type;
    if (type < 0x80 || type >= 0xe0)
        return 1;
    if (type < 0xc0)
        return 1 + (type < 0x90 ? 2U * (type & 15U) : type < 0xa0 ? type & 15U : type & 31U);
    size_t head = 1U + shapes[type - 0xc0].length_bytes;
    if (shapes[type - 0xc0].length_bytes)
        ret_bytes[head - 1] = length;
    else
        length = 0;
    return head + shapes[type - 0xc0].fixed + (size_t)length * shapes[type - 0xc0].per_item;
}

static void
test_every_type_byte(void)
{
    for (unsigned type = 0; type < 256; type++) {
        uint8_t bytes[600];
        if (type == 0xc1) {
            CU_ASSERT_EQUAL(s_scan("\xc1\x00\x00", 3, MAX_DEPTH), 0);
            continue;
        }
        for (uint8_t length = 0; length < 3; length++)
            s_check_value(bytes, s_value_of((uint8_t)type, length, bytes));
        s_check_value(bytes, s_value_of((uint8_t)type, 200, bytes));
    }
}

static void
test_nothing_is_no_value(void)
{
    CU_ASSERT_EQUAL(msgpack_scan((slice){0}, MAX_DEPTH), 0);
    CU_ASSERT_EQUAL(s_scan("", 0, 0), 0);
}

// Lengths and counts as large as they can be, before hardly any bytes: no size may wrap around.
static void
test_lies_about_lengths(void)
{
    static const uint8_t types[] = {0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xd9,
                                    0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf};
    for (size_t i = 0; i < sizeof types; i++)
        for (size_t size = 1; size < 40; size++) {
            uint8_t bytes[40];
            memset(bytes, 0xff, sizeof bytes); // 0xff behind is a fixint, too: -1
            bytes[0] = types[i];
            CU_ASSERT_EQUAL(s_scan(bytes, size, MAX_DEPTH), 0);
        }
    CU_ASSERT_EQUAL(s_scan("\x92\x01", 2, MAX_DEPTH), 0);
    CU_ASSERT_EQUAL(s_scan("\x81\x01", 2, MAX_DEPTH), 0);
    CU_ASSERT_EQUAL(s_scan("\xdf\x80\x00\x00\x00\x01\x01", 7, MAX_DEPTH),
                    0); // twice the count is beyond 32 bits
    // Each level claims all that is left, which the levels below need too.
    CU_ASSERT_EQUAL(s_scan("\x93\x92\x91\x00", 4, MAX_DEPTH), 0);
}

// levels containers in each other; a fixint in the innermost, or nothing.
static size_t
s_nested(uint8_t *bytes, unsigned levels, bool maps, bool filled)
{
    size_t used = 0;
    for (unsigned i = 0; i < levels; i++) {
        bool last = i + 1 == levels && !filled;
        bytes[used++] = (uint8_t)((maps ? 0x80 : 0x90) | (last ? 0 : 1));
        if (maps && !last)
            bytes[used++] = 0x07; // the key
    }
    if (filled)
        bytes[used++] = 0x2a;
    return used;
}

static void
test_depth(void)
{
    for (int kind = 0; kind < 4; kind++)
        for (unsigned allowed = 0; allowed <= MAX_DEPTH; allowed++)
            for (unsigned levels = 1; levels <= MAX_DEPTH + 2; levels++) {
                uint8_t bytes[64];
                size_t size = s_nested(bytes, levels, kind & 1, kind & 2);
                CU_ASSERT_EQUAL(s_scan(bytes, size, allowed), levels <= allowed ? size : 0);
            }
    CU_ASSERT_EQUAL(s_scan("\x07", 1, 0), 1);
}

static void
test_depth_comes_back_up(void)
{
    // [[[1]], [[2]], 3]: siblings do not add up.
    CU_ASSERT_EQUAL(s_scan("\x93\x91\x91\x01\x91\x91\x02\x03", 8, 3), 8);
    CU_ASSERT_EQUAL(s_scan("\x93\x91\x91\x01\x91\x91\x02\x03", 8, 2), 0);
}

static void
s_scan_deeper_than_its_stack(void)
{
    (void)msgpack_scan(slice_text("\x01"), MAX_DEPTH + 1);
}

static void
test_bugs_abort(void)
{
    CU_ASSERT(death_by_abort(s_scan_deeper_than_its_stack));
}

static void
test_count(void)
{
    CU_ASSERT_EQUAL(msgpack_count((slice){0}), 0);
    CU_ASSERT_EQUAL(msgpack_count(slice_of("\x90", 1)), 0);
    CU_ASSERT_EQUAL(msgpack_count(slice_of("\x92\x01\x02", 3)), 2);
    CU_ASSERT_EQUAL(msgpack_count(slice_of("\x82\x01\x02\x03\x04", 5)), 2);
    CU_ASSERT_EQUAL(msgpack_count(slice_of("\xdc\x00\x01\x07", 4)), 1);
    CU_ASSERT_EQUAL(msgpack_count(slice_of("\xde\x00\x01\x07\x07", 5)), 1);
    CU_ASSERT_EQUAL(msgpack_count(slice_of("\xa2hi", 3)), 0);
    CU_ASSERT_EQUAL(msgpack_count(slice_of("\x05", 1)), 0);
    CU_ASSERT_EQUAL(msgpack_count(slice_of("\xc4\x02hi", 4)), 0);
}

static void
test_next_walks_lists_and_maps(void)
{
    slice list = exact_copy(slice_of("\x93\xa2hi\x91\x07\xc0", 7)), element;
    size_t cursor = 0;
    CU_ASSERT(msgpack_next(list, &cursor, &element) && slice_is(element, "\xa2hi"));
    CU_ASSERT(msgpack_next(list, &cursor, &element) && slice_is(element, "\x91\x07"));
    CU_ASSERT(msgpack_next(list, &cursor, &element) && slice_is(element, "\xc0"));
    CU_ASSERT(!msgpack_next(list, &cursor, &element));
    CU_ASSERT(!msgpack_next(list, &cursor, &element));
    exact_free(list);
    slice map = exact_copy(slice_of("\x81\xa1k\x09", 4));
    cursor = 0;
    CU_ASSERT(msgpack_next(map, &cursor, &element) && slice_is(element, "\xa1k"));
    CU_ASSERT(msgpack_next(map, &cursor, &element) && slice_is(element, "\x09"));
    CU_ASSERT(!msgpack_next(map, &cursor, &element));
    exact_free(map);
}

static void
test_next_of_nothing(void)
{
    slice element = slice_text("untouched");
    size_t cursor = 0;
    CU_ASSERT(!msgpack_next((slice){0}, &cursor, &element));
    cursor = 0;
    CU_ASSERT(!msgpack_next(slice_of("\x90", 1), &cursor, &element));
    cursor = 0;
    CU_ASSERT(!msgpack_next(slice_of("\x80", 1), &cursor, &element));
    CU_ASSERT(slice_is(element, "untouched"));
}

static void
test_head(void)
{
    uint64_t bytes = 9, values = 9;
    CU_ASSERT_EQUAL(msgpack_head((slice){0}, &bytes, &values), 0);
    CU_ASSERT_EQUAL(msgpack_head(slice_of("\xdb\xff\xff\xff", 4), &bytes, &values), 0);
    CU_ASSERT(bytes == 9 && values == 9);
    CU_ASSERT_EQUAL(msgpack_head(slice_of("\xdb\xff\xff\xff\xff", 5), &bytes, &values), 5);
    CU_ASSERT(bytes == UINT32_MAX && values == 0);
    CU_ASSERT_EQUAL(msgpack_head(slice_of("\xdf\xff\xff\xff\xff", 5), &bytes, &values), 5);
    CU_ASSERT(bytes == 0 && values == 2 * (uint64_t)UINT32_MAX);
    CU_ASSERT_EQUAL(msgpack_head(slice_of("\xc9\xff\xff\xff\xff", 5), &bytes, &values), 5);
    CU_ASSERT(bytes == (uint64_t)UINT32_MAX + 1);
}

static const unit_test s_tests[] = {
    {"every type byte", test_every_type_byte},
    {"nothing is no value", test_nothing_is_no_value},
    {"lies about lengths", test_lies_about_lengths},
    {"depth", test_depth},
    {"depth comes back up", test_depth_comes_back_up},
    {"bugs abort", test_bugs_abort},
    {"count", test_count},
    {"next walks lists and maps", test_next_walks_lists_and_maps},
    {"next of nothing", test_next_of_nothing},
    {"head", test_head},
};
UNIT_MAIN("scan", s_tests)
