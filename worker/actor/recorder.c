// Shared memory, written so that the supervisor never finds half a record, wherever the process died.
//
// A SIGKILL leaves memory as the last store left it, in program order as the compiler emitted it. So the
// order of stores is what counts: a slot's state is stored last, with release order, and so is a text's size.
#include "worker/actor/recorder.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct recorder {
    black_box *box;
    bool is_read;
    _Atomic unsigned next; // where to look first for a free slot for a turn that awaits
    _Atomic uint64_t loop_answered;
    _Atomic uint64_t step[2]; // the session id of the step that the event loop is in; 0, 0: none
};

// Truncates the file to nothing first: what an earlier process left must not be taken for this one's.
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

// The thread id tells s_on_deadly_signal which slot is its own.
black_box_slot *
recorder_thread_slot(recorder *self, unsigned index)
{
    ASSERT(index < BLACK_BOX_THREADS);
    self->box->slot[index].thread = gettid();
    return &self->box->slot[index];
}

// To be called last. Release order: whoever sees the state also sees the slot that it describes.
static inline void
s_set_state(black_box_slot *slot, slot_state state)
{
    atomic_store_explicit(&slot->state, state, memory_order_release);
}

// Reads each size once and checks it: recorder_blame reads another thread's slot, which may be changing.
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

// A free slot for a turn that awaits; NULL: all are taken. Starts at a different one each time, so that
// threads do not compete for the first.
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
    // The time limits count anew: this thread has had the turn only since now.
    running->since = now;
    recorder_end_turn(parked);
}

void
recorder_extend(black_box_slot *parked, uint64_t now)
{
    if (parked)
        parked->since = now;
}

static void
s_set_step(recorder *self, id16 session)
{
    uint64_t halves[2];
    memcpy(halves, session.bytes, sizeof halves);
    atomic_store_explicit(&self->step[0], halves[0], memory_order_relaxed);
    atomic_store_explicit(&self->step[1], halves[1], memory_order_relaxed);
}

void
recorder_begin_step(recorder *self, id16 session)
{
    s_set_step(self, session);
}

void
recorder_end_step(recorder *self)
{
    s_set_step(self, (id16){0});
}

void
recorder_loop_answered(recorder *self, uint64_t now)
{
    self->loop_answered = now;
}

uint64_t
recorder_loop_silence(const recorder *self, uint64_t now)
{
    uint64_t answered = self->loop_answered;
    return now > answered ? now - answered : 0;
}

// Meant for a step that lasts: while steps change, the halves may be those of two sessions, and match none.
black_box_slot *
recorder_stepping(recorder *self)
{
    uint64_t halves[2] = {self->step[0], self->step[1]};
    id16 session;
    memcpy(session.bytes, halves, sizeof session.bytes);
    for (unsigned i = BLACK_BOX_THREADS; i < BLACK_BOX_SLOTS && !id_is_zero(session); i++) {
        black_box_slot *slot = &self->box->slot[i];
        if (slot->state == SLOT_RUNNING && id_equal(slot->session, session))
            return slot;
    }
    return NULL;
}

// Looks at parked slots only: pool_overdue finds turns that run.
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

// Only the state needs an order: no other thread reads a slot that is not SLOT_RUNNING.
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

// Sets the size to 0 first and to its value last, so that a reader never finds half of a text. The fence
// keeps the compiler from moving memcpy in front of the first store.
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

// Without a free slot it marks the turn's own, which is cleared if the turn still ends.
void
recorder_blame(recorder *self, black_box_slot *culprit)
{
    black_box_slot *slot = s_take_slot(self);
    if (slot)
        s_copy(slot, culprit, SLOT_CULPRIT);
    else
        s_set_state(culprit, SLOT_CULPRIT);
}

// Compares and swaps, so that a slot that is emptied meanwhile stays empty: its turn is not to blame.
void
recorder_blame_awaiting(recorder *self)
{
    for (unsigned i = BLACK_BOX_THREADS; i < BLACK_BOX_SLOTS; i++) {
        uint32_t running = SLOT_RUNNING;
        atomic_compare_exchange_strong(&self->box->slot[i].state, &running, SLOT_CULPRIT);
    }
}

// For the signal handler, which takes no context. Set once.
static recorder *s_recorder;

// Async-signal-safe. Raises the signal again with its default action, so that the exit status and a core dump
// are those of the signal.
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

// SA_ONSTACK: a stack overflow, which leaves no room for a handler, is one of the deaths to be explained.
// SA_NODEFER: the handler raises the signal that it handles.
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
