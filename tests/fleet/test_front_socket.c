// The fleet's socket at a broker, against a ROUTER that stands in for it.
#include "fleet/front_socket.h"

#include "proto/bodies.h"
#include "tests/unit.h"

#include <czmq.h>

static const char *const s_address = "inproc://front";
enum { WAIT_MS = 20000 }; // far more than a message within a process takes

static void
s_answer(zsock_t *router, zframe_t *client, uint64_t sequence, unsigned frames)
{
    uint8_t bytes[HEADER_SIZE];
    header head = {.version = PROTOCOL_VERSION, .type = MSG_FIGURES, .sequence = sequence};
    header_encode(&head, bytes);
    zmsg_t *message = zmsg_new();
    zmsg_addmem(message, zframe_data(client), zframe_size(client));
    zmsg_addmem(message, bytes, sizeof bytes);
    for (unsigned i = 1; i < frames; i++)
        zmsg_addmem(message, "\x80", 1);
    CU_ASSERT_EQUAL(zmsg_send(&message, router), 0);
}

static void
test_asks_and_hears(void)
{
    zsock_t *router = zsock_new_router(s_address);
    front_socket *socket = front_socket_new(s_address, "test", WAIT_MS, clock_system());
    CU_ASSERT_PTR_NOT_NULL_FATAL(socket);
    buffer body;
    buffer_init(&body);
    empty_encode(&body);
    uint64_t first, second;
    CU_ASSERT_EQUAL(front_socket_send(socket, MSG_STATS, (id16){0}, &body, &first), OK);
    CU_ASSERT_EQUAL(front_socket_send(socket, MSG_STATS, (id16){0}, &body, &second), OK);
    CU_ASSERT_EQUAL(second, first + 1);
    buffer_fini(&body);
    zmsg_t *asked = zmsg_recv(router);
    CU_ASSERT_EQUAL_FATAL(zmsg_size(asked), 3);
    zframe_t *client = zmsg_pop(asked);
    CU_ASSERT_EQUAL(memcmp(zframe_data(client), "test-", 5), 0);
    zmsg_destroy(&asked);

    header head;
    slice heard;
    s_answer(router, client, first, 2);
    CU_ASSERT_EQUAL(front_socket_receive(socket, &head, &heard), OK);
    CU_ASSERT_EQUAL(head.sequence, first);
    CU_ASSERT_EQUAL(heard.size, 1);
    s_answer(router, client, second, 1);
    CU_ASSERT_EQUAL(front_socket_receive(socket, &head, &heard), ERR_MALFORMED);
    s_answer(router, client, second, 3);
    CU_ASSERT_EQUAL(front_socket_receive(socket, &head, &heard), ERR_MALFORMED);
    s_answer(router, client, second, 2);
    CU_ASSERT_EQUAL(front_socket_receive(socket, &head, &heard), OK); // nothing is left of what came before
    zframe_destroy(&client);
    front_socket_destroy(&socket);
    zsock_destroy(&router);
}

static void
test_nobody_there(void)
{
    header head;
    slice heard;
    buffer body;
    buffer_init(&body);
    empty_encode(&body);
    CU_ASSERT_PTR_NULL(front_socket_new("nonsense", "test", 0, clock_system()));
    front_socket *socket = front_socket_new("ipc:///tmp/troupe-test-nobody", "test", 0, clock_system());
    CU_ASSERT_PTR_NOT_NULL_FATAL(socket);
    CU_ASSERT_EQUAL(front_socket_send(socket, MSG_STATS, (id16){0}, &body, NULL), ERR_AGAIN);
    CU_ASSERT_EQUAL(front_socket_receive(socket, &head, &heard), ERR_AGAIN);
    front_socket_destroy(&socket);
    buffer_fini(&body);
}

static const unit_test s_tests[] = {
    {"asks and hears", test_asks_and_hears},
    {"nobody there", test_nobody_there},
};
UNIT_MAIN("front_socket", s_tests)
