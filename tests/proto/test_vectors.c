// The golden vectors of proto/vectors: what Python's msgpack wrote from PROTOCOL.md, read and written again
// by the C side.
#include "tests/proto/golden.h"

#include "proto/bodies.h"
#include "proto/scan.h"

#include "tests/proto/decode.h"
#include "tests/proto/exact.h"
#include "tests/unit.h"

static bool
s_from_worker(const golden *golden)
{
    return strcmp(golden->from, "worker") == 0;
}

// Says which vector it was: CUnit only knows the line.
static void
s_check(bool good, const golden *golden)
{
    if (!good)
        fprintf(stderr, "vector %s\n", golden->name);
    CU_ASSERT(good);
}

static void
test_headers(void)
{
    for (size_t i = 0; i < golden_messages_count; i++) {
        const golden *golden = &golden_messages[i];
        header got = {0};
        const header *want = &golden->header;
        s_check(header_decode(slice_of(golden->frame, golden->frame_size), &got) == OK, golden);
        s_check(got.version == want->version && got.type == want->type && got.flags == want->flags, golden);
        s_check(id_equal(got.session, want->session) && got.epoch == want->epoch, golden);
        s_check(got.sequence == want->sequence && got.ttl == want->ttl, golden);
        s_check(got.type == golden->message, golden);
        uint8_t frame[HEADER_SIZE];
        header_encode(want, frame);
        s_check(golden->frame_size == HEADER_SIZE && memcmp(frame, golden->frame, HEADER_SIZE) == 0, golden);
    }
}

static uint64_t
s_big(slice bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.size; i++)
        value = value << 8 | bytes.data[i];
    return value;
}

// One value without what is nested in it: its bytes are type, length and payload.
static bool
s_is_node(slice value, size_t head, uint64_t count, const node *want)
{
    uint8_t type = value.data[0];
    slice payload = slice_of(value.data + head, value.size - head);
    double real;
    switch (want->kind) {
    case NODE_NIL:
        return type == 0xc0;
    case NODE_BOOL:
        return type == 0xc2 + want->number;
    case NODE_UINT:
        return type < 0x80 ? type == want->number
                           : type >= 0xcc && type <= 0xcf && s_big(payload) == want->number;
    case NODE_INT:
        if (type >= 0xe0)
            return (uint64_t)(int8_t)type == want->number;
        return type >= 0xd0 && type <= 0xd3 && payload.size > 0 &&
               s_big(payload) == (want->number & (UINT64_MAX >> (64 - 8 * payload.size)));
    case NODE_FLOAT:
        memcpy(&real, &(uint64_t){s_big(payload)}, sizeof real);
        return type == 0xcb && real == want->real;
    case NODE_STR:
        return ((type & 0xe0) == 0xa0 || (type >= 0xd9 && type <= 0xdb)) &&
               slice_equal(payload, slice_of(want->data, want->size));
    case NODE_BIN:
        return type >= 0xc4 && type <= 0xc6 && slice_equal(payload, slice_of(want->data, want->size));
    case NODE_EXT:
        return payload.size == want->size + 1 && payload.data[0] == want->number &&
               memcmp(payload.data + 1, want->data, want->size) == 0;
    case NODE_LIST:
        return ((type & 0xf0) == 0x90 || type == 0xdc || type == 0xdd) && count == want->number;
    case NODE_MAP:
        return ((type & 0xf0) == 0x80 || type == 0xde || type == 0xdf) && count == 2 * want->number;
    }
    return false;
}

// The body's bytes against its description, value by value.
static bool
s_body_matches(const golden *golden)
{
    size_t used = 0;
    for (size_t i = 0; i < golden->node_count; i++) {
        slice rest = slice_of(golden->body + used, golden->body_size - used);
        uint64_t bytes, count;
        size_t head = msgpack_head(rest, &bytes, &count);
        if (head == 0 || bytes > rest.size - head)
            return false;
        rest.size = head + (size_t)bytes;
        if (!s_is_node(rest, head, count, &golden->nodes[i]))
            return false;
        used += rest.size;
    }
    return used == golden->body_size;
}

static void
test_bodies_are_what_they_are_said_to_be(void)
{
    for (size_t i = 0; i < golden_messages_count; i++) {
        const golden *golden = &golden_messages[i];
        s_check(msgpack_scan(golden_body(golden), MAX_DEPTH) == golden->body_size, golden);
        s_check(s_body_matches(golden), golden);
    }
}

static err
s_decode_exact(const golden *golden, slice body)
{
    slice copy = exact_copy(body);
    err error = decode_any(golden->message, s_from_worker(golden), copy);
    exact_free(copy);
    return error;
}

static void
test_valid_ones_decode(void)
{
    for (size_t i = 0; i < golden_messages_count; i++)
        s_check(s_decode_exact(&golden_messages[i], golden_body(&golden_messages[i])) == OK,
                &golden_messages[i]);
}

static void
test_every_message_has_a_vector(void)
{
    bool seen[256] = {false};
    for (size_t i = 0; i < golden_messages_count; i++)
        seen[golden_messages[i].message] = true;
    for (unsigned type = 0; type < 256; type++)
        CU_ASSERT_EQUAL(seen[type], message_direction((uint8_t)type) != DIRECTION_NONE);
}

static void
test_every_truncation_is_malformed(void)
{
    for (size_t i = 0; i < golden_messages_count; i++)
        for (size_t size = 0; size < golden_messages[i].body_size; size++) {
            const golden *golden = &golden_messages[i];
            s_check(s_decode_exact(golden, slice_of(golden->body, size)) == ERR_MALFORMED, golden);
        }
}

// Every byte replaced by a few others: whatever it means then, the decoders stay inside and say one of three
// things.
static void
test_every_byte_damaged(void)
{
    static const uint8_t damage[] = {0x01, 0x80, 0xff};
    for (size_t i = 0; i < golden_messages_count; i++) {
        const golden *golden = &golden_messages[i];
        uint8_t body[8192];
        CU_ASSERT_FATAL(golden->body_size <= sizeof body);
        memcpy(body, golden->body, golden->body_size);
        for (size_t at = 0; at < golden->body_size; at++)
            for (size_t d = 0; d < sizeof damage; d++) {
                body[at] = golden->body[at] ^ damage[d];
                err error = s_decode_exact(golden, slice_of(body, golden->body_size));
                if (error != OK && error != ERR_MALFORMED && error != ERR_TOO_LARGE)
                    s_check(false, golden);
                body[at] = golden->body[at];
            }
    }
}

// The error that the receiver's order of checks finds first (PROTOCOL.md 7).
static err
s_received(const golden *golden)
{
    header got;
    slice frame = exact_copy(slice_of(golden->frame, golden->frame_size));
    err error = header_decode(frame, &got);
    exact_free(frame);
    return error ? error : s_decode_exact(golden, golden_body(golden));
}

static void
test_invalid_ones_are_refused(void)
{
    CU_ASSERT(golden_invalid_count > 100);
    for (size_t i = 0; i < golden_invalid_count; i++) {
        err error = s_received(&golden_invalid[i]);
        if (error != golden_invalid[i].error)
            fprintf(stderr, "got %s, expected %s: ", err_word(error), err_word(golden_invalid[i].error));
        s_check(error == golden_invalid[i].error, &golden_invalid[i]);
    }
}

static bool
s_is_view(id16 id, uint8_t first)
{
    for (unsigned i = 0; i < ID_SIZE; i++)
        if (id.bytes[i] != first + i)
            return false;
    return true;
}

static void
test_mount_fields(void)
{
    mount_body body;
    CU_ASSERT_EQUAL(mount_decode(golden_body(golden_find("mount_full")), &body), OK);
    CU_ASSERT(slice_is(body.path, "demo.views.Counter"));
    CU_ASSERT(slice_is(body.params, "\x81\xa2pk\x07"));
    CU_ASSERT(slice_is(body.init, "\x81\xa5title\xa2Hi"));
    CU_ASSERT_EQUAL(msgpack_count(body.request), 15);
    CU_ASSERT(body.identity.size == 32 && body.identity.data[31] == 0xaa);
    CU_ASSERT(body.has_view && s_is_view(body.view, 0x10));
    CU_ASSERT_EQUAL(mount_decode(golden_body(golden_find("mount_nil_optionals")), &body), OK);
    CU_ASSERT(!body.has_view && body.init.size == 0 && body.request.size == 0 && body.identity.size == 0);
    CU_ASSERT_EQUAL(mount_decode(golden_body(golden_find("mount_longest_path")), &body), OK);
    CU_ASSERT_EQUAL(body.path.size, 255);
}

static void
test_join_fields(void)
{
    static join_body body;
    CU_ASSERT_EQUAL(join_decode(golden_body(golden_find("join_two")), &body), OK);
    CU_ASSERT(body.generation == 4 && body.count == 2 && slice_is(body.identity, "\x01"));
    CU_ASSERT(s_is_view(body.views[0].view, 0x10) && body.views[0].version == 3);
    CU_ASSERT(body.views[0].init.size == 0 && body.views[0].url.size == 0);
    CU_ASSERT(s_is_view(body.views[1].view, 0xf0));
    CU_ASSERT(slice_is(body.views[1].init, "\x81\xa1"
                                           "a\x01"));
    CU_ASSERT(slice_is(body.views[1].url, "/todos/?page=2"));
    CU_ASSERT_EQUAL(join_decode(golden_body(golden_find("join_64_views")), &body), OK);
    CU_ASSERT(body.generation == UINT64_MAX && body.count == 64 && body.views[63].version == 63);
}

static void
test_other_request_fields(void)
{
    event_body event;
    CU_ASSERT_EQUAL(event_decode(golden_body(golden_find("event_least")), &event), OK);
    CU_ASSERT(s_is_view(event.view, 0x10) && slice_is(event.name, "increment"));
    CU_ASSERT(slice_is(event.params, "\x80"));
    ack_body ack;
    CU_ASSERT_EQUAL(ack_decode(golden_body(golden_find("ack")), &ack), OK);
    CU_ASSERT(s_is_view(ack.view, 0x10) && ack.version == (UINT64_C(1) << 53) - 1);
    id16 view;
    CU_ASSERT_EQUAL(view_decode(golden_body(golden_find("unmount")), &view), OK);
    CU_ASSERT(s_is_view(view, 0x10));
    slice identity;
    CU_ASSERT_EQUAL(logout_decode(golden_body(golden_find("logout")), &identity), OK);
    CU_ASSERT(identity.size == 32 && identity.data[0] == 0x5a);
}

static void
s_same(buffer *out, const char *name)
{
    const golden *golden = golden_find(name);
    s_check(slice_equal(buffer_bytes(out), golden_body(golden)), golden);
    buffer_clear(out);
}

static void
s_encode_mounted(buffer *out)
{
    id16 view;
    for (unsigned i = 0; i < ID_SIZE; i++)
        view.bytes[i] = (uint8_t)(0x10 + i);
    mounted_encode(&(mounted_body){.view = view, .version = 1, .html = slice_text("<p>\xc3\x84</p>")}, out);
    s_same(out, "mounted");
    mounted_body at = {view, UINT64_C(1) << 32, slice_text("<body></body>"), true, 5, 40, {0}};
    mounted_encode(&at, out);
    s_same(out, "mounted_at");
    mounted_encode(&(mounted_body){.view = view, .version = 1, .has_at = true}, out);
    s_same(out, "mounted_empty_at_zero");
    slice effects = slice_text("\x81\xa7session\xc3");
    mounted_encode(&(mounted_body){.view = view, .version = 1, .html = slice_text("<p>"), .effects = effects},
                   out);
    s_same(out, "mounted_session");
}

static void
s_encode_failed(buffer *out)
{
    const fault_frame frames[2] = {
        {slice_text("views.py"), 12, slice_text("increment"), slice_text("self.count += by")},
        {{0}, 0, {0}, {0}}};
    failed_encode(&(failed_body){.kind = ERR_PYTHON,
                                 .message = slice_text("Error in demo.views.Counter.increment(): no"),
                                 .type = slice_text("ValueError"),
                                 .view_path = slice_text("demo.views.Counter"),
                                 .event = slice_text("increment"),
                                 .count = 2,
                                 .frames = frames},
                  out);
    s_same(out, "failed_full");
    failed_encode(&(failed_body){.kind = ERR_TEMPLATE,
                                 .message = slice_text("no"),
                                 .debug_page = slice_of("x\x9c\x03\x00\x00\x00\x00\x01", 8)},
                  out);
    s_same(out, "failed_debug");
}

static void
s_encode_control(buffer *out)
{
    register_encode(&(register_body){slice_text("w1"), 4711, 4, slice_text("0.1.0")}, out);
    s_same(out, "register");
    welcome_encode(&(welcome_body){UINT64_MAX, 1000, false, WORKER_DEAD_MS}, out);
    s_same(out, "welcome");
    reason_encode(err_word(ERR_NAME_TAKEN), slice_text(err_text(ERR_NAME_TAKEN)), out);
    s_same(out, "refused");
    heartbeat_encode(&(heartbeat_body){UINT64_C(1) << 40, 0, 1, 2, 3, 4, 5, 0}, out);
    s_same(out, "heartbeat_worker");
    echo_encode(&(echo_body){UINT64_C(1) << 40, 99}, out);
    s_same(out, "heartbeat_echo");
    reason_encode("drain", (slice){0}, out);
    s_same(out, "goodbye");
    identify_encode(99, out);
    s_same(out, "identify");
}

static void
test_refresh_fields(void)
{
    refresh_body body;
    CU_ASSERT_EQUAL(refresh_decode(golden_body(golden_find("refresh")), &body), OK);
    CU_ASSERT(s_is_view(body.view, 0xf0) && body.chunks.size == 0 && !body.whole);
    CU_ASSERT_EQUAL(refresh_decode(golden_body(golden_find("refresh_whole")), &body), OK);
    CU_ASSERT(body.chunks.size == 0 && body.whole);
    CU_ASSERT_EQUAL(refresh_decode(golden_body(golden_find("refresh_chunks")), &body), OK);
    size_t cursor = 0;
    slice element;
    CU_ASSERT(msgpack_next(body.chunks, &cursor, &element) && slice_is(msgpack_str(element), "abcdefgh"));
    CU_ASSERT(msgpack_next(body.chunks, &cursor, &element) && slice_is(msgpack_str(element), ""));
    CU_ASSERT(!msgpack_next(body.chunks, &cursor, &element) && !body.whole);
}

// The last of the vector's three views says what failed, which fault_encode writes: the others, one by one.
static void
s_encode_joined(buffer *out)
{
    id16 view;
    for (unsigned i = 0; i < ID_SIZE; i++)
        view.bytes[i] = (uint8_t)(0x10 + i);
    const slice hashes[] = {slice_text("abcdefgh"), slice_text("ABCDEF_-")};
    slice whole = golden_body(golden_find("joined_each_kind"));
    joined_view shown = {.view = view, .version = 3, .adoptable = true, .chunk_count = 2, .chunks = hashes};
    joined_view_encode(&shown, out);
    joined_view_encode(
        &(joined_view){.view = view, .version = 3, .number = 1, .adoptable = true, .anew = true}, out);
    CU_ASSERT_PTR_NOT_NULL(memmem(whole.data, whole.size, out->data, out->size));
    buffer_clear(out);
}

// What the encoders write is, byte for byte, what Python's msgpack wrote.
static void
test_encoders(void)
{
    buffer out;
    buffer_init(&out);
    s_encode_mounted(&out);
    s_encode_joined(&out);
    done_encode(&(done_body){.version = 12}, &out);
    s_same(&out, "done_unchanged");
    slice redirect = slice_text("\x81\xa8redirect\xa8/thanks/");
    done_encode(&(done_body){.version = 13, .effects = redirect}, &out);
    s_same(&out, "done_redirect");
    done_encode(
        &(done_body){.version = 13, .patch = slice_text("{\"0\":{\"h\":\"x\"}}"), .html = slice_text("x")},
        &out);
    s_same(&out, "done_html");
    s_encode_failed(&out);
    refusal_encode(ERR_FULL, (slice){0}, 100, &out);
    s_same(&out, "not_executed_busy");
    refusal_encode(ERR_GAP, slice_text("the event's number does not follow"), 0, &out);
    s_same(&out, "not_executed");
    refusal_encode(ERR_WORKER_LOST, (slice){0}, 0, &out);
    s_same(&out, "unknown");
    reason_encode("shutdown", (slice){0}, &out);
    s_same(&out, "ended");
    empty_encode(&out);
    s_same(&out, "pong");
    s_encode_control(&out);
    buffer_fini(&out);
}

static const unit_test s_tests[] = {
    {"headers", test_headers},
    {"bodies are what they are said to be", test_bodies_are_what_they_are_said_to_be},
    {"valid ones decode", test_valid_ones_decode},
    {"every message has a vector", test_every_message_has_a_vector},
    {"every truncation is malformed", test_every_truncation_is_malformed},
    {"every byte damaged", test_every_byte_damaged},
    {"invalid ones are refused", test_invalid_ones_are_refused},
    {"MOUNT's fields", test_mount_fields},
    {"JOIN's fields", test_join_fields},
    {"other requests' fields", test_other_request_fields},
    {"REFRESH's fields", test_refresh_fields},
    {"encoders", test_encoders},
};
UNIT_MAIN("vectors", s_tests)
