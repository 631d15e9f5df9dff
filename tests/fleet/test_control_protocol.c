// Requests and answers of the control socket, and bytes that are none.
#include "fleet/control_protocol.h"

#include "tests/unit.h"

static void
test_requests(void)
{
    buffer body;
    buffer_init(&body);
    for (control_verb verb = CONTROL_STATUS; verb < CONTROL_VERB_COUNT; verb++) {
        control_request got = {0};
        buffer_clear(&body);
        control_request_encode(&(control_request){verb, 7, 9}, &body);
        CU_ASSERT_EQUAL(control_request_decode(buffer_bytes(&body), &got), OK);
        CU_ASSERT_EQUAL(got.verb, verb);
        CU_ASSERT_EQUAL(got.workers, verb == CONTROL_SCALE ? 7 : 0);
        CU_ASSERT_EQUAL(got.worker, verb == CONTROL_DRAIN ? 9 : 0);
        for (size_t size = 0; size < body.size; size++) // cut off
            CU_ASSERT_EQUAL(control_request_decode(slice_of(body.data, size), &got), ERR_MALFORMED);
    }
    buffer_fini(&body);
}

static err
s_decode(uint64_t version, const char *word, bool with_workers)
{
    buffer body;
    control_request got;
    buffer_init(&body);
    writer writer = writer_on(&body);
    writer_map(writer, with_workers ? 3 : 2);
    writer_key_uint(writer, "version", version);
    writer_key_str(writer, "command", slice_text(word));
    if (with_workers)
        writer_key_str(writer, "workers", slice_text("two"));
    err error = control_request_decode(buffer_bytes(&body), &got);
    buffer_fini(&body);
    return error;
}

static void
test_hostile(void)
{
    static uint8_t large[MAX_CONTROL_REQUEST + 1];
    control_request got;
    CU_ASSERT_EQUAL(s_decode(1, "status", false), OK);
    CU_ASSERT_EQUAL(s_decode(2, "status", false), ERR_VERSION);
    CU_ASSERT_EQUAL(s_decode(1, "up", false), ERR_TYPE);
    CU_ASSERT_EQUAL(s_decode(1, "keygen", false), ERR_TYPE); // not sent to a supervisor
    CU_ASSERT_EQUAL(s_decode(1, "evict", false), ERR_TYPE);
    CU_ASSERT_EQUAL(s_decode(1, "", false), ERR_TYPE);
    CU_ASSERT_EQUAL(s_decode(1, "scale", false), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_decode(1, "scale", true), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_decode(1, "drain", false), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_decode(1, "0123456789012345678901234567890123456789", false), ERR_TOO_LARGE);
    CU_ASSERT_EQUAL(control_request_decode(slice_of(large, sizeof large), &got), ERR_TOO_LARGE);
    CU_ASSERT_EQUAL(control_request_decode(slice_of(large, 16), &got), ERR_MALFORMED);
}

static void
test_answers(void)
{
    buffer body;
    control_reply got;
    buffer_init(&body);
    control_reply_encode(&(control_reply){.ok = true, .report = slice_text("\x80")}, &body);
    CU_ASSERT_EQUAL(control_reply_decode(buffer_bytes(&body), &got), OK);
    CU_ASSERT_TRUE(got.ok && got.report.size == 1 && got.message.size == 0);
    buffer_clear(&body);
    control_reply_encode(&(control_reply){.message = slice_text("no")}, &body);
    CU_ASSERT_EQUAL(control_reply_decode(buffer_bytes(&body), &got), OK);
    CU_ASSERT_TRUE(!got.ok && slice_is(got.message, "no"));
    CU_ASSERT_EQUAL(control_reply_decode(slice_text("\x80"), &got), ERR_MALFORMED);
    buffer_fini(&body);
}

static const unit_test s_tests[] = {
    {"requests", test_requests},
    {"requests that are none", test_hostile},
    {"answers", test_answers},
};
UNIT_MAIN("control_protocol", s_tests)
