// troupe-bench-flood: events that come whether they are answered or not, from many pages that each have one
// unanswered at most. Counts how each was answered, and prints it as one JSON object. Without a rate each
// page sends its next event when its last one is answered.
#include "bench/fleet.h"

#include "common/errors.h"
#include "proto/message.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define MS     1000000ULL
#define SECOND 1000000000ULL

typedef struct {
    const char *front;
    unsigned warm_up_ms, measure_ms, patience_ms;
    group of;
    bool is_given;
} arguments;

typedef struct {
    fleet on;
    group *of;
    uint64_t from, until, give_up, due, step; // ns
    unsigned *idle;                           // a ring of pages that have nothing unanswered
    unsigned idle_at, idle_count;
    // Of what was due while it was measured.
    size_t asked, done, busy, expired, other, unsent;
    size_t done_meanwhile; // answered DONE before the end, whenever it was due
    size_t done_ever;
    uint64_t retry_ms; // of all that were busy together
    samples refusals;
    int timer;
} flood;

static uint64_t
s_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static void
s_rest(flood *self, const member *page)
{
    unsigned at = (self->idle_at + self->idle_count++) % self->on.count;
    self->idle[at] = (unsigned)(page - self->on.members);
}

static void
s_ask(flood *self, uint64_t due)
{
    bool measured = due >= self->from && due < self->until;
    self->asked += measured;
    if (!self->idle_count) {
        self->unsent += measured;
        return;
    }
    member *page = &self->on.members[self->idle[self->idle_at]];
    self->idle_at = (self->idle_at + 1) % self->on.count;
    self->idle_count--;
    member_add(page, due);
    fleet_send(&self->on, page);
}

static void
s_count(flood *self, const member *page, uint64_t due, uint64_t now)
{
    const fleet *fleet = &self->on;
    bool is_done = fleet->reply_type == MSG_DONE;
    self->done_ever += is_done;
    self->done_meanwhile += is_done && now >= self->from && now < self->until;
    if (due < self->from || due >= self->until)
        return;
    if (is_done) {
        self->done++;
        samples_add(&self->of->latencies, now - due, page->worker);
    } else if (fleet->reply_type == MSG_NOT_EXECUTED && strcmp(fleet->reason, "busy") == 0) {
        self->busy++;
        self->retry_ms += fleet->retry_ms;
        samples_add(&self->refusals, now - due, page->worker);
    } else if (fleet->reply_type == MSG_NOT_EXECUTED && strcmp(fleet->reason, "expired") == 0) {
        self->expired++;
    } else {
        self->other++;
        fprintf(stderr, "troupe-bench-flood: %s %s\n", message_name(fleet->reply_type), fleet->reason);
    }
}

static void
s_receive_all(flood *self)
{
    for (member *page; (page = fleet_receive(&self->on));) {
        uint64_t now = s_now();
        s_count(self, page, member_take(page), now);
        if (self->on.reply_type == MSG_NOT_EXECUTED)
            page->sequence--; // it took no number
        s_rest(self, page);
        if (!self->step && now < self->until)
            s_ask(self, now);
    }
}

static void
s_run(flood *self)
{
    zmq_pollitem_t items[] = {{.socket = self->on.socket, .events = ZMQ_POLLIN},
                              {.fd = self->timer, .events = ZMQ_POLLIN}};
    uint64_t now = s_now();
    while (!self->step && self->idle_count)
        s_ask(self, now);
    while ((now = s_now()) < self->until || (self->idle_count < self->on.count && now < self->give_up)) {
        for (; self->step && self->due <= now && self->due < self->until; self->due += self->step)
            s_ask(self, self->due);
        // Once a millisecond is enough for who sends thousands a second.
        uint64_t next = now < self->until ? now + MS : self->give_up;
        struct itimerspec when = {.it_value = {(time_t)(next / SECOND), (long)(next % SECOND)}};
        ASSERT(timerfd_settime(self->timer, TFD_TIMER_ABSTIME, &when, NULL) == 0);
        zmq_poll(items, 2, -1);
        s_receive_all(self);
    }
}

static void
s_print(const flood *self, double seconds)
{
    summary done = samples_summary(&self->of->latencies, EVERY_WORKER);
    summary refused = samples_summary(&self->refusals, EVERY_WORKER);
    size_t answered = self->done + self->busy + self->expired + self->other;
    printf("{\"asked\":%zu,\"unsent\":%zu,\"done\":%zu,\"busy\":%zu,\"expired\":%zu,\"other\":%zu,",
           self->asked, self->unsent, self->done, self->busy, self->expired, self->other);
    printf("\"unanswered\":%zu,\"done_ever\":%zu,\"rate\":%.2f,", self->asked - self->unsent - answered,
           self->done_ever, (double)self->done_meanwhile / seconds);
    printf("\"done_p50_ms\":%.3f,\"done_p99_ms\":%.3f,\"done_max_ms\":%.3f,", done.p50 / 1e6, done.p99 / 1e6,
           done.most / 1e6);
    printf("\"busy_p50_ms\":%.3f,\"busy_p99_ms\":%.3f,\"retry_ms\":%.1f}\n", refused.p50 / 1e6,
           refused.p99 / 1e6, self->busy ? (double)self->retry_ms / (double)self->busy : 0);
}

static const struct argp_option s_options[] = {
    {"front", 'f', "ADDRESS", 0, "The broker's front address", 0},
    {"warm-up", 'w', "MS", 0, "Load that is not measured (1000)", 0},
    {"measure", 'm', "MS", 0, "How long to measure (10000)", 0},
    {"patience", 'p', "MS", 0, "How long to wait for late answers (30000)", 0},
    {0},
};

static error_t
s_parse(int key, char *text, struct argp_state *state)
{
    arguments *into = state->input;
    switch (key) {
    case 'f':
        into->front = text;
        return 0;
    case 'w':
        into->warm_up_ms = (unsigned)strtoul(text, NULL, 10);
        return 0;
    case 'm':
        into->measure_ms = (unsigned)strtoul(text, NULL, 10);
        return 0;
    case 'p':
        into->patience_ms = (unsigned)strtoul(text, NULL, 10);
        return 0;
    case ARGP_KEY_ARG:
        if (into->is_given || !group_parse(text, &into->of.spec))
            argp_error(state, "not a group, or one too many: %s", text);
        into->is_given = true;
        return 0;
    case ARGP_KEY_END:
        if (!into->front || !into->is_given)
            argp_error(state, "an address and a group are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int
main(int argc, char **argv)
{
    static const struct argp parser = {
        s_options, s_parse, "GROUP", "Floods a fleet. See group.h for the group.", NULL, NULL, NULL};
    static arguments given = {.warm_up_ms = 1000, .measure_ms = 10000, .patience_ms = 30000};
    argp_parse(&parser, argc, argv, 0, NULL, &given);
    flood self = {.of = &given.of};
    samples_init(&given.of.latencies);
    samples_init(&self.refusals);
    fleet_init(&self.on, given.front, false);
    self.on.refusals = true;
    fleet_mount(&self.on, &given.of, 1);
    fprintf(stderr, "mounted\n"); // whoever measures what a load costs begins here
    self.idle = calloc(self.on.count, sizeof *self.idle);
    ASSERT(self.idle);
    for (unsigned i = 0; i < self.on.count; i++)
        s_rest(&self, &self.on.members[i]);
    self.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    ASSERT(self.timer >= 0);
    self.step = given.of.spec.rate ? SECOND / given.of.spec.rate : 0;
    self.due = s_now();
    self.from = self.due + given.warm_up_ms * MS;
    self.until = self.from + given.measure_ms * MS;
    self.give_up = self.until + given.patience_ms * MS;
    s_run(&self);
    s_print(&self, given.measure_ms / 1e3);
    fleet_shutdown(&self.on);
    close(self.timer);
    free(self.idle);
    fleet_fini(&self.on);
    samples_fini(&self.refusals);
    samples_fini(&given.of.latencies);
    return 0;
}
