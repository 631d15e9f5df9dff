// The msgpack reader and writer, with input that ends early or lies about its size.
#include "proto/codec.h"

#include "tests/proto/exact.h"
#include "tests/unit.h"

// A reader over a body given as a literal; it borrows the literal.
#define BODY(literal) slice_of(literal, sizeof literal - 1)

static reader
s_reader(slice body)
{
    reader in;
    reader_init(&in, body);
    return in;
}

static err
s_init_error(slice body)
{
    slice copy = exact_copy(body);
    reader in = s_reader(copy);
    exact_free(copy);
    return reader_error(&in);
}

static void
test_shape_of_a_body(void)
{
    CU_ASSERT_EQUAL(s_init_error(BODY("\x80")), OK);
    CU_ASSERT_EQUAL(s_init_error(BODY("\xde\x00\x00")), OK);
    CU_ASSERT_EQUAL(s_init_error(BODY("\xdf\x00\x00\x00\x00")), OK);
    CU_ASSERT_EQUAL(s_init_error((slice){0}), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_init_error(BODY("\xc0")), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_init_error(BODY("\x90")), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_init_error(BODY("\x80\x80")), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_init_error(BODY("\x81\x01\x01")), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_init_error(BODY("\x81\xc4\x01k\x01")), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_init_error(BODY("\x81\xa1\xff\x01")), ERR_MALFORMED);
}

static void
test_every_truncation(void)
{
    static const char body[] =
        "\x84\xa1u\xcd\x01\x00\xa1s\xd9\x02hi\xa1m\x81\xa1k\x92\x01\x02\xa1z\xc7\x01\x05x";
    for (size_t size = 0; size < sizeof body - 1; size++)
        CU_ASSERT_EQUAL(s_init_error(slice_of(body, size)), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_init_error(BODY(body)), OK);
}

static void
test_repeated_keys(void)
{
    CU_ASSERT_EQUAL(s_init_error(BODY("\x82\xa1k\x01\xa1k\x01")), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_init_error(BODY("\x82\xa1k\x01\xd9\x01k\x02")), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_init_error(BODY("\x82\xa0\x01\xa0\x02")), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_init_error(BODY("\x82\xa1k\x01\xa2kk\x01")), OK);
    // In a nested map they are its reader's business.
    CU_ASSERT_EQUAL(s_init_error(BODY("\x81\xa1m\x82\xa1k\x01\xa1k\x01")), OK);
}

static void
test_number_of_keys(void)
{
    for (unsigned count = 0; count <= 40; count++) {
        buffer out;
        buffer_init(&out);
        writer writer = writer_on(&out);
        writer_map(writer, count);
        for (unsigned i = 0; i < count; i++) {
            char key[8];
            snprintf(key, sizeof key, "k%u", i);
            writer_key_uint(writer, key, i);
        }
        CU_ASSERT_EQUAL(s_init_error(buffer_bytes(&out)), count <= MAX_KEYS ? OK : ERR_TOO_LARGE);
        buffer_fini(&out);
    }
    // A count that the bytes do not bear out is malformed before it is too large.
    CU_ASSERT_EQUAL(s_init_error(BODY("\xde\xff\xff\xa1k\x01")), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_init_error(BODY("\xdf\xff\xff\xff\xff\xa1k\x01")), ERR_MALFORMED);
}

// A body {"k": [[…]]} whose nesting is depth, the body counted.
static void
test_depth(void)
{
    for (unsigned depth = 1; depth <= MAX_DEPTH + 2; depth++) {
        buffer out;
        buffer_init(&out);
        writer writer = writer_on(&out);
        writer_map(writer, 1);
        writer_key(writer, "k");
        for (unsigned level = 2; level <= depth; level++)
            writer_list(writer, 1);
        writer_nil(writer);
        CU_ASSERT_EQUAL(s_init_error(buffer_bytes(&out)), depth <= MAX_DEPTH ? OK : ERR_MALFORMED);
        buffer_fini(&out);
    }
}

static err
s_uint_of(slice body, uint64_t *ret)
{
    reader in = s_reader(body);
    *ret = reader_uint(&in, "n");
    return reader_error(&in);
}

static void
test_uint_widths(void)
{
    static const struct {
        const char *bytes;
        size_t size;
        uint64_t value;
    } good[] = {
        {"\x81\xa1n\x00", 4, 0},
        {"\x81\xa1n\x7f", 4, 127},
        {"\x81\xa1n\xcc\x00", 5, 0}, // wider than needed is allowed
        {"\x81\xa1n\xcc\xff", 5, 255},
        {"\x81\xa1n\xcd\x12\x34", 6, 0x1234},
        {"\x81\xa1n\xce\x12\x34\x56\x78", 8, 0x12345678},
        {"\x81\xa1n\xcf\xff\xff\xff\xff\xff\xff\xff\xfe", 12, UINT64_MAX - 1},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t value = 77;
        CU_ASSERT_EQUAL(s_uint_of(slice_of(good[i].bytes, good[i].size), &value), OK);
        CU_ASSERT_EQUAL(value, good[i].value);
    }
}

static void
test_uint_of_other_types(void)
{
    static const char *const bad[] = {
        "\x81\xa1n\xff",         // -1
        "\x81\xa1n\xd0\x81",     // int 8, negative
        "\x81\xa1n\xd1\x81\x01", // int 16
        "\x81\xa1n\xd2\x81\x01\x01\x01",
        "\x81\xa1n\xd3\x81\x01\x01\x01\x01\x01\x01\x01",
        "\x81\xa1n\xd0\x01", // a signed type is another type, whatever its value
        "\x81\xa1n\xca\x01\x01\x01\x01",
        "\x81\xa1n\xc3",
        "\x81\xa1n\xc0",
        "\x81\xa1n\xa1z",
        "\x81\xa1n\x90",
        "\x81\xa1m\x01",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t value = 77;
        CU_ASSERT_EQUAL(s_uint_of(slice_text(bad[i]), &value), ERR_MALFORMED);
        CU_ASSERT_EQUAL(value, 0);
    }
}

static bool
s_is_text(const char *bytes, size_t size)
{
    buffer out;
    buffer_init(&out);
    writer writer = writer_on(&out);
    writer_map(writer, 1);
    writer_key_str(writer, "t", slice_of(bytes, size));
    slice copy = exact_copy(buffer_bytes(&out));
    reader in = s_reader(copy);
    slice text = reader_str(&in, "t", 100);
    bool good = reader_error(&in) == OK;
    CU_ASSERT(good ? slice_equal(text, slice_of(bytes, size)) : text.size == 0);
    CU_ASSERT(good || reader_error(&in) == ERR_MALFORMED);
    exact_free(copy);
    buffer_fini(&out);
    return good;
}

// The encoding of a code point by RFC 3629's pattern, in so many bytes, even if that is not allowed.
static void
s_encode(uint32_t point, unsigned size, char ret_bytes[4])
{
    static const uint8_t lead[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    for (unsigned i = size; i-- > 1; point >>= 6)
        ret_bytes[i] = (char)(0x80 | (point & 0x3f));
    ret_bytes[0] = (char)(lead[size] | point);
}

static bool
s_allowed(uint32_t point, unsigned size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    return point >= least[size] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

static void
test_utf8_edges(void)
{
    static const uint32_t points[] = {0,       1,        0x7f,     0x80,     0x7ff,    0x800,   0xfff,
                                      0x1000,  0xcfff,   0xd000,   0xd7ff,   0xd800,   0xdbff,  0xdc00,
                                      0xdfff,  0xe000,   0xfffd,   0xffff,   0x10000,  0x3ffff, 0x40000,
                                      0xfffff, 0x100000, 0x10ffff, 0x110000, 0x13ffff, 0x1fffff};
    static const uint32_t most[] = {0, 0x7f, 0x7ff, 0xffff, 0x1fffff};
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        for (unsigned size = 1; size <= 4; size++) {
            char bytes[4];
            if (points[i] > most[size])
                continue;
            s_encode(points[i], size, bytes);
            CU_ASSERT_EQUAL(s_is_text(bytes, size), s_allowed(points[i], size));
            for (unsigned cut = 1; cut < size; cut++)
                CU_ASSERT(!s_is_text(bytes, cut));
        }
}

static void
test_utf8_every_pair_of_bytes(void)
{
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            char bytes[2] = {(char)a, (char)b};
            bool two = a >= 0xc2 && a <= 0xdf && b >= 0x80 && b <= 0xbf;
            CU_ASSERT_EQUAL(s_is_text(bytes, 2), two || (a < 0x80 && b < 0x80));
        }
    CU_ASSERT(s_is_text("", 0));
    CU_ASSERT(s_is_text("Gr\xc3\xbc\xc3\x9f"
                        "e \xf0\x9f\x8e\xad",
                        12));
}

// Writes one value of every kind under "v".
static void
s_value_of_kind(unsigned kind, buffer *out)
{
    writer writer = writer_on(out);
    buffer_clear(out);
    writer_map(writer, 1);
    writer_key(writer, "v");
    switch (kind) {
    case 0:
        writer_str(writer, slice_text("text"));
        return;
    case 1:
        writer_bin(writer, slice_text("bytes"));
        return;
    case 2:
        writer_uint(writer, 7);
        return;
    case 3:
        writer_raw(writer, slice_text("\x81\xa1k\x01"));
        return;
    case 4:
        writer_raw(writer, slice_text("\x92\x01\x02"));
        return;
    case 5:
        writer_bool(writer, true);
        return;
    default:
        writer_nil(writer);
    }
}

enum { KINDS = 7, KIND_NIL = 6 };

static slice
s_read_as(unsigned kind, reader *in, bool optional)
{
    switch (kind) {
    case 0:
        return optional ? reader_opt_str(in, "v", 9) : reader_str(in, "v", 9);
    case 1:
        return optional ? reader_opt_bin(in, "v", 9) : reader_bin(in, "v", 9);
    case 2:
        return slice_of("", optional ? reader_opt_uint(in, "v", 0) : reader_uint(in, "v"));
    case 3:
        return optional ? reader_opt_map(in, "v", 9) : reader_map(in, "v", 9);
    default:
        return optional ? reader_opt_list(in, "v", 9) : reader_list(in, "v", 9);
    }
}

// Every reading function on every kind of value: only its own kind, and nil where it is optional.
static void
test_every_type_against_every_reader(void)
{
    buffer out;
    buffer_init(&out);
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (unsigned as = 0; as < 5; as++)
            for (int optional = 0; optional < 2; optional++) {
                s_value_of_kind(kind, &out);
                reader in = s_reader(buffer_bytes(&out));
                size_t size = s_read_as(as, &in, optional).size;
                bool good = kind == as || (optional && kind == KIND_NIL);
                CU_ASSERT_EQUAL(reader_error(&in), good ? OK : ERR_MALFORMED);
                CU_ASSERT_EQUAL(size > 0, kind == as);
            }
    buffer_fini(&out);
}

static void
test_absent_and_nil(void)
{
    reader in = s_reader(BODY("\x82\xa3nil\xc0\xa3yes\xc2"));
    CU_ASSERT(!reader_has(&in, "nil"));
    CU_ASSERT(!reader_has(&in, "absent"));
    CU_ASSERT(reader_has(&in, "yes"));
    CU_ASSERT_EQUAL(reader_opt_uint(&in, "absent", 41), 41);
    CU_ASSERT_EQUAL(reader_opt_uint(&in, "nil", 42), 42);
    CU_ASSERT_EQUAL(reader_opt_str(&in, "nil", 0).size, 0);
    CU_ASSERT_EQUAL(reader_error(&in), OK);
    (void)reader_str(&in, "nil", 9);
    CU_ASSERT_EQUAL(reader_error(&in), ERR_MALFORMED);
}

static void
test_limits_are_inclusive(void)
{
    static const char body[] = "\x84\xa1s\xa3"
                               "abc"
                               "\xa1"
                               "b\xc4\x03"
                               "abc"
                               "\xa1m\x81\xa1k\x01\xa1l\x93\x01\x02\x03";
    static const size_t fits[] = {3, 3, 4, 4};
    for (size_t max = 0; max < 6; max++) {
        reader in[4];
        for (unsigned i = 0; i < 4; i++)
            in[i] = s_reader(BODY(body));
        (void)reader_str(&in[0], "s", max);
        (void)reader_bin(&in[1], "b", max);
        (void)reader_map(&in[2], "m", max);
        (void)reader_list(&in[3], "l", max);
        for (unsigned i = 0; i < 4; i++)
            CU_ASSERT_EQUAL(reader_error(&in[i]), max >= fits[i] ? OK : ERR_TOO_LARGE);
    }
}

static void
test_the_first_error_sticks(void)
{
    reader in = s_reader(BODY("\x82\xa1s\xa3"
                              "abc"
                              "\xa1n\x07"));
    CU_ASSERT_EQUAL(reader_str(&in, "s", 2).size, 0);
    CU_ASSERT_EQUAL(reader_error(&in), ERR_TOO_LARGE);
    CU_ASSERT_EQUAL(reader_uint(&in, "s"), 0);
    CU_ASSERT_EQUAL(reader_uint(&in, "n"), 0); // good in itself, but nothing is believed after an error
    CU_ASSERT_EQUAL(reader_str(&in, "s", 9).size, 0);
    CU_ASSERT_EQUAL(reader_error(&in), ERR_TOO_LARGE);
}

static void
test_unknown_keys_and_any_order(void)
{
    reader in = s_reader(BODY("\x84\xa5later\x81\xa1x\xc4\x01y\xa1n\x07\xa0\xc0\xa1s\xa2hi"));
    CU_ASSERT(slice_is(reader_str(&in, "s", 9), "hi"));
    CU_ASSERT_EQUAL(reader_uint(&in, "n"), 7);
    CU_ASSERT_EQUAL(reader_error(&in), OK);
}

static void
test_a_key_is_not_its_prefix(void)
{
    reader in = s_reader(BODY("\x82\xa2na\x01\xa4name\x02"));
    CU_ASSERT_EQUAL(reader_uint(&in, "name"), 2);
    CU_ASSERT_EQUAL(reader_uint(&in, "na"), 1);
    CU_ASSERT(!reader_has(&in, "nam"));
    CU_ASSERT(!reader_has(&in, "names"));
}

// All that the writer writes reads back, at the lengths where msgpack changes its form.
static void
test_written_reads_back(void)
{
    static const size_t sizes[] = {0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536};
    static char bytes[65536];
    memset(bytes, 'w', sizeof bytes);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        slice value = slice_of(bytes, sizes[i]);
        buffer out;
        buffer_init(&out);
        writer writer = writer_on(&out);
        writer_map(writer, 3);
        writer_key_str(writer, "s", value);
        writer_key_bin(writer, "b", value);
        writer_key(writer, "l");
        writer_list(writer, (uint32_t)sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++)
            writer_bool(writer, k & 1);
        reader in = s_reader(buffer_bytes(&out));
        CU_ASSERT(slice_equal(reader_str(&in, "s", sizes[i]), value));
        CU_ASSERT(slice_equal(reader_bin(&in, "b", sizes[i]), value));
        CU_ASSERT_EQUAL(msgpack_count(reader_list(&in, "l", SIZE_MAX)), sizes[i]);
        CU_ASSERT_EQUAL(reader_error(&in), OK);
        buffer_fini(&out);
    }
}

static void
test_written_uints_are_shortest(void)
{
    for (unsigned bit = 0; bit < 64; bit++)
        for (int delta = -1; delta <= 0; delta++) {
            uint64_t value = (UINT64_C(1) << bit) + (uint64_t)delta, back;
            size_t size = value < 128 ? 1 : value < 256 ? 2 : value < 65536 ? 3 : value <= UINT32_MAX ? 5 : 9;
            buffer out;
            buffer_init(&out);
            writer_map(writer_on(&out), 1);
            writer_key_uint(writer_on(&out), "n", value);
            CU_ASSERT_EQUAL(out.size, 3 + size);
            CU_ASSERT_EQUAL(s_uint_of(buffer_bytes(&out), &back), OK);
            CU_ASSERT_EQUAL(back, value);
            buffer_fini(&out);
        }
}

static const unit_test s_tests[] = {
    {"shape of a body", test_shape_of_a_body},
    {"every truncation", test_every_truncation},
    {"repeated keys", test_repeated_keys},
    {"number of keys", test_number_of_keys},
    {"depth", test_depth},
    {"uint widths", test_uint_widths},
    {"uint of other types", test_uint_of_other_types},
    {"UTF-8 edges", test_utf8_edges},
    {"UTF-8, every pair of bytes", test_utf8_every_pair_of_bytes},
    {"every type against every reader", test_every_type_against_every_reader},
    {"absent and nil", test_absent_and_nil},
    {"limits are inclusive", test_limits_are_inclusive},
    {"the first error sticks", test_the_first_error_sticks},
    {"unknown keys and any order", test_unknown_keys_and_any_order},
    {"a key is not its prefix", test_a_key_is_not_its_prefix},
    {"written reads back", test_written_reads_back},
    {"written uints are shortest", test_written_uints_are_shortest},
};
UNIT_MAIN("codec", s_tests)
