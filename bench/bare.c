// troupe-bench-bare: the least that two hops over ZeroMQ can cost, with frames of the fleet's shape and size.
//
// troupe-bench-bare broker FRONT BACK: ROUTER to ROUTER, 64 messages a poll, frames moved and not looked at.
// Prints "ready" once an echo is there.
//
// troupe-bench-bare echo BACK BYTES: a DEALER that answers each message with a body of so many bytes.
//
// Both run until SIGTERM.
#include "common/errors.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define BATCH  64
#define WORKER "echo"

static void *
s_socket(void *context, int type)
{
    void *socket = zmq_socket(context, type);
    int high = 100000;
    ASSERT(socket && zmq_setsockopt(socket, ZMQ_SNDHWM, &high, sizeof high) == 0 &&
           zmq_setsockopt(socket, ZMQ_RCVHWM, &high, sizeof high) == 0);
    return socket;
}

// Forwards one message. Its first frame, the sender's id, is replaced by `client` unless that is empty.
static bool
s_forward(void *from, void *socket, const char *client)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, from, ZMQ_DONTWAIT) < 0)
        return false;
    if (*client) {
        zmq_send(socket, client, strlen(client), ZMQ_SNDMORE); // the client's id follows
        zmq_msg_send(&frame, socket, ZMQ_SNDMORE);
    } else {
        zmq_msg_close(&frame); // the worker's own id
    }
    for (bool more = true; more;) {
        zmq_msg_init(&frame);
        ASSERT(zmq_msg_recv(&frame, from, 0) >= 0);
        more = zmq_msg_more(&frame);
        if (zmq_msg_send(&frame, socket, more ? ZMQ_SNDMORE : 0) < 0)
            zmq_msg_close(&frame);
    }
    return true;
}

// The echo says that it is there, or the first messages would be for nobody and be lost.
static void
s_wait_for_echo(void *back)
{
    zmq_msg_t frame;
    for (bool more = true; more;) {
        zmq_msg_init(&frame);
        more = zmq_msg_recv(&frame, back, 0) >= 0 && zmq_msg_more(&frame);
        zmq_msg_close(&frame);
    }
}

static int
s_broker(void *context, const char *front_address, const char *back_address)
{
    void *front = s_socket(context, ZMQ_ROUTER), *back = s_socket(context, ZMQ_ROUTER);
    if (zmq_bind(back, back_address) || zmq_bind(front, front_address)) {
        fprintf(stderr, "troupe-bench-bare: %s\n", zmq_strerror(errno));
        return 1;
    }
    s_wait_for_echo(back);
    printf("ready\n");
    fflush(stdout);
    zmq_pollitem_t items[] = {{.socket = back, .events = ZMQ_POLLIN},
                              {.socket = front, .events = ZMQ_POLLIN}};
    for (;;) {
        if (zmq_poll(items, 2, -1) < 0)
            continue;
        for (int i = 0; i < BATCH && s_forward(back, front, ""); i++)
            ;
        for (int i = 0; i < BATCH && s_forward(front, back, WORKER); i++)
            ;
    }
}

static bool
s_answer(void *socket, const void *body, size_t size)
{
    zmq_msg_t client, head, asked;
    zmq_msg_init(&client);
    if (zmq_msg_recv(&client, socket, ZMQ_DONTWAIT) < 0)
        return false;
    zmq_msg_init(&head);
    zmq_msg_init(&asked);
    ASSERT(zmq_msg_recv(&head, socket, 0) >= 0 && zmq_msg_recv(&asked, socket, 0) >= 0);
    zmq_msg_close(&asked);
    ASSERT(zmq_msg_send(&client, socket, ZMQ_SNDMORE) >= 0 && zmq_msg_send(&head, socket, ZMQ_SNDMORE) >= 0 &&
           zmq_send(socket, body, size, 0) >= 0);
    return true;
}

static int
s_echo(void *context, const char *back_address, size_t size)
{
    void *socket = s_socket(context, ZMQ_DEALER), *body = calloc(1, size ? size : 1);
    ASSERT(body && zmq_setsockopt(socket, ZMQ_ROUTING_ID, WORKER, strlen(WORKER)) == 0);
    if (zmq_connect(socket, back_address)) {
        fprintf(stderr, "troupe-bench-bare: %s\n", zmq_strerror(errno));
        free(body);
        return 1;
    }
    ASSERT(zmq_send(socket, "", 0, 0) == 0);
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    for (;;) {
        zmq_poll(&item, 1, -1);
        for (int i = 0; i < BATCH && s_answer(socket, body, size); i++)
            ;
    }
}

int
main(int argc, char **argv)
{
    void *context = zmq_ctx_new();
    if (argc == 4 && !strcmp(argv[1], "broker"))
        return s_broker(context, argv[2], argv[3]);
    if (argc == 4 && !strcmp(argv[1], "echo"))
        return s_echo(context, argv[2], strtoul(argv[3], NULL, 10));
    fprintf(stderr, "usage: troupe-bench-bare broker FRONT BACK | echo BACK BYTES\n");
    return 2;
}
