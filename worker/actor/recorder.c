// Shared memory, written so that a reader after a death in between finds no half of anything.
#include "worker/actor/recorder.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct recorder {
    black_box *box;
    bool is_read;
    _Atomic unsigned next; // where to look first for a free slot of a turn that awaits
};

// Truncates the file first, so that nothing of an earlier process is read as this one's.
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

// The thread's number tells a signal handler which slot is its own.
black_box_slot *
recorder_thread_slot(recorder *self, unsigned index)
{
    ASSERT(index < BLACK_BOX_THREADS);
    self->box->slot[index].thread = gettid();
    return &self->box->slot[index];
}

// Last, with release order: whoever sees the state sees the slot that it describes.
static inline void
s_set_state(black_box_slot *slot, slot_state state)
{
    atomic_store_explicit(&slot->state, state, memory_order_release);
}

// Reads each size once: to blame a turn, another thread's slot is read while it may change.
static void
s_copy(black_box_slot *slot, const black_box_slot *from, slot_state state)
{
    uint8_t view = from->view_size, event = from->event_size;
    slot->since = from->since;
    slot->sequence = from->sequence;
    slot->session = from->session;
    slot->type = from->type;
    memcpy(slot->view, from->view, view);
    memcpy(slot->event, from->event, event < MAX_EVENT_NAME ? event : MAX_EVENT_NAME);
    slot->view_size = view;
    slot->event_size = event;
    s_set_state(slot, state);
}

// A free slot of those for turns that await; NULL: none.
static black_box_slot *
s_take_slot(recorder *self)
{
    unsigned first = atomic_fetch_add(&self->next, 1);
    for (unsigned i = 0; i < BLACK_BOX_PARKED; i++) {
        black_box_slot *slot = &self->box->slot[BLACK_BOX_THREADS + (first + i) % BLACK_BOX_PARKED];
        uint32_t empty = SLOT_EMPTY;
        if (atomic_compare_exchange_strong(&slot->state, &empty, SLOT_TAKEN))
            return slot;
    }
    return NULL;
}

black_box_slot *
recorder_park(recorder *self, black_box_slot *running)
{
    black_box_slot *parked = s_take_slot(self);
    if (parked)
        s_copy(parked, running, SLOT_RUNNING);
    recorder_end_turn(running);
    return parked;
}

void
recorder_resume(black_box_slot *parked, black_box_slot *running, uint64_t now)
{
    s_copy(running, parked, SLOT_RUNNING);
    // A thread's limit counts from when the thread has it.
    running->since = now;
    recorder_end_turn(parked);
}

// Only parked slots: a turn that runs is the pool's to find.
black_box_slot *
recorder_overdue(recorder *self, uint64_t now, uint64_t limit)
{
    black_box_slot *oldest = NULL;
    for (unsigned i = BLACK_BOX_THREADS; i < BLACK_BOX_SLOTS; i++) {
        black_box_slot *slot = &self->box->slot[i];
        uint64_t since = slot->since;
        if (slot->state == SLOT_RUNNING && since + limit <= now && (!oldest || since < oldest->since))
            oldest = slot;
    }
    return oldest;
}

// Plain stores, but for the state: no other thread reads a slot that is not running.
void
recorder_begin_turn(black_box_slot *slot, const header *head, uint64_t now)
{
    slot->since = now;
    slot->sequence = head->sequence;
    slot->session = head->session;
    slot->type = head->type;
    slot->view_size = slot->event_size = 0;
    s_set_state(slot, SLOT_RUNNING);
}

// Sets the size to 0 first and to its value last: a reader after a death in between finds no half of the
// text.
static void
s_set_text(_Atomic uint8_t *size, char *bytes, slice text, size_t limit)
{
    atomic_store_explicit(size, 0, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (!text.size || text.size > limit)
        return;
    memcpy(bytes, text.data, text.size);
    atomic_store_explicit(size, (uint8_t)text.size, memory_order_release);
}

void
recorder_note(black_box_slot *slot, slice view, slice event)
{
    if (!slot)
        return;
    s_set_text(&slot->view_size, slot->view, view, sizeof slot->view);
    s_set_text(&slot->event_size, slot->event, event, sizeof slot->event);
}

void
recorder_end_turn(black_box_slot *slot)
{
    s_set_state(slot, SLOT_EMPTY);
}

// Without a free slot the turn's own is marked, which its end may still clear.
void
recorder_blame(recorder *self, black_box_slot *culprit)
{
    black_box_slot *slot = s_take_slot(self);
    if (slot)
        s_copy(slot, culprit, SLOT_CULPRIT);
    else
        s_set_state(culprit, SLOT_CULPRIT);
}

// A slot that is emptied meanwhile stays empty: its turn has ended.
void
recorder_blame_awaiting(recorder *self)
{
    for (unsigned i = BLACK_BOX_THREADS; i < BLACK_BOX_SLOTS; i++) {
        uint32_t running = SLOT_RUNNING;
        atomic_compare_exchange_strong(&self->box->slot[i].state, &running, SLOT_CULPRIT);
    }
}

static recorder *s_recorder; // for the signal handler; set once

// Async-signal-safe. Raises the signal again, to die of it.
static void
s_on_deadly_signal(int number)
{
    pid_t thread = gettid();
    for (unsigned i = 0; i < BLACK_BOX_THREADS; i++) {
        black_box_slot *slot = &s_recorder->box->slot[i];
        if (slot->thread == thread && slot->state == SLOT_RUNNING)
            s_set_state(slot, SLOT_CULPRIT);
    }
    signal(number, SIG_DFL);
    raise(number);
}

// SA_ONSTACK: a stack overflow is one of the deaths to be explained.
void
recorder_catch_signals(recorder *self)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_handler = s_on_deadly_signal, .sa_flags = SA_NODEFER | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    s_recorder = self;
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        sigaction(deadly[i], &action, NULL);
}
