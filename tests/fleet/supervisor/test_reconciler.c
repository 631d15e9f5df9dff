// The supervisor's decisions, without processes: starts, crashes, stops.
#include "tests/fleet/supervisor/reconciler_stage.h"

static void
test_start(void)
{
    s_begin(2);
    s_expect("start 1");
    s_wait(60000);
    s_ready(1);
    s_expect("start 101, start 201");
    s_ready(101);
    CU_ASSERT_FALSE(reconciler_is_up(s_plan));
    s_ready(201);
    CU_ASSERT_TRUE(reconciler_is_up(s_plan));
    s_expect("");
    s_wait(UINT64_MAX);
    CU_ASSERT_EQUAL(reconciler_failed_slot(s_plan), -1);
    reconciler_destroy(&s_plan);
    reconciler_destroy(&s_plan);
}

static void
test_stop(void)
{
    s_up(2);
    reconciler_stop(s_plan);
    s_expect("term 101 stop, term 201 stop");
    s_wait(8000);
    CU_ASSERT_EQUAL(s_exit(101), END_STOPPED);
    s_expect("");
    s_now += 8000;
    s_expect("kill 201 stop");
    s_wait(UINT64_MAX);
    CU_ASSERT_EQUAL(s_exit(201), END_STOPPED);
    s_expect("term 1 stop");
    s_wait(5000);
    CU_ASSERT_FALSE(reconciler_is_over(s_plan));
    CU_ASSERT_EQUAL(s_exit(1), END_STOPPED);
    CU_ASSERT_TRUE(reconciler_is_over(s_plan));
    CU_ASSERT_EQUAL(reconciler_scale(s_plan, 3), ERR_LEAVING);
    CU_ASSERT_EQUAL(reconciler_reload(s_plan, s_now), ERR_LEAVING);
    s_expect("");
    reconciler_destroy(&s_plan);
}

static void
test_hurry(void)
{
    s_up(1);
    reconciler_stop(s_plan);
    s_expect("term 101 stop");
    reconciler_kill_now(s_plan);
    s_expect("kill 101 stop");
    s_exit(101);
    s_expect("term 1 stop, kill 1 stop");
    s_exit(1);
    CU_ASSERT_TRUE(reconciler_is_over(s_plan));
    reconciler_destroy(&s_plan);
}

static void
test_crash(void)
{
    s_up(2);
    CU_ASSERT_EQUAL(s_exit(101), END_CRASH);
    s_expect("");
    s_wait(100);
    s_now += 99;
    s_expect("");
    s_now += 1;
    s_expect("start 102");
    CU_ASSERT_EQUAL(reconciler_slot(s_plan, 1)->restarts, 1);
    CU_ASSERT_STRING_EQUAL(reconciler_slot(s_plan, 1)->last, "exit code 3");
    s_ready(102);
    s_exit(102);
    s_exit(201); // the other's backoff is its own
    s_now += 100;
    s_expect("start 202");
    s_now += 100;
    s_expect("start 103");
    s_ready(103);
    s_now += BACKOFF_RESET_MS;
    s_exit(103);
    s_now += 100; // it had lived
    s_expect("start 104");
    reconciler_destroy(&s_plan);
}

static void
test_broker_crash(void)
{
    s_up(2);
    CU_ASSERT_EQUAL(s_exit(1), END_CRASH);
    s_exit(101);
    s_now += 100;
    s_expect("start 2, start 102"); // workers come without waiting for it
    s_now += 70000;
    s_expect("kill 2 boot_time"); // the worker is not late: it cannot be ready
    CU_ASSERT_EQUAL(s_exit(2), END_BOOT);
    CU_ASSERT_FALSE(reconciler_is_stopping(s_plan)); // it was up before
    s_now += 200;
    s_expect("start 3");
    s_ready(3);
    s_expect("");
    s_wait(60000);
    s_now += 60000;
    s_expect("kill 102 boot_time");
    reconciler_destroy(&s_plan);
}

static void
test_boot_failure_at_start(void)
{
    s_begin(3);
    s_act();
    s_ready(1);
    s_act();
    s_ready(101);
    CU_ASSERT_EQUAL(s_exit(201), END_BOOT);
    CU_ASSERT_EQUAL(reconciler_failed_slot(s_plan), 2);
    s_expect("term 101 stop, term 301 stop");
    CU_ASSERT_EQUAL(s_exit(301), END_STOPPED);
    s_exit(101);
    s_expect("term 1 stop");
    s_exit(1);
    CU_ASSERT_TRUE(reconciler_is_over(s_plan));
    CU_ASSERT_EQUAL(reconciler_failed_slot(s_plan), 2);
    reconciler_destroy(&s_plan);
}

static void
test_broker_does_not_start(void)
{
    s_begin(2);
    s_act();
    CU_ASSERT_EQUAL(s_exit(1), END_BOOT);
    CU_ASSERT_EQUAL(reconciler_failed_slot(s_plan), 0);
    CU_ASSERT_TRUE(reconciler_is_over(s_plan));
    reconciler_destroy(&s_plan);
}

static void
test_late_at_start(void)
{
    s_begin(1);
    s_act();
    s_ready(1);
    s_act();
    s_now += 60000;
    s_expect("kill 101 boot_time");
    CU_ASSERT_EQUAL(s_exit(101), END_BOOT);
    CU_ASSERT_STRING_EQUAL(reconciler_slot(s_plan, 1)->last, "boot_time (exit code 3)");
    CU_ASSERT_EQUAL(reconciler_failed_slot(s_plan), 1);
    reconciler_destroy(&s_plan);
}

static void
test_later_boot_failure(void)
{
    s_up(2);
    s_exit(101);
    for (unsigned i = 0; i < 12; i++) {
        s_now += reconciler_wait(s_plan, s_now);
        s_act();
        CU_ASSERT_EQUAL(s_exit(s_pid(1, 2 + i)), END_BOOT);
        CU_ASSERT_TRUE(reconciler_wait(s_plan, s_now) <= BACKOFF_MAX_MS);
    }
    s_wait(BACKOFF_MAX_MS);
    CU_ASSERT_FALSE(reconciler_is_stopping(s_plan));
    CU_ASSERT_PTR_NOT_NULL(slot_ready(reconciler_slot(s_plan, 2), 0));
    reconciler_destroy(&s_plan);
}

static void
test_start_failed(void)
{
    reconciler_action next;
    s_up(1);
    s_exit(101);
    s_now += 100;
    CU_ASSERT_TRUE(reconciler_next(s_plan, s_now, &next));
    CU_ASSERT_EQUAL(reconciler_exited(s_plan, 0, "no memory", s_now, NULL, NULL), END_BOOT);
    s_wait(200);
    s_now += 200;
    s_expect("start 103");
    reconciler_destroy(&s_plan);
}

static void
test_strangers(void)
{
    unsigned number = 7;
    s_up(1);
    CU_ASSERT_EQUAL(reconciler_exited(s_plan, 4711, "", s_now, &number, NULL), END_UNKNOWN);
    CU_ASSERT_EQUAL(number, 7);
    s_ready(4711);
    reconciler_recycle(s_plan, 4711, "max_age");
    s_expect("");
    reconciler_destroy(&s_plan);
}

static void
test_scale(void)
{
    s_up(2);
    CU_ASSERT_EQUAL(reconciler_scale(s_plan, 0), ERR_TOO_LARGE);
    CU_ASSERT_EQUAL(reconciler_scale(s_plan, MAX_WORKERS + 1), ERR_TOO_LARGE);
    CU_ASSERT_EQUAL(reconciler_scale(s_plan, 4), OK);
    s_expect("start 301, start 401");
    s_ready(301);
    CU_ASSERT_EQUAL(reconciler_scale(s_plan, 1), OK);
    s_expect("term 201 scale, term 301 scale, term 401 scale");
    CU_ASSERT_EQUAL(reconciler_slot_count(s_plan), 5);
    s_exit(401);
    CU_ASSERT_EQUAL(reconciler_slot_count(s_plan), 4);
    s_exit(201);
    CU_ASSERT_EQUAL(reconciler_scale(s_plan, 3), OK); // while one of them still ends
    s_expect("start 202, start 302");
    CU_ASSERT_EQUAL(s_exit(301), END_STOPPED);
    s_expect("");
    CU_ASSERT_EQUAL(reconciler_workers(s_plan), 3);
    reconciler_destroy(&s_plan);
}

static void
test_scale_back_and_forth(void)
{
    s_up(1);
    for (unsigned i = 1; i <= SLOT_PROCESSES; i++) { // the old ones take their time
        reconciler_scale(s_plan, 2);
        s_act();
        CU_ASSERT_EQUAL(slot_count(reconciler_slot(s_plan, 2)), i);
        reconciler_scale(s_plan, 1);
        s_act();
    }
    reconciler_scale(s_plan, 2);
    s_expect(""); // no room: once one has ended
    s_exit(201);
    s_expect("start 205");
    reconciler_destroy(&s_plan);
}

static void
test_backoff_while_developing(void)
{
    s_up(1);
    reconciler_destroy(&s_plan);
    s_plan = reconciler_new(&(reconciler_options){1, 60000, 8000, 5000, 1000});
    s_act();
    s_ready(s_pid(0, 1));
    s_act();
    s_ready(s_pid(1, 1));
    s_act();
    for (unsigned generation = 1; generation < 12; generation++) {
        uint64_t wait = 0;
        reconciler_exited(s_plan, s_pid(1, generation), "exit code 3", s_now, NULL, &wait);
        CU_ASSERT_TRUE(wait <= 1000);
        s_now += wait;
        s_act();
    }
    reconciler_destroy(&s_plan);
}

static const unit_test s_tests[] = {
    {"the broker, then workers", test_start},
    {"workers end, then the broker", test_stop},
    {"a second signal", test_hurry},
    {"a crash, and each slot's backoff", test_crash},
    {"with --reload no slot waits for long", test_backoff_while_developing},
    {"the broker crashes", test_broker_crash},
    {"a worker does not start", test_boot_failure_at_start},
    {"the broker does not start", test_broker_does_not_start},
    {"a worker is not ready in time", test_late_at_start},
    {"a later boot failure ends nobody else", test_later_boot_failure},
    {"the system has no room for a process", test_start_failed},
    {"strangers", test_strangers},
    {"more workers, and fewer", test_scale},
    {"back and forth, faster than workers end", test_scale_back_and_forth},
};
UNIT_MAIN("reconciler", s_tests)
