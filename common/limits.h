// limits - PROTOCOL.md 8 as numbers. Whatever comes from outside meets one of these before memory is taken
// for it.
#ifndef TROUPE_COMMON_LIMITS_H
#define TROUPE_COMMON_LIMITS_H

enum {
    MAX_REQUEST_BODY = 1 << 20,
    MAX_REPLY_BODY = 16 << 20,
    MAX_FRONT_MESSAGE = 16 << 20, // beyond these ZeroMQ closes the connection; what is less
    MAX_BACK_MESSAGE = 96 << 20,  // and still too large is answered
    MAX_ROUTING_ID = 32,
    MAX_KEYS = 32,
    MAX_DEPTH = 16,
    MAX_VIEW_PATH = 255,
    MAX_EVENT_NAME = 64,
    MAX_WORKER_NAME = 64,
    MAX_PARAM_COUNT = 256,
    MAX_VIEWS = 64,
    MAX_IDENTITY = 32,
    MAX_MAILBOX = 16,
    MAX_UNACKED = 8,
    MAX_REPLIES_KEPT = 8,
    MAX_REPLY_KEPT = 16 << 10,
    MAX_UNADOPTED = 1000,
    MAX_UNUSED = 1000, // detached sessions of a worker in which no event was executed
    MAX_STORED_UNUSED = 10000,
    MAX_STORED_PASSIVE = 250000, // with those in which one was
    MAX_SNAPSHOT_FRAMES = 64,
    MAX_SNAPSHOT = 8 << 20,
    MAX_PARKED = 64 << 20,
    MAX_WITHHELD = 64 << 20,
    MAX_WITHHELD_PUSHES = 64,
    MAX_ANNOUNCED = 256,
    MAX_LISTED = 256,
    MAX_URL = 8 << 10,
    MAX_CHUNKS_ASKED = 256,
    MAX_CHUNK_HASH = 16,
    MAX_RUNNING = 64,
    WORKER_CREDIT = 256,
    LEAST_CREDIT = 64, // of a slow worker: twice the threads that it may have
    MAX_IN_FLIGHT = 64 << 20,
    WORKER_SESSIONS = 10000,

    DEFAULT_TTL_MS = 10000,
    HEARTBEAT_MS = 1000,
    WORKER_DEAD_MS = 8000,
    CLIENT_DEAD_MS = 15000,
    UNADOPTED_MS = 15000,
    DETACHED_MS = 60000,
    IDLE_MS = 30 * 60 * 1000,
    PASSIVE_MS = 30 * 60 * 1000,
    BUSY_RETRY_MS = 100,
    SOFT_MS = 5000,
    HARD_MS = 15000,
    PUSH_PACE_MS = 20, // between two pushes of a view, and two ticks
    PUSH_AGAIN_MS = 10000,
};

#endif
