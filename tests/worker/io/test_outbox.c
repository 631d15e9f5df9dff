// Order, wake-ups and rests of the outbox.
#include "tests/unit.h"
#include "worker/io/outbox.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>

static bool
s_readable(const outbox *self)
{
    struct pollfd readable = {outbox_fd(self), POLLIN, 0};
    return poll(&readable, 1, 0) == 1;
}

static void
s_put(outbox *self, uint64_t sequence)
{
    header head = {.version = 1, .sequence = sequence};
    reply *reply = reply_new(&head, &(client_id){0}, MSG_DONE);
    outbox_put(self, &reply);
    CU_ASSERT_PTR_NULL(reply);
}

static void
s_order(void)
{
    outbox *self = outbox_new();
    CU_ASSERT_FALSE(s_readable(self));
    for (uint64_t i = 1; i <= 3; i++)
        s_put(self, i);
    CU_ASSERT_TRUE(s_readable(self));
    uint64_t expected = 1;
    for (reply *reply = outbox_take(self), *next; reply; reply = next) {
        next = reply->next;
        CU_ASSERT_EQUAL(reply->head.sequence, expected++);
        reply_destroy(&reply);
    }
    CU_ASSERT_EQUAL(expected, 4);
    CU_ASSERT_FALSE(s_readable(self));
    CU_ASSERT_PTR_NULL(outbox_take(self));
    s_put(self, 4); // destroyed with it
    outbox_destroy(&self);
}

static void
s_ended_after_its_answers(void)
{
    outbox *self = outbox_new();
    session *a = session_new((id16){{1}}, 1), *b = session_new((id16){{2}}, 1);
    outbox_put_ended(self, a);
    CU_ASSERT_PTR_NULL(outbox_take_ended(self)); // not before the answers were taken
    outbox_take(self);
    outbox_put_ended(self, b); // too late for this round
    CU_ASSERT_PTR_EQUAL(outbox_take_ended(self), a);
    CU_ASSERT_PTR_NULL(outbox_take_ended(self));
    CU_ASSERT_TRUE(s_readable(self));
    outbox_take(self);
    CU_ASSERT_PTR_EQUAL(outbox_take_ended(self), b);
    outbox_destroy(&self);
    session_destroy(&a);
    session_destroy(&b);
}

typedef struct {
    outbox *outbox;
    unsigned answers; // that are put one after the other while the taker rests
    bool hurries;
} putter;

static void *
s_put_while_it_rests(void *argument)
{
    putter *putter = argument;
    while (!outbox_rests(putter->outbox))
        sched_yield();
    for (uint64_t i = 1; i <= putter->answers; i++)
        s_put(putter->outbox, i);
    CU_ASSERT_EQUAL(s_readable(putter->outbox),
                    putter->answers >= OUTBOX_BATCH); // it sleeps on until the batch is whole
    if (putter->hurries)
        outbox_hurry(putter->outbox);
    return NULL;
}

static void
s_rests_until(unsigned answers, bool hurries)
{
    pthread_t thread;
    putter putter = {outbox_new(), answers, hurries};
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, s_put_while_it_rests, &putter), 0);
    outbox_rest(putter.outbox, 3600u * 1000000u); // an hour: what ends it is the other thread
    pthread_join(thread, NULL);
    CU_ASSERT_FALSE(outbox_rests(putter.outbox));
    outbox_destroy(&putter.outbox);
}

static void
s_rests_until_a_batch_is_there(void)
{
    s_rests_until(OUTBOX_BATCH, false);
}

static void
s_rests_until_nothing_more_comes(void)
{
    s_rests_until(OUTBOX_BATCH - 1, true);
    s_rests_until(0, true); // what waits at the socket is not to wait for a reply
}

static void
s_does_not_rest_on_answers(void)
{
    outbox *self = outbox_new();
    s_put(self, 1);
    outbox_rest(self, 3600u * 1000000u);
    reply *reply = outbox_take(self);
    CU_ASSERT_PTR_NOT_NULL(reply);
    reply_destroy(&reply);
    outbox_rest(self, 1); // and then the time is over
    outbox_hurry(self);   // nobody rests: nobody is woken
    CU_ASSERT_FALSE(s_readable(self));
    s_put(self, 2);
    CU_ASSERT_TRUE(s_readable(self)); // each wake-up again
    outbox_destroy(&self);
}

static const unit_test s_tests[] = {
    {"order and wake-up", s_order},
    {"ended sessions", s_ended_after_its_answers},
    {"a rest ends with a batch", s_rests_until_a_batch_is_there},
    {"a rest ends when nothing more comes", s_rests_until_nothing_more_comes},
    {"no rest while there are answers", s_does_not_rest_on_answers},
};
UNIT_MAIN("outbox", s_tests)
