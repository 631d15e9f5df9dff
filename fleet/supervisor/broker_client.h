// broker_client - the supervisor's connection to the broker's front socket: requests its figures, and reports
// which workers have exited (PROTOCOL.md 5.1). Never blocks. Messages that cannot be sent are dropped:
// figures are requested again, and the broker notices dead workers by itself.
#ifndef TROUPE_FLEET_SUPERVISOR_BROKER_CLIENT_H
#define TROUPE_FLEET_SUPERVISOR_BROKER_CLIENT_H

#include "common/clock.h"
#include "common/errors.h"
#include "proto/bodies.h"

typedef struct broker_client broker_client;
broker_client *broker_client_new(const char *front, const clock_ops *clock);    // NULL: invalid address
void broker_client_destroy(broker_client **self_p);                             // NULL-safe
void *broker_client_socket(const broker_client *self);                          // to poll for input
void broker_client_request_figures(broker_client *self);                        // STATS
void broker_client_report_exit(broker_client *self, const exited_body *exited); // EXITED
// The body of the next FIGURES; borrowed until the next call. ERR_AGAIN: none has arrived.
err broker_client_receive(broker_client *self, slice *ret_body);

#endif
