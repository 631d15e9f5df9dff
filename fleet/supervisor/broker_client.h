// envoy - the supervisor at the broker's front socket: asks for its figures, and tells it which workers have
// exited (PROTOCOL.md 5.1). Never blocks; what the broker does not take is dropped: it is asked again, and
// finds out by itself.
#ifndef TROUPE_FLEET_SUPERVISOR_BROKER_CLIENT_H
#define TROUPE_FLEET_SUPERVISOR_BROKER_CLIENT_H

#include "common/clock.h"
#include "common/errors.h"
#include "proto/bodies.h"

typedef struct envoy envoy;
envoy *envoy_new(const char *front, const clock_ops *clock); // NULL: the address is no good
void envoy_destroy(envoy **self_p);                          // NULL-safe
void *envoy_socket(const envoy *self);                       // to be polled for input
void envoy_ask(envoy *self);                                 // STATS
void envoy_exited(envoy *self, const exited_body *said);     // EXITED
// The body of the next FIGURES; borrowed until the next call. ERR_AGAIN: none is here.
err envoy_receive(envoy *self, slice *ret_body);

#endif
