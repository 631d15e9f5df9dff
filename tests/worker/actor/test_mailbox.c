// The mailbox is a FIFO with a limit.
#include "tests/unit.h"
#include "worker/actor/mailbox.h"

static request *
s_mail(uint64_t sequence)
{
    header head = {.version = 1, .type = MSG_EVENT, .sequence = sequence};
    return request_new(&head, slice_text("body"));
}

static void
s_fifo(void)
{
    mailbox box;
    mailbox_init(&box);
    CU_ASSERT_PTR_NULL(mailbox_take(&box));
    for (uint64_t round = 0; round < 3; round++) { // around the ring
        for (uint64_t i = 0; i < MAX_MAILBOX - 3; i++) {
            request *request = s_mail(i);
            CU_ASSERT_EQUAL(mailbox_put(&box, &request), OK);
            CU_ASSERT_PTR_NULL(request);
        }
        for (uint64_t i = 0; i < MAX_MAILBOX - 3; i++) {
            request *request = mailbox_take(&box);
            CU_ASSERT_EQUAL(request->head.sequence, i);
            CU_ASSERT_TRUE(slice_is(request_body(request), "body"));
            request_destroy(&request);
        }
    }
    mailbox_fini(&box);
}

static void
s_full(void)
{
    mailbox box;
    mailbox_init(&box);
    for (uint64_t i = 0; i < MAX_MAILBOX; i++) {
        request *request = s_mail(i);
        CU_ASSERT_EQUAL(mailbox_put(&box, &request), OK);
    }
    request *more = s_mail(99);
    CU_ASSERT_EQUAL(mailbox_put(&box, &more), ERR_FULL);
    CU_ASSERT_PTR_NOT_NULL(more); // the sender is to be answered
    request_destroy(&more);
    mailbox_fini(&box); // with all that is in it
}

static void
s_put(mailbox *box, message_type type, uint64_t sequence, uint64_t arrived)
{
    request *request = s_mail(sequence);
    request->head.type = (uint8_t)type;
    request->arrived = arrived;
    CU_ASSERT_EQUAL(mailbox_put(box, &request), OK);
}

// The number of the request that is taken; how many it overtook.
static uint64_t
s_between(mailbox *box, unsigned overtakes, bool marked)
{
    unsigned index = 99;
    request *taken = mailbox_take_between(box, &index);
    CU_ASSERT_PTR_NOT_NULL_FATAL(taken);
    ASSERT(taken);
    CU_ASSERT_EQUAL(index, overtakes);
    CU_ASSERT_EQUAL(taken->overtakes, marked);
    uint64_t sequence = taken->head.sequence;
    request_destroy(&taken);
    return sequence;
}

static void
s_rest(mailbox *box, uint64_t first, uint64_t last)
{
    for (uint64_t i = first; i <= last; i++) {
        request *taken = mailbox_take(box);
        CU_ASSERT_PTR_NOT_NULL_FATAL(taken);
        ASSERT(taken);
        CU_ASSERT_EQUAL(taken->head.sequence, i);
        request_destroy(&taken);
    }
    CU_ASSERT_PTR_NULL(mailbox_take(box));
}

// Wherever the ring begins. Each keeps its order: those that overtake, and those that are overtaken.
static void
s_overtakes(void)
{
    mailbox box;
    mailbox_init(&box);
    unsigned index;
    for (unsigned round = 0; round < 3 * MAX_MAILBOX; round++) {
        CU_ASSERT_FALSE(mailbox_has_between(&box));
        CU_ASSERT_PTR_NULL(mailbox_take_between(&box, &index));
        s_put(&box, MSG_EVENT, 1, 0);
        s_put(&box, MSG_EVENT, 2, 0);
        CU_ASSERT_FALSE(mailbox_has_between(&box));
        s_put(&box, MSG_LEAVE, 10, 0);
        s_put(&box, MSG_UNMOUNT, 3, 0);
        s_put(&box, MSG_JOIN, 11, 0);
        s_put(&box, MSG_ACK, 12, 0);
        CU_ASSERT_TRUE(mailbox_has_between(&box));
        CU_ASSERT_EQUAL(s_between(&box, 2, false), 10);
        CU_ASSERT_EQUAL(s_between(&box, 3, true), 11);
        CU_ASSERT_EQUAL(s_between(&box, 3, false), 12);
        s_rest(&box, 1, 3);
    }
    mailbox_fini(&box);
}

// An event is proof for the JOIN that overtakes it first, and for no other.
static void
s_proves_once(void)
{
    mailbox box;
    mailbox_init(&box);
    s_put(&box, MSG_EVENT, 1, 0);
    s_put(&box, MSG_JOIN, 11, 0);
    s_put(&box, MSG_JOIN, 12, 0);
    s_put(&box, MSG_EVENT, 2, 0);
    s_put(&box, MSG_JOIN, 13, 0);
    CU_ASSERT_EQUAL(s_between(&box, 1, true), 11);
    CU_ASSERT_EQUAL(s_between(&box, 1, false), 12);
    CU_ASSERT_EQUAL(s_between(&box, 2, true), 13);
    request *first = mailbox_take(&box);
    CU_ASSERT_TRUE(first->overtaken);
    request_destroy(&first);
    s_put(&box, MSG_EVENT, 3, 0);
    s_rest(&box, 2, 3);
    mailbox_fini(&box);
}

// Events that wait do not keep a page from joining, nor do joins take their room.
static void
s_room_for_joins(void)
{
    mailbox box;
    mailbox_init(&box);
    for (uint64_t i = 0; i < MAX_MAILBOX; i++)
        s_put(&box, MSG_EVENT, i, 0);
    for (uint64_t i = 0; i < MAX_MAILBOX_BETWEEN; i++)
        s_put(&box, MSG_JOIN, i, 0);
    request *more = s_mail(99);
    CU_ASSERT_EQUAL(mailbox_put(&box, &more), ERR_FULL);
    more->head.type = MSG_JOIN;
    CU_ASSERT_EQUAL(mailbox_put(&box, &more), ERR_FULL);
    request_destroy(&more);
    mailbox_fini(&box);
}

static void
s_excuses(void)
{
    mailbox box;
    mailbox_init(&box);
    s_put(&box, MSG_EVENT, 1, 50);
    s_put(&box, MSG_EVENT, 2, 130);
    mailbox_excuse(&box, 100, 1100); // a turn awaited from 100 to 1100
    mailbox_excuse(&box, 1100, 1200);
    request *early = mailbox_take(&box), *late = mailbox_take(&box);
    CU_ASSERT_EQUAL(1200 - early->arrived, 50);
    CU_ASSERT_EQUAL(1200 - late->arrived, 0);
    request_destroy(&early);
    request_destroy(&late);
    mailbox_fini(&box);
}

static const unit_test s_tests[] = {
    {"first in, first out", s_fifo},
    {"full", s_full},
    {"what need not wait overtakes", s_overtakes},
    {"an event proves one join", s_proves_once},
    {"room for joins", s_room_for_joins},
    {"excuses", s_excuses},
};
UNIT_MAIN("mailbox", s_tests)
