#include "tests/unit.h"
#include "worker/actor/run_queue.h"

#include <pthread.h>
#include <stdatomic.h>

static uint64_t s_time;
static uint64_t
s_now(void *context)
{
    (void)context;
    return s_time;
}
static const clock_ops s_clock = {s_now, NULL, NULL};

static mail *
s_mail(uint64_t sequence)
{
    header head = {.version = 1, .type = MSG_EVENT, .sequence = sequence};
    return mail_new(&head, (slice){0});
}

static void
s_post(runqueue *queue, runqueue_item *item, uint64_t sequence)
{
    mail *one = s_mail(sequence);
    CU_ASSERT_EQUAL(runqueue_post(queue, item, &one), OK);
}

static uint64_t
s_take(runqueue *queue, runqueue_item **ret_item)
{
    work todo;
    CU_ASSERT_TRUE_FATAL(runqueue_try(queue, false, &todo));
    CU_ASSERT_EQUAL(todo.kind, WORK_MAIL);
    uint64_t sequence = todo.mail->head.sequence;
    *ret_item = todo.item;
    mail_destroy(&todo.mail);
    return sequence;
}

static void
s_fair(void)
{
    runqueue *queue = runqueue_new(&s_clock);
    runqueue_item a, b, *ran;
    runqueue_item_init(&a, NULL);
    runqueue_item_init(&b, NULL);
    for (uint64_t i = 1; i <= 3; i++)
        s_post(queue, &a, i);
    s_post(queue, &b, 11);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 1);
    runqueue_done(queue, ran);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 11); // before a's second
    runqueue_done(queue, ran);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 2);
    runqueue_done(queue, ran);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 3);
    runqueue_done(queue, ran);
    work none;
    CU_ASSERT_FALSE(runqueue_try(queue, false, &none));
    runqueue_item_fini(&a);
    runqueue_item_fini(&b);
    runqueue_destroy(&queue);
}

static void
s_one_at_a_time(void)
{
    runqueue *queue = runqueue_new(&s_clock);
    runqueue_item a, *ran;
    runqueue_item_init(&a, NULL);
    s_post(queue, &a, 1);
    s_post(queue, &a, 2);
    s_take(queue, &ran);
    work none;
    CU_ASSERT_FALSE(runqueue_try(queue, false, &none)); // it runs already
    runqueue_done(queue, ran);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 2);
    runqueue_done(queue, ran);
    runqueue_item_fini(&a);
    runqueue_destroy(&queue);
}

static void
s_awaits(bool resumed_early)
{
    runqueue *queue = runqueue_new(&s_clock);
    runqueue_item a, *ran;
    work todo;
    runqueue_item_init(&a, NULL);
    s_post(queue, &a, 1);
    s_post(queue, &a, 2);
    s_take(queue, &ran);
    if (resumed_early)
        runqueue_resume(queue, &a);
    runqueue_park(queue, &a);
    if (!resumed_early) {
        CU_ASSERT_FALSE(runqueue_try(queue, false, &todo)); // its second event waits for the first
        CU_ASSERT_EQUAL(runqueue_look(queue).parked, 1);
        runqueue_resume(queue, &a);
    }
    CU_ASSERT_TRUE(runqueue_try(queue, false, &todo));
    CU_ASSERT_EQUAL(todo.kind, WORK_RESUME);
    runqueue_done(queue, &a);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 2);
    runqueue_done(queue, ran);
    runqueue_item_fini(&a);
    runqueue_destroy(&queue);
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
    runqueue *queue = runqueue_new(&s_clock);
    runqueue_item a, *ran;
    work todo;
    runqueue_item_init(&a, NULL);
    s_time = 1000;
    runqueue_open_until(queue, 1500);
    s_post(queue, &a, 1);
    s_post(queue, &a, 2);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 1);
    runqueue_done(queue, ran);
    s_time = 1500;
    CU_ASSERT_FALSE(runqueue_try(queue, false, &todo));
    CU_ASSERT_EQUAL(runqueue_look(queue).queued, 1);
    runqueue_open_until(queue, 1501);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 2);
    runqueue_done(queue, ran);
    runqueue_item_fini(&a);
    runqueue_destroy(&queue);
}

static void
s_comes_last(void)
{
    runqueue *queue = runqueue_new(&s_clock);
    runqueue_item a, *ran;
    runqueue_item_init(&a, NULL);
    for (uint64_t i = 1; i <= MAX_MAILBOX; i++)
        s_post(queue, &a, i);
    mail *last = s_mail(99), *other = s_mail(98);
    CU_ASSERT_EQUAL(runqueue_post_last(queue, &a, &last), OK);
    CU_ASSERT_EQUAL(runqueue_post_last(queue, &a, &other), ERR_UNKNOWN_SESSION);
    mail_destroy(&other);
    for (uint64_t i = 1; i <= MAX_MAILBOX; i++) {
        CU_ASSERT_EQUAL(s_take(queue, &ran), i);
        runqueue_done(queue, ran);
    }
    s_post(queue, &a, 17);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 17);
    runqueue_done(queue, ran);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 99);
    runqueue_done(queue, ran);
    last = s_mail(100);
    CU_ASSERT_EQUAL(runqueue_post_last(queue, &a, &last), OK); // and is destroyed with it
    runqueue_item_fini(&a);
    runqueue_destroy(&queue);
}

static void
s_end(void)
{
    runqueue *queue = runqueue_new(&s_clock);
    runqueue_item a;
    work todo;
    runqueue_item_init(&a, NULL);
    s_post(queue, &a, 1);
    runqueue_end(queue, &a, "expired");
    runqueue_end(queue, &a, "later");
    CU_ASSERT_TRUE(runqueue_try(queue, false, &todo));
    CU_ASSERT_EQUAL(todo.kind, WORK_END);
    CU_ASSERT_STRING_EQUAL(todo.reason, "expired");
    mail *left = runqueue_retire(queue, &a); // who waited is to be answered
    CU_ASSERT_PTR_NOT_NULL(left);
    mail_destroy(&left);
    CU_ASSERT_PTR_NULL(runqueue_retire(queue, &a));
    mail *late = s_mail(2);
    CU_ASSERT_EQUAL(runqueue_post(queue, &a, &late), ERR_UNKNOWN_SESSION);
    mail_destroy(&late);
    runqueue_end(queue, &a, "again");
    CU_ASSERT_FALSE(runqueue_try(queue, false, &todo));
    runqueue_item_fini(&a);
    runqueue_destroy(&queue);
}

static void
s_load(void)
{
    runqueue *queue = runqueue_new(&s_clock);
    runqueue_item a, b, *ran;
    runqueue_item_init(&a, NULL);
    runqueue_item_init(&b, NULL);
    s_time = 100;
    s_post(queue, &a, 1);
    s_time = 130;
    s_post(queue, &b, 1);
    s_time = 160;
    CU_ASSERT_EQUAL(runqueue_look(queue).oldest_queued_ms, 60);
    s_take(queue, &ran);
    runqueue_load load = runqueue_look(queue);
    CU_ASSERT_EQUAL(load.queued, 1);
    CU_ASSERT_EQUAL(load.running, 1);
    CU_ASSERT_EQUAL(load.oldest_queued_ms, 30);
    runqueue_done(queue, ran);
    s_take(queue, &ran);
    runqueue_done(queue, ran);
    runqueue_item_fini(&a);
    runqueue_item_fini(&b);
    runqueue_destroy(&queue);
}

static work_kind
s_take_kind(runqueue *queue)
{
    work todo;
    CU_ASSERT_TRUE_FATAL(runqueue_try(queue, false, &todo));
    if (todo.kind == WORK_MAIL)
        mail_destroy(&todo.mail);
    runqueue_done(queue, todo.item);
    return todo.kind;
}

// Behind the mail that was there, before what comes later; one, however often; and no place is taken.
static void
s_nudges(void)
{
    runqueue *queue = runqueue_new(&s_clock);
    runqueue_item a, *ran;
    work none;
    runqueue_item_init(&a, NULL);
    s_post(queue, &a, 1);
    s_post(queue, &a, 2);
    runqueue_nudge(queue, &a);
    for (uint64_t i = 3; i <= MAX_MAILBOX; i++)
        s_post(queue, &a, i);
    runqueue_nudge(queue, &a);
    CU_ASSERT_EQUAL(s_take_kind(queue), WORK_MAIL);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 2);
    runqueue_done(queue, ran);
    CU_ASSERT_EQUAL(s_take_kind(queue), WORK_NUDGE);
    CU_ASSERT_EQUAL(s_take(queue, &ran), 3);
    runqueue_nudge(queue, &a); // while it runs
    runqueue_done(queue, ran);
    for (uint64_t i = 4; i <= MAX_MAILBOX; i++)
        CU_ASSERT_EQUAL(s_take_kind(queue), WORK_MAIL);
    CU_ASSERT_EQUAL(s_take_kind(queue), WORK_NUDGE);
    CU_ASSERT_FALSE(runqueue_try(queue, false, &none));
    runqueue_nudge(queue, &a); // idle
    CU_ASSERT_EQUAL(s_take_kind(queue), WORK_NUDGE);
    CU_ASSERT_FALSE(runqueue_try(queue, false, &none));
    runqueue_item_fini(&a);
    runqueue_destroy(&queue);
}

static void
s_nudged_when_due(void)
{
    runqueue *queue = runqueue_new(&s_clock);
    runqueue_item a, b;
    work todo;
    runqueue_item_init(&a, NULL);
    runqueue_item_init(&b, NULL);
    CU_ASSERT_EQUAL(runqueue_nudge_due(queue, 100), TICK_NEVER);
    CU_ASSERT_TRUE(runqueue_arm(queue, &a, 200));
    CU_ASSERT_FALSE(runqueue_arm(queue, &b, 300)); // later: nobody need wake for it
    CU_ASSERT_TRUE(runqueue_arm(queue, &b, 150));
    CU_ASSERT_EQUAL(runqueue_nudge_due(queue, 149), 150);
    CU_ASSERT_FALSE(runqueue_try(queue, false, &todo));
    CU_ASSERT_EQUAL(runqueue_nudge_due(queue, 150), 200);
    CU_ASSERT_TRUE(runqueue_try(queue, false, &todo));
    CU_ASSERT_PTR_EQUAL(todo.item, &b);
    CU_ASSERT_EQUAL(todo.kind, WORK_NUDGE);
    runqueue_done(queue, &b);
    CU_ASSERT_FALSE(runqueue_arm(queue, &a, TICK_NEVER));
    CU_ASSERT_EQUAL(runqueue_nudge_due(queue, 1000), TICK_NEVER);
    CU_ASSERT_FALSE(runqueue_try(queue, false, &todo));
    runqueue_arm(queue, &a, 2000); // who is gone is not nudged
    runqueue_nudge(queue, &a);
    runqueue_end(queue, &a, "expired");
    CU_ASSERT_TRUE(runqueue_try(queue, false, &todo));
    CU_ASSERT_EQUAL(todo.kind, WORK_END);
    CU_ASSERT_PTR_NULL(runqueue_retire(queue, &a));
    CU_ASSERT_EQUAL(runqueue_nudge_due(queue, 3000), TICK_NEVER);
    CU_ASSERT_FALSE(runqueue_arm(queue, &a, 1));
    runqueue_nudge(queue, &a);
    CU_ASSERT_EQUAL(runqueue_nudge_due(queue, 3000), TICK_NEVER);
    CU_ASSERT_FALSE(runqueue_try(queue, false, &todo));
    runqueue_item_fini(&a);
    runqueue_item_fini(&b);
    runqueue_destroy(&queue);
}

enum { THREADS = 4, SESSIONS = 8, EACH = 2000 };
static runqueue_item s_items[SESSIONS];
static _Atomic int s_inside[SESSIONS];
static _Atomic int s_ran, s_overlaps, s_disorder;
static uint64_t s_last[SESSIONS]; // written only by whoever runs the item

static void *
s_worker(void *queue)
{
    work todo;
    bool came = false;
    for (;;) {
        if (!runqueue_try(queue, came, &todo)) {
            if (!(came = runqueue_wait(queue)))
                return NULL;
            continue;
        }
        came = false;
        size_t at = (size_t)(todo.item - s_items);
        s_overlaps += atomic_fetch_add(&s_inside[at], 1) != 0;
        s_disorder += todo.mail->head.sequence != s_last[at] + 1;
        s_last[at] = todo.mail->head.sequence;
        mail_destroy(&todo.mail);
        atomic_fetch_sub(&s_inside[at], 1);
        runqueue_done(queue, todo.item);
        if (++s_ran == SESSIONS * EACH)
            runqueue_close(queue);
    }
}

static void
s_many_threads(void)
{
    runqueue *queue = runqueue_new(&s_clock);
    pthread_t threads[THREADS];
    for (size_t i = 0; i < SESSIONS; i++)
        runqueue_item_init(&s_items[i], NULL);
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, s_worker, queue);
    for (uint64_t sequence = 1; sequence <= EACH; sequence++)
        for (size_t i = 0; i < SESSIONS; i++) {
            mail *one = s_mail(sequence);
            while (runqueue_post(queue, &s_items[i], &one) == ERR_FULL)
                sched_yield();
        }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(s_ran, SESSIONS * EACH);
    CU_ASSERT_EQUAL(s_overlaps, 0);
    CU_ASSERT_EQUAL(s_disorder, 0);
    for (size_t i = 0; i < SESSIONS; i++)
        runqueue_item_fini(&s_items[i]);
    runqueue_destroy(&queue);
}

static const unit_test s_tests[] = {
    {"shut", s_shut},
    {"comes last", s_comes_last},
    {"sessions take turns", s_fair},
    {"one session, one thread", s_one_at_a_time},
    {"a turn that awaits", s_awaits_both},
    {"the end of a session", s_end},
    {"nudges", s_nudges},
    {"nudged when due", s_nudged_when_due},
    {"load", s_load},
    {"many threads", s_many_threads},
};
UNIT_MAIN("runqueue", s_tests)
