// Encoders and what is special to one decoder. Which bytes are good and which are not is test_vectors.c's.
#include "proto/bodies.h"

#include "tests/unit.h"

static const id16 s_view = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static reader
s_reader(const buffer *out)
{
    reader in;
    reader_init(&in, buffer_bytes(out));
    CU_ASSERT_EQUAL(in.error, OK);
    return in;
}

static void
s_write_mount(buffer *out, slice view)
{
    writer writer = writer_on(out);
    writer_map(writer, 3);
    writer_key_str(writer, "path", slice_text("demo.Counter"));
    writer_key(writer, "params");
    writer_map(writer, 0);
    writer_key(writer, "view");
    writer_raw(writer, view);
}

static void
test_mount_view_is_optional_and_typed(void)
{
    static const struct {
        const char *bytes;
        size_t size;
        err error;
        bool has;
    } cases[] = {
        {"\xc0", 1, OK, false},
        {"\xc4\x10"
         "0123456789abcdef",
         18, OK, true},
        {"\xc4\x0f"
         "0123456789abcde",
         17, ERR_MALFORMED, false},
        {"\xc4\x11"
         "0123456789abcdefg",
         19, ERR_TOO_LARGE, false},
        {"\xc4\x00", 2, ERR_MALFORMED, false},
        {"\xb0"
         "0123456789abcdef",
         17, ERR_MALFORMED, false},
        {"\x01", 1, ERR_MALFORMED, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buffer out;
        buffer_init(&out);
        s_write_mount(&out, slice_of(cases[i].bytes, cases[i].size));
        mount_body body = {.has_view = true, .path = slice_text("untouched")};
        CU_ASSERT_EQUAL(mount_decode(buffer_bytes(&out), &body), cases[i].error);
        if (cases[i].error == OK)
            CU_ASSERT(body.has_view == cases[i].has && slice_is(body.path, "demo.Counter"));
        if (cases[i].error != OK)
            CU_ASSERT(slice_is(body.path, "untouched"));
        buffer_fini(&out);
    }
}

static void
s_write_join(buffer *out, unsigned count)
{
    writer writer = writer_on(out);
    writer_map(writer, 3);
    writer_key_uint(writer, "generation", 3);
    writer_key(writer, "request");
    writer_map(writer, 0);
    writer_key(writer, "views");
    writer_list(writer, count);
    for (unsigned i = 0; i < count; i++) {
        writer_map(writer, 4);
        writer_key_bin(writer, "view", slice_of(s_view.bytes, ID_SIZE));
        writer_key_uint(writer, "version", i);
        writer_key_str(writer, "path", slice_text("p"));
        writer_key(writer, "params");
        writer_map(writer, 0);
    }
}

static void
test_join_number_of_views(void)
{
    static join_body body;
    static const unsigned counts[] = {0, 1, 15, 16, 63, 64, 65, 66, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        buffer out;
        buffer_init(&out);
        s_write_join(&out, counts[i]);
        body.count = 777;
        err expected = counts[i] <= MAX_VIEWS ? OK : ERR_TOO_LARGE;
        CU_ASSERT_EQUAL(join_decode(buffer_bytes(&out), &body), expected);
        CU_ASSERT_EQUAL(body.count, expected ? 777 : counts[i]);
        for (unsigned k = 0; expected == OK && k < counts[i]; k++)
            CU_ASSERT(body.views[k].version == k && id_equal(body.views[k].view, s_view));
        buffer_fini(&out);
    }
}

static void
test_logout_of_nobody(void)
{
    slice identity = slice_text("untouched");
    CU_ASSERT_EQUAL(logout_decode(slice_of("\x81\xa8identity\xc4\x00", 12), &identity), ERR_MALFORMED);
    CU_ASSERT_EQUAL(logout_decode(slice_of("\x81\xa8identity\xc0", 11), &identity), ERR_MALFORMED);
    CU_ASSERT(slice_is(identity, "untouched"));
    CU_ASSERT_EQUAL(logout_decode(slice_of("\x81\xa8identity\xc4\x01x", 13), &identity), OK);
    CU_ASSERT(slice_is(identity, "x"));
}

// Every combination of the optional parts: the map's count must be that of its keys.
static void
test_mounted_encode(void)
{
    for (int has_at = 0; has_at < 2; has_at++) {
        slice effects = has_at ? slice_text("\x80") : (slice){0};
        mounted_body body = {s_view, 7, slice_text("<p>"), has_at, 5, 40, effects};
        buffer out;
        buffer_init(&out);
        mounted_encode(&body, &out);
        reader in = s_reader(&out);
        CU_ASSERT_EQUAL(in.count, 4U + 2U * (unsigned)has_at);
        CU_ASSERT_EQUAL(reader_opt_map(&in, "effects", 8).size, effects.size);
        CU_ASSERT(slice_equal(reader_bin(&in, "view", 16), slice_of(s_view.bytes, 16)));
        CU_ASSERT_EQUAL(reader_uint(&in, "version"), 7);
        CU_ASSERT_EQUAL(reader_uint(&in, "last"), 40);
        CU_ASSERT_EQUAL(reader_opt_uint(&in, "at", 99), has_at ? 5 : 99);
        CU_ASSERT(slice_is(reader_bin(&in, "html", 99), "<p>"));
        CU_ASSERT_EQUAL(in.error, OK);
        buffer_fini(&out);
    }
}

static void
test_done_encode(void)
{
    static const char *const keys[] = {"frame", "patch", "html"};
    for (unsigned set = 0; set < 16; set++) {
        slice value = slice_text("value");
        done_body body = {9, set & 1 ? value : (slice){0}, set & 2 ? value : (slice){0},
                          set & 4 ? value : (slice){0}, set & 8 ? slice_text("\x80") : (slice){0}};
        buffer out;
        buffer_init(&out);
        done_encode(&body, &out);
        reader in = s_reader(&out);
        CU_ASSERT_EQUAL(reader_uint(&in, "version"), 9);
        for (unsigned k = 0; k < 3; k++) {
            CU_ASSERT_EQUAL(reader_has(&in, keys[k]), (set >> k & 1) == 1);
            CU_ASSERT_EQUAL(reader_opt_bin(&in, keys[k], 9).size, set >> k & 1 ? 5 : 0);
        }
        CU_ASSERT_EQUAL(reader_opt_map(&in, "effects", 9).size, set >> 3);
        CU_ASSERT_EQUAL(in.error, OK);
        buffer_fini(&out);
    }
}

static void
test_push_encode(void)
{
    buffer out;
    buffer_init(&out);
    push_encode(&(push_body){.frame = slice_text("{}")}, &out);
    reader in = s_reader(&out);
    CU_ASSERT_EQUAL(in.count, 1);
    CU_ASSERT(slice_is(reader_bin(&in, "frame", 9), "{}"));
    buffer_clear(&out);
    push_encode(&(push_body){.frame = slice_text("{}"), .effects = slice_text("\x80")}, &out);
    in = s_reader(&out);
    CU_ASSERT_EQUAL(in.count, 2);
    CU_ASSERT_EQUAL(reader_map(&in, "effects", 9).size, 1);
    buffer_clear(&out);
    push_encode(&(push_body){.view = s_view, .error = slice_text("\x81\xa1k\x01")}, &out);
    in = s_reader(&out);
    CU_ASSERT_EQUAL(in.count, 3);
    CU_ASSERT_EQUAL(reader_bin(&in, "frame", 9).size, 0);
    CU_ASSERT(slice_equal(reader_bin(&in, "view", 16), slice_of(s_view.bytes, 16)));
    CU_ASSERT(slice_is(reader_map(&in, "error", 9), "\x81\xa1k\x01"));
    CU_ASSERT_EQUAL(in.error, OK);
    buffer_fini(&out);
}

static void
test_failed_encode(void)
{
    const fault_frame frames[2] = {{slice_text("a.py"), 12, slice_text("f"), slice_text("x = 1")},
                                   {{0}, 0, {0}, {0}}};
    slice value = slice_text("value");
    for (unsigned set = 0; set < 64; set++) {
        failed_body body = {.kind = ERR_TEMPLATE, .message = value, .frames = frames};
        body.type = set & 1 ? value : (slice){0};
        body.view_path = set & 2 ? value : (slice){0};
        body.event = set & 4 ? value : (slice){0};
        body.count = set & 8 ? 2 : 0;
        body.effects = set & 16 ? slice_text("\x80") : (slice){0};
        body.debug_page = set & 32 ? value : (slice){0};
        buffer out;
        buffer_init(&out);
        failed_encode(&body, &out);
        reader in = s_reader(&out);
        CU_ASSERT(slice_is(reader_str(&in, "kind", 99), "template"));
        CU_ASSERT(slice_is(reader_str(&in, "message", 99), "value"));
        CU_ASSERT_EQUAL(reader_opt_str(&in, "type", 9).size, set & 1 ? 5 : 0);
        CU_ASSERT_EQUAL(reader_opt_str(&in, "view_path", 9).size, set & 2 ? 5 : 0);
        CU_ASSERT_EQUAL(reader_opt_str(&in, "event", 9).size, set & 4 ? 5 : 0);
        CU_ASSERT_EQUAL(msgpack_count(reader_opt_list(&in, "frames", 99)), set & 8 ? 2 : 0);
        CU_ASSERT_EQUAL(reader_opt_map(&in, "effects", 9).size, set >> 4 & 1);
        CU_ASSERT_EQUAL(reader_opt_bin(&in, "debug_page", 9).size, set & 32 ? 5 : 0);
        CU_ASSERT_EQUAL(in.error, OK);
        buffer_fini(&out);
    }
}

static void
test_a_failure_without_words_says_the_errors(void)
{
    buffer out;
    buffer_init(&out);
    failed_encode(&(failed_body){.kind = ERR_FORBIDDEN}, &out);
    reader in = s_reader(&out);
    CU_ASSERT(slice_is(reader_str(&in, "message", 99), err_text(ERR_FORBIDDEN)));
    buffer_fini(&out);
}

static void
test_refusals(void)
{
    for (int e = ERR_FULL; e < ERR_COUNT; e++) {
        static const message_type types[] = {MSG_NOT_EXECUTED, MSG_FAILED, MSG_UNKNOWN, MSG_FAILED};
        CU_ASSERT_EQUAL(refusal_type((err)e), types[err_outcome((err)e)]);
        for (uint32_t retry = 0; retry < 200; retry += 100) {
            buffer out;
            buffer_init(&out);
            refusal_encode((err)e, retry ? slice_text("words") : (slice){0}, retry, &out);
            reader in = s_reader(&out);
            CU_ASSERT(slice_is(reader_str(&in, "reason", 99), err_word((err)e)));
            CU_ASSERT(slice_is(reader_str(&in, "message", 99), retry ? "words" : err_text((err)e)));
            CU_ASSERT_EQUAL(reader_opt_uint(&in, "retry_ms", 0), retry);
            CU_ASSERT_EQUAL(in.error, OK);
            buffer_fini(&out);
        }
    }
}

static void
test_reasons_there_and_back(void)
{
    buffer out;
    buffer_init(&out);
    reason_body body;
    reason_encode("drain", (slice){0}, &out);
    CU_ASSERT_EQUAL(reason_decode(buffer_bytes(&out), &body), OK);
    CU_ASSERT(slice_is(body.reason, "drain") && body.message.size == 0);
    buffer_clear(&out);
    reason_encode("name_taken", slice_text("w1 is here"), &out);
    CU_ASSERT_EQUAL(reason_decode(buffer_bytes(&out), &body), OK);
    CU_ASSERT(slice_is(body.reason, "name_taken") && slice_is(body.message, "w1 is here"));
    buffer_clear(&out);
    empty_encode(&out);
    CU_ASSERT(slice_is(buffer_bytes(&out), "\x80"));
    CU_ASSERT_EQUAL(reason_decode(buffer_bytes(&out), &body), ERR_MALFORMED);
    buffer_fini(&out);
}

static void
test_control_there_and_back(void)
{
    buffer out;
    buffer_init(&out);
    register_body reg = {slice_text("w1"), 4711, 32, slice_text("0.1.0")}, reg_back;
    register_encode(&reg, &out);
    CU_ASSERT_EQUAL(register_decode(buffer_bytes(&out), &reg_back), OK);
    CU_ASSERT(slice_is(reg_back.name, "w1") && slice_is(reg_back.version, "0.1.0"));
    CU_ASSERT(reg_back.pid == 4711 && reg_back.threads == 32);
    buffer_clear(&out);
    welcome_body welcome = {UINT64_MAX, 1000, true, 9000}, welcome_back;
    welcome_encode(&welcome, &out);
    CU_ASSERT_EQUAL(welcome_decode(buffer_bytes(&out), &welcome_back), OK);
    CU_ASSERT(welcome_back.boot == UINT64_MAX && welcome_back.heartbeat_ms == 1000 &&
              welcome_back.snapshots && welcome_back.dead_ms == 9000);
    buffer_clear(&out);
    heartbeat_body beat = {1, 2, 3, 4, 5, 6, 7, 8}, beat_back;
    heartbeat_encode(&beat, &out);
    CU_ASSERT_EQUAL(heartbeat_decode(buffer_bytes(&out), &beat_back), OK);
    CU_ASSERT(memcmp(&beat, &beat_back, sizeof beat) == 0);
    echo_body echo = {8, 9}, echo_back;
    buffer_clear(&out);
    echo_encode(&echo, &out);
    CU_ASSERT_EQUAL(echo_decode(buffer_bytes(&out), &echo_back), OK);
    CU_ASSERT(echo_back.sent == 8 && echo_back.boot == 9);
    CU_ASSERT_EQUAL(heartbeat_decode(buffer_bytes(&out), &beat_back), ERR_MALFORMED);
    buffer_clear(&out);
    identify_encode(UINT64_MAX, &out);
    reader in = s_reader(&out);
    CU_ASSERT_EQUAL(reader_uint(&in, "boot"), UINT64_MAX);
    buffer_fini(&out);
}

static const unit_test s_tests[] = {
    {"mount: view is optional and typed", test_mount_view_is_optional_and_typed},
    {"join: number of views", test_join_number_of_views},
    {"logout of nobody", test_logout_of_nobody},
    {"mounted", test_mounted_encode},
    {"done", test_done_encode},
    {"push", test_push_encode},
    {"failed", test_failed_encode},
    {"a failure without words says the error's", test_a_failure_without_words_says_the_errors},
    {"refusals", test_refusals},
    {"reasons, there and back", test_reasons_there_and_back},
    {"control, there and back", test_control_there_and_back},
};
UNIT_MAIN("bodies", s_tests)
