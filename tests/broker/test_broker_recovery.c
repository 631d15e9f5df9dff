// A broker that starts after another: workers announce their sessions, and none of these gets a second owner.
#include "tests/broker/stage.h"

#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OLD_EPOCH(n) (UINT64_C(1) << 32 | (n)) // of the start before

static stage s_stage;
static char s_state[64];
static zsock_t *s_client, *s_one, *s_two;

static void
s_remove(void)
{
    char path[128];
    for (const char *const *name = (const char *const[]){"data.mdb", "lock.mdb", "journal", NULL}; *name;
         name++) {
        snprintf(path, sizeof path, "%s/%s", s_state, *name);
        unlink(path);
    }
    rmdir(s_state);
}

// The second start of a broker that had this many workers.
static void
s_begin(unsigned workers)
{
    strcpy(s_state, "/tmp/troupe-recovery-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s_state));
    stage_begin_in(&s_stage, s_state);
    zsock_t *before[2] = {NULL, NULL};
    static const char *const names[] = {"alpha", "beta"};
    for (unsigned i = 0; i < workers; i++)
        before[i] = stage_worker(&s_stage, names[i], names[i]);
    for (unsigned i = 0; i < workers; i++) // it lives no longer than they need to register
        zsock_destroy(&before[i]);
    stage_end(&s_stage);
    stage_begin_in(&s_stage, s_state);
    s_client = stage_client(&s_stage, "c1");
    s_one = stage_worker(&s_stage, "r1", "alpha");
    s_two = workers > 1 ? stage_worker(&s_stage, "r2", "beta") : NULL;
}

static void
s_end(void)
{
    zsock_destroy(&s_client);
    zsock_destroy(&s_one);
    zsock_destroy(&s_two);
    stage_end(&s_stage);
    s_remove();
}

static void
s_announce(zsock_t *from, uint8_t number, uint64_t epoch, announced_state state)
{
    buffer body;
    buffer_init(&body);
    announce_begin(&body, number ? 1 : 0, true);
    announced announced = {
        .session = request_of(MSG_EVENT, number, 0, 1).session, .epoch = epoch, .state = state};
    if (state == ANNOUNCED_ATTACHED)
        announced.client = slice_text("c1");
    if (number)
        announce_add(&body, &announced);
    stage_send_from_worker(from, "", (header){.version = PROTOCOL_VERSION, .type = MSG_ANNOUNCE},
                           buffer_bytes(&body));
    buffer_fini(&body);
}

// The broker also requests the sessions that its store lacks.
static arrival
s_expect(zsock_t *peer, message_type type)
{
    arrival got = stage_receive(&s_stage, peer);
    while (got.here && got.head.type == MSG_KEEP && type != MSG_KEEP)
        got = stage_receive(&s_stage, peer);
    CU_ASSERT_TRUE_FATAL(got.here);
    CU_ASSERT_EQUAL_FATAL(got.head.type, type);
    return got;
}

static void
test_all_announce(void)
{
    s_begin(2);
    stage_send_request(s_client, request_of(MSG_EVENT, 1, OLD_EPOCH(7), 4));
    stage_send_request(s_client, request_of(MSG_JOIN, 2, 0, SEQUENCE_REQUEST | 1));
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here); // both wait
    s_announce(s_one, 1, OLD_EPOCH(7), ANNOUNCED_ATTACHED);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_one).here); // for the other worker
    s_announce(s_two, 0, 0, ANNOUNCED_HELD);
    arrival event = s_expect(s_one, MSG_EVENT);
    CU_ASSERT_EQUAL(event.head.epoch, OLD_EPOCH(7));
    stage_reply(s_one, &event, MSG_DONE);
    s_expect(s_client, MSG_DONE);
    s_expect(s_two, MSG_JOIN); // nobody had it: it is begun anew, on the one that has less
    stage_send_from_worker(s_one, "", request_of(MSG_PUSH, 1, OLD_EPOCH(7), 0), slice_text("\x80"));
    s_expect(s_client, MSG_PUSH); // it is attached
    s_end();
}

static void
test_one_does_not(void)
{
    s_begin(2);
    s_announce(s_one, 1, OLD_EPOCH(7), ANNOUNCED_DETACHED);
    stage_send_request(s_client, request_of(MSG_MOUNT, 2, 0, SEQUENCE_REQUEST | 1));
    stage_advance(&s_stage, WORKER_DEAD_MS / 2 - 1000);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_two).here);
    stage_heartbeat(s_one, 1);
    stage_heartbeat(s_two, 1);
    stage_advance(&s_stage, 1200);
    s_expect(s_two, MSG_HEARTBEAT);
    arrival mount = s_expect(s_two, MSG_MOUNT); // what it may hold it does not touch any more
    stage_reply(s_two, &mount, MSG_MOUNTED);
    s_expect(s_client, MSG_MOUNTED);
    // Announced too late, and under an older epoch.
    s_announce(s_one, 2, OLD_EPOCH(9), ANNOUNCED_HELD);
    s_expect(s_one, MSG_HEARTBEAT);
    arrival disown = s_expect(s_one, MSG_DISOWN);
    CU_ASSERT_EQUAL(disown.head.epoch, OLD_EPOCH(9));
    s_end();
}

static void
test_a_new_page_does_not_wait(void)
{
    s_begin(2);
    header mount = request_of(MSG_MOUNT, 3, 0, SEQUENCE_REQUEST | 1);
    mount.flags = FLAG_UNADOPTED;
    stage_send_request(s_client, mount);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_one).here + stage_receive(&s_stage, s_two).here, 1);
    s_end();
}

static void
test_two_claim_it(void)
{
    s_begin(2);
    s_announce(s_one, 1, OLD_EPOCH(7), ANNOUNCED_ATTACHED);
    s_announce(s_two, 1, OLD_EPOCH(8), ANNOUNCED_ATTACHED);
    arrival disown = s_expect(s_one, MSG_DISOWN);
    CU_ASSERT_EQUAL(disown.head.epoch, OLD_EPOCH(7));
    stage_send_request(s_client, request_of(MSG_EVENT, 1, OLD_EPOCH(8), 4));
    s_expect(s_two, MSG_EVENT);
    // An epoch of this start for a session that this broker did not place there cannot be right.
    stage_send_request(s_client, request_of(MSG_MOUNT, 3, 0, SEQUENCE_REQUEST | 1));
    uint64_t given = s_expect(s_one, MSG_MOUNT).head.epoch;
    s_announce(s_two, 5, given, ANNOUNCED_HELD);
    CU_ASSERT_EQUAL(s_expect(s_two, MSG_DISOWN).head.epoch, given);
    s_end();
}

// Sessions of a start whose clock was ahead are taken over too. Epochs of this start are newer, whatever
// their numbers.
static void
test_the_clock_was_set_back(void)
{
    const uint64_t ahead = UINT64_C(1) << 60;
    s_begin(2);
    header mount = request_of(MSG_MOUNT, 3, 0, SEQUENCE_REQUEST | 1);
    mount.flags = FLAG_UNADOPTED; // does not wait, and goes to alpha
    stage_send_request(s_client, mount);
    uint64_t early = s_expect(s_one, MSG_MOUNT).head.epoch;
    CU_ASSERT_TRUE(early < ahead);
    s_announce(s_two, 1, ahead + 5, ANNOUNCED_ATTACHED);
    s_announce(s_two, 3, ahead + 4, ANNOUNCED_HELD); // another's by now
    CU_ASSERT_EQUAL(s_expect(s_two, MSG_DISOWN).head.epoch, ahead + 4);
    s_announce(s_one, 2, ahead + 3, ANNOUNCED_ATTACHED);
    stage_send_request(s_client, request_of(MSG_EVENT, 1, ahead + 5, 4));
    CU_ASSERT_EQUAL(s_expect(s_two, MSG_EVENT).head.epoch, ahead + 5);
    stage_send_request(s_client, request_of(MSG_EVENT, 2, ahead + 3, 4));
    CU_ASSERT_EQUAL(s_expect(s_one, MSG_EVENT).head.epoch, ahead + 3);
    stage_send_request(s_client, request_of(MSG_MOUNT, 4, 0, SEQUENCE_REQUEST | 2));
    arrival late = stage_receive(&s_stage, s_one);
    if (!late.here)
        late = s_expect(s_two, MSG_MOUNT);
    CU_ASSERT_TRUE(late.head.epoch > ahead + 5);
    uint64_t boot = stage_figure(&s_stage, "boot");
    stage_end(&s_stage); // and the next start, which hears nothing of them, begins above them
    stage_begin_in(&s_stage, s_state);
    CU_ASSERT_TRUE(stage_figure(&s_stage, "boot") << 16 > late.head.epoch);
    CU_ASSERT_TRUE(stage_figure(&s_stage, "boot") > boot);
    s_end();
}

static void
test_an_epoch_that_nobody_gave(void)
{
    s_begin(1);
    s_announce(s_one, 1, UINT64_MAX, ANNOUNCED_HELD);
    CU_ASSERT_EQUAL(s_expect(s_one, MSG_DISOWN).head.epoch, UINT64_MAX);
    s_announce(s_one, 1, 0, ANNOUNCED_HELD);
    s_expect(s_one, MSG_DISOWN);
    s_end();
}

static void
test_malformed(void)
{
    s_begin(1);
    stage_send_from_worker(s_one, "", (header){.version = PROTOCOL_VERSION, .type = MSG_ANNOUNCE},
                           slice_text("\x80"));
    s_announce(s_one, 1, OLD_EPOCH(7), (announced_state)ANNOUNCED_HELD);
    stage_send_request(s_client, request_of(MSG_EVENT, 1, OLD_EPOCH(7), 1));
    s_expect(s_one, MSG_EVENT);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "malformed"), 1);
    s_end();
}

static const unit_test s_tests[] = {
    {"all announce", test_all_announce},
    {"one does not", test_one_does_not},
    {"a new page does not wait", test_a_new_page_does_not_wait},
    {"two claim it", test_two_claim_it},
    {"the clock was set back", test_the_clock_was_set_back},
    {"an epoch that nobody gave", test_an_epoch_that_nobody_gave},
    {"malformed", test_malformed},
};
UNIT_MAIN("broker_recovery", s_tests)
