// call - a `troupe` command's way to the supervisor that runs. Blocks, for at most CALL_MS a request.
#ifndef TROUPE_FLEET_COMMAND_CONTROL_CLIENT_H
#define TROUPE_FLEET_COMMAND_CONTROL_CLIENT_H

#include "fleet/command/report.h"
#include "fleet/control_protocol.h"

enum { CALL_MS = 5000 };

typedef struct call call;
// path: the fleet's directory. ERR_UNREACHABLE: no supervisor is there; ret_why says so.
err call_open(const char *path, call **ret, char *ret_why, size_t size);
void call_close(call **self_p); // NULL-safe
// Asks, and decodes the report of the answer. ERR_UNREACHABLE: no answer, or it ended meanwhile;
// ERR_FORBIDDEN: it says no; ERR_MALFORMED. ret_why says what, in a sentence without a full stop.
err call_ask(call *self, const talk_request *request, report *ret, char *ret_why, size_t size);

#endif
