// admin_client - a command's connection to the broker's front socket: one request at a time, and its answer
// (SESSIONS, EVICT; PROTOCOL.md 5.1). Blocks, for at most ADMIN_CLIENT_MS a request.
#ifndef TROUPE_FLEET_CLI_ADMIN_CLIENT_H
#define TROUPE_FLEET_CLI_ADMIN_CLIENT_H

#include "common/buffer.h"
#include "common/clock.h"
#include "common/limits.h"
#include "proto/message.h"

enum { ADMIN_CLIENT_MS = 5000 };

typedef struct admin_client admin_client;
admin_client *admin_client_new(const char *front, const clock_ops *clock); // NULL: invalid address
void admin_client_destroy(admin_client **self_p);                          // NULL-safe
// Sends a request and waits for its answer. ERR_UNREACHABLE: nobody is there, or does not answer. The body is
// borrowed until the next request.
err admin_client_request(admin_client *self, message_type type, id16 session, const buffer *body,
                         header *ret_head, slice *ret_body);

#endif
