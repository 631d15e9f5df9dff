// Counts what a worker has in flight, measures how fast it is, and compares. A rate is only measured while
// requests had to wait: what a worker does at other times says nothing about what it can do.
#include "broker/routing/admission.h"

#include "common/limits.h"
#include "proto/message.h"

admission_limits
admission_defaults(void)
{
    return (admission_limits){WORKER_CREDIT, MAX_IN_FLIGHT, WORKER_SESSIONS};
}

// Requests that end or probe something are control, so that they get through to a worker that is full.
admission_kind
admission_kind_of(uint8_t type)
{
    switch (type) {
    case MSG_EVENT:
    case MSG_REFRESH:
    case MSG_STATS:
        return ADMISSION_TURN;
    case MSG_MOUNT:
    case MSG_JOIN:
        return ADMISSION_OPEN;
    default:
        return ADMISSION_CONTROL;
    }
}

void
admission_charge(admission *self, uint8_t type, size_t bytes)
{
    self->in_flight[admission_kind_of(type)]++;
    self->bytes += bytes;
}

// An imbalance would be a bug of the directory, which calls both, and never of a peer.
void
admission_release(admission *self, uint8_t type, size_t bytes)
{
    admission_kind kind = admission_kind_of(type);
    ASSERT(self->in_flight[kind] > 0 && self->bytes >= bytes);
    self->in_flight[kind]--;
    self->bytes -= bytes;
}

// A moving average: the newest rate counts as much as all before it. A window that is too short is continued.
// Rates are rounded up, since 0 means that nothing waited.
void
admission_update(admission *self, uint64_t now, uint64_t queued, uint64_t parked)
{
    self->parked = parked > UINT32_MAX ? UINT32_MAX : (unsigned)parked;
    uint64_t took = now - self->since;
    if (now < self->since || took < ADMISSION_WINDOW_MS)
        return;
    unsigned rate = (unsigned)(self->served * UINT64_C(1000) / took) + 1;
    if (!queued)
        self->rate = 0;
    else
        self->rate = self->rate ? (self->rate + rate + 1) / 2 : rate;
    self->crowd = self->refused / (self->served + 1);
    self->served = self->refused = 0;
    self->since = now;
}

// As many turns as the worker gets to within ADMISSION_TARGET_WAIT_MS, but at least LEAST_CREDIT: two for
// each thread that it may have, so that none is idle while an answer is on its way. Without a measured rate,
// the limit.
static unsigned
s_turn_credit(const admission *self, unsigned limit)
{
    uint64_t credit = (uint64_t)self->rate * ADMISSION_TARGET_WAIT_MS / 1000;
    if (!self->rate || credit > limit)
        return limit;
    if (credit < LEAST_CREDIT)
        credit = LEAST_CREDIT < limit ? LEAST_CREDIT : limit;
    return (unsigned)credit;
}

// Half as many MOUNTs and JOINs as turns, so that new pages do not stop existing ones.
unsigned
admission_credit(const admission *self, const admission_limits *limits, admission_kind kind)
{
    if (kind == ADMISSION_CONTROL)
        return ADMISSION_CONTROL_CREDIT;
    unsigned turns = s_turn_credit(self, limits->credits);
    return kind == ADMISSION_TURN ? turns : (turns + 1) / 2;
}

// A turn that awaits something holds no thread, so it does not count.
static unsigned
s_left(const admission *self, const admission_limits *limits, admission_kind kind)
{
    unsigned credit = admission_credit(self, limits, kind), used = self->in_flight[kind];
    if (kind == ADMISSION_TURN)
        used -= self->parked < used ? self->parked : used;
    return used < credit ? credit - used : 0;
}

bool
admission_has_room(const admission *self, const admission_limits *limits, admission_kind kind)
{
    return s_left(self, limits, kind) > 0;
}

// The budget of bytes is shared. A worker may have no more than is left for all others, that is half of it
// where it is the only one: a worker that does not read cannot take it all.
static bool
s_fits(const admission *self, size_t budget, size_t bytes, size_t total)
{
    return total < budget && self->bytes + bytes <= budget - total;
}

// Small control requests pass whatever the budget says. A session with unanswered requests is given only a
// fraction of what is left, so that a single one cannot use up a worker's credit.
bool
admission_admits(const admission *self, const admission_limits *limits, uint8_t type, size_t bytes,
                 unsigned waiting, size_t total)
{
    admission_kind kind = admission_kind_of(type);
    unsigned left = s_left(self, limits, kind);
    if (left == 0)
        return false;
    bool is_small = kind == ADMISSION_CONTROL && bytes <= ADMISSION_SMALL_BODY;
    if (!is_small && !s_fits(self, limits->budget, bytes, total))
        return false;
    return kind != ADMISSION_TURN || waiting == 0 || waiting < left / ADMISSION_SESSION_SHARE;
}

// The time that the worker needs for what it has, times the number of requests that compete for each free
// place: if all of them returned after that time alone, most would be refused again.
uint32_t
admission_retry_ms(const admission *self)
{
    uint64_t ms = BUSY_RETRY_MS;
    if (self->rate)
        ms = (uint64_t)self->in_flight[ADMISSION_TURN] * 1000 / self->rate * (1 + self->crowd);
    if (ms < ADMISSION_MIN_RETRY_MS)
        return ADMISSION_MIN_RETRY_MS;
    return ms > ADMISSION_MAX_RETRY_MS ? ADMISSION_MAX_RETRY_MS : (uint32_t)ms;
}

// From three to five quarters of ms.
uint32_t
admission_jitter_ms(uint32_t ms, uint32_t random)
{
    return ms - ms / 4 + random % (ms / 2 + 1);
}
