// The peers and the clock of a broker under fuzzing, and the check that each request is answered once.
//
// The broker is the real one, with queues in memory for its sockets (sockets.h). Nothing in a run depends on
// real time or real randomness, so that an input that fails once fails always.
#include "tests/fuzz/broker_world.h"

#include "proto/listing.h"

#include <errno.h>
#include <stdio.h>

broker_world world;

static uint64_t
s_now(void *context)
{
    (void)context;
    return world.now;
}

static void
s_random(void *context, void *ret_bytes, size_t size)
{
    (void)context;
    memset(ret_bytes, 4, size);
}

// --- peers ----------------------------------------------------------------------------------------------

void
world_revive(peer *self, char kind, unsigned number)
{
    uint8_t generation = (uint8_t)(self->generation + 1);
    *self = (peer){.generation = generation, .id_size = 3};
    self->id[0] = kind;
    self->id[1] = (char)('0' + number);
    self->id[2] = (char)generation;
}

static peer *
s_find(peer all[PEERS], slice id)
{
    for (unsigned i = 0; i < PEERS; i++)
        if (slice_equal(slice_of(all[i].id, all[i].id_size), id))
            return &all[i];
    return NULL;
}

static int
s_admit(peer all[PEERS], slice routing_id)
{
    const peer *found = s_find(all, routing_id);
    if (!found || found->gone)
        return EHOSTUNREACH;
    return found->full ? EAGAIN : 0;
}

static int
s_admit_client(void *context, slice routing_id)
{
    (void)context;
    return s_admit(world.clients, routing_id);
}

static int
s_admit_worker(void *context, slice routing_id)
{
    (void)context;
    return s_admit(world.workers, routing_id);
}

// The first byte is the number; the second tells these ids from the zero session and from mutated ones.
id16
world_session(unsigned number)
{
    return (id16){{(uint8_t)number, number ? 7 : 0}};
}

unsigned
world_number(id16 id)
{
    unsigned number = id.bytes[0];
    return number < SESSIONS && id_equal(id, world_session(number)) ? number : 0;
}

static void
s_trace(const char *way, const peer *who, const slice frames[], size_t count)
{
    char text[32];
    snprintf(text, sizeof text, "%s %.2s.%d", way, who->id, who->generation);
    draft_trace(world.now, text, frames, count);
}

// --- what the broker says -------------------------------------------------------------------------------

// The request may stay unanswered. If an answer was already credited to it that could as well belong to
// another request with the same client, session and sequence, that one gets the credit.
static void
s_excuse(ledger_entry *entry)
{
    bool booked = entry->answered;
    entry->excused = true;
    entry->answered = false;
    ledger_entry *twin = booked ? ledger_waiting(&world.asked, ledger_client(entry), &entry->head) : NULL;
    if (twin)
        twin->answered = true;
}

// The session has ended with its worker and may come back from the store: the browser joins again and resends
// what it has no answer to (PROTOCOL.md 5.5), so the broker need not answer its events.
static void
s_excuse_events(slice asker, id16 id)
{
    for (size_t i = 0; i < world.asked.count; i++) {
        ledger_entry *entry = &world.asked.entry[i];
        if (entry->head.type == MSG_EVENT && (entry->head.flags & FLAG_BROWSER) &&
            id_equal(entry->head.session, id) && slice_equal(ledger_client(entry), asker))
            s_excuse(entry);
    }
}

// Checks a message to a client, which must be the answer to one of its requests, or unsolicited (sequence 0).
static void
s_client_hears(void *context, const slice frames[], size_t count)
{
    (void)context;
    header head;
    ASSERT(count == 3 && header_decode(frames[1], &head) == OK);
    ASSERT(message_direction(head.type) == DIRECTION_REPLY);
    s_trace("broker to", s_find(world.clients, frames[0]), frames + 1, count - 1);
    world.epochs[world_number(head.session)] = head.epoch;
    if (head.type == MSG_ENDED && head.sequence == 0 && world.keeps)
        s_excuse_events(frames[0], head.session);
    if (head.sequence == 0)
        return;
    ledger_entry *entry = ledger_waiting(&world.asked, frames[0], &head);
    // Otherwise it was answered already, or another client sent it.
    ASSERT(entry);
    entry->answered = head.type != MSG_WORKING; // the answer is still to come
}

// An epoch that this broker issued is for one session on one worker (PROTOCOL.md 5.7). DISOWN and LOGOUT may
// go to others.
static void
s_check_owner(const char *owner, const header *head)
{
    bool given = epochs_issued(directory_epochs(world.broker->sessions), head->epoch);
    if (!given || head->type == MSG_DISOWN || head->type == MSG_LOGOUT)
        return;
    for (size_t i = 0; i < world.owner_count; i++)
        if (world.owners[i].epoch == head->epoch && id_equal(world.owners[i].of, head->session)) {
            ASSERT(strcmp(world.owners[i].owner, owner) == 0);
            return;
        }
    if (world.owner_count == OWNERS)
        return;
    ownership *added = &world.owners[world.owner_count++];
    added->of = head->session;
    added->epoch = head->epoch;
    snprintf(added->owner, sizeof added->owner, "%s", owner);
}

// A request is forwarded at most once: a second worker might execute it again.
static void
s_note_forward(slice asker, const header *head)
{
    ledger_entry *first = NULL;
    for (size_t i = 0; i < world.asked.count && !first; i++) {
        ledger_entry *entry = &world.asked.entry[i];
        if (!entry->answered && !entry->forwards && ledger_matches(entry, asker, head))
            first = entry;
    }
    // Otherwise it was forwarded or answered before.
    ASSERT(first);
    first->forwards++;
}

static void
s_note_task(peer *owner, slice asker, const header *head)
{
    if (message_wants_reply(head->type) && head->sequence)
        s_note_forward(asker, head);
    task *noted = &owner->tasks[owner->task_count++ % TASKS];
    noted->head = *head;
    noted->client_size = (uint8_t)asker.size;
    if (asker.size)
        memcpy(noted->client, asker.data, asker.size);
}

// Checks a message to a worker, and remembers it for the worker to answer.
static void
s_worker_hears(void *context, const slice frames[], size_t count)
{
    (void)context;
    header head;
    ASSERT(count == 4 || count == 5);
    ASSERT(header_decode(frames[2], &head) == OK && frames[1].size <= MAX_ROUTING_ID);
    ASSERT((head.type == MSG_RESTORE) == (count == 5));
    peer *owner = s_find(world.workers, frames[0]);
    unsigned number = world_number(head.session);
    s_trace("broker to owner", owner, frames + 1, count - 1);
    if (message_direction(head.type) == DIRECTION_REQUEST)
        s_note_task(owner, frames[1], &head);
    if (id_is_zero(head.session))
        return;
    s_check_owner(owner->id, &head);
    world.epochs[number] = owner->epochs[number] = head.epoch;
}

// Enters into the ledger what the broker has to answer. An invalid request needs an answer even if its type
// has none, as NOT_EXECUTED is how its sender learns of the mistake (PROTOCOL.md 7).
static void
s_note_request(const peer *from, const slice frames[], size_t count)
{
    header head;
    exited_body exited;
    sessions_body sessions;
    slice none = slice_of(NULL, 0), body = count > 1 ? frames[1] : none;
    err error = route_check_front(count, count ? frames[0] : none, body.size, &head);
    if (!error && head.type == MSG_EXITED)
        error = exited_decode(body, &exited);
    if (!error && head.type == MSG_SESSIONS)
        error = sessions_decode(body, &sessions);
    if (head.sequence && (error || message_wants_reply(head.type)))
        ledger_ask(&world.asked, slice_of(from->id, from->id_size), &head)->excused = from->unreliable;
}

void
world_send(fuzz_socket *socket, const peer *from)
{
    slice frames[DRAFT_FRAMES + 1] = {slice_of(from->id, from->id_size)};
    size_t count = draft_frames(&world.draft, frames + 1);
    if (from->gone || world.messages++ >= MAX_MESSAGES)
        return;
    s_trace("from", from, frames + 1, count);
    if (socket == world.front)
        s_note_request(from, frames + 1, count);
    fuzz_socket_push(socket, frames, count + 1);
}

// To be called when every deadline has passed.
void
world_check_answers(void)
{
    for (size_t i = 0; i < world.asked.count; i++)
        ASSERT(world.asked.entry[i].answered || world.asked.entry[i].excused);
}

// Once per process. Log lines are for FUZZ_TRACE only; a run has thousands.
static void
s_prepare(void)
{
    if (world.front)
        return;
    log_setup("fuzz", draft_traces() ? LEVEL_DEBUG : LEVEL_ERROR + 1);
    world.clock = (clock_ops){s_now, s_random, NULL};
    world.front = fuzz_socket_new(&(socket_events){s_admit_client, s_client_hears, NULL});
    world.back = fuzz_socket_new(&(socket_events){s_admit_worker, s_worker_hears, NULL});
}

void
world_reset(void)
{
    s_prepare();
    world.now = 100000;
    world.boot = 76;
    world.sequence = world.owner_count = world.messages = 0;
    world.draft.large_left = 2;
    memset(world.epochs, 0, sizeof world.epochs);
    ledger_clear(&world.asked);
    fuzz_socket_clear(world.front);
    fuzz_socket_clear(world.back);
    for (unsigned i = 0; i < PEERS; i++) {
        world.clients[i].generation = world.workers[i].generation = 0;
        world_revive(&world.clients[i], 'c', i);
        world_revive(&world.workers[i], 'w', i);
    }
}
