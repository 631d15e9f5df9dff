// Kept replies, leases and generations, without turns.
#include "tests/unit.h"
#include "tests/worker/fake.h"

static reply *
s_reply(message_type type, uint64_t sequence, size_t size)
{
    header head = {.version = 1, .sequence = sequence};
    reply *made = reply_new(&head, &(client_id){0}, type);
    buffer_reserve(&made->body, size);
    memset(made->body.data, 'x', size);
    buffer_wrote(&made->body, size);
    return made;
}

static void
s_kept_replies(void)
{
    session *self = session_new(FAKE_SESSION, 1);
    const reply *kept;
    CU_ASSERT_EQUAL(session_find_reply(self, 0, &kept), REPLY_GONE);
    for (uint64_t i = 1; i <= 10; i++) {
        reply *reply = s_reply(i == 9 ? MSG_FAILED : MSG_DONE, i, i >= 9 ? MAX_REPLY_KEPT + 1 : 10);
        session_finish_event(self, i, reply);
        reply_destroy(&reply);
    }
    CU_ASSERT_EQUAL(session_last_event(self), 10);
    CU_ASSERT_EQUAL(session_find_reply(self, 2, &kept), REPLY_GONE);
    CU_ASSERT_EQUAL(session_find_reply(self, 3, &kept), REPLY_WHOLE);
    CU_ASSERT_EQUAL(kept->head.sequence, 3);
    CU_ASSERT_EQUAL(session_find_reply(self, 9, &kept), REPLY_WHOLE); // a failure cannot be made again
    CU_ASSERT_EQUAL(session_find_reply(self, 10, &kept), REPLY_WITHOUT_BODY);
    CU_ASSERT_EQUAL(session_find_reply(self, 11, &kept), REPLY_GONE);
    session_destroy(&self);
}

static void
s_identity(void)
{
    session *self = session_new(FAKE_SESSION, 1);
    session_set_identity(self, (slice){0});
    session_set_identity(self, slice_text("ann"));
    session_set_identity(self, slice_text("bob"));
    CU_ASSERT_TRUE(slice_is(session_identity(self), "ann"));
    session_destroy(&self);
}

// A logout names the Django session, another one the user; each must find the sessions of both.
static void
s_marks(void)
{
    const char *session_mark = "0123456789abcdef", *user_mark = "ABCDEFGHIJKLMNOP";
    session *self = session_new(FAKE_SESSION, 1);
    CU_ASSERT_FALSE(session_is_of(self, (slice){0}));
    CU_ASSERT_FALSE(session_is_of(self, slice_text(user_mark)));
    session_set_identity(self, slice_text("0123456789abcdefABCDEFGHIJKLMNOP"));
    CU_ASSERT_TRUE(session_is_of(self, slice_text(session_mark)));
    CU_ASSERT_TRUE(session_is_of(self, slice_text(user_mark)));
    CU_ASSERT_TRUE(session_is_of(self, slice_text("0123456789abcdefABCDEFGHIJKLMNOP")));
    CU_ASSERT_FALSE(session_is_of(self, slice_text("89abcdefABCDEFGH"))); // parts of two
    CU_ASSERT_FALSE(session_is_of(self, slice_text("0123456789abcde")));
    CU_ASSERT_FALSE(session_is_of(self, (slice){0}));
    session_change_identity(self, slice_text(user_mark));
    CU_ASSERT_TRUE(session_is_of(self, slice_text(user_mark)));
    CU_ASSERT_FALSE(session_is_of(self, slice_text(session_mark)));
    session_destroy(&self);
}

static void
s_leases(void)
{
    session *self = session_new(FAKE_SESSION, 1);
    session_touch(self, 100);
    CU_ASSERT_EQUAL(session_deadline(self), 100 + IDLE_MS);
    session_await_join(self, 200);
    CU_ASSERT_TRUE(session_is_unadopted(self));
    session_touch(self, 300);
    CU_ASSERT_EQUAL(session_deadline(self), 200 + UNADOPTED_MS); // a turn does not adopt
    session_left(self, 400);
    CU_ASSERT_TRUE(session_is_unadopted(self));
    session_joined(self, 0, 1, &(client_id){2, "me"}, 7);
    session_touch(self, 500);
    CU_ASSERT_EQUAL(session_deadline(self), UINT64_MAX);
    session_await_join(self, 600); // a second view of the page is mounted
    CU_ASSERT_FALSE(session_is_unadopted(self));
    session_left(self, 700);
    session_touch(self, 800);
    CU_ASSERT_EQUAL(session_deadline(self), 700 + DETACHED_MS);
    session_destroy(&self);
}

// A page whose joins are not answered in time, three in a row, still has the token of before the first.
static void
s_joins_without_an_answer(void)
{
    session *self = session_new(FAKE_SESSION, 1);
    const client_id me = {2, "me"};
    session_joined(self, 0, 1, &me, 1);
    session_confirm_join(self);
    for (uint64_t generation = 2; generation <= 4; generation++) {
        CU_ASSERT_TRUE(session_may_join(self, 1));
        session_joined(self, 1, generation, &me, generation);
        CU_ASSERT_FALSE(session_may_join(self, 1)); // its socket is there
        session_left(self, 100);
    }
    CU_ASSERT_FALSE(session_may_join(self, 0));
    CU_ASSERT_TRUE(session_may_join(self, 2)); // or one of the answers came after all
    CU_ASSERT_TRUE(session_may_join(self, 4));
    CU_ASSERT_FALSE(session_may_join(self, 5));
    session_joined(self, 4, 5, &me, 5);
    session_left(self, 200);
    CU_ASSERT_FALSE(session_may_join(self, 1));
    CU_ASSERT_TRUE(session_may_join(self, 4));
    session_confirm_join(self);
    CU_ASSERT_FALSE(session_may_join(self, 4));
    CU_ASSERT_TRUE(session_may_join(self, 5));
    session_destroy(&self);
}

static const unit_test s_tests[] = {{"replies kept for repeats", s_kept_replies},
                                    {"identity", s_identity},
                                    {"marks of an identity", s_marks},
                                    {"leases", s_leases},
                                    {"joins without an answer", s_joins_without_an_answer}};
UNIT_MAIN("session", s_tests)
