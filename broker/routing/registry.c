// Workers by routing id. There are few of them, so names are searched without an index.
#include "broker/routing/registry.h"

#include <stdlib.h>

struct registry {
    zhashx_t *workers; // by routing id
    list_link all;     // in the order in which they registered
    uint64_t seed;
    admission_limits limits;
    size_t bytes; // in flight to all; directory.c counts, by worker.total
};

registry *
registry_new(uint64_t seed)
{
    registry *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->workers = routing_id_table();
    list_init(&self->all);
    self->seed = seed;
    self->limits = admission_defaults();
    return self;
}

void
registry_destroy(registry **self_p)
{
    registry *self = *self_p;
    if (!self)
        return;
    for (worker *each = registry_first(self); each; each = registry_first(self))
        registry_remove(self, &each);
    zhashx_destroy(&self->workers);
    free(self);
    *self_p = NULL;
}

// Zeros are what the configuration leaves at its default.
void
registry_limit(registry *self, const admission_limits *limits)
{
    if (limits->credits)
        self->limits.credits = limits->credits;
    if (limits->budget)
        self->limits.budget = limits->budget;
    if (limits->sessions)
        self->limits.sessions = limits->sessions;
}

const admission_limits *
registry_limits(const registry *self)
{
    return &self->limits;
}

size_t
registry_bytes(const registry *self)
{
    return self->bytes;
}

// The first window of its rate begins now. total lets directory.c keep the sum without knowing the registry.
worker *
registry_add(registry *self, slice id, const register_body *body, uint64_t now)
{
    worker *added = calloc(1, sizeof *added);
    ASSERT(added && body->name.size <= MAX_WORKER_NAME);
    added->id = routing_id_of(self->seed, id);
    added->state = WORKER_READY;
    memcpy(added->name, body->name.data, body->name.size);
    added->name_size = body->name.size;
    added->pid = body->pid;
    added->threads = body->threads;
    added->heard_at = now;
    added->load.since = now;
    added->total = &self->bytes;
    list_init(&added->sessions);
    list_init(&added->lost);
    list_append(&self->all, &added->of_all);
    for (unsigned i = 0; i < EVICT_CLASSES; i++)
        list_init(&added->evictable[i]);
    ASSERT(zhashx_insert(self->workers, &added->id, added) == 0);
    return added;
}

// A worker that still owned anything would leave sessions behind that point to freed memory.
void
registry_remove(registry *self, worker **worker_p)
{
    worker *worker = *worker_p;
    ASSERT(list_is_empty(&worker->sessions) && worker->session_count == 0 && worker->in_flight == 0);
    zhashx_delete(self->workers, &worker->id);
    list_remove(&worker->lost);
    list_remove(&worker->of_all);
    free(worker);
    *worker_p = NULL;
}

worker *
registry_find(const registry *self, slice id)
{
    routing_id wanted = routing_id_of(self->seed, id);
    return zhashx_lookup(self->workers, &wanted);
}

// A worker that said GOODBYE has given up its name, though its record is still here.
worker *
registry_named(const registry *self, slice name)
{
    worker *each = registry_first(self);
    while (each && !(each->state != WORKER_LEAVING && slice_equal(worker_name(each), name)))
        each = registry_next(self, each);
    return each;
}

// Draining workers count: they still own sessions, which they would announce to the next start.
size_t
registry_ready(const registry *self)
{
    size_t ready = 0;
    for (const worker *each = registry_first(self); each; each = registry_next(self, each))
        ready += each->state != WORKER_LEAVING;
    return ready;
}

size_t
registry_count(const registry *self)
{
    return zhashx_size(self->workers);
}

static worker *
s_worker_at(list_link *link)
{
    return link ? LIST_ITEM(link, worker, of_all) : NULL;
}

worker *
registry_first(const registry *self)
{
    return s_worker_at(list_behind(&self->all, &self->all));
}

worker *
registry_next(const registry *self, const worker *worker)
{
    return s_worker_at(list_behind(&self->all, &worker->of_all));
}

// A worker that a send found gone may be in the list already.
void
registry_silent(const registry *self, uint64_t now, uint64_t limit, list_link *lost)
{
    for (worker *each = registry_first(self); each; each = registry_next(self, each))
        if (worker_silence(each, now) > limit && list_is_empty(&each->lost))
            list_append(lost, &each->lost);
}

// The windows of the rates move too: nothing was served meanwhile, and that is not the workers' fault.
void
registry_forgive(registry *self, uint64_t gap)
{
    for (worker *each = registry_first(self); each; each = registry_next(self, each)) {
        each->heard_at += gap;
        each->load.since += gap;
    }
}
