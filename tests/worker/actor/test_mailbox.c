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

static const unit_test s_tests[] = {{"first in, first out", s_fifo}, {"full", s_full}};
UNIT_MAIN("mailbox", s_tests)
