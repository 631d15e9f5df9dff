// address - the addresses that --front and --back accept (PROTOCOL.md 10). Pure.
#ifndef TROUPE_BROKER_IO_ADDRESS_H
#define TROUPE_BROKER_IO_ADDRESS_H

#include <stdbool.h>

#define MAX_ADDRESS 128

// ipc://PATH, or tcp://HOST:PORT with a number or * for the port. HOST is a loopback address; with keys, any
// IP address of this machine, or * for all of them. NULL: valid, and ret_endpoint is what to bind, with no
// host name in it. Otherwise a message without a full stop that says why the address is refused.
const char *address_parse(const char *text, bool keys, char ret_endpoint[MAX_ADDRESS]);

#endif
