#include "broker/core.h"

#include "broker/io/socket_file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    HIGH_WATER = 10000, // messages a peer: a backstop, credits do the work
    LINGER_MS = 200,
};

// What each socket accepts, and what handles it. Any other type is refused, whatever route.c thinks of it: a
// peer picks the type, so a missing row must not be a bug. tests/broker/test_broker_types.c sends them all.
static front_handler *const s_front[256] = {
    [MSG_MOUNT] = front_request,     [MSG_JOIN] = front_join,       [MSG_EVENT] = front_request,
    [MSG_UNMOUNT] = front_request,   [MSG_PING] = front_ping,       [MSG_SHUTDOWN] = front_request,
    [MSG_STATS] = front_stats,       [MSG_ACK] = front_request,     [MSG_LEAVE] = front_leave,
    [MSG_LOGOUT] = front_logout,     [MSG_REFRESH] = front_request, [MSG_EXITED] = front_exited,
    [MSG_SESSIONS] = admin_sessions, [MSG_EVICT] = admin_evict,
};
static back_handler *const s_back[256] = {
    [MSG_MOUNTED] = back_reply,         [MSG_JOINED] = back_reply,        [MSG_DONE] = back_reply,
    [MSG_FAILED] = back_reply,          [MSG_NOT_EXECUTED] = back_reply,  [MSG_UNKNOWN] = back_reply,
    [MSG_UNMOUNTED] = back_reply,       [MSG_PONG] = back_reply,          [MSG_FIGURES] = back_reply,
    [MSG_ENDED] = back_ended,           [MSG_PUSH] = back_push,           [MSG_REGISTER] = back_register,
    [MSG_ANNOUNCE] = recovery_announce, [MSG_DRAIN] = migration_drain,    [MSG_MOVED] = migration_moved,
    [MSG_KEPT] = persistence_kept,      [MSG_HEARTBEAT] = back_heartbeat, [MSG_GOODBYE] = back_goodbye,
    [MSG_RELEASED] = back_released,
};

const char *
routing_id_text(slice id, char ret_text[ROUTING_ID_TEXT])
{
    size_t used = 0;
    for (size_t i = 0; i < id.size && i < MAX_ROUTING_ID; i++)
        used += (size_t)snprintf(ret_text + used, 3, "%02x", id.data[i]);
    ret_text[used] = '\0';
    return ret_text;
}

static bool
s_id_is_good(broker *self, const wire_message *in)
{
    slice id = wire_message_frame(in, 0);
    if (id.size > 0 && id.size <= MAX_ROUTING_ID)
        return true;
    self->counters.malformed++;
    broker_log(self, LOG_MALFORMED, LEVEL_WARN, "bad_routing_id", "bytes=%zu", id.size);
    return false;
}

static void
s_read_front(broker *self, wire_message *in)
{
    if (!s_id_is_good(self, in))
        return;
    clients_hear(self->clients, wire_message_frame(in, 0), self->now);
    header request;
    err error =
        route_check_front(in->count - 1, wire_message_frame(in, 1), wire_message_frame(in, 2).size, &request);
    if (!error && !s_front[request.type])
        error = ERR_TYPE;
    if (error)
        reject_request(self, in, &request, error);
    else
        s_front[request.type](self, in, &request);
}

static void
s_read_back(broker *self, wire_message *in)
{
    if (!s_id_is_good(self, in))
        return;
    worker *from = registry_find(self->workers, wire_message_frame(in, 0));
    if (from)
        from->heard_at = self->now;
    header head;
    err error = route_check_back(in->count - 1, wire_message_frame(in, 1).size, wire_message_frame(in, 2),
                                 wire_message_frame(in, 3).size, &head);
    if (!error && !s_back[head.type])
        error = ERR_TYPE;
    bool is_reply = message_direction(head.type) == DIRECTION_REPLY;
    if (!is_reply || error)
        persistence_commit(self); // what is said now must not overtake what is held
    if (error == ERR_TOO_LARGE && from && is_reply && s_back[head.type])
        error = OK; // its handler tells the client
    if (!from && (error || head.type != MSG_REGISTER)) {
        reject_unregistered(self, in, error);
    } else if (error) {
        reject_worker_message(self, from, in, &head, error);
    } else {
        s_back[head.type](self, from, in, &head);
    }
}

static void
s_read_batch(broker *self, void *socket, void (*read)(broker *, wire_message *))
{
    wire_message in;
    self->now = clock_now(self->clock);
    for (int i = 0; i < BATCH && wire_receive(&in, socket) == OK; i++) {
        read(self, &in);
        wire_message_clear(&in);
        if (!list_is_empty(&self->lost_workers) || !list_is_empty(&self->lost_clients))
            persistence_commit(self);
        liveness_reap(self);
        parking_settle(self);
    }
    eviction_settle(self);
    persistence_commit(self);
}

static void
s_tick_if_due(broker *self)
{
    self->now = clock_now(self->clock);
    if (self->now - self->ticked_at >= self->tick_ms)
        liveness_tick(self);
}

static void
s_hear_connections(broker *self)
{
    static const int largest[] = {[SIDE_FRONT] = MAX_FRONT_MESSAGE, [SIDE_BACK] = MAX_BACK_MESSAGE};
    connection_event told;
    for (socket_side side = SIDE_FRONT; self->connections && side < SIDE_COUNT; side++)
        for (int i = 0; i < BATCH && connections_next(self->connections, side, &told); i++) {
            if (!told.refused)
                broker_log(self, LOG_CONNECTION, LEVEL_INFO, "disconnected",
                           "side=%s peer=%s largest_frame=%d", side_word(side), told.peer, largest[side]);
            else if (self->zap)
                zap_log_refusal(self->zap, side, told.reason, told.peer, self->now);
        }
}

void
broker_turn(broker *self)
{
    s_tick_if_due(self);
    s_read_batch(self, self->back_socket, s_read_back);
    s_read_batch(self, self->front_socket, s_read_front);
    if (self->zap)
        zap_process(self->zap, self->now);
    s_hear_connections(self);
}

static int
s_on_front(zloop_t *loop, zsock_t *socket, void *arg)
{
    (void)loop, (void)socket;
    broker *self = arg;
    s_read_batch(self, self->front_socket, s_read_front);
    return 0;
}

static int
s_on_back(zloop_t *loop, zsock_t *socket, void *arg)
{
    (void)loop, (void)socket;
    broker *self = arg;
    s_read_batch(self, self->back_socket, s_read_back);
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
    s_hear_connections(self);
    return 0;
}

static int
s_on_ticket(zloop_t *loop, int timer, void *arg)
{
    (void)timer;
    s_tick_if_due(arg);
    ASSERT(zloop_ticket(loop, s_on_ticket, arg));
    return 0;
}

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

static zsock_t *
s_router(int64_t max_message, uint32_t heartbeat_ms, uint32_t dead_ms)
{
    zsock_t *socket = zsock_new(ZMQ_ROUTER);
    ASSERT(socket);
    zsock_set_router_mandatory(socket, 1);
    zsock_set_sndhwm(socket, HIGH_WATER);
    zsock_set_rcvhwm(socket, HIGH_WATER);
    zsock_set_linger(socket, LINGER_MS);
    // Finds links that are dead and processes that are stopped; our own heartbeats find loops that are stuck.
    zsock_set_heartbeat_ivl(socket, (int)heartbeat_ms);
    zsock_set_heartbeat_timeout(socket, (int)dead_ms);
    ASSERT(zmq_setsockopt(zsock_resolve(socket), ZMQ_MAXMSGSIZE, &max_message, sizeof max_message) == 0);
    return socket;
}

static err
s_bind_one(broker *self, zsock_t *socket, const char *endpoint)
{
    char why[256] = "";
    int lock = -1;
    const char *path = strncmp(endpoint, "ipc://", 6) == 0 ? endpoint + 6 : NULL;
    err error = path ? socket_file_claim(path, &lock, why, sizeof why) : OK;
    if (!error) {
        mode_t before = umask(0077);
        zsock_set_ipv6(socket, strchr(endpoint, '[') != NULL); // for the binds that follow
        if (zmq_bind(zsock_resolve(socket), endpoint) == -1) {
            error = ERR_SYSTEM;
            snprintf(why, sizeof why, "%s", zmq_strerror(errno));
        } else if (path) {
            ASSERT(zlistx_add_end(self->files, (void *)path));
        }
        umask(before);
    }
    socket_file_unlock(lock);
    if (error) {
        char at[256], text[300];
        log_event(LEVEL_ERROR, "bind_failed", "address=%s reason=%s",
                  log_quoted(slice_text(endpoint), at, sizeof at),
                  log_quoted(slice_text(why), text, sizeof text));
    }
    return error;
}

static err
s_bind_all(broker *self, zsock_t *socket, socket_side where, bool tcp, const char *const *endpoints,
           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((strncmp(endpoints[i], "tcp://", 6) == 0) != tcp)
            continue;
        err error = s_bind_one(self, socket, endpoints[i]);
        if (error)
            return error;
        char *bound = zsock_last_endpoint(socket); // a port may have been left to the system
        char at[256];
        log_event(LEVEL_INFO, "bound", "side=%s address=%s keys=%s", side_word(where),
                  log_value(bound, at, sizeof at), tcp && self->zap ? "wanted" : "none");
        freen(bound);
    }
    return OK;
}

// A socket's options are those of what it binds next: so ipc:// without keys and tcp:// with them stand side
// by side.
static err
s_bind(broker *self, zsock_t *socket, socket_side where, const char *const *endpoints, size_t count)
{
    err error = s_bind_all(self, socket, where, false, endpoints, count);
    if (!error && self->zap)
        zap_require_curve(self->zap, socket, where);
    return error ? error : s_bind_all(self, socket, where, true, endpoints, count);
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

// The number of this start is the caller's, unless the store knows of a higher one.
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

static void
s_init(broker *self, const broker_config *config)
{
    uint64_t seed;
    clock_random(config->clock, &seed, sizeof seed);
    self->clock = config->clock;
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
    self->front = s_router(MAX_FRONT_MESSAGE, config->heartbeat_ms, config->client_dead_ms);
    self->back = s_router(MAX_BACK_MESSAGE, config->heartbeat_ms, config->worker_dead_ms);
    self->front_socket = zsock_resolve(self->front);
    self->back_socket = zsock_resolve(self->back);
    if (strncmp(config->front[0], "inproc://", 9) != 0) {
        self->connections = connections_new();
        connections_watch(self->connections, self->front, SIDE_FRONT);
        connections_watch(self->connections, self->back, SIDE_BACK);
    }
    // Workers first: whoever reaches the front socket should find somebody behind it soon.
    if (s_bind(self, self->back, SIDE_BACK, config->back, config->back_count) != OK ||
        s_bind(self, self->front, SIDE_FRONT, config->front, config->front_count) != OK)
        broker_destroy(&self);
    return self;
}

void
broker_destroy(broker **self_p)
{
    broker *self = *self_p;
    if (!self)
        return;
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
        broker_turn(self); // what came before the signal and can be answered
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
