// queue_mail - a clock that a test sets, and events to post to a run queue's items and to take from it.
#ifndef TROUPE_TESTS_QUEUE_MAIL_H
#define TROUPE_TESTS_QUEUE_MAIL_H

#include "tests/unit.h"
#include "worker/actor/run_queue.h"

static uint64_t s_time;
static inline uint64_t
s_now(void *context)
{
    (void)context;
    return s_time;
}
static const clock_ops s_clock = {s_now, NULL, NULL};

static inline request *
s_mail(uint64_t sequence)
{
    header head = {.version = 1, .type = MSG_EVENT, .sequence = sequence};
    return request_new(&head, (slice){0});
}

static inline void
s_post(run_queue *queue, run_queue_item *item, uint64_t sequence)
{
    request *request = s_mail(sequence);
    CU_ASSERT_EQUAL(run_queue_post(queue, item, &request), OK);
}

static inline uint64_t
s_take(run_queue *queue, run_queue_item **ret_item)
{
    work todo;
    CU_ASSERT_TRUE_FATAL(run_queue_try(queue, false, &todo));
    CU_ASSERT_EQUAL(todo.kind, WORK_REQUEST);
    uint64_t sequence = todo.request->head.sequence;
    *ret_item = todo.item;
    request_destroy(&todo.request);
    return sequence;
}

#endif
