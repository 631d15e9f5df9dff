// What a run queue hands out while a turn of a session awaits something.
#include "tests/unit.h"
#include "tests/worker/queue_mail.h"

static err
s_post_type(run_queue *queue, run_queue_item *item, message_type type, uint64_t sequence)
{
    request *request = s_mail(sequence);
    request->head.type = (uint8_t)type;
    request->arrived = s_time;
    err error = run_queue_post(queue, item, &request);
    request_destroy(&request);
    return error;
}

static work
s_take_work(run_queue *queue, work_kind kind)
{
    work todo = {0};
    CU_ASSERT_TRUE_FATAL(run_queue_try(queue, false, &todo));
    CU_ASSERT_EQUAL_FATAL(todo.kind, kind);
    return todo;
}

// An item whose turn awaits something, with an event behind it.
static void
s_begin_await(run_queue *queue, run_queue_item *item)
{
    run_queue_item *ran;
    run_queue_item_init(item, NULL);
    s_post(queue, item, 1);
    s_post_type(queue, item, MSG_EVENT, 2);
    s_take(queue, &ran);
    run_queue_park(queue, item);
    CU_ASSERT_TRUE(run_queue_is_awaiting(queue, item));
}

static void
s_take_between(run_queue *queue, uint64_t sequence)
{
    work todo = s_take_work(queue, WORK_REQUEST);
    CU_ASSERT_TRUE(todo.between);
    CU_ASSERT_EQUAL(todo.request->head.sequence, sequence);
    request_destroy(&todo.request);
}

// A JOIN has the turn paused, and runs then; one that comes meanwhile as well. The event waits.
static void
s_runs_between(void)
{
    run_queue *queue = run_queue_new(&s_clock);
    run_queue_item a, *ran;
    work none;
    s_begin_await(queue, &a);
    CU_ASSERT_EQUAL(s_post_type(queue, &a, MSG_EVENT, 3), OK);
    CU_ASSERT_FALSE(run_queue_try(queue, false, &none));
    CU_ASSERT_EQUAL(s_post_type(queue, &a, MSG_JOIN, 11), OK);
    s_take_work(queue, WORK_PAUSE);
    CU_ASSERT_EQUAL(s_post_type(queue, &a, MSG_ACK, 12), OK);
    run_queue_park(queue, &a);
    CU_ASSERT_EQUAL(s_post_type(queue, &a, MSG_REFRESH, 13), OK);
    CU_ASSERT_FALSE(run_queue_try(queue, false, &none)); // it was asked already
    run_queue_resume(queue, &a);
    s_take_work(queue, WORK_RESUME);
    CU_ASSERT_TRUE(run_queue_hold(queue, &a));
    s_take_between(queue, 11);
    CU_ASSERT_TRUE(run_queue_hold(queue, &a));
    s_take_between(queue, 12);
    CU_ASSERT_TRUE(run_queue_hold(queue, &a));
    s_take_between(queue, 13);
    CU_ASSERT_FALSE(run_queue_hold(queue, &a));
    run_queue_park(queue, &a);
    CU_ASSERT_FALSE(run_queue_try(queue, false, &none));
    run_queue_resume(queue, &a);
    s_take_work(queue, WORK_RESUME);
    run_queue_done(queue, &a);
    CU_ASSERT_FALSE(run_queue_is_awaiting(queue, &a));
    CU_ASSERT_EQUAL(s_take(queue, &ran), 2);
    run_queue_done(queue, &a);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 3);
    run_queue_done(queue, &a);
    run_queue_item_fini(&a);
    run_queue_destroy(&queue);
}

// What came before the turn awaited does not wait either; nor does what comes while it goes on, but not for
// ever.
static void
s_goes_on_in_between(void)
{
    run_queue *queue = run_queue_new(&s_clock);
    run_queue_item a, *ran;
    run_queue_item_init(&a, NULL);
    s_post(queue, &a, 1);
    s_take(queue, &ran);
    CU_ASSERT_EQUAL(s_post_type(queue, &a, MSG_REFRESH, 11), OK);
    run_queue_park(queue, &a);
    for (uint64_t i = 11; i < 30; i++) { // each brings the next one
        s_take_work(queue, WORK_PAUSE);
        run_queue_park(queue, &a);
        run_queue_resume(queue, &a);
        s_take_work(queue, WORK_RESUME);
        CU_ASSERT_TRUE_FATAL(run_queue_hold(queue, &a));
        s_take_between(queue, i);
        CU_ASSERT_EQUAL(s_post_type(queue, &a, MSG_REFRESH, i + 1), OK);
        CU_ASSERT_FALSE(run_queue_hold(queue, &a));
        run_queue_park(queue, &a);
    }
    run_queue_resume(queue, &a); // the end, before it was asked
    s_take_work(queue, WORK_RESUME);
    run_queue_done(queue, &a);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 30);
    run_queue_done(queue, &a);
    run_queue_item_fini(&a);
    run_queue_destroy(&queue);
}

// A nudge stays behind the requests that were there first, however many of them went ahead.
static void
s_nudge_keeps_its_place(void)
{
    run_queue *queue = run_queue_new(&s_clock);
    run_queue_item a, *ran;
    s_begin_await(queue, &a);
    run_queue_nudge(queue, &a); // behind event 2
    CU_ASSERT_EQUAL(s_post_type(queue, &a, MSG_JOIN, 11), OK);
    s_take_work(queue, WORK_PAUSE);
    run_queue_park(queue, &a);
    run_queue_resume(queue, &a);
    s_take_work(queue, WORK_RESUME);
    CU_ASSERT_TRUE(run_queue_hold(queue, &a));
    s_take_between(queue, 11);
    CU_ASSERT_FALSE(run_queue_hold(queue, &a));
    run_queue_resume(queue, &a);
    run_queue_park(queue, &a);
    s_take_work(queue, WORK_RESUME);
    run_queue_done(queue, &a);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 2);
    run_queue_done(queue, &a);
    s_take_work(queue, WORK_NUDGE);
    run_queue_done(queue, &a);
    run_queue_item_fini(&a);
    run_queue_destroy(&queue);
}

// A session that is to end takes no JOIN any more, and what it has waits for the end, to be refused.
static void
s_ends_while_it_awaits(void)
{
    run_queue *queue = run_queue_new(&s_clock);
    run_queue_item a;
    s_begin_await(queue, &a);
    CU_ASSERT_EQUAL(s_post_type(queue, &a, MSG_JOIN, 11), OK);
    run_queue_end(queue, &a, "logout");
    CU_ASSERT_EQUAL(s_post_type(queue, &a, MSG_JOIN, 12), ERR_UNKNOWN_SESSION);
    s_take_work(queue, WORK_PAUSE);
    run_queue_park(queue, &a);
    run_queue_resume(queue, &a);
    s_take_work(queue, WORK_RESUME);
    CU_ASSERT_FALSE(run_queue_hold(queue, &a));
    run_queue_park(queue, &a);
    run_queue_resume(queue, &a);
    s_take_work(queue, WORK_RESUME);
    run_queue_done(queue, &a);
    s_take_work(queue, WORK_END);
    for (request *rest; (rest = run_queue_retire(queue, &a));)
        request_destroy(&rest);
    run_queue_item_fini(&a);
    run_queue_destroy(&queue);
}

// Whether the turn is paused meanwhile or not, what waits behind it has waited for nothing while it awaits.
static void
s_awaiting_is_no_waiting(void)
{
    run_queue *queue = run_queue_new(&s_clock);
    run_queue_item a;
    s_time = 1000;
    s_begin_await(queue, &a);
    s_time += 60000;
    CU_ASSERT_EQUAL(s_post_type(queue, &a, MSG_JOIN, 11), OK);
    s_take_work(queue, WORK_PAUSE);
    run_queue_park(queue, &a);
    run_queue_resume(queue, &a);
    s_take_work(queue, WORK_RESUME);
    CU_ASSERT_TRUE(run_queue_hold(queue, &a));
    s_take_between(queue, 11);
    CU_ASSERT_FALSE(run_queue_hold(queue, &a));
    run_queue_park(queue, &a);
    s_time += 60000;
    run_queue_resume(queue, &a);
    s_take_work(queue, WORK_RESUME);
    s_time += 70; // the end of the turn counts
    run_queue_done(queue, &a);
    work todo = s_take_work(queue, WORK_REQUEST);
    CU_ASSERT_EQUAL(s_time - todo.request->arrived, 70);
    request_destroy(&todo.request);
    run_queue_done(queue, &a);
    run_queue_item_fini(&a);
    run_queue_destroy(&queue);
}

static const unit_test s_tests[] = {
    {"what need not wait for the turn", s_runs_between},
    {"the turn goes on in between", s_goes_on_in_between},
    {"a nudge keeps its place", s_nudge_keeps_its_place},
    {"a session that ends while it awaits", s_ends_while_it_awaits},
    {"awaiting is no waiting", s_awaiting_is_no_waiting},
};
UNIT_MAIN("run_queue_between", s_tests)
