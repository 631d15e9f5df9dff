// What the recorder writes, read as those do who come after it.
#include "tests/unit.h"
#include "worker/actor/recorder.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const header s_event = {.type = MSG_EVENT, .session = {"session-session"}, .sequence = 41},
                    s_mount = {
                        .type = MSG_MOUNT, .session = {"another-another"}, .sequence = SEQUENCE_REQUEST};
static int s_fd;
static uint8_t s_bytes[sizeof(black_box)];
static running_turn s_running[MAX_RUNNING];

static recorder *
s_begin(void)
{
    s_fd = memfd_create("box", 0);
    recorder *made = recorder_new(s_fd);
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    return made;
}

static unsigned
s_read(void)
{
    CU_ASSERT_EQUAL_FATAL(pread(s_fd, s_bytes, sizeof s_bytes, 0), sizeof s_bytes);
    return black_box_running(slice_of(s_bytes, sizeof s_bytes), s_running, MAX_RUNNING);
}

static void
s_end(recorder **self_p)
{
    recorder_destroy(self_p);
    close(s_fd);
}

static void
test_what_runs(void)
{
    recorder *self = s_begin();
    black_box_slot *first = recorder_thread_slot(self, 0),
                   *last = recorder_thread_slot(self, BLACK_BOX_THREADS - 1);
    CU_ASSERT_EQUAL(s_read(), 0);
    recorder_begin_turn(first, &s_event, 1000);
    recorder_begin_turn(last, &s_mount, 1000);
    CU_ASSERT_EQUAL(s_read(), 2);
    CU_ASSERT_EQUAL(s_running[0].view.size, 0);
    CU_ASSERT_TRUE(slice_is(s_running[0].event, "EVENT"));
    recorder_note(first, slice_text("shop.Cart"), slice_text("add"));
    recorder_note(last, slice_text("shop.List"), slice_of(NULL, 0));
    recorder_note(NULL, slice_text("shop.List"), slice_of(NULL, 0));
    CU_ASSERT_EQUAL(s_read(), 2);
    CU_ASSERT_TRUE(id_equal(s_running[0].session, s_event.session));
    CU_ASSERT_EQUAL(s_running[0].sequence, 41);
    CU_ASSERT_TRUE(slice_is(s_running[0].view, "shop.Cart"));
    CU_ASSERT_TRUE(slice_is(s_running[0].event, "add"));
    CU_ASSERT_TRUE(slice_is(s_running[1].view, "shop.List"));
    CU_ASSERT_TRUE(slice_is(s_running[1].event, "MOUNT"));
    recorder_end_turn(first);
    CU_ASSERT_EQUAL(s_read(), 1);
    recorder_clean_exit(self);
    CU_ASSERT_EQUAL(s_read(), 0);
    s_end(&self);
}

static void
test_what_awaits(void)
{
    recorder *self = s_begin();
    black_box_slot *lane = recorder_thread_slot(self, 0), *parked[BLACK_BOX_PARKED];
    for (unsigned i = 0; i < BLACK_BOX_PARKED; i++) {
        recorder_begin_turn(lane, &s_event, 1000 + i);
        recorder_note(lane, slice_text("shop.Cart"), slice_text("wait"));
        parked[i] = recorder_park(self, lane);
        CU_ASSERT_PTR_NOT_NULL_FATAL(parked[i]);
    }
    CU_ASSERT_EQUAL(s_read(), MAX_RUNNING); // no more than there is room for
    CU_ASSERT_PTR_NULL(recorder_overdue(self, 1999, 1000));
    CU_ASSERT_PTR_EQUAL(recorder_overdue(self, 2010, 1000), parked[0]);
    recorder_begin_turn(lane, &s_event, 2000);
    CU_ASSERT_PTR_NULL(recorder_park(self, lane));
    recorder_resume(parked[0], lane, 2010);
    CU_ASSERT_PTR_EQUAL(recorder_overdue(self, 2010, 1000), parked[1]);
    for (unsigned i = 1; i < BLACK_BOX_PARKED; i++)
        recorder_end_turn(parked[i]);
    CU_ASSERT_EQUAL(s_read(), 1);
    CU_ASSERT_TRUE(slice_is(s_running[0].event, "wait"));
    s_end(&self);
}

// What may go on has its time anew, and the step that the event loop is in leads to its turn.
static void
test_the_event_loop(void)
{
    recorder *self = s_begin();
    black_box_slot *lane = recorder_thread_slot(self, 0);
    recorder_begin_turn(lane, &s_event, 1000);
    recorder_begin_step(self, s_event.session); // it may begin before its turn is parked
    CU_ASSERT_PTR_NULL(recorder_stepping(self));
    black_box_slot *event = recorder_park(self, lane);
    recorder_begin_turn(lane, &s_mount, 1500);
    black_box_slot *mount = recorder_park(self, lane);
    CU_ASSERT_PTR_EQUAL(recorder_stepping(self), event);
    recorder_end_step(self);
    CU_ASSERT_PTR_NULL(recorder_stepping(self));
    recorder_begin_step(self, s_mount.session);
    CU_ASSERT_PTR_EQUAL(recorder_stepping(self), mount);
    CU_ASSERT_PTR_EQUAL(recorder_overdue(self, 2400, 1000), event);
    recorder_extend(event, 2000);
    recorder_extend(NULL, 2000);
    CU_ASSERT_PTR_NULL(recorder_overdue(self, 2400, 1000));
    CU_ASSERT_PTR_EQUAL(recorder_overdue(self, 2500, 1000), mount);
    CU_ASSERT_EQUAL(recorder_loop_silence(self, 2000), 2000);
    recorder_loop_answered(self, 1990);
    CU_ASSERT_EQUAL(recorder_loop_silence(self, 2000), 10);
    CU_ASSERT_EQUAL(recorder_loop_silence(self, 1980), 0);
    s_end(&self);
}

static void
test_only_culprits_are_blamed(void)
{
    recorder *self = s_begin();
    black_box_slot *first = recorder_thread_slot(self, 0), *second = recorder_thread_slot(self, 1);
    recorder_begin_turn(first, &s_event, 1000);
    recorder_begin_turn(second, &s_mount, 1000);
    recorder_blame(self, second);
    recorder_end_turn(second); // its turn ends after all
    CU_ASSERT_EQUAL(s_read(), 1);
    CU_ASSERT_TRUE(id_equal(s_running[0].session, s_mount.session));
    s_end(&self);
    self = s_begin();
    first = recorder_thread_slot(self, 0);
    recorder_begin_turn(first, &s_mount, 1000);
    CU_ASSERT_PTR_NOT_NULL(recorder_park(self, first));
    recorder_begin_turn(first, &s_event, 1000);
    recorder_blame_awaiting(self);
    CU_ASSERT_EQUAL(s_read(), 1);
    CU_ASSERT_TRUE(id_equal(s_running[0].session, s_mount.session));
    s_end(&self);
}

// Its own thread's turn, and not the one beside it.
static void
test_a_deadly_signal(void)
{
    recorder *self = s_begin();
    pid_t child = fork();
    if (child == 0) {
        recorder_catch_signals(self);
        black_box_slot *mine = recorder_thread_slot(self, 3), *other = recorder_thread_slot(self, 4);
        other->thread = 1;
        recorder_begin_turn(mine, &s_event, 1000);
        recorder_begin_turn(other, &s_mount, 1000);
        raise(SIGSEGV);
        _exit(0);
    }
    int status = 0;
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    CU_ASSERT_EQUAL(s_read(), 1);
    CU_ASSERT_EQUAL(s_running[0].sequence, 41);
    s_end(&self);
}

static void
test_nonsense(void)
{
    recorder *self = s_begin();
    black_box_slot *lane = recorder_thread_slot(self, 0);
    recorder_begin_turn(lane, &s_event, 1000);
    recorder_note(lane, slice_text("shop.\xff"), slice_text("add"));
    lane->event_size = 255;
    CU_ASSERT_EQUAL(s_read(), 1);
    CU_ASSERT_EQUAL(s_running[0].view.size, 0);
    CU_ASSERT_TRUE(slice_is(s_running[0].event, "EVENT"));
    memset(&lane->session, 0, sizeof lane->session);
    CU_ASSERT_EQUAL(s_read(), 0);
    recorder_begin_turn(lane, &s_event, 1000);
    CU_ASSERT_EQUAL(s_read(), 1);
    CU_ASSERT_EQUAL(black_box_running(slice_of(s_bytes, sizeof s_bytes - 1), s_running, MAX_RUNNING), 0);
    s_bytes[0]++;
    CU_ASSERT_EQUAL(black_box_running(slice_of(s_bytes, sizeof s_bytes), s_running, MAX_RUNNING), 0);
    s_end(&self);
    CU_ASSERT_PTR_NULL(recorder_new(9999));
}

static const unit_test s_tests[] = {
    {"what runs", test_what_runs},
    {"what awaits", test_what_awaits},
    {"the event loop", test_the_event_loop},
    {"only culprits are blamed", test_only_culprits_are_blamed},
    {"a deadly signal", test_a_deadly_signal},
    {"nonsense", test_nonsense},
};
UNIT_MAIN("recorder", s_tests)
