#include "worker/actor/recorder.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct recorder {
    black_box *box;
    bool is_read;
    _Atomic unsigned next; // where to look first for a slot of a turn that awaits
};

recorder *
recorder_new(int fd)
{
    int flags = fd == -1 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    if (fd != -1 && (ftruncate(fd, 0) == -1 || ftruncate(fd, sizeof(black_box)) == -1))
        return NULL;
    black_box *box = mmap(NULL, sizeof *box, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (box == MAP_FAILED)
        return NULL;
    recorder *self = calloc(1, sizeof *self);
    ASSERT(self);
    box->magic = BLACK_BOX_MAGIC;
    self->box = box;
    self->is_read = fd != -1;
    return self;
}

void
recorder_destroy(recorder **self_p)
{
    recorder *self = *self_p;
    if (!self)
        return;
    munmap(self->box, sizeof *self->box);
    free(self);
    *self_p = NULL;
}

bool
recorder_has_reader(const recorder *self)
{
    return self->is_read;
}

void
recorder_clean_exit(recorder *self)
{
    self->box->over = 1;
}

black_box_slot *
recorder_thread_slot(recorder *self, unsigned lane)
{
    ASSERT(lane < BLACK_BOX_THREADS);
    self->box->slot[lane].thread = gettid();
    return &self->box->slot[lane];
}

static inline void
s_state(black_box_slot *of, slot_state state)
{
    atomic_store_explicit(&of->state, state, memory_order_release);
}

// Sizes are read once: to blame one, another thread's slot is read.
static void
s_copy(black_box_slot *to, const black_box_slot *from, slot_state state)
{
    uint8_t view = from->view_size, event = from->event_size;
    to->since = from->since;
    to->sequence = from->sequence;
    to->session = from->session;
    to->type = from->type;
    memcpy(to->view, from->view, view);
    memcpy(to->event, from->event, event < MAX_EVENT_NAME ? event : MAX_EVENT_NAME);
    to->view_size = view;
    to->event_size = event;
    s_state(to, state);
}

static black_box_slot *
s_take(recorder *self)
{
    unsigned first = atomic_fetch_add(&self->next, 1);
    for (unsigned i = 0; i < BLACK_BOX_PARKED; i++) {
        black_box_slot *at = &self->box->slot[BLACK_BOX_THREADS + (first + i) % BLACK_BOX_PARKED];
        uint32_t empty = SLOT_EMPTY;
        if (atomic_compare_exchange_strong(&at->state, &empty, SLOT_TAKEN))
            return at;
    }
    return NULL;
}

black_box_slot *
recorder_park(recorder *self, black_box_slot *from)
{
    black_box_slot *to = s_take(self);
    if (to)
        s_copy(to, from, SLOT_RUNNING);
    recorder_end_turn(from);
    return to;
}

void
recorder_resume(black_box_slot *parked, black_box_slot *to, uint64_t now)
{
    s_copy(to, parked, SLOT_RUNNING);
    to->since = now; // a thread has it for so long
    recorder_end_turn(parked);
}

black_box_slot *
recorder_overdue(recorder *self, uint64_t now, uint64_t limit)
{
    black_box_slot *oldest = NULL;
    for (unsigned i = BLACK_BOX_THREADS; i < BLACK_BOX_SLOTS; i++) {
        black_box_slot *at = &self->box->slot[i];
        uint64_t since = at->since;
        if (at->state == SLOT_RUNNING && since + limit <= now && (!oldest || since < oldest->since))
            oldest = at;
    }
    return oldest;
}

void
recorder_begin_turn(black_box_slot *to, const header *head, uint64_t now)
{
    to->since = now;
    to->sequence = head->sequence;
    to->session = head->session;
    to->type = head->type;
    to->view_size = to->event_size = 0;
    s_state(to, SLOT_RUNNING);
}

// The size last, and first none: whoever reads it after a death in between finds no half of it.
static void
s_note(_Atomic uint8_t *size, char *to, slice text, size_t most)
{
    atomic_store_explicit(size, 0, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (!text.size || text.size > most)
        return;
    memcpy(to, text.data, text.size);
    atomic_store_explicit(size, (uint8_t)text.size, memory_order_release);
}

void
recorder_note(black_box_slot *to, slice view, slice event)
{
    if (!to)
        return;
    s_note(&to->view_size, to->view, view, sizeof to->view);
    s_note(&to->event_size, to->event, event, sizeof to->event);
}

void
recorder_end_turn(black_box_slot *to)
{
    s_state(to, SLOT_EMPTY);
}

void
recorder_blame(recorder *self, black_box_slot *of)
{
    black_box_slot *to = s_take(self);
    if (to)
        s_copy(to, of, SLOT_CULPRIT);
    else
        s_state(of, SLOT_CULPRIT);
}

void
recorder_blame_awaiting(recorder *self)
{
    for (unsigned i = BLACK_BOX_THREADS; i < BLACK_BOX_SLOTS; i++) {
        uint32_t running = SLOT_RUNNING;
        atomic_compare_exchange_strong(&self->box->slot[i].state, &running, SLOT_CULPRIT);
    }
}

static recorder *s_recorder; // for the signal handler; set once

static void
s_on_death(int number)
{
    pid_t thread = gettid();
    for (unsigned i = 0; i < BLACK_BOX_THREADS; i++) {
        black_box_slot *at = &s_recorder->box->slot[i];
        if (at->thread == thread && at->state == SLOT_RUNNING)
            s_state(at, SLOT_CULPRIT);
    }
    signal(number, SIG_DFL);
    raise(number);
}

void
recorder_catch_signals(recorder *self)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_handler = s_on_death, .sa_flags = SA_NODEFER | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    s_recorder = self;
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        sigaction(deadly[i], &action, NULL);
}
