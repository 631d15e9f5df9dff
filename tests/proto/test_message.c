// Where each byte of the header stands, and headers that are none.
#include "proto/message.h"

#include "tests/proto/exact.h"
#include "tests/unit.h"

static header
s_header(void)
{
    header header = {.version = 1, .type = MSG_EVENT, .flags = 0x8021, .epoch = UINT64_C(0x0102030405060708)};
    header.sequence = UINT64_C(0xf1f2f3f4f5f6f7f8);
    header.ttl = 0xa1b2c3d4;
    for (unsigned i = 0; i < ID_SIZE; i++)
        header.session.bytes[i] = (uint8_t)(0x30 + i);
    return header;
}

static void
test_bytes_stand_where_the_spec_says(void)
{
    static const uint8_t expected[HEADER_SIZE] = {1,    3,    0x80, 0x21, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35,
                                                  0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
                                                  1,    2,    3,    4,    5,    6,    7,    8,    0xf1, 0xf2,
                                                  0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xa1, 0xb2, 0xc3, 0xd4};
    uint8_t frame[HEADER_SIZE];
    header header = s_header(), back;
    header_encode(&header, frame);
    CU_ASSERT(memcmp(frame, expected, HEADER_SIZE) == 0);
    CU_ASSERT_EQUAL(header_decode(slice_of(frame, HEADER_SIZE), &back), OK);
    CU_ASSERT(back.version == 1 && back.type == MSG_EVENT && back.flags == 0x8021);
    CU_ASSERT(id_equal(back.session, header.session));
    CU_ASSERT(back.epoch == header.epoch && back.sequence == header.sequence && back.ttl == header.ttl);
}

static void
test_every_other_length_is_malformed(void)
{
    uint8_t frame[81] = {1, MSG_PING};
    for (size_t size = 0; size <= sizeof frame; size++) {
        slice copy = exact_copy(slice_of(frame, size));
        header back = {.ttl = 77};
        err error = header_decode(copy, &back);
        CU_ASSERT_EQUAL(error, size == HEADER_SIZE ? OK : ERR_MALFORMED);
        CU_ASSERT(error == OK || back.ttl == 77);
        exact_free(copy);
    }
    header back;
    CU_ASSERT_EQUAL(header_decode((slice){0}, &back), ERR_MALFORMED);
}

static void
test_every_version_and_type(void)
{
    uint8_t frame[HEADER_SIZE] = {0};
    frame[39] = 9;
    for (unsigned version = 0; version < 256; version++)
        for (unsigned type = 0; type < 256; type++) {
            frame[0] = (uint8_t)version;
            frame[1] = (uint8_t)type;
            header back = {0};
            err expected = version != 1                                         ? ERR_VERSION
                           : message_direction((uint8_t)type) == DIRECTION_NONE ? ERR_TYPE
                                                                                : OK;
            CU_ASSERT_EQUAL(header_decode(slice_of(frame, HEADER_SIZE), &back), expected);
            // Decoded all the same, so that the peer can be answered.
            CU_ASSERT(back.version == version && back.type == type && back.ttl == 9);
        }
}

static void
test_directions_follow_the_type_byte(void)
{
    unsigned named = 0;
    for (unsigned type = 0; type < 256; type++) {
        direction where = message_direction((uint8_t)type);
        if (where == DIRECTION_NONE) {
            CU_ASSERT_STRING_EQUAL(message_name((uint8_t)type), "?");
            continue;
        }
        named++;
        CU_ASSERT_EQUAL(where, type < 0x20   ? DIRECTION_REQUEST
                               : type < 0x40 ? DIRECTION_REPLY
                                             : DIRECTION_CONTROL);
        CU_ASSERT_STRING_NOT_EQUAL(message_name((uint8_t)type), "?");
    }
    CU_ASSERT_EQUAL(named, 42);
    CU_ASSERT_STRING_EQUAL(message_name(MSG_EVENT), "EVENT");
    CU_ASSERT_STRING_EQUAL(message_name(MSG_NOT_EXECUTED), "NOT_EXECUTED");
}

static void
test_who_wants_a_reply(void)
{
    for (unsigned type = 0; type < 256; type++) {
        bool silent = type == MSG_LEAVE || type == MSG_ACK || type == MSG_LOGOUT || type == MSG_EXITED;
        bool request = type >= MSG_MOUNT && type <= MSG_EVICT;
        CU_ASSERT_EQUAL(message_wants_reply((uint8_t)type), request && !silent);
    }
}

static void
test_reply_copies_what_names_the_request(void)
{
    header request = s_header(), reply = header_reply(&request, MSG_DONE);
    CU_ASSERT(reply.version == PROTOCOL_VERSION && reply.type == MSG_DONE);
    CU_ASSERT(reply.flags == 0 && reply.ttl == 0);
    CU_ASSERT(id_equal(reply.session, request.session));
    CU_ASSERT(reply.epoch == request.epoch && reply.sequence == request.sequence);
    request.version = 9; // a peer with another version is answered in a version 1 header
    CU_ASSERT_EQUAL(header_reply(&request, MSG_NOT_EXECUTED).version, PROTOCOL_VERSION);
}

static const unit_test s_tests[] = {
    {"bytes stand where the spec says", test_bytes_stand_where_the_spec_says},
    {"every other length is malformed", test_every_other_length_is_malformed},
    {"every version and type", test_every_version_and_type},
    {"directions follow the type byte", test_directions_follow_the_type_byte},
    {"who wants a reply", test_who_wants_a_reply},
    {"a reply copies what names the request", test_reply_copies_what_names_the_request},
};
UNIT_MAIN("message", s_tests)
