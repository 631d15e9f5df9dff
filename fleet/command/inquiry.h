// inquiry - a `troupe` command's way to the broker: one request at a time to its front socket, and the
// answer. Blocks, for at most INQUIRY_MS a request.
#ifndef TROUPE_FLEET_COMMAND_INQUIRY_H
#define TROUPE_FLEET_COMMAND_INQUIRY_H

#include "common/buffer.h"
#include "common/clock.h"
#include "common/limits.h"
#include "proto/message.h"

enum { INQUIRY_MS = 5000 };

typedef struct inquiry inquiry;
inquiry *inquiry_new(const char *front, const clock_ops *clock); // NULL: the address is no good
void inquiry_destroy(inquiry **self_p);                          // NULL-safe
// ERR_UNREACHABLE: nobody is there, or does not answer. The body is borrowed until the next call.
err inquiry_ask(inquiry *self, message_type type, id16 session, const buffer *body, header *ret_head,
                slice *ret_body);

#endif
