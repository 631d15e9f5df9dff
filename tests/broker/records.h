// records - workers, clients and sessions for tests, made the way the broker makes them.
#ifndef TROUPE_TESTS_RECORDS_H
#define TROUPE_TESTS_RECORDS_H

#include "broker/routing/directory.h"

static inline id16
session_id(uint8_t number)
{
    return (id16){{number, 7}};
}

static inline worker *
worker_of(registry *in, const char *id, const char *name, uint64_t now)
{
    register_body registration = {
        .name = slice_text(name), .pid = 42, .threads = 4, .version = slice_text("0.1")};
    return registry_add(in, slice_text(id), &registration, now);
}

static inline header
request_of(message_type type, uint8_t number, uint64_t epoch, uint64_t sequence)
{
    return (header){
        .version = PROTOCOL_VERSION,
        .type = (uint8_t)type,
        .session = number ? session_id(number) : (id16){{0}},
        .epoch = epoch,
        .sequence = sequence,
    };
}

#endif
