// The states of a run queue's item, its order, and which thread is called when.
#include "tests/unit.h"
#include "tests/worker/queue_mail.h"

#include <pthread.h>
#include <stdatomic.h>

static void
s_fair(void)
{
    run_queue *queue = run_queue_new(&s_clock);
    run_queue_item a, b, *ran;
    run_queue_item_init(&a, NULL);
    run_queue_item_init(&b, NULL);
    for (uint64_t i = 1; i <= 3; i++)
        s_post(queue, &a, i);
    s_post(queue, &b, 11);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 1);
    run_queue_done(queue, ran);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 11); // before a's second
    run_queue_done(queue, ran);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 2);
    run_queue_done(queue, ran);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 3);
    run_queue_done(queue, ran);
    work none;
    CU_ASSERT_FALSE(run_queue_try(queue, false, &none));
    run_queue_item_fini(&a);
    run_queue_item_fini(&b);
    run_queue_destroy(&queue);
}

static void
s_one_at_a_time(void)
{
    run_queue *queue = run_queue_new(&s_clock);
    run_queue_item a, *ran;
    run_queue_item_init(&a, NULL);
    s_post(queue, &a, 1);
    s_post(queue, &a, 2);
    s_take(queue, &ran);
    work none;
    CU_ASSERT_FALSE(run_queue_try(queue, false, &none)); // it runs already
    run_queue_done(queue, ran);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 2);
    run_queue_done(queue, ran);
    run_queue_item_fini(&a);
    run_queue_destroy(&queue);
}

static void
s_visit(void *owner, uint64_t now)
{
    *(uint64_t *)owner += now;
}

// Whatever its state: visited unless a thread has it.
static void
s_visits(void)
{
    run_queue *queue = run_queue_new(&s_clock);
    run_queue_item a, *ran;
    work todo;
    uint64_t visited = 0;
    run_queue_item_init(&a, &visited);
    s_post(queue, &a, 1);
    s_take(queue, &ran);
    run_queue_visit_parked(queue, &a, s_visit, 1);
    CU_ASSERT_EQUAL(visited, 0);
    run_queue_park(queue, &a);
    run_queue_visit_parked(queue, &a, s_visit, 10);
    CU_ASSERT_EQUAL(visited, 10);
    run_queue_resume(queue, &a);
    run_queue_visit_parked(queue, &a, s_visit, 100); // it waits for a thread
    CU_ASSERT_EQUAL(visited, 110);
    CU_ASSERT_TRUE(run_queue_try(queue, false, &todo));
    run_queue_visit_parked(queue, &a, s_visit, 1000);
    CU_ASSERT_EQUAL(visited, 110);
    run_queue_done(queue, &a);
    run_queue_item_fini(&a);
    run_queue_destroy(&queue);
}

static void
s_awaits(bool resumed_early)
{
    run_queue *queue = run_queue_new(&s_clock);
    run_queue_item a, *ran;
    work todo;
    run_queue_item_init(&a, NULL);
    s_post(queue, &a, 1);
    s_post(queue, &a, 2);
    s_take(queue, &ran);
    if (resumed_early)
        run_queue_resume(queue, &a);
    run_queue_park(queue, &a);
    if (!resumed_early) {
        CU_ASSERT_FALSE(run_queue_try(queue, false, &todo)); // its second event waits for the first
        CU_ASSERT_EQUAL(run_queue_look(queue).parked, 1);
        run_queue_resume(queue, &a);
    }
    CU_ASSERT_TRUE(run_queue_try(queue, false, &todo));
    CU_ASSERT_EQUAL(todo.kind, WORK_RESUME);
    run_queue_done(queue, &a);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 2);
    run_queue_done(queue, ran);
    run_queue_item_fini(&a);
    run_queue_destroy(&queue);
}

static void
s_awaits_both(void)
{
    s_awaits(false);
    s_awaits(true);
}

static void
s_shut(void)
{
    run_queue *queue = run_queue_new(&s_clock);
    run_queue_item a, *ran;
    work todo;
    run_queue_item_init(&a, NULL);
    s_time = 1000;
    run_queue_open_until(queue, 1500);
    s_post(queue, &a, 1);
    s_post(queue, &a, 2);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 1);
    run_queue_done(queue, ran);
    s_time = 1500;
    CU_ASSERT_FALSE(run_queue_try(queue, false, &todo));
    CU_ASSERT_EQUAL(run_queue_look(queue).queued, 1);
    run_queue_open_until(queue, 1501);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 2);
    run_queue_done(queue, ran);
    run_queue_item_fini(&a);
    run_queue_destroy(&queue);
}

static void
s_comes_last(void)
{
    run_queue *queue = run_queue_new(&s_clock);
    run_queue_item a, *ran;
    run_queue_item_init(&a, NULL);
    for (uint64_t i = 1; i <= MAX_MAILBOX; i++)
        s_post(queue, &a, i);
    request *last = s_mail(99), *other = s_mail(98);
    CU_ASSERT_EQUAL(run_queue_post_last(queue, &a, &last), OK);
    CU_ASSERT_EQUAL(run_queue_post_last(queue, &a, &other), ERR_UNKNOWN_SESSION);
    request_destroy(&other);
    for (uint64_t i = 1; i <= MAX_MAILBOX; i++) {
        CU_ASSERT_EQUAL(s_take(queue, &ran), i);
        run_queue_done(queue, ran);
    }
    s_post(queue, &a, 17);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 17);
    run_queue_done(queue, ran);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 99);
    run_queue_done(queue, ran);
    last = s_mail(100);
    CU_ASSERT_EQUAL(run_queue_post_last(queue, &a, &last), OK); // and is destroyed with it
    run_queue_item_fini(&a);
    run_queue_destroy(&queue);
}

static void
s_end(void)
{
    run_queue *queue = run_queue_new(&s_clock);
    run_queue_item a;
    work todo;
    run_queue_item_init(&a, NULL);
    s_post(queue, &a, 1);
    run_queue_end(queue, &a, "expired");
    run_queue_end(queue, &a, "later");
    CU_ASSERT_TRUE(run_queue_try(queue, false, &todo));
    CU_ASSERT_EQUAL(todo.kind, WORK_END);
    CU_ASSERT_STRING_EQUAL(todo.reason, "expired");
    request *left = run_queue_retire(queue, &a); // who waited is to be answered
    CU_ASSERT_PTR_NOT_NULL(left);
    request_destroy(&left);
    CU_ASSERT_PTR_NULL(run_queue_retire(queue, &a));
    request *late = s_mail(2);
    CU_ASSERT_EQUAL(run_queue_post(queue, &a, &late), ERR_UNKNOWN_SESSION);
    request_destroy(&late);
    run_queue_end(queue, &a, "again");
    CU_ASSERT_FALSE(run_queue_try(queue, false, &todo));
    run_queue_item_fini(&a);
    run_queue_destroy(&queue);
}

static void
s_load(void)
{
    run_queue *queue = run_queue_new(&s_clock);
    run_queue_item a, b, *ran;
    run_queue_item_init(&a, NULL);
    run_queue_item_init(&b, NULL);
    s_time = 100;
    s_post(queue, &a, 1);
    s_time = 130;
    s_post(queue, &b, 1);
    s_time = 160;
    CU_ASSERT_EQUAL(run_queue_look(queue).oldest_queued_ms, 60);
    s_take(queue, &ran);
    run_queue_load load = run_queue_look(queue);
    CU_ASSERT_EQUAL(load.queued, 1);
    CU_ASSERT_EQUAL(load.running, 1);
    CU_ASSERT_EQUAL(load.oldest_queued_ms, 30);
    run_queue_done(queue, ran);
    s_take(queue, &ran);
    run_queue_done(queue, ran);
    run_queue_item_fini(&a);
    run_queue_item_fini(&b);
    run_queue_destroy(&queue);
}

static work_kind
s_take_kind(run_queue *queue)
{
    work todo;
    CU_ASSERT_TRUE_FATAL(run_queue_try(queue, false, &todo));
    if (todo.kind == WORK_REQUEST)
        request_destroy(&todo.request);
    run_queue_done(queue, todo.item);
    return todo.kind;
}

// Behind the mail that was there, before what comes later; one, however often; and no place is taken.
static void
s_nudges(void)
{
    run_queue *queue = run_queue_new(&s_clock);
    run_queue_item a, *ran;
    work none;
    run_queue_item_init(&a, NULL);
    s_post(queue, &a, 1);
    s_post(queue, &a, 2);
    run_queue_nudge(queue, &a);
    for (uint64_t i = 3; i <= MAX_MAILBOX; i++)
        s_post(queue, &a, i);
    run_queue_nudge(queue, &a);
    CU_ASSERT_EQUAL(s_take_kind(queue), WORK_REQUEST);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 2);
    run_queue_done(queue, ran);
    CU_ASSERT_EQUAL(s_take_kind(queue), WORK_NUDGE);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 3);
    run_queue_nudge(queue, &a); // while it runs
    run_queue_done(queue, ran);
    for (uint64_t i = 4; i <= MAX_MAILBOX; i++)
        CU_ASSERT_EQUAL(s_take_kind(queue), WORK_REQUEST);
    CU_ASSERT_EQUAL(s_take_kind(queue), WORK_NUDGE);
    CU_ASSERT_FALSE(run_queue_try(queue, false, &none));
    run_queue_nudge(queue, &a); // idle
    CU_ASSERT_EQUAL(s_take_kind(queue), WORK_NUDGE);
    CU_ASSERT_FALSE(run_queue_try(queue, false, &none));
    run_queue_item_fini(&a);
    run_queue_destroy(&queue);
}

static void
s_nudged_when_due(void)
{
    run_queue *queue = run_queue_new(&s_clock);
    run_queue_item a, b;
    work todo;
    run_queue_item_init(&a, NULL);
    run_queue_item_init(&b, NULL);
    CU_ASSERT_EQUAL(run_queue_nudge_due(queue, 100), TIMER_NEVER);
    CU_ASSERT_TRUE(run_queue_arm(queue, &a, 200));
    CU_ASSERT_FALSE(run_queue_arm(queue, &b, 300)); // later: nobody need wake for it
    CU_ASSERT_TRUE(run_queue_arm(queue, &b, 150));
    CU_ASSERT_EQUAL(run_queue_nudge_due(queue, 149), 150);
    CU_ASSERT_FALSE(run_queue_try(queue, false, &todo));
    CU_ASSERT_EQUAL(run_queue_nudge_due(queue, 150), 200);
    CU_ASSERT_TRUE(run_queue_try(queue, false, &todo));
    CU_ASSERT_PTR_EQUAL(todo.item, &b);
    CU_ASSERT_EQUAL(todo.kind, WORK_NUDGE);
    run_queue_done(queue, &b);
    CU_ASSERT_FALSE(run_queue_arm(queue, &a, TIMER_NEVER));
    CU_ASSERT_EQUAL(run_queue_nudge_due(queue, 1000), TIMER_NEVER);
    CU_ASSERT_FALSE(run_queue_try(queue, false, &todo));
    run_queue_arm(queue, &a, 2000); // who is gone is not nudged
    run_queue_nudge(queue, &a);
    run_queue_end(queue, &a, "expired");
    CU_ASSERT_TRUE(run_queue_try(queue, false, &todo));
    CU_ASSERT_EQUAL(todo.kind, WORK_END);
    CU_ASSERT_PTR_NULL(run_queue_retire(queue, &a));
    CU_ASSERT_EQUAL(run_queue_nudge_due(queue, 3000), TIMER_NEVER);
    CU_ASSERT_FALSE(run_queue_arm(queue, &a, 1));
    run_queue_nudge(queue, &a);
    CU_ASSERT_EQUAL(run_queue_nudge_due(queue, 3000), TIMER_NEVER);
    CU_ASSERT_FALSE(run_queue_try(queue, false, &todo));
    run_queue_item_fini(&a);
    run_queue_item_fini(&b);
    run_queue_destroy(&queue);
}

enum { THREADS = 4, SESSIONS = 8, EACH = 2000 };
static run_queue_item s_items[SESSIONS];
static _Atomic int s_inside[SESSIONS];
static _Atomic int s_ran, s_overlaps, s_disorder;
static uint64_t s_last[SESSIONS]; // written only by whoever runs the item

static void *
s_worker(void *queue)
{
    work todo;
    bool came = false;
    for (;;) {
        if (!run_queue_try(queue, came, &todo)) {
            if (!(came = run_queue_wait(queue)))
                return NULL;
            continue;
        }
        came = false;
        size_t index = (size_t)(todo.item - s_items);
        s_overlaps += atomic_fetch_add(&s_inside[index], 1) != 0;
        s_disorder += todo.request->head.sequence != s_last[index] + 1;
        s_last[index] = todo.request->head.sequence;
        request_destroy(&todo.request);
        atomic_fetch_sub(&s_inside[index], 1);
        run_queue_done(queue, todo.item);
        if (++s_ran == SESSIONS * EACH)
            run_queue_close(queue);
    }
}

static void
s_many_threads(void)
{
    run_queue *queue = run_queue_new(&s_clock);
    pthread_t threads[THREADS];
    for (size_t i = 0; i < SESSIONS; i++)
        run_queue_item_init(&s_items[i], NULL);
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, s_worker, queue);
    for (uint64_t sequence = 1; sequence <= EACH; sequence++)
        for (size_t i = 0; i < SESSIONS; i++) {
            request *request = s_mail(sequence);
            while (run_queue_post(queue, &s_items[i], &request) == ERR_FULL)
                sched_yield();
        }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(s_ran, SESSIONS * EACH);
    CU_ASSERT_EQUAL(s_overlaps, 0);
    CU_ASSERT_EQUAL(s_disorder, 0);
    for (size_t i = 0; i < SESSIONS; i++)
        run_queue_item_fini(&s_items[i]);
    run_queue_destroy(&queue);
}

static const unit_test s_tests[] = {
    {"shut", s_shut},
    {"comes last", s_comes_last},
    {"sessions take turns", s_fair},
    {"one session, one thread", s_one_at_a_time},
    {"a turn that awaits", s_awaits_both},
    {"visits to one that awaits", s_visits},
    {"the end of a session", s_end},
    {"nudges", s_nudges},
    {"nudged when due", s_nudged_when_due},
    {"load", s_load},
    {"many threads", s_many_threads},
};
UNIT_MAIN("runqueue", s_tests)
