// Checks the addresses of --front and --back before anything is bound. An address that would be open to more
// peers than it appears to be is refused.
#include "broker/io/address.h"

#include "common/loopback.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

// What protects an ipc socket is the mode of its directory. Abstract sockets (@) have no file, and libzmq
// generates names for * in a place of its own choice. The limit is the kernel's (unix(7)); libzmq would fail
// later, and less clearly.
static const char *
s_parse_ipc(const char *path, char ret_endpoint[MAX_ADDRESS])
{
    if (path[0] == '\0' || path[0] == '@' || strcmp(path, "*") == 0 || path[strlen(path) - 1] == '/')
        return "ipc:// requires the path of a file: abstract and generated names are open to every user";
    if (strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return "the path is too long for a Unix socket";
    snprintf(ret_endpoint, MAX_ADDRESS, "ipc://%s", path);
    return NULL;
}

// The host as it stands in an endpoint; NULL: it must not be bound. Host names are refused, except localhost:
// which interface a name means must not depend on a resolver.
static const char *
s_bindable(const char *host, bool keys)
{
    struct in_addr four;
    struct in6_addr six;
    const char *number = loopback_number(host);
    if (number || !keys)
        return number;
    if (strcmp(host, "*") == 0 || inet_pton(AF_INET, host, &four) == 1)
        return host;
    size_t length = strlen(host);
    char inside[64];
    if (length < 2 || host[0] != '[' || host[length - 1] != ']')
        return NULL;
    snprintf(inside, sizeof inside, "%.*s", (int)(length - 2), host + 1);
    return inet_pton(AF_INET6, inside, &six) == 1 ? host : NULL;
}

// *: any free port (ZeroMQ chooses one; the log line `bound` names it). Not strtoul, which takes signs and
// spaces.
static bool
s_is_port(const char *text)
{
    unsigned number = 0;
    if (strcmp(text, "*") == 0)
        return true;
    for (const char *digit = text; *digit; digit++) {
        if (*digit < '0' || *digit > '9' || digit - text > 4)
            return false;
        number = number * 10 + (unsigned)(*digit - '0');
    }
    return number > 0 && number < 65536;
}

// The last colon ends the host, as an IPv6 address has colons of its own.
static const char *
s_parse_tcp(const char *rest, bool keys, char ret_endpoint[MAX_ADDRESS])
{
    const char *colon = strrchr(rest, ':');
    char host[64];
    if (!colon || (size_t)(colon - rest) >= sizeof host || !s_is_port(colon + 1))
        return "tcp:// requires HOST:PORT with a port from 1 to 65535, or * for any";
    snprintf(host, sizeof host, "%.*s", (int)(colon - rest), rest);
    const char *number = s_bindable(host, keys);
    if (!number && keys)
        return "tcp:// requires an IP address of this machine, or * for all of them";
    if (!number)
        return "tcp:// beyond the loopback (127.0.0.0/8, [::1], localhost) requires --key and --allow: "
               "without keys the connection is neither encrypted nor authenticated (`troupe keygen` "
               "makes keys)";
    snprintf(ret_endpoint, MAX_ADDRESS, "tcp://%s:%s", number, colon + 1);
    return NULL;
}

const char *
address_parse(const char *text, bool keys, char ret_endpoint[MAX_ADDRESS])
{
    if (strncmp(text, "ipc://", 6) == 0)
        return s_parse_ipc(text + 6, ret_endpoint);
    if (strncmp(text, "tcp://", 6) == 0)
        return s_parse_tcp(text + 6, keys, ret_endpoint);
    return "an address must begin with ipc:// or tcp://";
}
