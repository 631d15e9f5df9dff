// Sessions in the store: kept before they are told of, and given to another worker.
#include "tests/broker/stage.h"

#include "proto/snapshot.h"
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static stage s_stage;
static char s_state[64];
static zsock_t *s_client, *s_worker;
static uint64_t s_epoch;

static void
s_open_peers(const char *as, const char *id, const char *name)
{
    s_client = stage_client(&s_stage, as);
    s_worker = stage_worker(&s_stage, id, name);
}

// A session that c1 joined, with one root in the store.
static void
s_begin(void)
{
    strcpy(s_state, "/tmp/troupe-keep-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s_state));
    stage_begin_in(&s_stage, s_state);
    s_open_peers("c1", "r1", "alpha");
    stage_ask(s_client, request_of(MSG_JOIN, 1, 0, SEQUENCE_REQUEST | 1));
    arrival asked = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL_FATAL(asked.head.type, MSG_JOIN);
    s_epoch = asked.head.epoch;
    buffer frame;
    buffer_init(&frame);
    snapshot_begin(&frame, SNAPSHOT_FULL);
    snapshot_put(&frame, 7, slice_text("joined"));
    stage_say_kept(s_worker, "c1", header_reply(&asked.head, MSG_JOINED), buffer_bytes(&frame));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_JOINED);
    buffer_fini(&frame);
}

static void
s_close_peers(void)
{
    zsock_destroy(&s_client);
    zsock_destroy(&s_worker);
}

static void
s_end(void)
{
    char path[96];
    s_close_peers();
    stage_end(&s_stage);
    for (const char *const *name = (const char *const[]){"data.mdb", "lock.mdb", "journal", NULL}; *name;
         name++) {
        snprintf(path, sizeof path, "%s/%s", s_state, *name);
        unlink(path);
    }
    rmdir(s_state);
}

// An event of the session, and what its worker changed by it.
static void
s_event(uint64_t number, const char *now)
{
    stage_ask(s_client, request_of(MSG_EVENT, 1, s_epoch, number));
    arrival asked = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL_FATAL(asked.head.type, MSG_EVENT);
    buffer frame;
    buffer_init(&frame);
    snapshot_begin(&frame, SNAPSHOT_CHANGES);
    snapshot_put(&frame, 7, slice_text(now));
    stage_say_kept(s_worker, "c1", header_reply(&asked.head, MSG_DONE), buffer_bytes(&frame));
    arrival done = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(done.head.type, MSG_DONE);
    CU_ASSERT_EQUAL(done.frames, 2); // the snapshot is nobody else's
    buffer_fini(&frame);
}

// The bytes of a root in what a worker is given; NULL: no such root.
static const char *
s_root(const arrival *restore, uint32_t root)
{
    static char text[128];
    snapshot_reader in;
    snapshot_entry entry;
    CU_ASSERT_EQUAL_FATAL(snapshot_read(restore->snapshot, &in), OK);
    CU_ASSERT_EQUAL(in.kind, SNAPSHOT_FULL);
    while (snapshot_next(&in, &entry))
        if (entry.root == root && entry.bytes.size < sizeof text) {
            memcpy(text, entry.bytes.data, entry.bytes.size);
            text[entry.bytes.size] = '\0';
            return text;
        }
    return NULL;
}

static void
s_lose_worker(void)
{
    zsock_t *gone = s_worker;
    s_worker = stage_worker(&s_stage, "r2", "beta");
    stage_advance(&s_stage, 7000);
    stage_heartbeat(s_worker, 1);
    stage_advance(&s_stage, 1500);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_HEARTBEAT);
    zsock_destroy(&gone);
}

static arrival
s_ask_for_it(message_type type, uint16_t flags, uint64_t sequence)
{
    header head = request_of(type, 1, 0, sequence);
    head.flags = flags;
    stage_ask(s_client, head);
    return stage_receive(&s_stage, s_worker);
}

static void
test_comes_back(void)
{
    s_begin();
    s_event(1, "after one");
    s_event(2, "after two");
    s_lose_worker();
    arrival ended = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(ended.head.type, MSG_ENDED);
    CU_ASSERT_STRING_EQUAL(ended.reason, "worker_lost");
    arrival restore = s_ask_for_it(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 2);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    CU_ASSERT_EQUAL(restore.head.epoch, s_epoch + 1);
    CU_ASSERT_STRING_EQUAL(s_root(&restore, 7), "after two");
    CU_ASSERT_PTR_NOT_NULL(s_root(&restore, ROOT_REPLIES | 1));
    CU_ASSERT_PTR_NOT_NULL(s_root(&restore, ROOT_REPLIES | 2));
    arrival join = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL(join.head.type, MSG_JOIN);
    CU_ASSERT_EQUAL(join.head.epoch, s_epoch + 1);
    s_end();
}

// A browser joins again and asks for itself; a program is told, and what it was told of is over.
static void
test_what_was_under_way(void)
{
    s_begin();
    header browser = request_of(MSG_EVENT, 1, s_epoch, 1);
    browser.flags = FLAG_BROWSER;
    stage_ask(s_client, browser);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_EVENT);
    zsock_t *program = stage_client(&s_stage, "p1");
    stage_ask(program, request_of(MSG_EVENT, 1, s_epoch, 2));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_EVENT);
    s_lose_worker();
    CU_ASSERT_EQUAL(stage_receive(&s_stage, program).head.type, MSG_UNKNOWN);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_ENDED);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    stage_ask(s_client, browser); // who did not hear it yet
    arrival refused = stage_receive(&s_stage, s_client);
    CU_ASSERT_STRING_EQUAL(refused.reason, "unknown_session");
    arrival restore = s_ask_for_it(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 2);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    const char *settled = s_root(&restore, ROOT_SETTLED);
    CU_ASSERT_TRUE(settled && settled[7] == 2);
    zsock_destroy(&program);
    s_end();
}

static void
test_who_brings_it_back(void)
{
    s_begin();
    s_lose_worker();
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_ENDED);
    CU_ASSERT_FALSE(s_ask_for_it(MSG_EVENT, FLAG_BROWSER, 1).here);
    CU_ASSERT_STRING_EQUAL(stage_receive(&s_stage, s_client).reason, "unknown_session");
    CU_ASSERT_FALSE(s_ask_for_it(MSG_PING, 0, SEQUENCE_REQUEST | 3).here);
    CU_ASSERT_STRING_EQUAL(stage_receive(&s_stage, s_client).reason, "unknown_session");
    CU_ASSERT_EQUAL(s_ask_for_it(MSG_EVENT, 0, 1).head.type, MSG_RESTORE);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_EVENT);
    s_end();
}

static void
s_release(const char *reason)
{
    stage_reason(s_worker, request_of(MSG_RELEASED, 1, s_epoch, 0), reason);
    broker_turn(s_stage.broker);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_ENDED);
}

static void
test_ends(void)
{
    static const char *const gone[] = {"shutdown", "logout", "evicted"};
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        s_begin();
        s_release(gone[i]);
        CU_ASSERT_EQUAL(s_ask_for_it(MSG_JOIN, 0, SEQUENCE_REQUEST | 2).head.type, MSG_JOIN); // as a new one
        s_end();
    }
}

static void
test_passive(void)
{
    s_begin();
    stage_advance(&s_stage, 3000);
    s_release("expired"); // its page went; it may come back
    for (unsigned i = 0; i < 60; i++) {
        s_stage.now += PASSIVE_MS / 64;
        stage_heartbeat(s_worker, i);
        broker_turn(s_stage.broker);
    }
    arrival restore;
    stage_ask(s_client, request_of(MSG_JOIN, 1, 0, SEQUENCE_REQUEST | 2));
    do
        restore = stage_receive(&s_stage, s_worker);
    while (restore.head.type == MSG_HEARTBEAT);
    CU_ASSERT_EQUAL(restore.head.type, MSG_RESTORE);
    s_epoch = restore.head.epoch;
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_JOIN);
    s_end();
}

static void
test_passive_for_too_long(void)
{
    s_begin();
    s_release("expired");
    for (unsigned i = 0; i < 66; i++) {
        s_stage.now += PASSIVE_MS / 64;
        stage_heartbeat(s_worker, i);
        broker_turn(s_stage.broker);
    }
    stage_ask(s_client, request_of(MSG_EVENT, 1, 0, 1));
    arrival refused = stage_receive(&s_stage, s_client);
    CU_ASSERT_STRING_EQUAL(refused.reason, "unknown_session");
    s_end();
}

static void
test_the_broker_dies(void)
{
    s_begin();
    s_event(1, "seen");
    s_close_peers();
    stage_end(&s_stage);
    stage_begin_in(&s_stage, s_state);
    s_open_peers("c2", "r9", "alpha");
    arrival restore = s_ask_for_it(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 1);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    CU_ASSERT_TRUE(restore.head.epoch > s_epoch); // epochs never repeat, whatever the clock says
    CU_ASSERT_EQUAL(restore.head.epoch >> 32, (s_epoch >> 32) + 1);
    CU_ASSERT_STRING_EQUAL(s_root(&restore, 7), "seen");
    s_end();
}

// Nobody else's snapshots, none that does not parse, none of an epoch that is over.
static void
test_what_is_not_stored(void)
{
    static const char other[] = "\1\0\0\0\7\0\0\0\5other";
    s_begin();
    zsock_t *stranger = stage_worker(&s_stage, "r5", "other");
    stage_say_kept(stranger, "c1", request_of(MSG_DONE, 1, s_epoch, 1), slice_of(other, sizeof other - 1));
    stage_say_kept(s_worker, "c1", request_of(MSG_DONE, 1, s_epoch - 1, 1),
                   slice_of(other, sizeof other - 1));
    stage_say_kept(s_worker, "c1", request_of(MSG_DONE, 1, s_epoch, 1), slice_text("\1garbage"));
    broker_turn(s_stage.broker);
    s_lose_worker();
    stage_advance(&s_stage, 100);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_ENDED);
    arrival restore = s_ask_for_it(MSG_JOIN, 0, SEQUENCE_REQUEST | 2);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    CU_ASSERT_STRING_EQUAL(s_root(&restore, 7), "joined");
    zsock_destroy(&stranger);
    s_end();
}

// A push too is seen only when it is stored; and what it changed is stored where nobody sees it: the next one
// goes on from there.
static void
test_what_was_pushed(void)
{
    s_begin();
    buffer frame;
    buffer_init(&frame);
    snapshot_begin(&frame, SNAPSHOT_CHANGES);
    snapshot_put(&frame, 7, slice_text("ticked"));
    stage_say_kept(s_worker, "", request_of(MSG_PUSH, 1, s_epoch, 0), buffer_bytes(&frame));
    arrival push = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL_FATAL(push.head.type, MSG_PUSH);
    CU_ASSERT_EQUAL(push.frames, 2);
    stage_ask(s_client, request_of(MSG_LEAVE, 1, s_epoch, SEQUENCE_REQUEST | 2));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_LEAVE);
    buffer_clear(&frame);
    snapshot_begin(&frame, SNAPSHOT_CHANGES);
    snapshot_put(&frame, 8, slice_text("to nobody"));
    stage_say_kept(s_worker, "", request_of(MSG_PUSH, 1, s_epoch, 0), buffer_bytes(&frame));
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    buffer_fini(&frame);
    s_lose_worker();
    arrival restore = s_ask_for_it(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 3);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    CU_ASSERT_STRING_EQUAL(s_root(&restore, 7), "ticked");
    CU_ASSERT_STRING_EQUAL(s_root(&restore, 8), "to nobody");
    s_end();
}

static const unit_test s_tests[] = {
    {"what was pushed", test_what_was_pushed},
    {"a session comes back", test_comes_back},
    {"what was under way", test_what_was_under_way},
    {"who brings it back", test_who_brings_it_back},
    {"what ends is dropped", test_ends},
    {"passive, and back", test_passive},
    {"passive for too long", test_passive_for_too_long},
    {"the broker dies", test_the_broker_dies},
    {"what is not stored", test_what_is_not_stored},
};
UNIT_MAIN("broker_keep", s_tests)
