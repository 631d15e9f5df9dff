#include "tests/unit.h"
#include "worker/outbox.h"

#include <poll.h>

static bool
s_readable(const outbox *self)
{
    struct pollfd one = {outbox_fd(self), POLLIN, 0};
    return poll(&one, 1, 0) == 1;
}

static void
s_put(outbox *self, uint64_t sequence)
{
    header head = {.version = 1, .sequence = sequence};
    answer *one = answer_new(&head, &(client_id){0}, MSG_DONE);
    outbox_put(self, &one);
    CU_ASSERT_PTR_NULL(one);
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
    for (answer *one = outbox_take(self), *next; one; one = next) {
        next = one->next;
        CU_ASSERT_EQUAL(one->head.sequence, expected++);
        answer_destroy(&one);
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

static const unit_test s_tests[] = {{"order and wake-up", s_order},
                                    {"ended sessions", s_ended_after_its_answers}};
UNIT_MAIN("outbox", s_tests)
