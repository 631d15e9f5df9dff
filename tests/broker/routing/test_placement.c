// Which worker a session is placed on.
#include "broker/routing/placement.h"

#include "proto/message.h"
#include "tests/broker/records.h"
#include "tests/unit.h"

#define DEAD_MS 8000

static void
test_nobody(void)
{
    registry *workers = registry_new(1);
    CU_ASSERT_PTR_NULL(placement_choose(workers, 0, DEAD_MS));
    worker_of(workers, "r1", "a", 0)->state = WORKER_LEAVING;
    CU_ASSERT_PTR_NULL(placement_choose(workers, 0, DEAD_MS));
    registry_destroy(&workers);
}

static void
test_order(void)
{
    registry *workers = registry_new(1);
    worker *a = worker_of(workers, "r1", "a", 0), *b = worker_of(workers, "r2", "ab", 0);
    worker *c = worker_of(workers, "r3", "b", 0);
    CU_ASSERT_PTR_EQUAL(placement_choose(workers, 0, DEAD_MS), a); // by name
    a->in_flight = 1;
    CU_ASSERT_PTR_EQUAL(placement_choose(workers, 0, DEAD_MS), b); // by requests in flight
    b->session_count = c->session_count = 1;
    CU_ASSERT_PTR_EQUAL(placement_choose(workers, 0, DEAD_MS), a); // by sessions before that
    a->session_count = 2;
    b->in_flight = 5;
    CU_ASSERT_PTR_EQUAL(placement_choose(workers, 0, DEAD_MS), c);
    a->session_count = b->session_count = c->session_count = a->in_flight = b->in_flight = 0;
    registry_destroy(&workers);
}

static void
test_silent_is_not_ready(void)
{
    registry *workers = registry_new(1);
    worker_of(workers, "r1", "a", 1000);
    worker *b = worker_of(workers, "r2", "b", 3000);
    CU_ASSERT_PTR_NOT_EQUAL(placement_choose(workers, 5000, DEAD_MS), b);
    CU_ASSERT_PTR_EQUAL(placement_choose(workers, 5001, DEAD_MS), b);
    CU_ASSERT_PTR_NULL(placement_choose(workers, 7001, DEAD_MS));
    registry_destroy(&workers);
}

static void
test_evenly(void)
{
    registry *workers = registry_new(1);
    directory *sessions = directory_new(1, 1);
    worker_of(workers, "r1", "a", 0);
    worker_of(workers, "r2", "b", 0);
    worker_of(workers, "r3", "c", 0);
    for (uint8_t i = 1; i <= 30; i++)
        directory_place(sessions, session_id(i), placement_choose(workers, 0, DEAD_MS));
    for (worker *each = registry_first(workers); each; each = registry_next(workers, each))
        CU_ASSERT_EQUAL(each->session_count, 10);
    directory_destroy(&sessions);
    registry_destroy(&workers);
}

// New sessions need room; those that migrate do not.
static void
test_room(void)
{
    registry *workers = registry_new(1);
    registry_limit(workers, &(admission_limits){.sessions = 2, .credits = 4});
    CU_ASSERT_EQUAL(placement_refusal(workers, 0, DEAD_MS), ERR_NO_WORKER);
    worker *a = worker_of(workers, "r1", "a", 0), *b = worker_of(workers, "r2", "b", 0);
    CU_ASSERT_PTR_EQUAL(placement_choose_with_room(workers, 0, DEAD_MS), a);
    admission_charge(&a->load, MSG_JOIN, 0);
    CU_ASSERT_PTR_EQUAL(placement_choose_with_room(workers, 0, DEAD_MS), a);
    admission_charge(&a->load, MSG_MOUNT, 0);
    CU_ASSERT_PTR_EQUAL(placement_choose_with_room(workers, 0, DEAD_MS), b);
    b->session_count = 1;
    CU_ASSERT_PTR_EQUAL(placement_choose_with_room(workers, 0, DEAD_MS), b);
    b->session_count = 2;
    CU_ASSERT_PTR_NULL(placement_choose_with_room(workers, 0, DEAD_MS));
    CU_ASSERT_EQUAL(placement_refusal(workers, 0, DEAD_MS), ERR_FULL);
    CU_ASSERT_PTR_EQUAL(placement_choose(workers, 0, DEAD_MS), a);
    b->session_count = 0;
    registry_destroy(&workers);
}

static const unit_test s_tests[] = {
    {"nobody is ready", test_nobody},
    {"sessions, then requests in flight, then name", test_order},
    {"half dead is not ready", test_silent_is_not_ready},
    {"sessions are spread evenly", test_evenly},
    {"room", test_room},
};
UNIT_MAIN("placement", s_tests)
