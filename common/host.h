// host - whether an address means this machine. Pure; asks no resolver.
#ifndef TROUPE_COMMON_HOST_H
#define TROUPE_COMMON_HOST_H

#include <stdbool.h>

// The number of a loopback host as it stands in a tcp:// address ([::1] with brackets); NULL if it is none.
// "localhost" is 127.0.0.1.
const char *host_loopback(const char *host);
// An endpoint that may be used without keys: anything but tcp://, and tcp:// on the loopback.
bool host_is_private(const char *endpoint);
// A peer's address as ZeroMQ tells it, or NULL: one that came in from this machine.
bool host_is_here(const char *peer);

#endif
