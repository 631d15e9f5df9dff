// SESSIONS and EVICT: the list of sessions, page by page, and the end of one.
#include "tests/broker/stage.h"

#include "proto/listing.h"
#include "proto/snapshot.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <unistd.h>

static stage s_stage;
static char s_state[64];
static zsock_t *s_client, *s_worker, *s_asking;

static void
s_begin(void)
{
    strcpy(s_state, "/tmp/troupe-census-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s_state));
    stage_begin_in(&s_stage, s_state);
    s_client = stage_client(&s_stage, "c1");
    s_asking = stage_client(&s_stage, "asks");
    s_worker = stage_worker(&s_stage, "r1", "alpha.1");
}

static void
s_end(void)
{
    char path[96];
    zsock_destroy(&s_client);
    zsock_destroy(&s_asking);
    zsock_destroy(&s_worker);
    stage_end(&s_stage);
    for (const char *const *name = (const char *const[]){"data.mdb", "lock.mdb", "journal", NULL}; *name;
         name++) {
        snprintf(path, sizeof path, "%s/%s", s_state, *name);
        unlink(path);
    }
    rmdir(s_state);
}

static id16
s_id(unsigned number)
{
    uint32_t mixed = number * 2654435761U; // so that they do not come in their order
    return (id16){{(uint8_t)(mixed >> 24), (uint8_t)(mixed >> 16), (uint8_t)(mixed >> 8), (uint8_t)mixed, 1}};
}

// A session that a program mounted.
static void
s_mount(unsigned number)
{
    header head = request_of(MSG_MOUNT, 1, 0, SEQUENCE_REQUEST | number);
    head.session = s_id(number);
    stage_send_request(s_client, head);
    arrival asked = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL_FATAL(asked.head.type, MSG_MOUNT);
    stage_reply(s_worker, &asked, MSG_MOUNTED);
    stage_receive(&s_stage, s_client); // this answer, or one before it
}

// A session that c1 joined, with a snapshot in the store. Its epoch.
static uint64_t
s_join(uint8_t number)
{
    buffer frame;
    buffer_init(&frame);
    stage_send_request(s_client, request_of(MSG_JOIN, number, 0, SEQUENCE_REQUEST | number));
    arrival asked = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL_FATAL(asked.head.type, MSG_JOIN);
    snapshot_begin(&frame, SNAPSHOT_FULL);
    snapshot_put(&frame, 7, slice_text("joined"));
    stage_send_snapshot(s_worker, "c1", header_reply(&asked.head, MSG_JOINED), buffer_bytes(&frame));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_JOINED);
    buffer_fini(&frame);
    return asked.head.epoch;
}

static arrival
s_ask(const sessions_body *asked)
{
    uint8_t bytes[HEADER_SIZE];
    buffer body;
    buffer_init(&body);
    sessions_encode(asked, &body);
    header head = request_of(MSG_SESSIONS, 0, 0, SEQUENCE_REQUEST | 9);
    header_encode(&head, bytes);
    stage_raw(s_asking, (slice[]){slice_of(bytes, HEADER_SIZE), buffer_bytes(&body)}, 2);
    buffer_fini(&body);
    return stage_receive(&s_stage, s_asking);
}

// Counts all sessions and pages, and checks that each id follows the one before.
static size_t
s_count(const char *name, unsigned *ret_pages)
{
    sessions_body asked = {.worker = slice_text(name)};
    listed_body page = {.more = true};
    size_t count = 0;
    for (*ret_pages = 0; page.more; ++*ret_pages) {
        arrival got = s_ask(&asked);
        CU_ASSERT_EQUAL_FATAL(got.head.type, MSG_LISTED);
        CU_ASSERT_EQUAL_FATAL(listed_decode(got.body, &page), OK);
        size_t cursor = 0;
        listed listed;
        while (listed_next(&page, &cursor, &listed) == OK) {
            CU_ASSERT_TRUE(memcmp(listed.session.bytes, asked.after.bytes, ID_SIZE) > 0);
            asked.after = listed.session;
            count++;
        }
    }
    return count;
}

static void
test_pages(void)
{
    unsigned pages;
    s_begin();
    CU_ASSERT_EQUAL(s_count("", &pages), 0);
    CU_ASSERT_EQUAL(pages, 1);
    for (unsigned i = 1; i <= 2 * MAX_LISTED; i++)
        s_mount(i);
    CU_ASSERT_EQUAL(s_count("", &pages), 2 * MAX_LISTED);
    CU_ASSERT_EQUAL(pages, 2);
    s_mount(1000);
    CU_ASSERT_EQUAL(s_count("", &pages), 2 * MAX_LISTED + 1);
    CU_ASSERT_EQUAL(pages, 3);
    CU_ASSERT_EQUAL(s_count("alpha", &pages), 2 * MAX_LISTED + 1);
    CU_ASSERT_EQUAL(s_count("alpha.1", &pages), 2 * MAX_LISTED + 1);
    CU_ASSERT_EQUAL(s_count("alp", &pages), 0);
    CU_ASSERT_EQUAL(s_count("alpha.1.x", &pages), 0);
    s_end();
}

static listed
s_only(void)
{
    listed_body page;
    listed listed = {0};
    size_t cursor = 0;
    arrival got = s_ask(&(sessions_body){0});
    CU_ASSERT_EQUAL_FATAL(got.head.type, MSG_LISTED);
    CU_ASSERT_EQUAL_FATAL(listed_decode(got.body, &page), OK);
    CU_ASSERT_EQUAL(msgpack_count(page.sessions), 1);
    CU_ASSERT_EQUAL(listed_next(&page, &cursor, &listed), OK);
    return listed; // borrows what the stage keeps until the next arrival
}

static void
test_one(void)
{
    s_begin();
    uint64_t epoch = s_join(1);
    listed listed = s_only();
    CU_ASSERT_TRUE(id_equal(listed.session, session_id(1)));
    CU_ASSERT_TRUE(slice_is(listed.state, "active") && slice_is(listed.worker, "alpha.1") && listed.attached);
    CU_ASSERT_EQUAL(listed.epoch, epoch);
    CU_ASSERT_EQUAL(listed.pending, 0);
    CU_ASSERT_TRUE(listed.bytes > 0);
    stage_send_request(s_client, request_of(MSG_EVENT, 1, epoch, 1));
    broker_turn(s_stage.broker);
    CU_ASSERT_EQUAL(s_only().pending, 1);
    stage_reason(s_worker, request_of(MSG_GOODBYE, 0, 0, 0), "stopped");
    broker_turn(s_stage.broker);
    listed = s_only();
    CU_ASSERT_TRUE(slice_is(listed.state, "stored") && listed.worker.size == 0 && !listed.attached &&
                   listed.bytes > 0);
    s_end();
}

// Sessions that only the store has are sorted in with the others, and left out where a worker is named.
static void
test_stored(void)
{
    unsigned pages;
    s_begin();
    for (uint8_t i = 1; i <= 200; i++)
        s_join(i);
    stage_reason(s_worker, request_of(MSG_GOODBYE, 0, 0, 0), "stopped");
    broker_turn(s_stage.broker);
    CU_ASSERT_EQUAL(s_count("", &pages), 200);
    stage_register(s_worker, "beta");
    CU_ASSERT_EQUAL_FATAL(stage_receive(&s_stage, s_worker).head.type, MSG_WELCOME);
    for (unsigned i = 1; i <= 300; i++)
        s_mount(i);
    CU_ASSERT_EQUAL(s_count("", &pages), 500);
    CU_ASSERT_EQUAL(pages, 2);
    CU_ASSERT_EQUAL(s_count("beta", &pages), 300);
    s_end();
}

static arrival
s_evict(uint8_t number)
{
    stage_send_request(s_asking, request_of(MSG_EVICT, number, 0, SEQUENCE_REQUEST | 5));
    return stage_receive(&s_stage, s_asking);
}

static void
test_evict(void)
{
    unsigned pages;
    s_begin();
    uint64_t epoch = s_join(1);
    s_join(2);
    arrival answer = s_evict(1);
    CU_ASSERT_EQUAL(answer.head.type, MSG_ENDED);
    CU_ASSERT_EQUAL(answer.head.sequence, SEQUENCE_REQUEST | 5);
    CU_ASSERT_STRING_EQUAL(answer.reason, "evicted");
    arrival told = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(told.head.type, MSG_ENDED);
    CU_ASSERT_EQUAL(told.head.sequence, 0);
    CU_ASSERT_STRING_EQUAL(told.reason, "evicted");
    arrival owner = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL(owner.head.type, MSG_DISOWN);
    CU_ASSERT_EQUAL(owner.head.epoch, epoch);
    CU_ASSERT_TRUE(id_equal(owner.head.session, session_id(1)));
    CU_ASSERT_EQUAL(s_count("", &pages), 1); // not in the store either; the other is as it was
    answer = s_evict(1);
    CU_ASSERT_EQUAL(answer.head.type, MSG_NOT_EXECUTED);
    CU_ASSERT_STRING_EQUAL(answer.reason, "unknown_session");
    CU_ASSERT_NOT_EQUAL(s_join(1), epoch); // the page begins afresh
    s_end();
}

static void
test_evict_in_the_middle(void)
{
    s_begin();
    uint64_t epoch = stage_mount(&s_stage, s_client, s_worker, MSG_MOUNT, 1);
    stage_send_request(s_client, request_of(MSG_EVENT, 1, epoch, 1));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_EVENT);
    CU_ASSERT_EQUAL(s_evict(1).head.type, MSG_ENDED);
    arrival answer = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(answer.head.type, MSG_UNKNOWN);
    CU_ASSERT_EQUAL(answer.head.sequence, 1);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    s_end();
}

static void
test_evict_stored(void)
{
    unsigned pages;
    s_begin();
    s_join(1);
    stage_reason(s_worker, request_of(MSG_GOODBYE, 0, 0, 0), "stopped");
    broker_turn(s_stage.broker);
    CU_ASSERT_EQUAL(s_count("", &pages), 1);
    CU_ASSERT_EQUAL(s_evict(1).head.type, MSG_ENDED);
    CU_ASSERT_EQUAL(s_count("", &pages), 0);
    CU_ASSERT_STRING_EQUAL(s_evict(1).reason, "unknown_session");
    s_end();
}

static void
test_hostile(void)
{
    uint8_t bytes[HEADER_SIZE];
    header head = request_of(MSG_SESSIONS, 0, 0, SEQUENCE_REQUEST | 1);
    s_begin();
    header_encode(&head, bytes);
    stage_raw(s_asking,
              (slice[]){slice_of(bytes, HEADER_SIZE), slice_text("\x81\xa5"
                                                                 "after\xc4\x01x")},
              2);
    CU_ASSERT_STRING_EQUAL(stage_receive(&s_stage, s_asking).reason, "malformed");
    CU_ASSERT_STRING_EQUAL(s_evict(0).reason, "malformed"); // no session
    s_end();
}

static const unit_test s_tests[] = {
    {"page by page", test_pages},
    {"what is said of one", test_one},
    {"those in the store", test_stored},
    {"the end of one", test_evict},
    {"in the middle of an event", test_evict_in_the_middle},
    {"of one in the store", test_evict_stored},
    {"requests that are none", test_hostile},
};
UNIT_MAIN("broker_admin", s_tests)
