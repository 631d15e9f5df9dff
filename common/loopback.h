// loopback - whether an address means this machine. Pure; asks no resolver.
#ifndef TROUPE_COMMON_LOOPBACK_H
#define TROUPE_COMMON_LOOPBACK_H

#include <stdbool.h>

// The loopback address that a host of a tcp:// endpoint means ("localhost" is 127.0.0.1; "[::1]" keeps its
// brackets); NULL: it is no loopback host.
const char *loopback_number(const char *host);
// Whether an endpoint may be used without keys: anything but tcp://, and tcp:// on the loopback (PROTOCOL.md
// 10).
bool loopback_is_private(const char *endpoint);
// Whether a peer connected from this machine. peer: ZeroMQ's Peer-Address; NULL, for ipc://, counts as here.
bool loopback_is_here(const char *peer);

#endif
