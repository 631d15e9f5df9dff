// zeromq - ZeroMQ's calls about a worker's socket, without ZeroMQ.
#ifndef TROUPE_TESTS_ZEROMQ_H
#define TROUPE_TESTS_ZEROMQ_H

#include "tests/fuzz/sockets.h"

extern fuzz_socket *zeromq_dealer; // what zmq_socket(ZMQ_DEALER) gives

#endif
