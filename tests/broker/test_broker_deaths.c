// Sessions that end workers: EXITED, quarantine, and which sessions are placed afterwards.
#include "tests/broker/stage.h"

#include "broker/routing/quarantine.h"
#include "tests/unit.h"

#include <sys/wait.h>
#include <unistd.h>

static stage s_stage;
static zsock_t *s_client, *s_worker;
static unsigned s_workers;

static void
s_end(void)
{
    zsock_destroy(&s_client);
    zsock_destroy(&s_worker);
    stage_end(&s_stage);
}

static void
s_send_exited(uint64_t pid, uint8_t number, const char *event)
{
    header head = request_of(MSG_EXITED, 0, 0, SEQUENCE_REQUEST);
    uint8_t bytes[HEADER_SIZE];
    header_encode(&head, bytes);
    exited_body exited = {.pid = pid, .count = 1};
    exited.running[0] = (running_turn){session_id(number), 1, slice_text("shop.Cart"), slice_text(event)};
    buffer body;
    buffer_init(&body);
    exited_encode(&exited, &body);
    slice frames[] = {slice_of(bytes, sizeof bytes), buffer_bytes(&body)};
    stage_raw(s_client, frames, 2);
    buffer_fini(&body);
}

// A pid that nobody has: a child's, once it was reaped.
static uint64_t
s_gone_pid(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
    return (uint64_t)child;
}

// Registers a worker whose process has ended already. Returns its pid.
static uint64_t
s_doomed_worker(void)
{
    char id[16];
    uint64_t pid = s_gone_pid();
    snprintf(id, sizeof id, "r%u", ++s_workers);
    zsock_destroy(&s_worker);
    s_worker = stage_worker(&s_stage, id, NULL);
    stage_register_pid(s_worker, id, pid);
    CU_ASSERT_EQUAL_FATAL(stage_receive(&s_stage, s_worker).head.type, MSG_WELCOME);
    return pid;
}

static void
s_message_is(const arrival *got, const char *text)
{
    reader in;
    reader_init(&in, got->body);
    CU_ASSERT_TRUE(slice_is(reader_str(&in, "message", 1024), text));
}

// Session `number` joins a new worker, and is running an event when the worker dies. EXITED blames session
// `owner`, and the answer names that event only if it is the same session.
static void
s_die(uint8_t number, uint8_t owner, const char *ended)
{
    uint64_t pid = s_doomed_worker();
    uint64_t epoch = stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, number);
    stage_send_request(s_client, request_of(MSG_EVENT, number, epoch, 1));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_EVENT);
    s_send_exited(pid, owner, "add");
    arrival answer = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(answer.head.type, MSG_UNKNOWN);
    if (number != owner)
        s_message_is(&answer, err_text(ERR_WORKER_LOST));
    else
        s_message_is(&answer, strcmp(ended, "quarantined")
                                  ? "'add' of shop.Cart ended its worker"
                                  : "'add' of shop.Cart ended two workers within a minute");
    CU_ASSERT_STRING_EQUAL(stage_receive(&s_stage, s_client).reason, ended);
}

static void
s_begin(void)
{
    stage_begin(&s_stage);
    s_client = stage_client(&s_stage, "c1");
}

static void
test_two_deaths(void)
{
    s_begin();
    s_die(1, 1, "worker_lost");
    stage_advance(&s_stage, 1000);
    s_die(1, 1, "quarantined");
    message_type all[] = {MSG_JOIN, MSG_MOUNT};
    for (unsigned i = 0; i < 4; i++) { // while there is no worker, and when there is one
        if (i == 2)
            s_doomed_worker();
        stage_send_request(s_client, request_of(all[i % 2], 1, 0, SEQUENCE_REQUEST | i));
        arrival refused = stage_receive(&s_stage, s_client);
        CU_ASSERT_EQUAL(refused.head.type, MSG_NOT_EXECUTED);
        CU_ASSERT_EQUAL(refused.head.sequence, SEQUENCE_REQUEST | i);
        CU_ASSERT_STRING_EQUAL(refused.reason, "quarantined");
        s_message_is(&refused, "'add' of shop.Cart ended two workers within a minute");
        reader in;
        reader_init(&in, refused.body);
        CU_ASSERT_EQUAL(reader_uint(&in, "retry_ms"), QUARANTINE_HOLD_MS);
        CU_ASSERT_TRUE(slice_is(reader_str(&in, "view_path", 255), "shop.Cart"));
        CU_ASSERT_TRUE(slice_is(reader_str(&in, "event", 64), "add"));
    }
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_worker).here);
    stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, 2); // others may
    for (uint64_t left = QUARANTINE_HOLD_MS; left > 0; left -= 4000) {
        stage_advance(&s_stage, 4000);
        stage_heartbeat(s_worker, 1);
        stage_send_request(s_client, request_of(MSG_PING, 0, 0, SEQUENCE_REQUEST));
        CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_PONG);
        while (stage_receive(&s_stage, s_worker).here)
            ;
    }
    stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, 1);
    s_end();
}

static void
test_the_others_are_not_blamed(void)
{
    s_begin();
    s_die(2, 1, "worker_lost");
    s_die(2, 3, "worker_lost");
    s_doomed_worker();
    stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, 1);
    stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, 2);
    s_end();
}

static void
test_a_false_word(void)
{
    s_begin();
    s_die(1, 1, "worker_lost");
    stage_advance(&s_stage, 100);
    s_send_exited((uint64_t)getpid(), 1, "add"); // it lives: not believed
    s_doomed_worker();
    stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, 1);
    s_end();
}

static const unit_test s_tests[] = {
    {"two deaths, and nothing is placed for it", test_two_deaths},
    {"who ran beside it is not blamed", test_the_others_are_not_blamed},
    {"nor is anybody for a process that lives", test_a_false_word},
};
UNIT_MAIN("broker_deaths", s_tests)
