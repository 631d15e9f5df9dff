// address - the addresses that --front and --back accept (PROTOCOL.md 10). Pure.
#ifndef TROUPE_BROKER_IO_ADDRESS_H
#define TROUPE_BROKER_IO_ADDRESS_H

#include <stdbool.h>

#define MAX_ADDRESS 128

// ipc://PATH, or tcp://HOST:PORT with a number or * for a port, and a loopback host; with keys, any number of
// this machine's, or * for all. Writes the endpoint to bind, which names no host by a name. NULL, or a
// sentence without a full stop that says why the address is refused.
const char *address_parse(const char *text, bool keys, char ret_endpoint[MAX_ADDRESS]);

#endif
