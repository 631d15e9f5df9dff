// Which endpoints stay on this machine. Decided from the address alone: resolving a name could block, and
// lie.
#include "common/loopback.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { MAX_HOST = 128 };

// All of 127.0.0.0/8 is the loopback. inet_pton() takes no abbreviations such as "127.1", which are
// therefore no loopback: an address that is not understood needs keys.
const char *
loopback_number(const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    if (strcmp(host, "localhost") == 0)
        return "127.0.0.1";
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127 ? host : NULL;
    size_t length = strlen(host);
    char inside[MAX_HOST];
    // ZeroMQ's endpoints have IPv6 addresses in brackets.
    if (length < 2 || host[0] != '[' || host[length - 1] != ']')
        return NULL;
    snprintf(inside, sizeof inside, "%.*s", (int)(length - 2), host + 1);
    return inet_pton(AF_INET6, inside, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six) ? "[::1]" : NULL;
}

// The port follows the last colon: an IPv6 address has colons of its own, inside its brackets. A host that
// is too long for the buffer is no loopback.
bool
loopback_is_private(const char *endpoint)
{
    char host[MAX_HOST];
    if (strncmp(endpoint, "tcp://", 6) != 0)
        return true;
    const char *start = endpoint + 6, *colon = strrchr(start, ':');
    size_t length = colon ? (size_t)(colon - start) : strlen(start);
    if (length >= sizeof host)
        return false;
    snprintf(host, sizeof host, "%.*s", (int)length, start);
    return loopback_number(host);
}

// An ipc:// peer has no address, or "localhost" with credentials behind it (ZeroMQ's Peer-Address). A
// socket that accepts both families shows IPv4 peers as mapped addresses.
bool
loopback_is_here(const char *peer)
{
    static const char mapped[] = "::ffff:";
    if (!peer || *peer == '\0' || strncmp(peer, "localhost", 9) == 0 || strcmp(peer, "::1") == 0)
        return true;
    return loopback_number(strncmp(peer, mapped, sizeof mapped - 1) ? peer : peer + sizeof mapped - 1);
}
