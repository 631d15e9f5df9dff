// The open-loop load generator: events are due by the clock, whether earlier ones were answered or not.
#include "bench/pace.h"

#include "common/errors.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define MS     1000000ULL
#define SECOND 1000000000ULL

typedef struct {
    fleet *on;
    group *groups;
    unsigned count;
    uint64_t from, until, give_up; // ns
    size_t waiting;                // events that were due and have no answer
    int timer;
} pace;

static uint64_t
s_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static void
s_pump(pace *self, member *member)
{
    while (member_may_send(member))
        fleet_send(self->on, member);
}

static void
s_due(pace *self, member *member, uint64_t due)
{
    member_add(member, due);
    self->waiting++;
    s_pump(self, member);
}

static void
s_start(pace *self, uint64_t now)
{
    for (unsigned i = 0; i < self->count; i++) {
        group *each = &self->groups[i];
        each->due = now;
        each->turn = 0;
        if (each->spec.rate || each->spec.stagger)
            continue;
        for (unsigned k = 0; k < each->spec.sessions; k++)
            s_due(self, &self->on->members[each->first + k], now);
        each->due = UINT64_MAX;
    }
}

// What is due by now; when the next is.
static uint64_t
s_send_due(pace *self, uint64_t now)
{
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < self->count; i++) {
        group *each = &self->groups[i];
        const group_spec *spec = &each->spec;
        uint64_t step = spec->rate ? SECOND / spec->rate : spec->stagger * MS / spec->sessions;
        while (each->due <= now && each->due < self->until) {
            s_due(self, &self->on->members[each->first + each->turn], each->due);
            each->due += step;
            if (++each->turn == spec->sessions) {
                each->turn = 0;
                if (!spec->rate)
                    each->due = UINT64_MAX; // each has started: from here on answers drive them
            }
        }
        if (each->due < next)
            next = each->due;
    }
    return next < self->until ? next : UINT64_MAX;
}

static void
s_count(const pace *self, const member *member, uint64_t due, uint64_t now)
{
    if (due >= self->from && due < self->until)
        samples_add(&member->of->latencies, now - due, member->worker);
}

static void
s_receive_all(pace *self)
{
    for (member *from; (from = fleet_receive(self->on));) {
        uint64_t now = s_now();
        s_count(self, from, member_take(from), now);
        self->waiting--;
        if (!from->of->spec.rate && now < self->until)
            s_due(self, from, now);
        else
            s_pump(self, from);
    }
}

static void
s_set_timer(const pace *self, uint64_t at)
{
    struct itimerspec when = {.it_value = {(time_t)(at / SECOND), (long)(at % SECOND)}};
    ASSERT(timerfd_settime(self->timer, TFD_TIMER_ABSTIME, &when, NULL) == 0);
}

static void
s_count_unanswered(const pace *self)
{
    uint64_t now = s_now();
    for (unsigned i = 0; i < self->on->count; i++) {
        const member *member = &self->on->members[i];
        for (unsigned k = 0; k < member->count; k++)
            s_count(self, member, member->due[(member->head + k) % member->room], now);
    }
}

void
pace_run(fleet *fleet, group *groups, unsigned count, const pace_options *options)
{
    uint64_t now = s_now(), armed = 0;
    pace self = {.on = fleet, .groups = groups, .count = count, .from = now + options->warm_up_ms * MS};
    self.until = self.from + options->measure_ms * MS;
    self.give_up = self.until + options->patience_ms * MS;
    // zmq_poll counts in milliseconds, which is coarser than what is measured here.
    self.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    ASSERT(self.timer >= 0);
    zmq_pollitem_t items[] = {{.socket = fleet->socket, .events = ZMQ_POLLIN},
                              {.fd = self.timer, .events = ZMQ_POLLIN}};
    s_start(&self, now);
    while ((now = s_now()) < self.until || (self.waiting && now < self.give_up)) {
        uint64_t next = s_send_due(&self, now), end = now < self.until ? self.until : self.give_up;
        next = next < end ? next : end;
        if (next != armed)
            s_set_timer(&self, armed = next);
        zmq_poll(items, 2, -1);
        s_receive_all(&self);
    }
    s_count_unanswered(&self);
    close(self.timer);
}
