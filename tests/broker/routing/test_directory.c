// Records of sessions, their clients, and their pending requests.
#include "tests/broker/records.h"

#include "tests/unit.h"

typedef struct {
    registry *workers;
    directory *sessions;
    clients *clients;
    worker *owner;
} world;

static world
s_world(void)
{
    world made = {registry_new(3), directory_new(3, 9), clients_new(3), NULL};
    made.owner = worker_of(made.workers, "r1", "a", 0);
    return made;
}

static void
s_end(world *self)
{
    directory_destroy(&self->sessions);
    clients_destroy(&self->clients);
    registry_destroy(&self->workers);
}

static void
test_place_and_remove(void)
{
    world in = s_world();
    CU_ASSERT_PTR_NULL(directory_find(in.sessions, session_id(1)));
    session *first = directory_place(in.sessions, session_id(1), in.owner);
    session *second = directory_place(in.sessions, session_id(2), in.owner);
    CU_ASSERT_EQUAL(first->epoch, UINT64_C(9) << 16 | 1);
    CU_ASSERT_EQUAL(second->epoch, UINT64_C(9) << 16 | 2);
    CU_ASSERT_EQUAL(first->state, STATE_ACTIVATING);
    CU_ASSERT_PTR_EQUAL(directory_find(in.sessions, session_id(1)), first);
    CU_ASSERT_EQUAL(in.owner->session_count, 2);
    directory_remove(in.sessions, &first);
    CU_ASSERT_PTR_NULL(directory_find(in.sessions, session_id(1)));
    CU_ASSERT_EQUAL(in.owner->session_count, 1);
    first = directory_place(in.sessions, session_id(1), in.owner);
    CU_ASSERT_EQUAL(first->epoch, UINT64_C(9) << 16 | 3); // never an old one
    s_end(&in);
}

static void
test_pending(void)
{
    world in = s_world();
    session *session = directory_place(in.sessions, session_id(1), in.owner);
    header request = request_of(MSG_EVENT, 1, 0, 5);
    pending *first = directory_add_pending(in.sessions, session, slice_text("c1"), &request, 100);
    pending *again = directory_add_pending(in.sessions, session, slice_text("c1"), &request, 200);
    pending *other = directory_add_pending(in.sessions, session, slice_text("c2"), &request, 50);
    CU_ASSERT_EQUAL(session->pending_count, 3);
    CU_ASSERT_EQUAL(in.owner->in_flight, 3);
    CU_ASSERT_PTR_EQUAL(session_find_pending(session, slice_text("c1"), 5), first);
    CU_ASSERT_PTR_EQUAL(session_find_pending(session, slice_text("c2"), 5), other);
    CU_ASSERT_PTR_NULL(session_find_pending(session, slice_text("c1"), 6));
    CU_ASSERT_PTR_NULL(session_find_pending(session, slice_text("c"), 5));
    CU_ASSERT_PTR_NULL(directory_find_overdue(in.sessions, 49));
    CU_ASSERT_PTR_EQUAL(directory_find_overdue(in.sessions, 50), other);
    pending_destroy(&first);
    CU_ASSERT_PTR_NULL(first);
    CU_ASSERT_PTR_EQUAL(session_find_pending(session, slice_text("c1"), 5), again);
    directory_forgive(in.sessions, 10);
    CU_ASSERT_PTR_NULL(directory_find_overdue(in.sessions, 59));
    directory_remove(in.sessions, &session); // with what is pending
    CU_ASSERT_EQUAL(in.owner->in_flight, 0);
    CU_ASSERT_PTR_NULL(directory_find_overdue(in.sessions, 1000));
    s_end(&in);
}

static void
test_leave_pending(void)
{
    world in = s_world();
    session *session = directory_place(in.sessions, session_id(1), in.owner);
    header join = request_of(MSG_JOIN, 1, 0, SEQUENCE_REQUEST | 1),
           ping = request_of(MSG_PING, 1, 0, SEQUENCE_REQUEST | 2);
    directory_add_pending(in.sessions, session, slice_text("c1"), &ping, 100);
    CU_ASSERT_FALSE(session_mark_joins_left(session, slice_text("c1")));
    pending *joining = directory_add_pending(in.sessions, session, slice_text("c1"), &join, 100);
    pending *other = directory_add_pending(in.sessions, session, slice_text("c2"), &join, 100);
    CU_ASSERT_TRUE(session_mark_joins_left(session, slice_text("c1")));
    CU_ASSERT_TRUE(joining->client_left);
    CU_ASSERT_FALSE(other->client_left);
    CU_ASSERT_FALSE(session_oldest_pending(session)->client_left);
    s_end(&in);
}

static void
test_attach(void)
{
    world in = s_world();
    session *session = directory_place(in.sessions, session_id(1), in.owner);
    client *a = clients_hear(in.clients, slice_text("c1"), 5),
           *b = clients_hear(in.clients, slice_text("c2"), 5);
    CU_ASSERT_PTR_EQUAL(clients_hear(in.clients, slice_text("c1"), 7), a);
    CU_ASSERT_EQUAL(clients_count(in.clients), 2);
    session_attach(session, a);
    session_attach(session, b);
    CU_ASSERT_TRUE(list_is_empty(&a->sessions));
    CU_ASSERT_PTR_EQUAL(b->sessions.next, &session->of_client);
    session_detach(session);
    session_detach(session);
    CU_ASSERT_PTR_NULL(session->attached);
    CU_ASSERT_TRUE(list_is_empty(&b->sessions));
    session_attach(session, a);
    directory_remove(in.sessions, &session);
    CU_ASSERT_TRUE(list_is_empty(&a->sessions));
    s_end(&in);
}

static void
test_silent_clients(void)
{
    world in = s_world();
    list_link lost;
    list_init(&lost);
    client *old = clients_hear(in.clients, slice_text("c1"), 0);
    clients_hear(in.clients, slice_text("c2"), 100);
    clients_silent(in.clients, 15000, 15000, &lost);
    CU_ASSERT_TRUE(list_is_empty(&lost));
    clients_silent(in.clients, 15001, 15000, &lost);
    CU_ASSERT_PTR_EQUAL(lost.next, &old->lost);
    CU_ASSERT_PTR_EQUAL(lost.prev, &old->lost);
    clients_remove(in.clients, &old);
    clients_forgive(in.clients, 1000);
    clients_silent(in.clients, 16100, 15000, &lost);
    CU_ASSERT_TRUE(list_is_empty(&lost));
    s_end(&in);
}

// Pending requests count as load of the session's owner.
static void
test_weight_moves(void)
{
    world in = s_world();
    worker *other = worker_of(in.workers, "r2", "b", 0);
    session *session = directory_place(in.sessions, session_id(1), in.owner);
    header event = request_of(MSG_EVENT, 1, 0, 5), join = request_of(MSG_JOIN, 1, 0, SEQUENCE_REQUEST | 1);
    pending *first = directory_add_pending(in.sessions, session, slice_text("c1"), &event, 100);
    pending_set_size(first, 700);
    pending_set_size(directory_add_pending(in.sessions, session, slice_text("c1"), &join, 100), 300);
    CU_ASSERT_EQUAL(in.owner->load.bytes, 1000);
    CU_ASSERT_EQUAL(in.owner->load.in_flight[ADMISSION_OPEN], 1);
    directory_reassign(in.sessions, session, other);
    CU_ASSERT_EQUAL(in.owner->in_flight, 0);
    CU_ASSERT_EQUAL(in.owner->load.bytes, 0);
    CU_ASSERT_EQUAL(in.owner->load.in_flight[ADMISSION_OPEN], 0);
    CU_ASSERT_EQUAL(other->in_flight, 2);
    CU_ASSERT_EQUAL(other->load.in_flight[ADMISSION_TURN], 1);
    CU_ASSERT_EQUAL(registry_bytes(in.workers), 1000);
    pending_destroy(&first);
    CU_ASSERT_EQUAL(registry_bytes(in.workers), 300);
    directory_remove(in.sessions, &session);
    CU_ASSERT_EQUAL(other->load.in_flight[ADMISSION_OPEN], 0);
    CU_ASSERT_EQUAL(registry_bytes(in.workers), 0);
    s_end(&in);
}

static void
test_many(void) // the table grows while records stay where they are
{
    world in = s_world();
    enum { MANY = 20000 };
    for (uint32_t i = 1; i <= MANY; i++) {
        id16 id = {{0}};
        memcpy(id.bytes + 3, &i, sizeof i);
        directory_place(in.sessions, id, in.owner);
    }
    CU_ASSERT_EQUAL(directory_count(in.sessions), MANY);
    for (uint32_t i = 1; i <= MANY; i += 7) {
        id16 id = {{0}};
        memcpy(id.bytes + 3, &i, sizeof i);
        session *found = directory_find(in.sessions, id);
        CU_ASSERT_PTR_NOT_NULL_FATAL(found);
        CU_ASSERT_EQUAL(found->epoch - (UINT64_C(9) << 16), i);
    }
    s_end(&in);
}

static const unit_test s_tests[] = {
    {"place and remove; epochs never repeat", test_place_and_remove},
    {"requests that wait for an answer", test_pending},
    {"LEAVE before the JOIN is answered", test_leave_pending},
    {"the newest attached client is the one", test_attach},
    {"clients that are silent", test_silent_clients},
    {"what is pending moves along", test_weight_moves},
    {"many sessions", test_many},
};
UNIT_MAIN("directory", s_tests)
