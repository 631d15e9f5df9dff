// The broker's side of the fuzzed worker, and the checks of everything that the worker sends.
//
// The worker is the real one, from wire.c to the turns, without its threads: worker_step runs its I/O thread,
// pool_run_here its pool, and views are tests/worker/fake.c. So an input that fails once fails always.
#include "tests/fuzz/worker_world.h"

#include "tests/fuzz/zeromq.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

worker_world world;

// fake.c uses CUnit's assertions, which abort here: no CUnit test is running.
CU_BOOL
CU_assertImplementation(CU_BOOL value, unsigned line, const char *condition, const char *file,
                        const char *function, CU_BOOL fatal)
{
    (void)function, (void)fatal;
    if (!value)
        assert_failed(condition, file, (int)line);
    return value;
}

// --- ids ------------------------------------------------------------------------------------------------

// Ids that differ in one byte only, far from the first.
static id16
s_id(uint8_t kind, unsigned number)
{
    id16 made = {{kind, 7}};
    made.bytes[7] = (uint8_t)number;
    return made;
}

id16
world_session(unsigned number)
{
    return s_id('s', number % SESSIONS);
}

id16
world_view(unsigned number)
{
    return s_id('v', number % VIEWS);
}

slice
world_client(unsigned number)
{
    static const char *const names[CLIENTS] = {"c0", "c1", "client-two"};
    return slice_text(names[number % CLIENTS]);
}

// -1: not one of world_session's.
static int
s_number(id16 id)
{
    unsigned number = id.bytes[7];
    return number < SESSIONS && id_equal(id, world_session(number)) ? (int)number : -1;
}

// --- what the worker says -------------------------------------------------------------------------------

static int
s_admit(void *context, slice address)
{
    (void)context;
    ASSERT(address.size <= MAX_ROUTING_ID);
    return world.full ? EAGAIN : 0;
}

// DONE or FAILED without REPEAT says that an event was executed: that may happen once per epoch. The top bit
// of a sequence marks requests that are no events (PROTOCOL.md 3).
static void
s_note_executed(const header *head)
{
    bool ran = head->type == MSG_DONE || head->type == MSG_FAILED;
    if (!ran || head->flags & FLAG_REPEAT || head->sequence & SEQUENCE_REQUEST)
        return;
    for (unsigned i = 0; i < world.executed_count; i++)
        ASSERT(world.executed[i].sequence != head->sequence || world.executed[i].epoch != head->epoch ||
               !id_equal(world.executed[i].of, head->session));
    if (world.executed_count < sizeof world.executed / sizeof *world.executed)
        world.executed[world.executed_count++] = (executed){head->session, head->epoch, head->sequence};
}

// Remembers the generation, so that programs can join with a valid one.
static void
s_note_joined(const header *head, slice body)
{
    reader reader;
    reader_init(&reader, body);
    uint64_t generation = reader_uint(&reader, "generation");
    int number = s_number(head->session);
    ASSERT(!reader.error);
    if (number >= 0)
        world.generations[number] = generation;
}

static void
s_note_snapshot(slice frame)
{
    buffer *kept = &world.snapshots[world.snapshot_count++ % SNAPSHOTS];
    buffer_clear(kept);
    buffer_slice(kept, frame);
}

static void
s_note_answer(slice asker, const header *head, slice body)
{
    if (head->type == MSG_JOINED)
        s_note_joined(head, body);
    if (!head->sequence)
        return;
    ledger_entry *entry = ledger_waiting(&world.asked, asker, head);
    // Otherwise it was answered already, or another client sent it.
    ASSERT(entry);
    entry->answered = true;
    if (entry->head.type == MSG_EVENT)
        s_note_executed(head);
}

// Every message must be well-formed, and a reply or a control message. A fourth frame is a snapshot.
static void
s_broker_hears(void *context, const slice frames[], size_t count)
{
    (void)context;
    header head;
    heartbeat_body beat;
    ASSERT(count == 3 || count == 4);
    ASSERT(header_decode(frames[1], &head) == OK && msgpack_scan(frames[2], MAX_DEPTH) == frames[2].size);
    draft_trace(world.fake.now, "worker", frames, count);
    if (head.type == MSG_HEARTBEAT && !heartbeat_decode(frames[2], &beat))
        world.beat = beat.sent;
    if (message_direction(head.type) == DIRECTION_REPLY)
        s_note_answer(frames[0], &head, frames[2]);
    else
        ASSERT(message_direction(head.type) == DIRECTION_CONTROL && frames[0].size == 0);
    if (count == 4)
        s_note_snapshot(frames[3]);
}

// --- the worker -----------------------------------------------------------------------------------------

// view_ops.call: an awaitable of its own for each handler that is awaited, as long as there is room.
static err
s_call(void *host, void *instance, const call_args *args, void **ret_awaitable, bool *ret_leaves,
       fault *ret_fault)
{
    err error = world.call(host, instance, args, ret_awaitable, ret_leaves, ret_fault);
    for (unsigned i = 0; *ret_awaitable == host && i < AWAITS; i++)
        if (!world.awaitables[i].is_used)
            *ret_awaitable = &world.awaitables[i];
    if (*ret_awaitable && *ret_awaitable != host)
        *(fuzz_awaitable *)*ret_awaitable = (fuzz_awaitable){.is_used = true};
    return error;
}

// Done, or paused, when world_resolve picks it, or at once if there was no room.
static void
s_await(void *host, void *awaitable, void *scope, const await_events *events, void *context)
{
    (void)scope;
    if (awaitable == host) {
        events->done(context);
        return;
    }
    events->note(context, AWAIT_GOES_ON);
    fuzz_awaitable *self = awaitable;
    self->done = events->done;
    self->context = context;
    world.await_count++;
}

static void
s_pause(void *host, void *awaitable)
{
    if (awaitable != host)
        ((fuzz_awaitable *)awaitable)->is_asked = true;
}

static bool
s_is_paused(void *host, void *awaitable)
{
    return awaitable != host && ((fuzz_awaitable *)awaitable)->is_paused;
}

static void
s_go_on(void *host, void *awaitable, uint64_t again_ms)
{
    (void)host, (void)again_ms;
    ASSERT(((fuzz_awaitable *)awaitable)->is_paused);
    ((fuzz_awaitable *)awaitable)->is_paused = false;
}

static err
s_settle(void *host, void *instance, slice name, void **awaitable_p, bool *ret_leaves, fault *ret_fault)
{
    if (*awaitable_p != host)
        ((fuzz_awaitable *)*awaitable_p)->is_used = false;
    return world.settle(host, instance, name, awaitable_p, ret_leaves, ret_fault);
}

bool
world_resolve(unsigned which)
{
    fuzz_awaitable *picked = NULL;
    for (unsigned i = 0; i < AWAITS && !picked; i++) {
        fuzz_awaitable *each = &world.awaitables[(which + i) % AWAITS];
        if (each->done && !each->is_paused)
            picked = each;
    }
    if (!picked)
        return false;
    void (*done)(void *) = picked->done;
    picked->is_paused = picked->is_asked;
    picked->is_asked = false;
    if (!picked->is_paused) {
        picked->done = NULL;
        world.await_count--;
    }
    done(picked->context);
    return true;
}

static void
s_set_ops(view_ops *ops)
{
    world.call = ops->call;
    world.settle = ops->settle;
    ops->call = s_call;
    ops->settle = s_settle;
    ops->await = s_await;
    ops->pause = s_pause;
    ops->is_paused = s_is_paused;
    ops->go_on = s_go_on;
    memset(world.awaitables, 0, sizeof world.awaitables);
}

static void
s_prepare(void)
{
    if (world.socket)
        return;
    log_setup("fuzz", draft_traces() ? LEVEL_DEBUG : LEVEL_ERROR + 1);
    world.socket = zeromq_dealer = fuzz_socket_new(&(socket_events){s_admit, s_broker_hears, NULL});
    world.record = recorder_new(-1);
}

void
world_begin(bool slots, bool stores)
{
    s_prepare();
    fuzz_socket_clear(world.socket);
    ledger_clear(&world.asked);
    fake_init(&world.fake);
    world.fake.now = 100000;
    s_set_ops(&world.fake.ops);
    if (slots)
        fake_slots(&world.fake);
    world.full = world.ended = false;
    world.boot = world.beat = 0;
    world.newest = 100;
    world.sequence = 0;
    world.snapshot_count = world.await_count = world.executed_count = world.messages = 0;
    // A worker does not check sizes again: the broker has (PROTOCOL.md 8).
    world.draft.large_left = 0;
    memset(world.epochs, 0, sizeof world.epochs);
    memset(world.events, 0, sizeof world.events);
    memset(world.generations, 0, sizeof world.generations);
    worker_options options = {
        .back = "inproc://fuzz", .name = "w0", .drain_ms = 3000, .record = world.record};
    world.worker = worker_new(&options, &world.fake.ops, &world.fake.clock);
    ASSERT(world.worker);
    world_turn();
    world_welcome(1, stores, WORKER_DEAD_MS);
    world_turn();
}

bool
world_turn(void)
{
    if (!world.ended)
        world.ended = !worker_step(world.worker);
    return !world.ended;
}

void
world_run(unsigned most)
{
    for (unsigned i = 0; i < most && pool_run_here(world.worker->pool); i++)
        ;
}

// What the I/O thread does with the outbox, for a worker that has left.
static void
s_take_ended(void)
{
    for (reply *each = outbox_take(world.worker->outbox), *next; each; each = next) {
        next = each->next;
        reply_destroy(&each);
    }
    for (session *session; (session = outbox_take_ended(world.worker->outbox));) {
        session_table_remove(world.worker->session_table, session);
        session_destroy(&session);
    }
}

// There is no worker_destroy, since a worker's process ends with it; but a fuzz target must not leak.
static void
s_destroy(worker *self)
{
    for (reply *each = self->unsent, *next; each; each = next) {
        next = each->next;
        reply_destroy(&each);
    }
    pool_destroy(&self->pool);
    watchdog_destroy(&self->watchdog);
    run_queue_destroy(&self->queue);
    session_table_destroy(&self->session_table);
    outbox_destroy(&self->outbox);
    wire_destroy(&self->wire, 0);
    free(self);
}

// Lifts the fence and ends every session by a turn of its own; one that awaits something is resumed first.
void
world_end(void)
{
    worker *self = world.worker;
    for (session *each = session_table_first(self->session_table); each;
         each = session_table_next(self->session_table, each))
        run_queue_end(self->queue, session_item(each), "over");
    run_queue_open_until(self->queue, UINT64_MAX);
    do {
        world_resolve(0);
        world_run(UINT32_MAX);
        s_take_ended();
    } while (world.await_count);
    ASSERT(session_table_count(self->session_table) == 0);
    s_destroy(self);
    fake_fini(&world.fake); // no view and no scope is open
}

// --- what the broker says -------------------------------------------------------------------------------

// Enters into the ledger what the worker has to reply to: everything that parses as a request. RESTORED may
// be answered by RELEASED instead, and PING is not answered while the worker is fenced.
static void
s_note_request(const slice frames[], size_t count)
{
    header head;
    if (count < 3 || count > 3 + MAX_SNAPSHOT_FRAMES || frames[0].size > MAX_ROUTING_ID ||
        header_decode(frames[1], &head))
        return;
    if (!message_wants_reply(head.type) || !head.sequence)
        return;
    ledger_ask(&world.asked, frames[0], &head)->excused = head.flags & FLAG_RESTORED || head.type == MSG_PING;
}

void
world_send(void)
{
    slice frames[DRAFT_FRAMES];
    size_t count = draft_frames(&world.draft, frames);
    if (!count || world.ended || world.messages++ >= MAX_MESSAGES)
        return;
    draft_trace(world.fake.now, "broker", frames, count);
    s_note_request(frames, count);
    fuzz_socket_push(world.socket, frames, count);
}

// Begins a control message; its body is the caller's to add.
static void
s_control(message_type type)
{
    draft_begin(&world.draft);
    draft_frame(&world.draft);
    draft_header(&world.draft, &(header){.version = PROTOCOL_VERSION, .type = (uint8_t)type});
}

void
world_welcome(uint64_t boot, bool stores, uint64_t dead_ms)
{
    s_control(MSG_WELCOME);
    welcome_encode(&(welcome_body){boot, HEARTBEAT_MS, stores, dead_ms}, draft_frame(&world.draft));
    world.boot = boot;
    world_send();
}

void
world_echo(uint64_t sent, uint64_t boot)
{
    s_control(MSG_HEARTBEAT);
    echo_encode(&(echo_body){sent, boot}, draft_frame(&world.draft));
    world_send();
}

void
world_check_answers(void)
{
    for (size_t i = 0; i < world.asked.count; i++)
        ASSERT(world.asked.entry[i].answered || world.asked.entry[i].excused);
}
