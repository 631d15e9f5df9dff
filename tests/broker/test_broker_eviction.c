// Eviction through the broker's sockets: more sessions than a fleet has room for, most of them unused.
#include "broker/routing/route.h"
#include "proto/snapshot.h"
#include "tests/broker/stage.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <unistd.h>

static stage s_stage;
static char s_state[64];
static zsock_t *s_client, *s_worker;

static void
s_begin(admission_limits limits, bool keeps)
{
    strcpy(s_state, "/tmp/troupe-evict-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s_state));
    stage_begin_with(&s_stage, keeps ? s_state : NULL, limits);
    s_client = stage_client(&s_stage, "c1");
    s_worker = stage_worker(&s_stage, "r1", "alpha");
}

static void
s_end(void)
{
    char path[96];
    zsock_destroy(&s_client);
    zsock_destroy(&s_worker);
    stage_end(&s_stage);
    for (const char *const *name = (const char *const[]){"data.mdb", "lock.mdb", "journal", NULL}; *name;
         name++) {
        snprintf(path, sizeof path, "%s/%s", s_state, *name);
        unlink(path);
    }
    rmdir(s_state);
}

static header
s_head(message_type type, unsigned number, uint64_t epoch, uint64_t sequence)
{
    header head = request_of(type, 1, epoch, sequence);
    head.session = (id16){{(uint8_t)(number >> 8), (uint8_t)number, 3}};
    return head;
}

static arrival
s_worker_gets(message_type type)
{
    arrival got = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL_FATAL(got.head.type, type);
    return got;
}

static void
s_client_gets(message_type type)
{
    CU_ASSERT_EQUAL_FATAL(stage_receive(&s_stage, s_client).head.type, type);
}

// Answers a page's JOIN. kept: bytes of its state in the store; 0: none.
static uint64_t
s_joined(const arrival *asked, size_t kept)
{
    header reply = header_reply(&asked->head, MSG_JOINED);
    buffer frame, value;
    buffer_init(&frame);
    buffer_init(&value);
    memset(buffer_reserve(&value, kept + 1), 'x', kept);
    buffer_wrote(&value, kept);
    snapshot_begin(&frame, SNAPSHOT_FULL);
    snapshot_put(&frame, 7, buffer_bytes(&value));
    if (kept)
        stage_send_snapshot(s_worker, "c1", reply, buffer_bytes(&frame));
    else
        stage_reply(s_worker, asked, MSG_JOINED);
    buffer_fini(&frame);
    buffer_fini(&value);
    s_client_gets(MSG_JOINED);
    return asked->head.epoch;
}

static uint64_t
s_join(unsigned number, size_t kept)
{
    stage_send_request(s_client, s_head(MSG_JOIN, number, 0, SEQUENCE_REQUEST | number));
    arrival asked = s_worker_gets(MSG_JOIN);
    return s_joined(&asked, kept);
}

static void
s_leave(unsigned number, uint64_t epoch)
{
    stage_send_request(s_client, s_head(MSG_LEAVE, number, epoch, SEQUENCE_REQUEST | number));
    s_worker_gets(MSG_LEAVE);
}

// A user looked at a page and left.
static uint64_t
s_look(unsigned number, size_t kept)
{
    uint64_t epoch = s_join(number, kept);
    s_leave(number, epoch);
    return epoch;
}

static void
s_event(unsigned number, uint64_t epoch, message_type answer)
{
    stage_send_request(s_client, s_head(MSG_EVENT, number, epoch, 1));
    arrival asked = s_worker_gets(MSG_EVENT);
    stage_reply(s_worker, &asked, answer);
    s_client_gets(answer);
}

// A user did something on a page and left.
static uint64_t
s_use(unsigned number, size_t kept)
{
    uint64_t epoch = s_join(number, kept);
    s_event(number, epoch, MSG_DONE);
    s_leave(number, epoch);
    return epoch;
}

// A page over HTTP whose socket has not joined.
static uint64_t
s_load(unsigned number)
{
    header head = s_head(MSG_MOUNT, number, 0, SEQUENCE_REQUEST | number);
    head.flags = FLAG_UNADOPTED;
    stage_send_request(s_client, head);
    arrival asked = s_worker_gets(MSG_MOUNT);
    stage_reply(s_worker, &asked, MSG_MOUNTED);
    s_client_gets(MSG_MOUNTED);
    return asked.head.epoch;
}

// A new page is served, and that session is evicted for it.
static uint64_t
s_loads_instead_of(unsigned number, unsigned removed, uint64_t epoch)
{
    stage_send_request(s_client, s_head(MSG_MOUNT, number, 0, SEQUENCE_REQUEST | number));
    arrival disown = s_worker_gets(MSG_DISOWN);
    CU_ASSERT_TRUE(id_equal(disown.head.session, s_head(MSG_MOUNT, removed, 0, 0).session));
    CU_ASSERT_EQUAL(disown.head.epoch, epoch);
    arrival asked = s_worker_gets(MSG_MOUNT);
    stage_reply(s_worker, &asked, MSG_MOUNTED);
    s_client_gets(MSG_MOUNTED);
    return asked.head.epoch;
}

static void
s_is_refused(unsigned number)
{
    stage_send_request(s_client, s_head(MSG_MOUNT, number, 0, SEQUENCE_REQUEST | number));
    arrival answer = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(answer.head.type, MSG_NOT_EXECUTED);
    CU_ASSERT_STRING_EQUAL(answer.reason, "busy");
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_worker).here);
}

static void
test_order(void)
{
    s_begin((admission_limits){.sessions = 5}, true);
    uint64_t used = s_use(1, 10), loaded = s_load(2), first = s_look(3, 10), second = s_look(4, 10);
    uint64_t attached = s_join(5, 10);
    s_loads_instead_of(6, 3, first);
    s_loads_instead_of(7, 4, second);
    s_loads_instead_of(8, 2, loaded);
    s_loads_instead_of(9, 1, used);
    s_is_refused(10); // somebody is at all that are left
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "sessions"), 5);
    s_event(5, attached, MSG_DONE);
    s_end();
}

// Without a store its state would be lost.
static void
test_used_without_a_store(void)
{
    s_begin((admission_limits){.sessions = 2}, false);
    s_use(1, 0);
    uint64_t unused = s_look(2, 0);
    s_loads_instead_of(3, 2, unused);
    s_is_refused(4);
    s_end();
}

static void
test_used_that_is_not_kept(void)
{
    s_begin((admission_limits){.sessions = 1}, true);
    s_use(1, 0);
    s_is_refused(2);
    s_end();
}

// A page that comes back before the room is needed is no longer a candidate.
static void
test_who_comes_back_stays(void)
{
    s_begin((admission_limits){.sessions = 2}, true);
    s_look(1, 10);
    uint64_t epoch = s_look(2, 10);
    s_join(1, 10);
    s_loads_instead_of(3, 2, epoch);
    s_is_refused(4);
    s_end();
}

static void
s_release(unsigned number, uint64_t epoch)
{
    stage_reason(s_worker, s_head(MSG_RELEASED, number, epoch, 0), "expired");
}

// A page that comes back after its session was evicted finds its state in the store.
static void
test_comes_back_from_the_store(void)
{
    s_begin((admission_limits){.sessions = 1}, true);
    uint64_t epoch = s_look(1, 10);
    s_release(2, s_loads_instead_of(2, 1, epoch));
    stage_send_request(s_client, s_head(MSG_JOIN, 1, 0, SEQUENCE_REQUEST | 9));
    s_worker_gets(MSG_RESTORE);
    arrival asked = s_worker_gets(MSG_JOIN);
    s_leave(1, s_joined(&asked, 10));
    s_loads_instead_of(3, 1, asked.head.epoch); // restoring did not use it
    s_end();
}

// A session with a request in progress is not evicted.
static void
test_pending_stays(void)
{
    s_begin((admission_limits){.sessions = 1}, true);
    s_look(1, 10);
    stage_send_request(s_client, s_head(MSG_JOIN, 1, 0, SEQUENCE_REQUEST | 9));
    arrival asked = s_worker_gets(MSG_JOIN);
    s_is_refused(2);
    s_joined(&asked, 10);
    s_end();
}

// An event that was refused does not make a session used; one that failed does.
static void
test_what_counts_as_used(void)
{
    s_begin((admission_limits){.sessions = 2}, true);
    uint64_t epoch = s_join(1, 10), refused = s_join(2, 10);
    s_event(1, epoch, MSG_FAILED);
    s_event(2, refused, MSG_NOT_EXECUTED);
    s_leave(1, epoch);
    s_leave(2, refused);
    s_loads_instead_of(3, 2, refused);
    s_end();
}

// A flood of joins: unused sessions are bounded per worker, however much room there is.
static void
test_flood(void)
{
    s_begin((admission_limits){0}, true);
    uint64_t used = s_use(1, 10), first = s_look(2, 10);
    for (unsigned i = 1; i < MAX_UNUSED; i++)
        s_look(2 + i, 10);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_worker).here);
    s_look(5000, 10);
    arrival disown = s_worker_gets(MSG_DISOWN);
    CU_ASSERT_EQUAL(disown.head.epoch, first);
    s_look(5001, 10);
    s_worker_gets(MSG_DISOWN);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "sessions"), MAX_UNUSED + 1);
    stage_send_request(s_client, s_head(MSG_PING, 1, used, SEQUENCE_REQUEST | 1));
    s_worker_gets(MSG_PING); // and who did something is not touched
    s_end();
}

static message_type
s_rejoin(unsigned number)
{
    stage_send_request(s_client, s_head(MSG_JOIN, number, 0, SEQUENCE_REQUEST | 9));
    arrival asked = stage_receive(&s_stage, s_worker);
    if (asked.head.type != MSG_RESTORE)
        return (message_type)asked.head.type;
    s_worker_gets(MSG_JOIN);
    return MSG_RESTORE;
}

// The store has room for about 25 of these: the first that left make room, and none that is in use.
static void
test_flood_of_the_store(void)
{
    s_begin((admission_limits){0}, true);
    s_release(1, s_use(1, 40000));
    for (unsigned i = 2; i < 60; i++)
        s_release(i, s_look(i, 40000));
    uint64_t here = s_join(100, 40000);
    s_event(100, here, MSG_DONE);
    s_leave(100, here);
    s_release(100, here);
    CU_ASSERT_EQUAL(s_rejoin(2), MSG_JOIN);
    CU_ASSERT_EQUAL(s_rejoin(59), MSG_RESTORE);
    CU_ASSERT_EQUAL(s_rejoin(1), MSG_RESTORE);
    CU_ASSERT_EQUAL(s_rejoin(100), MSG_RESTORE);
    s_end();
}

// After 30 minutes none is left, however many there were.
static void
test_all_expire(void)
{
    s_begin((admission_limits){0}, true);
    for (unsigned i = 1; i <= 600; i++)
        s_release(i, s_look(i, 10));
    broker_turn(s_stage.broker);
    s_stage.now += PASSIVE_MS + 1; // in one sweep of 256 they would not all go
    stage_heartbeat(s_worker, 1);
    s_worker_gets(MSG_HEARTBEAT);
    CU_ASSERT_EQUAL(s_rejoin(600), MSG_JOIN);
    CU_ASSERT_EQUAL(s_rejoin(1), MSG_JOIN);
    CU_ASSERT_EQUAL(s_rejoin(300), MSG_JOIN);
    s_end();
}

static const unit_test s_tests[] = {
    {"which goes first", test_order},
    {"what was used and is not stored stays", test_used_without_a_store},
    {"what the store could not keep stays", test_used_that_is_not_kept},
    {"who comes back stays", test_who_comes_back_stays},
    {"who was evicted finds its state in the store", test_comes_back_from_the_store},
    {"what is under way stays", test_pending_stays},
    {"what is use", test_what_counts_as_used},
    {"a flood of joins", test_flood},
    {"a flood does not fill the store", test_flood_of_the_store},
    {"all expire in time", test_all_expire},
};
UNIT_MAIN("broker_eviction", s_tests)
