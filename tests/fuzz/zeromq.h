// zeromq - replaces the ZeroMQ calls by which a worker creates and configures its socket (FUZZ_WRAP).
#ifndef TROUPE_TESTS_ZEROMQ_H
#define TROUPE_TESTS_ZEROMQ_H

#include "tests/fuzz/sockets.h"

// What zmq_socket(ZMQ_DEALER) returns. To be set before wire_new.
extern fuzz_socket *zeromq_dealer;

#endif
