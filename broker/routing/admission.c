#include "broker/routing/admission.h"

#include "common/limits.h"
#include "proto/message.h"

pressure_limits
pressure_defaults(void)
{
    return (pressure_limits){WORKER_CREDIT, MAX_IN_FLIGHT, WORKER_SESSIONS};
}

pressure_kind
pressure_kind_of(uint8_t type)
{
    switch (type) {
    case MSG_EVENT:
    case MSG_REFRESH:
    case MSG_STATS:
        return PRESSURE_TURN;
    case MSG_MOUNT:
    case MSG_JOIN:
        return PRESSURE_OPEN;
    default:
        return PRESSURE_CONTROL;
    }
}

void
pressure_took(pressure *self, uint8_t type, size_t bytes)
{
    self->in_flight[pressure_kind_of(type)]++;
    self->bytes += bytes;
}

void
pressure_gave(pressure *self, uint8_t type, size_t bytes)
{
    pressure_kind kind = pressure_kind_of(type);
    ASSERT(self->in_flight[kind] > 0 && self->bytes >= bytes);
    self->in_flight[kind]--;
    self->bytes -= bytes;
}

void
pressure_beat(pressure *self, uint64_t now, uint64_t queued, uint64_t parked)
{
    self->parked = parked > UINT32_MAX ? UINT32_MAX : (unsigned)parked;
    uint64_t took = now - self->since;
    if (now < self->since || took < PRESSURE_WINDOW_MS)
        return;
    // What a worker does while nobody waits says nothing of what it could do.
    unsigned rate = (unsigned)(self->served * UINT64_C(1000) / took) + 1;
    if (!queued)
        self->rate = 0;
    else
        self->rate = self->rate ? (self->rate + rate + 1) / 2 : rate;
    self->crowd = self->refused / (self->served + 1);
    self->served = self->refused = 0;
    self->since = now;
}

static unsigned
s_turn_credit(const pressure *self, unsigned most)
{
    uint64_t credit = (uint64_t)self->rate * PRESSURE_WAIT_MS / 1000;
    if (!self->rate || credit > most)
        return most;
    if (credit < LEAST_CREDIT)
        credit = LEAST_CREDIT < most ? LEAST_CREDIT : most;
    return (unsigned)credit;
}

unsigned
pressure_credit(const pressure *self, const pressure_limits *limits, pressure_kind kind)
{
    if (kind == PRESSURE_CONTROL)
        return PRESSURE_CONTROLS;
    unsigned turns = s_turn_credit(self, limits->credits);
    return kind == PRESSURE_TURN ? turns : (turns + 1) / 2;
}

// A turn that awaits holds no thread and keeps nobody waiting.
static unsigned
s_left(const pressure *self, const pressure_limits *limits, pressure_kind kind)
{
    unsigned credit = pressure_credit(self, limits, kind), used = self->in_flight[kind];
    if (kind == PRESSURE_TURN)
        used -= self->parked < used ? self->parked : used;
    return used < credit ? credit - used : 0;
}

bool
pressure_has_room(const pressure *self, const pressure_limits *limits, pressure_kind kind)
{
    return s_left(self, limits, kind) > 0;
}

// The budget of one that does not read is never more than what it leaves to the others.
static bool
s_fits(const pressure *self, size_t budget, size_t bytes, size_t total)
{
    return total < budget && self->bytes + bytes <= budget - total;
}

bool
pressure_admits(const pressure *self, const pressure_limits *limits, uint8_t type, size_t bytes,
                unsigned waiting, size_t total)
{
    pressure_kind kind = pressure_kind_of(type);
    unsigned left = s_left(self, limits, kind);
    if (left == 0)
        return false;
    bool is_small = kind == PRESSURE_CONTROL && bytes <= PRESSURE_SMALL;
    if (!is_small && !s_fits(self, limits->budget, bytes, total))
        return false;
    return kind != PRESSURE_TURN || waiting == 0 || waiting < left / PRESSURE_SHARE;
}

uint32_t
pressure_retry_ms(const pressure *self)
{
    uint64_t ms = BUSY_RETRY_MS;
    if (self->rate)
        ms = (uint64_t)self->in_flight[PRESSURE_TURN] * 1000 / self->rate * (1 + self->crowd);
    if (ms < PRESSURE_LEAST_RETRY_MS)
        return PRESSURE_LEAST_RETRY_MS;
    return ms > PRESSURE_LONGEST_RETRY_MS ? PRESSURE_LONGEST_RETRY_MS : (uint32_t)ms;
}

uint32_t
pressure_spread_ms(uint32_t ms, uint32_t random)
{
    return ms - ms / 4 + random % (ms / 2 + 1);
}
