// control_client - a command's connection to the supervisor that runs (PROTOCOL.md 11). Blocks, for at most
// CONTROL_CLIENT_MS a request.
#ifndef TROUPE_FLEET_CLI_CONTROL_CLIENT_H
#define TROUPE_FLEET_CLI_CONTROL_CLIENT_H

#include "fleet/control_protocol.h"
#include "fleet/report.h"

enum { CONTROL_CLIENT_MS = 5000 };

typedef struct control_client control_client;
// directory: the fleet's state directory. ERR_UNREACHABLE: no supervisor listens there; ret_why says so.
err control_client_open(const char *directory, control_client **ret, char *ret_why, size_t size);
void control_client_close(control_client **self_p); // NULL-safe
// Sends the request, waits for the reply and decodes its report. ERR_UNREACHABLE: no reply, or the supervisor
// ended meanwhile; ERR_FORBIDDEN: it refused; ERR_MALFORMED. ret_why gets a sentence without a full stop.
err control_client_request(control_client *self, const control_request *request, report *ret, char *ret_why,
                           size_t size);

#endif
