// The broker as a whole: made from a configuration, it serves until a signal, and a tick does what is due by
// the clock. The way of a message begins in dispatch.c.
#include "broker/broker.h"

#include "broker/answer.h"
#include "broker/dispatch.h"
#include "broker/front.h"
#include "broker/gap_buffer.h"
#include "broker/listen.h"
#include "broker/liveness.h"
#include "broker/migration.h"
#include "broker/parking.h"
#include "broker/pending_requests.h"
#include "broker/persistence.h"
#include "broker/recovery.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

// What follows the end of a session, in this order: the gap buffer is sent or discarded; what is pending is
// answered, before its clients can send more; what is parked is routed anew; the snapshot is kept or dropped.
// This table is why lifecycle.c need not know these modules.
static session_end_hook *const s_end_hooks[] = {
    gap_buffer_session_ended,
    pending_requests_session_ended,
    migration_session_ended,
    persistence_session_ended,
    NULL,
};

// The order matters. Lost peers are removed before parked requests are routed again, so that none is sent to
// a dead worker; and once more at the end, since routing and migrating may find others. parking_tick must
// find no request due (parking.c).
static void
s_tick(broker *self)
{
    liveness_tick(self);
    pending_requests_tick(self);
    recovery_tick(self);
    persistence_tick(self);
    answer_flush(self);
    liveness_reap(self);
    front_resume_parked(self);
    parking_tick(self);
    migration_tick(self);
    liveness_reap(self);
    front_resume_parked(self);
}

// zloop's ticket only says when to look; whether a tick is due is decided by the broker's clock, which tests
// replace.
static void
s_tick_if_due(broker *self)
{
    self->now = clock_now(self->clock);
    if (self->now - self->ticked_at >= self->tick_ms)
        s_tick(self);
}

// libzmq disconnects a peer whose frame exceeds ZMQ_MAXMSGSIZE without an error on either side, and one that
// fails the CURVE handshake never gets to send: the log is the only place where an operator can see either.
static void
s_log_connections(broker *self)
{
    static const int largest[] = {[SIDE_FRONT] = MAX_FRONT_MESSAGE, [SIDE_BACK] = MAX_BACK_MESSAGE};
    connection_event event;
    for (socket_side side = SIDE_FRONT; self->connections && side < SIDE_COUNT; side++)
        for (int i = 0; i < BATCH && connections_next(self->connections, side, &event); i++) {
            if (!event.refused)
                broker_log(self, LOG_CONNECTION, LEVEL_INFO, "disconnected",
                           "side=%s peer=%s largest_frame=%d", side_word(side), event.peer, largest[side]);
            else if (self->zap)
                zap_log_refusal(self->zap, side, event.reason, event.peer, self->now);
        }
}

void
broker_turn(broker *self)
{
    s_tick_if_due(self);
    dispatch_back(self);
    dispatch_front(self);
    if (self->zap)
        zap_process(self->zap, self->now);
    s_log_connections(self);
}

// Handlers of zloop: 0 goes on, -1 ends the loop.
static int
s_on_front(zloop_t *loop, zsock_t *socket, void *arg)
{
    (void)loop, (void)socket;
    broker *self = arg;
    dispatch_front(self);
    return 0;
}

static int
s_on_back(zloop_t *loop, zsock_t *socket, void *arg)
{
    (void)loop, (void)socket;
    broker *self = arg;
    dispatch_back(self);
    return 0;
}

static int
s_on_zap(zloop_t *loop, zsock_t *socket, void *arg)
{
    (void)loop, (void)socket;
    broker *self = arg;
    self->now = clock_now(self->clock);
    zap_process(self->zap, self->now);
    return 0;
}

static int
s_on_connection(zloop_t *loop, zsock_t *socket, void *arg)
{
    (void)loop, (void)socket;
    broker *self = arg;
    self->now = clock_now(self->clock);
    s_log_connections(self);
    return 0;
}

// A ticket of zloop expires once, so each expiry takes out the next one.
static int
s_on_ticket(zloop_t *loop, int timer, void *arg)
{
    (void)timer;
    s_tick_if_due(arg);
    ASSERT(zloop_ticket(loop, s_on_ticket, arg));
    return 0;
}

// broker_run answers once more what is there, so this only ends the loop.
static int
s_on_signal(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void)loop, (void)arg;
    struct signalfd_siginfo info;
    if (read(item->fd, &info, sizeof info) != (ssize_t)sizeof info)
        return 0;
    log_event(LEVEL_INFO, "stopping", "signal=%u", info.ssi_signo);
    return -1;
}

static void
s_free_path(void **item)
{
    free(*item);
    *item = NULL;
}

static void *
s_copy_path(const void *item)
{
    char *copy = strdup(item);
    ASSERT(copy);
    return copy;
}

// The boot number is the caller's, unless the store has seen a higher one: epochs must never repeat, even if
// the clock was set back (PROTOCOL.md 3). The number is written before anything is served under it.
static bool
s_open_store(broker *self, const broker_config *config)
{
    char why[300] = "", text[400];
    self->boot = config->boot;
    if (!config->store_folder)
        return true;
    uint64_t seed;
    clock_random(config->clock, &seed, sizeof seed);
    self->store = store_new(config->store_folder, config->store_limit, seed, why, sizeof why);
    err error = self->store ? store_boot(self->store, config->boot, &self->boot) : ERR_SYSTEM;
    if (!error) {
        self->passive = passive_new(seed, MAX_STORED_UNUSED, MAX_STORED_PASSIVE);
        log_event(LEVEL_INFO, "store", "folder=%s sessions=%zu",
                  log_value(config->store_folder, text, sizeof text), store_count(self->store));
        return true;
    }
    log_event(LEVEL_ERROR, "store_failed", "reason=%s",
              log_quoted(slice_text(*why ? why : "its first write failed"), text, sizeof text));
    store_destroy(&self->store);
    return false;
}

// All that needs no sockets. The hash tables are seeded at random, since peers choose their own ids and could
// choose colliding ones.
static void
s_init(broker *self, const broker_config *config)
{
    uint64_t seed;
    clock_random(config->clock, &seed, sizeof seed);
    self->clock = config->clock;
    self->end_hooks = s_end_hooks;
    self->now = self->started_at = self->ticked_at = clock_now(self->clock);
    self->heartbeat_ms = config->heartbeat_ms;
    self->tick_ms = config->heartbeat_ms / 4 ? config->heartbeat_ms / 4 : 1;
    self->worker_dead_ms = config->worker_dead_ms;
    self->client_dead_ms = config->client_dead_ms;
    self->passive_ms = config->passive_ms;
    self->hard_ms = config->hard_ms ? config->hard_ms : HARD_MS;
    self->quarantine = quarantine_new();
    self->workers = registry_new(seed);
    registry_limit(self->workers, &config->limits);
    self->sessions = directory_new(seed, self->boot);
    self->clients = clients_new(seed);
    list_init(&self->lost_workers);
    list_init(&self->lost_clients);
    list_init(&self->parked);
    list_init(&self->due);
    list_init(&self->awaiting_recovery);
    buffer_init(&self->body);
    recovery_begin(self, config->settle_ms);
    self->files = zlistx_new();
    ASSERT(self->files);
    zlistx_set_duplicator(self->files, s_copy_path);
    zlistx_set_destructor(self->files, s_free_path);
}

broker *
broker_assemble(const broker_config *config)
{
    broker *self = calloc(1, sizeof *self);
    ASSERT(self);
    if (!s_open_store(self, config)) {
        free(self);
        return NULL;
    }
    s_init(self, config);
    return self;
}

// Sockets are monitored before they are bound, so that no connection is missed. broker_destroy undoes a start
// that failed half-way.
broker *
broker_new(const broker_config *config)
{
    ASSERT(config->front_count > 0 && config->back_count > 0);
    broker *self = broker_assemble(config);
    if (!self)
        return NULL;
    self->zap = config->secret_key ? zap_new(config->secret_key, config->allow_folder, self->now) : NULL;
    if (config->secret_key && !self->zap) {
        broker_destroy(&self);
        return NULL;
    }
    self->front = listen_router(MAX_FRONT_MESSAGE, config->heartbeat_ms, config->client_dead_ms);
    self->back = listen_router(MAX_BACK_MESSAGE, config->heartbeat_ms, config->worker_dead_ms);
    self->front_socket = zsock_resolve(self->front);
    self->back_socket = zsock_resolve(self->back);
    if (strncmp(config->front[0], "inproc://", 9) != 0) {
        self->connections = connections_new();
        connections_watch(self->connections, self->front, SIDE_FRONT);
        connections_watch(self->connections, self->back, SIDE_BACK);
    }
    // The back socket first: workers may register before the first request arrives.
    if (listen_bind(self, self->back, SIDE_BACK, config->back, config->back_count) != OK ||
        listen_bind(self, self->front, SIDE_FRONT, config->front, config->front_count) != OK)
        broker_destroy(&self);
    return self;
}

void
broker_destroy(broker **self_p)
{
    broker *self = *self_p;
    if (!self)
        return;
    // Monitors go before the sockets that they watch, and the ZAP handler after those that ask it.
    connections_destroy(&self->connections);
    zsock_destroy(&self->front);
    zsock_destroy(&self->back);
    zap_destroy(&self->zap);
    for (char *path = zlistx_first(self->files); path; path = zlistx_next(self->files))
        unlink(path);
    zlistx_destroy(&self->files);
    zlistx_destroy(&self->outbox);
    passive_destroy(&self->passive);
    store_destroy(&self->store);
    parking_fini(self);
    gap_buffer_discard_all(self);
    directory_destroy(&self->sessions);
    clients_destroy(&self->clients);
    registry_destroy(&self->workers);
    quarantine_destroy(&self->quarantine);
    buffer_fini(&self->body);
    free(self);
    *self_p = NULL;
}

// Signals are read from a descriptor and not in a handler, so that the loop ends between two batches. main
// has blocked them in every thread, as signalfd(2) requires.
static err
s_open_signals(int *ret_fd)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    int fd = signalfd(-1, &stop, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd == -1)
        return ERR_SYSTEM;
    *ret_fd = fd;
    return OK;
}

// Both sockets are read tolerantly, or zloop would silently drop one after an error. nonstop keeps CZMQ's own
// handling of SIGINT and SIGTERM out of the loop.
static bool
s_arm(broker *self, zmq_pollitem_t *signals)
{
    zloop_t *loop = self->loop;
    zloop_set_nonstop(loop, true);
    zloop_set_ticket_delay(loop, self->tick_ms);
    if (zloop_poller(loop, signals, s_on_signal, self) || zloop_reader(loop, self->back, s_on_back, self) ||
        zloop_reader(loop, self->front, s_on_front, self) || !zloop_ticket(loop, s_on_ticket, self))
        return false;
    if (self->zap && zloop_reader(loop, zap_socket(self->zap), s_on_zap, self))
        return false;
    for (socket_side side = SIDE_FRONT; self->connections && side < SIDE_COUNT; side++)
        if (zloop_reader(loop, connections_socket(self->connections, side), s_on_connection, self))
            return false;
    zloop_reader_set_tolerant(loop, self->back);
    zloop_reader_set_tolerant(loop, self->front);
    return true;
}

// After the signal one more round answers what had arrived before it, and saves the count of workers that the
// next start waits for.
err
broker_run(broker *self)
{
    zmq_pollitem_t signals = {.fd = -1, .events = ZMQ_POLLIN};
    err error = s_open_signals(&signals.fd);
    self->loop = error ? NULL : zloop_new();
    if (!self->loop || !s_arm(self, &signals)) {
        log_event(LEVEL_ERROR, "loop_failed", "reason=\"%s\"", strerror(errno));
        error = ERR_SYSTEM;
    } else {
        log_event(LEVEL_INFO, "ready", "boot=%llu", (unsigned long long)self->boot);
        zloop_start(self->loop);
        broker_turn(self);
        answer_flush(self);
        recovery_tick(self);
        log_event(LEVEL_INFO, "stopped", "sessions=%zu forwarded=%llu", directory_count(self->sessions),
                  (unsigned long long)self->counters.forwarded);
    }
    zloop_destroy(&self->loop);
    if (signals.fd != -1)
        close(signals.fd);
    return error;
}
