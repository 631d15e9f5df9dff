// ledger - the requests that a fuzz target has sent, and what became of each. A request is identified by its
// client, session and sequence; of several with the same, the oldest counts as answered first.
#ifndef TROUPE_TESTS_LEDGER_H
#define TROUPE_TESTS_LEDGER_H

#include "common/limits.h"
#include "proto/message.h"

typedef struct {
    header head;
    uint8_t client_size;
    uint8_t client[MAX_ROUTING_ID];
    unsigned forwards; // how often it was forwarded to a worker
    bool answered;
    bool excused; // it may stay without an answer
} ledger_entry;

typedef struct {
    size_t count;
    ledger_entry entry[4096];
} ledger;

static inline void
ledger_clear(ledger *self)
{
    self->count = 0;
}

// Adds a request. NULL: the ledger is full.
static inline ledger_entry *
ledger_ask(ledger *self, slice asker, const header *request)
{
    if (self->count == sizeof self->entry / sizeof *self->entry)
        return NULL;
    ledger_entry *added = &self->entry[self->count++];
    added->head = *request;
    added->client_size = (uint8_t)asker.size;
    if (asker.size)
        memcpy(added->client, asker.data, asker.size);
    added->forwards = 0;
    added->answered = added->excused = false;
    return added;
}

static inline slice
ledger_client(const ledger_entry *entry)
{
    return slice_of(entry->client, entry->client_size);
}

static inline bool
ledger_matches(const ledger_entry *entry, slice asker, const header *head)
{
    return entry->head.sequence == head->sequence && id_equal(entry->head.session, head->session) &&
           slice_equal(ledger_client(entry), asker);
}

// The oldest unanswered request that this header can be the answer to, preferring one that is not excused;
// NULL: nobody waits for that answer.
static inline ledger_entry *
ledger_waiting(ledger *self, slice asker, const header *head)
{
    ledger_entry *excused = NULL;
    for (size_t i = 0; i < self->count; i++) {
        ledger_entry *entry = &self->entry[i];
        if (entry->answered || !ledger_matches(entry, asker, head))
            continue;
        if (!entry->excused)
            return entry;
        excused = excused ? excused : entry;
    }
    return excused;
}

#endif
