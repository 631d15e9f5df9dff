// An input is a program: what clients and workers send to a whole broker, how time passes, which peers die,
// when the store's disk is full, and when the broker restarts (decision 30). Sessions, epochs and sequences
// are mostly ones in use, so that programs reach deep states; any message may be mutated after it was
// composed.
//
// Checked beyond "no crash" and what broker_world.h checks: when every deadline has passed, nothing is left.
#include "proto/listing.h"
#include "proto/snapshot.h"
#include "tests/fuzz/broker_world.h"
#include "tests/fuzz/state_folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); // replay has none

enum {
    TURN_LIMIT_MS = 1000,
    STEP_MS = 1000,
    DRAIN_STEPS = 17, // until every deadline has passed: of parked requests, then of forwarded ones
    DRAIN_STEP_MS = 2000,
    KEEP_LIMIT = 96 << 10,
    MAX_BURST = 80,
    NO_SUCH_PID = 0x7fffffff, // above Linux's highest pid
};

// The first byte of an input.
enum {
    HOW_KEEPS = 0x01,   // there is a store
    HOW_TIGHT = 0x02,   // credit and budget are very small
    HOW_SETTLES = 0x04, // the broker waits for workers to announce their sessions
    HOW_BEATS = 0x08,   // workers are alive until the end
    HOW_READY = 0x10,   // two workers are registered at the beginning,
    HOW_JOINED = 0x20,  // and a session has been joined
};

// Pieces of programs, in the encoding that s_run_one reads, for HOW_READY and HOW_JOINED.
static const uint8_t s_ready[] = {10, 0, 0, 1, 10, 1, 0, 1}, s_joined[] = {0, 4, 0x11, 1, 5, 0, 0x20, 0x33};

// --- clients --------------------------------------------------------------------------------------------

static const uint8_t s_requests[] = {
    MSG_MOUNT, MSG_JOIN,  MSG_EVENT,  MSG_UNMOUNT, MSG_PING,   MSG_SHUTDOWN, MSG_STATS, MSG_ACK,
    MSG_LEAVE, MSG_EVENT, MSG_LOGOUT, MSG_REFRESH, MSG_EXITED, MSG_SESSIONS, MSG_EVICT, MSG_EVENT,
};

// The current epoch, none, an older one, or one that was not issued yet.
static uint64_t
s_epoch(unsigned number, unsigned how)
{
    switch (how % 4) {
    case 0:
        return world.epochs[number];
    case 1:
        return 0;
    case 2:
        return world.epochs[number] - 1;
    default:
        return world.epochs[number] + 1;
    }
}

// For an event mostly the next number; else a repeat or a gap.
static uint64_t
s_sequence(peer *asker, const header *head, unsigned number, unsigned how)
{
    if (head->type != MSG_EVENT)
        return SEQUENCE_REQUEST | ++world.sequence;
    if (how == 0)
        return ++asker->events[number];
    return how == 1 ? asker->events[number] : asker->events[number] + how;
}

// The bodies of EXITED and SESSIONS, which the broker reads, and an empty one otherwise. Pid 1 exists, so
// that its EXITED must not be believed.
static void
s_put_body(uint8_t type, unsigned number)
{
    buffer *body = draft_frame(&world.draft);
    if (type == MSG_EXITED) {
        exited_body exited = {.pid = program_byte(&world.program) % 2 ? NO_SUCH_PID : 1, .count = 1};
        exited.running[0] =
            (running_turn){world_session(number), 1, slice_text("shop.Cart"), slice_text("add")};
        exited_encode(&exited, body);
    } else if (type == MSG_SESSIONS) {
        sessions_encode(&(sessions_body){world_session(number), slice_text("")}, body);
    } else {
        empty_encode(body);
    }
}

// Composes a request, and returns the client that is to send it.
static peer *
s_client_says(void)
{
    static const uint16_t flags[] = {0, FLAG_BROWSER, FLAG_UNADOPTED, FLAG_BROWSER | FLAG_AGAIN};
    static const uint32_t ttls[] = {0, 1, 500, 9000};
    uint8_t who = program_byte(&world.program), what = program_byte(&world.program),
            how = program_byte(&world.program);
    unsigned number = (who >> 2) % SESSIONS;
    peer *asker = &world.clients[who % PEERS];
    header head = {.version = PROTOCOL_VERSION,
                   .type = s_requests[what % 16],
                   .flags = flags[how % 4],
                   .ttl = ttls[(how >> 2) % 4]};
    bool zero = head.type == MSG_LOGOUT || head.type == MSG_EXITED || head.type == MSG_SESSIONS;
    head.session = world_session(zero ? 0 : number);
    head.epoch = s_epoch(number, what >> 4);
    head.sequence = s_sequence(asker, &head, number, (how >> 4) % 4);
    draft_begin(&world.draft);
    draft_header(&world.draft, &head);
    s_put_body(head.type, number);
    return asker;
}

// --- workers --------------------------------------------------------------------------------------------

static const uint8_t s_replies[] = {
    MSG_DONE, MSG_DONE,  MSG_FAILED,  MSG_NOT_EXECUTED, MSG_UNKNOWN, MSG_MOUNTED, MSG_JOINED, MSG_UNMOUNTED,
    MSG_PONG, MSG_ENDED, MSG_FIGURES, MSG_PUSH,         MSG_LISTED,  MSG_DONE,    MSG_DONE,   MSG_DONE,
};

// The reply that a worker would send to a request of this type.
static uint8_t
s_natural_reply(uint8_t type)
{
    switch (type) {
    case MSG_MOUNT:
        return MSG_MOUNTED;
    case MSG_JOIN:
        return MSG_JOINED;
    case MSG_UNMOUNT:
        return MSG_UNMOUNTED;
    case MSG_SHUTDOWN:
        return MSG_ENDED;
    case MSG_STATS:
        return MSG_FIGURES;
    case MSG_PING:
        return MSG_PONG;
    default:
        return MSG_DONE;
    }
}

// Adds a snapshot frame of kind how % 4; 0: none. Its number is mostly the next one; a gap or a missing
// number makes the broker ask for the session anew (PROTOCOL.md 5.5). Some are large, to fill the store.
static void
s_put_snapshot(peer *owner, unsigned number, unsigned how)
{
    if (how % 4 == 0)
        return;
    buffer *frame = draft_frame(&world.draft);
    snapshot_begin(frame, (snapshot_kind)(how % 4));
    if (how % 4 == SNAPSHOT_NONE)
        return;
    uint8_t kind = program_byte(&world.program);
    owner->snapshots[number] += kind % 8 == 1 ? 2 : 1;
    if (kind % 8)
        snapshot_put_number(frame, owner->snapshots[number]);
    snapshot_put(frame, kind >> 4, slice_of("stored", kind % 6));
    if (kind % 8 == 2 && frame->size < 64) {
        size_t opened = snapshot_open(frame, 9);
        memset(buffer_reserve(frame, 20000), 'x', 20000);
        buffer_wrote(frame, 20000);
        snapshot_close(frame, opened);
    }
}

// Composes a worker's reply to one of the requests that it was last sent, mostly of the type that fits.
// Without such a request the draft stays empty.
static peer *
s_worker_answers(void)
{
    uint8_t who = program_byte(&world.program), what = program_byte(&world.program);
    peer *owner = &world.workers[who % PEERS];
    unsigned back = (who >> 2) % TASKS;
    draft_begin(&world.draft);
    if (back >= owner->task_count)
        return owner;
    const task *given = &owner->tasks[(owner->task_count - 1 - back) % TASKS];
    uint8_t type = what % 2 ? s_replies[(what >> 1) % 16] : s_natural_reply(given->head.type);
    header head = header_reply(&given->head, type);
    if ((what >> 5) % 4 == 3)
        head.flags |= FLAG_REPEAT;
    buffer_append(draft_frame(&world.draft), given->client, given->client_size);
    draft_header(&world.draft, &head);
    empty_encode(draft_frame(&world.draft));
    s_put_snapshot(owner, world_number(head.session), what >> 5);
    return owner;
}

static void
s_put_register(unsigned number, uint8_t how)
{
    static const char *const names[] = {"w0", "w1", "w2", "w3"};
    register_body registration = {.name = slice_text(names[how % 8 ? number : how / 8 % PEERS]),
                                  .pid = how % 2 ? NO_SUCH_PID : 1,
                                  .threads = 2,
                                  .version = slice_text("0.1")};
    register_encode(&registration, draft_frame(&world.draft));
}

// Announces sessions under the epochs that the worker had them under, or the next one.
static void
s_put_announce(const peer *owner, uint8_t how)
{
    buffer *body = draft_frame(&world.draft);
    announce_begin(body, how % 4, how & 4);
    for (unsigned i = 0; i < how % 4; i++) {
        uint8_t which = program_byte(&world.program);
        unsigned number = which % SESSIONS;
        announced announced = {world_session(number), owner->epochs[number] + (which >> 6) % 2,
                               (which >> 3) % 4, slice_of(world.clients[(which >> 5) % PEERS].id, 3)};
        if (announced.state != ANNOUNCED_ATTACHED)
            announced.client = slice_of(NULL, 0);
        announce_add(body, &announced);
    }
}

static const uint8_t s_controls[] = {
    MSG_REGISTER, MSG_HEARTBEAT, MSG_GOODBYE,  MSG_RELEASED, MSG_DRAIN, MSG_MOVED,   MSG_ANNOUNCE,  MSG_KEPT,
    MSG_PUSH,     MSG_ENDED,     MSG_RELEASED, MSG_MOVED,    MSG_KEPT,  MSG_WORKING, MSG_HEARTBEAT, MSG_DONE,
};

// Control messages about the worker itself, whose headers name no session.
static bool
s_is_of_worker(uint8_t type)
{
    return type == MSG_REGISTER || type == MSG_HEARTBEAT || type == MSG_GOODBYE || type == MSG_DRAIN ||
           type == MSG_ANNOUNCE;
}

static void
s_put_control_body(const peer *owner, uint8_t type, uint8_t how)
{
    static const char *const reasons[] = {"expired", "not_restored", "shutdown", "evicted"};
    if (type == MSG_REGISTER)
        s_put_register((unsigned)(owner - world.workers), how);
    else if (type == MSG_HEARTBEAT)
        heartbeat_encode(&(heartbeat_body){.sent = world.now, .queued = how % 8, .parked = how / 8},
                         draft_frame(&world.draft));
    else if (type == MSG_GOODBYE || type == MSG_RELEASED || type == MSG_ENDED)
        reason_encode(reasons[how % 4], slice_of(NULL, 0), draft_frame(&world.draft));
    else if (type == MSG_ANNOUNCE)
        s_put_announce(owner, how);
    else
        empty_encode(draft_frame(&world.draft));
}

// Composes a message that answers nothing: control messages, PUSH and ENDED, and a stray DONE.
static peer *
s_worker_says(void)
{
    uint8_t who = program_byte(&world.program), what = program_byte(&world.program),
            how = program_byte(&world.program);
    peer *owner = &world.workers[who % PEERS];
    uint8_t type = s_controls[what % 16];
    unsigned number = s_is_of_worker(type) ? 0 : (who >> 2) % SESSIONS;
    header head = {.version = PROTOCOL_VERSION,
                   .type = type,
                   .session = world_session(number),
                   .epoch = number ? owner->epochs[number] - (what >> 7) : 0};
    draft_begin(&world.draft);
    draft_frame(&world.draft);
    draft_header(&world.draft, &head);
    s_put_control_body(owner, type, how);
    if (type == MSG_KEPT || type == MSG_MOVED || type == MSG_PUSH || type == MSG_ENDED)
        s_put_snapshot(owner, number, what >> 4);
    return owner;
}

// --- the broker -----------------------------------------------------------------------------------------

// A broker around the world's sockets and clock. broker_assemble makes one without sockets of its own.
static void
s_start(void)
{
    broker_config config = {
        .heartbeat_ms = HEARTBEAT_MS,
        .worker_dead_ms = WORKER_DEAD_MS,
        .client_dead_ms = CLIENT_DEAD_MS,
        .hard_ms = TURN_LIMIT_MS,
        .store_folder = world.keeps ? state_folder() : NULL,
        .store_limit = KEEP_LIMIT,
        .passive_ms = 20000,
        .limits = world.limits,
        .settle_ms = world.settle_ms,
        .boot = world.boot,
        .clock = &world.clock,
    };
    world.broker = broker_assemble(&config);
    ASSERT(world.broker);
    world.broker->front_socket = world.front;
    world.broker->back_socket = world.back;
}

// The broker dies and starts again, on the same store. Whatever was in its sockets and its memory is lost, so
// no answer to earlier requests can be expected.
static void
s_restart(uint8_t code)
{
    if (code & 0x40)
        // As if the clock was set back: without a store, the same epochs are issued again (decision 29).
        world.owner_count = 0;
    else
        world.boot++;
    broker_destroy(&world.broker);
    fuzz_socket_clear(world.front);
    fuzz_socket_clear(world.back);
    for (size_t i = 0; i < world.asked.count; i++)
        world.asked.entry[i].answered = true;
    state_folder_disk(DISK_HAS_ROOM);
    s_start();
}

static void
s_step(uint64_t ms)
{
    world.now += ms;
    broker_turn(world.broker);
}

// A peer's queue becomes full or empty, or the peer dies, or one that died returns under a new routing id. A
// client that was ever unreachable may have lost any of its answers.
static void
s_change_fate(void)
{
    uint8_t how = program_byte(&world.program);
    bool is_client = how & 4;
    peer *changed = is_client ? &world.clients[how % PEERS] : &world.workers[how % PEERS];
    if (how >> 3 & 1)
        changed->full = !changed->full;
    else if (changed->gone)
        world_revive(changed, is_client ? 'c' : 'w', how % PEERS);
    else
        changed->gone = true;
    changed->unreliable |= changed->full || changed->gone;
    for (size_t i = 0; is_client && changed->unreliable && i < world.asked.count; i++)
        if (slice_equal(ledger_client(&world.asked.entry[i]), slice_of(changed->id, changed->id_size)))
            world.asked.entry[i].excused = true;
}

// In one leap, as if the process had been suspended, or in steps with a turn of the broker at each.
static void
s_let_time_pass(void)
{
    static const uint32_t steps[] = {1, 60, 250, 900, 1500, 3000, 9000, 61000};
    uint8_t how = program_byte(&world.program);
    if (how & 8)
        for (uint64_t left = steps[how % 8]; left; left -= left < STEP_MS ? left : STEP_MS)
            s_step(left < STEP_MS ? left : STEP_MS);
    else
        s_step(steps[how % 8]);
}

static void
s_send_often(fuzz_socket *socket, const peer *from, uint8_t code)
{
    unsigned times = code & 0x20 ? 1 + program_pick(&world.program, MAX_BURST) : 1;
    for (unsigned i = 0; i < times && world.draft.count; i++)
        world_send(socket, from);
}

// One instruction of a program. The low four bits pick what is done; the others whether the message is
// mutated, sent in a burst, and whether the broker runs afterwards: without that, messages pile up in its
// socket.
static void
s_run_one(void)
{
    uint8_t code = program_byte(&world.program);
    fuzz_socket *socket = world.back;
    const peer *from = NULL;
    switch (code % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
        from = s_client_says();
        socket = world.front;
        break;
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
        from = s_worker_answers();
        break;
    case 10:
    case 11:
    case 12:
        from = s_worker_says();
        break;
    case 13:
        s_change_fate();
        break;
    case 14:
        s_let_time_pass();
        break;
    default:
        if (code & 0x10)
            s_restart(code);
        else
            state_folder_disk((disk_state)((code >> 5) % 3));
    }
    if (from && world.draft.count && code & 0x40)
        draft_mutate(&world.draft, &world.program);
    if (from && world.draft.count)
        s_send_often(socket, from, code);
    if (!(code & 0x80))
        broker_turn(world.broker);
}

static void
s_run(slice code)
{
    world.program.rest = code;
    while (!program_is_over(&world.program))
        s_run_one();
}

// --- the end --------------------------------------------------------------------------------------------

// A heartbeat, if the broker knows the worker.
static void
s_beat(peer *owner)
{
    if (!registry_find(world.broker->workers, slice_of(owner->id, owner->id_size)))
        return;
    draft_begin(&world.draft);
    draft_frame(&world.draft);
    draft_header(&world.draft, &(header){.version = PROTOCOL_VERSION, .type = MSG_HEARTBEAT});
    heartbeat_encode(&(heartbeat_body){.sent = world.now}, draft_frame(&world.draft));
    world_send(world.back, owner);
}

// Lets every deadline pass. Nothing is sent any more, except heartbeats if `beats`. Clients take what they
// get.
static void
s_drain(bool beats)
{
    world.messages = 0;
    for (unsigned i = 0; i < PEERS; i++)
        world.clients[i].full = false;
    for (unsigned i = 0; i < DRAIN_STEPS; i++) {
        for (unsigned each = 0; beats && each < PEERS; each++)
            s_beat(&world.workers[each]);
        s_step(DRAIN_STEP_MS);
    }
}

// No reply is held back, no request parked, no client known, and without living workers no session either.
// What remained here would grow without bound in a broker that runs for months.
static void
s_check_nothing_left(bool beats)
{
    const broker *left = world.broker;
    ASSERT(left->held_reply_count == 0 && left->parked_bytes == 0 && registry_bytes(left->workers) == 0);
    ASSERT(list_is_empty(&left->parked) && list_is_empty(&left->due) &&
           list_is_empty(&left->awaiting_recovery));
    ASSERT(!left->outbox || zlistx_size(left->outbox) == 0);
    ASSERT(clients_count(left->clients) == 0);
    if (!beats)
        ASSERT(registry_count(left->workers) == 0 && directory_count(left->sessions) == 0);
}

static void
s_reset(uint8_t how)
{
    world_reset();
    world.keeps = how & HOW_KEEPS;
    world.limits = how & HOW_TIGHT ? (admission_limits){2, 4096, 2} : (admission_limits){0};
    world.settle_ms = how & HOW_SETTLES ? 3000 : 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t how = size ? data[0] : 0;
    s_reset(how);
    s_start();
    if (how & (HOW_READY | HOW_JOINED))
        s_run(slice_of(s_ready, sizeof s_ready));
    if (how & HOW_JOINED)
        s_run(slice_of(s_joined, sizeof s_joined));
    s_run(slice_of(data + 1, size ? size - 1 : 0));
    s_drain(how & HOW_BEATS);
    world_check_answers();
    s_check_nothing_left(how & HOW_BEATS);
    broker_destroy(&world.broker);
    state_folder_disk(DISK_HAS_ROOM);
    if (world.keeps)
        state_folder_clear();
    return 0;
}

// libFuzzer's hook. Only one mutation in 16 may have a store: opening one costs as much as running twenty
// programs.
size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, max_size);
    if (size && seed % 16)
        data[0] &= (uint8_t)~HOW_KEEPS;
    return size;
}
