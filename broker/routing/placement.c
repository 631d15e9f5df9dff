// Chooses the least loaded worker that is ready. Workers are few, so all of them are compared.
#include "broker/routing/placement.h"

// A worker that has been silent for half of dead_ms may have fenced itself (PROTOCOL.md 5.3), and would begin
// nothing of what it is given.
bool
placement_is_ready(const worker *candidate, uint64_t now, uint64_t worker_dead_ms)
{
    return candidate->state == WORKER_READY && list_is_empty(&candidate->lost) &&
           worker_silence(candidate, now) <= worker_dead_ms / 2;
}

// Not strcmp: names are UTF-8 that may contain NUL.
static int
s_compare_names(const worker *a, const worker *b)
{
    size_t shorter = a->name_size < b->name_size ? a->name_size : b->name_size;
    int order = memcmp(a->name, b->name, shorter);
    if (order)
        return order;
    return a->name_size < b->name_size ? -1 : a->name_size > b->name_size;
}

// Sessions come first: in_flight is the load of a moment, sessions are the load to come. The last tie is
// broken by name, so that decisions can be reproduced.
static bool
s_is_better(const worker *a, const worker *b)
{
    if (a->session_count != b->session_count)
        return a->session_count < b->session_count;
    if (a->in_flight != b->in_flight)
        return a->in_flight < b->in_flight;
    return s_compare_names(a, b) < 0;
}

// A placed session begins with MOUNT or JOIN, so it needs credit for one of those as well.
static bool
s_has_room(const worker *candidate, const admission_limits *limits)
{
    return candidate->session_count < limits->sessions &&
           admission_has_room(&candidate->load, limits, ADMISSION_OPEN);
}

// limits: NULL if room does not matter.
static worker *
s_choose(const registry *workers, const admission_limits *limits, uint64_t now, uint64_t worker_dead_ms)
{
    worker *best = NULL;
    for (worker *each = registry_first(workers); each; each = registry_next(workers, each))
        if (placement_is_ready(each, now, worker_dead_ms) && (!limits || s_has_room(each, limits)) &&
            (!best || s_is_better(each, best)))
            best = each;
    return best;
}

worker *
placement_choose(const registry *workers, uint64_t now, uint64_t worker_dead_ms)
{
    return s_choose(workers, NULL, now, worker_dead_ms);
}

worker *
placement_choose_with_room(const registry *workers, uint64_t now, uint64_t worker_dead_ms)
{
    return s_choose(workers, registry_limits(workers), now, worker_dead_ms);
}

err
placement_refusal(const registry *workers, uint64_t now, uint64_t worker_dead_ms)
{
    return placement_choose(workers, now, worker_dead_ms) ? ERR_FULL : ERR_NO_WORKER;
}
