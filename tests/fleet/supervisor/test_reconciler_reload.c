// The supervisor's decisions during a rolling reload.
#include "tests/fleet/supervisor/reconciler_stage.h"

static reload_state
s_state(void)
{
    return reconciler_reload_progress(s_plan)->state;
}

static void
test_reload(void)
{
    s_up(2);
    CU_ASSERT_EQUAL(reconciler_reload(s_plan, s_now), OK);
    CU_ASSERT_EQUAL(reconciler_reload(s_plan, s_now), ERR_FULL);
    s_expect("start 102");
    s_ready(102);
    s_expect("term 101 reload");
    s_exit(101);
    s_expect("start 202");
    CU_ASSERT_EQUAL(s_state(), RELOAD_RUNNING);
    s_ready(202);
    s_expect("term 201 reload");
    s_now += 8000;
    s_expect("kill 201 reload");
    s_exit(201);
    s_expect("");
    CU_ASSERT_EQUAL(s_state(), RELOAD_DONE);
    CU_ASSERT_EQUAL(reconciler_slot(s_plan, 1)->restarts, 0);
    CU_ASSERT_EQUAL(reconciler_reload(s_plan, s_now), OK);
    CU_ASSERT_EQUAL(reconciler_reload_progress(s_plan)->number, 2);
    s_expect("start 103");
    reconciler_destroy(&s_plan);
}

static void
test_reload_fails(void)
{
    s_up(2);
    reconciler_reload(s_plan, s_now);
    s_expect("start 102");
    CU_ASSERT_EQUAL(s_exit(102), END_BOOT);
    CU_ASSERT_EQUAL(s_state(), RELOAD_FAILED);
    CU_ASSERT_EQUAL(reconciler_reload_progress(s_plan)->slot, 1);
    CU_ASSERT_STRING_EQUAL(reconciler_reload_progress(s_plan)->why, "exit code 3");
    s_now += 60000;
    s_expect(""); // both old ones run on
    CU_ASSERT_PTR_NOT_NULL(slot_ready(reconciler_slot(s_plan, 1), 0));
    reconciler_destroy(&s_plan);
}

static void
test_reload_of_what_is_down(void)
{
    s_up(2);
    s_exit(101);
    s_now += 100;
    s_expect("start 102");
    s_exit(102);
    reconciler_reload(s_plan, s_now); // now, not when its backoff ends
    s_expect("start 103");
    s_ready(103);
    s_expect("start 202");
    s_ready(202);
    s_expect("term 201 reload");
    reconciler_destroy(&s_plan);
}

static void
test_reload_of_what_starts(void)
{
    s_up(1);
    s_exit(101);
    s_now += 100;
    s_expect("start 102"); // with the code as it was
    reconciler_reload(s_plan, s_now);
    s_expect("");
    s_ready(102);
    s_expect("start 103");
    s_exit(102); // the old one crashes meanwhile
    s_expect("");
    s_ready(103);
    s_expect("");
    CU_ASSERT_EQUAL(s_state(), RELOAD_DONE);
    reconciler_destroy(&s_plan);
}

static void
test_scale_while_reloading(void)
{
    s_up(3);
    reconciler_reload(s_plan, s_now);
    s_act();
    s_ready(102);
    s_act();
    reconciler_scale(s_plan, 1);
    s_expect("term 201 scale, term 301 scale");
    s_exit(101);
    s_expect("");
    CU_ASSERT_EQUAL(s_state(), RELOAD_DONE);
    reconciler_destroy(&s_plan);
}

static void
test_stop_while_reloading(void)
{
    s_up(2);
    reconciler_reload(s_plan, s_now);
    s_expect("start 102");
    reconciler_stop(s_plan);
    CU_ASSERT_EQUAL(s_state(), RELOAD_FAILED);
    s_expect("term 101 stop, term 102 stop, term 201 stop");
    reconciler_destroy(&s_plan);
}

static void
test_recycle(void)
{
    s_up(2);
    reconciler_recycle(s_plan, 101, "max_events");
    reconciler_recycle(s_plan, 101, "max_events"); // is said again and again
    s_expect("start 102");
    reconciler_recycle(s_plan, 101, "max_events");
    s_expect("");
    s_ready(102);
    s_expect("term 101 max_events");
    CU_ASSERT_EQUAL(s_exit(101), END_STOPPED);
    s_expect("");
    CU_ASSERT_STRING_EQUAL(reconciler_slot(s_plan, 1)->last, "max_events (exit code 3)");
    CU_ASSERT_EQUAL(reconciler_slot(s_plan, 1)->restarts, 0);
    reconciler_destroy(&s_plan);
}

static void
test_drain(void)
{
    s_up(2);
    CU_ASSERT_EQUAL(reconciler_drain(s_plan, 0), ERR_NO_WORKER); // the broker
    CU_ASSERT_EQUAL(reconciler_drain(s_plan, 3), ERR_NO_WORKER);
    CU_ASSERT_EQUAL(reconciler_drain(s_plan, UINT64_MAX), ERR_NO_WORKER);
    CU_ASSERT_EQUAL(reconciler_drain(s_plan, 2), OK);
    CU_ASSERT_EQUAL(reconciler_drain(s_plan, 2), ERR_NO_WORKER); // it is being replaced
    s_expect("start 202");
    s_ready(202);
    s_expect("term 201 drain");
    CU_ASSERT_EQUAL(s_exit(201), END_STOPPED);
    reconciler_stop(s_plan);
    CU_ASSERT_EQUAL(reconciler_drain(s_plan, 1), ERR_LEAVING);
    reconciler_destroy(&s_plan);
}

static void
test_recycle_fails(void)
{
    s_up(1);
    reconciler_recycle(s_plan, 101, "max_rss");
    s_expect("start 102");
    CU_ASSERT_EQUAL(s_exit(102), END_BOOT);
    s_expect("");
    s_now += 100;
    s_expect("start 103"); // and the old one serves
    CU_ASSERT_PTR_NOT_NULL(slot_ready(reconciler_slot(s_plan, 1), 0));
    s_ready(103);
    s_expect("term 101 max_rss");
    reconciler_destroy(&s_plan);
}

static const unit_test s_tests[] = {
    {"one slot after the other, successors first", test_reload},
    {"new code that does not start", test_reload_fails},
    {"a slot without a process is tried at once", test_reload_of_what_is_down},
    {"one that starts just now is replaced too", test_reload_of_what_starts},
    {"scaled meanwhile", test_scale_while_reloading},
    {"stopped meanwhile", test_stop_while_reloading},
    {"a limit was reached", test_recycle},
    {"drain", test_drain},
    {"a limit was reached, and the successor does not start", test_recycle_fails},
};
UNIT_MAIN("reconciler_reload", s_tests)
