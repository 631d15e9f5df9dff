// The command line of troupe: each verb, and what is refused.
#include "fleet/cli/command.h"

#include "tests/unit.h"

#include <argp.h>
#include <string.h>

const char *argp_program_version = "test";

enum { MOST = 12 };
static command s_got;

// The words after "troupe", up to NULL.
static err
s_parse(const char *const *words)
{
    char *argv[MOST + 2] = {(char *)"troupe"};
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    return command_parse(argc, argv, ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP, &s_got);
}
#define PARSE(...) s_parse((const char *const[]){__VA_ARGS__, NULL})

static void
test_up(void)
{
    CU_ASSERT_EQUAL(PARSE("up", "--workers", "3", "--path", "a", "--path=b", "--settings=x.y", "--reload",
                          "--config", "c.conf", "--ready-fd", "5"),
                    OK);
    CU_ASSERT_EQUAL(s_got.name, COMMAND_UP);
    CU_ASSERT_EQUAL(option_set_number(s_got.options, OPTION_WORKERS), 3);
    CU_ASSERT_EQUAL(option_set_count(s_got.options, OPTION_PATH), 2);
    CU_ASSERT_STRING_EQUAL(option_set_text(s_got.options, OPTION_SETTINGS), "x.y");
    CU_ASSERT_EQUAL(option_set_number(s_got.options, OPTION_RELOAD), 1);
    CU_ASSERT_STRING_EQUAL(s_got.config, "c.conf");
    CU_ASSERT_EQUAL(option_set_descriptor(s_got.options, OPTION_READY_FD), 5);
    command_fini(&s_got);
    CU_ASSERT_EQUAL(PARSE("up"), OK);
    CU_ASSERT_EQUAL(option_set_descriptor(s_got.options, OPTION_READY_FD), -1);
    CU_ASSERT_PTR_NULL(s_got.config);
    command_fini(&s_got);
}

static void
test_others(void)
{
    CU_ASSERT_EQUAL(PARSE("status", "--json", "--watch", "--state", "/x"), OK);
    CU_ASSERT_TRUE(s_got.json && s_got.watch);
    CU_ASSERT_STRING_EQUAL(option_set_text(s_got.options, OPTION_STATE), "/x");
    command_fini(&s_got);
    CU_ASSERT_EQUAL(PARSE("drain", "worker-3"), OK);
    CU_ASSERT_EQUAL(s_got.worker, 3);
    command_fini(&s_got);
    CU_ASSERT_EQUAL(PARSE("drain", "12"), OK);
    CU_ASSERT_EQUAL(s_got.worker, 12);
    command_fini(&s_got);
    CU_ASSERT_EQUAL(PARSE("scale", "4"), OK);
    CU_ASSERT_EQUAL(s_got.workers, 4);
    command_fini(&s_got);
    CU_ASSERT_EQUAL(PARSE("reload"), OK);
    CU_ASSERT_EQUAL(s_got.name, COMMAND_RELOAD);
    command_fini(&s_got);
    CU_ASSERT_EQUAL(PARSE("stop", "--config=f"), OK);
    CU_ASSERT_EQUAL(s_got.name, COMMAND_STOP);
    command_fini(&s_got);
    CU_ASSERT_EQUAL(PARSE("keygen", "web", "--out", "keys"), OK);
    CU_ASSERT_EQUAL(s_got.name, COMMAND_KEYGEN);
    CU_ASSERT_STRING_EQUAL(s_got.operand, "web");
    CU_ASSERT_STRING_EQUAL(s_got.out, "keys");
    command_fini(&s_got);
    CU_ASSERT_EQUAL(PARSE("sessions", "--json", "--worker", "w1", "--front", "ipc:///x"), OK);
    CU_ASSERT_EQUAL(s_got.name, COMMAND_SESSIONS);
    CU_ASSERT_TRUE(s_got.json && !s_got.operand);
    CU_ASSERT_STRING_EQUAL(s_got.worker_name, "w1");
    CU_ASSERT_STRING_EQUAL(option_set_text(s_got.options, OPTION_FRONT), "ipc:///x");
    command_fini(&s_got);
    CU_ASSERT_EQUAL(PARSE("evict", "ab12"), OK);
    CU_ASSERT_EQUAL(s_got.name, COMMAND_EVICT);
    CU_ASSERT_STRING_EQUAL(s_got.operand, "ab12");
    command_fini(&s_got);
    CU_ASSERT_EQUAL(PARSE("keygen"), OK);
    CU_ASSERT_PTR_NULL(s_got.operand);
    command_fini(&s_got);
}

static void
test_refused(void)
{
    static const char *const bad[][4] = {
        {NULL},
        {"down"},
        {"--json"},
        {"up", "extra"},
        {"up", "--workers", "0"},
        {"up", "--workers"},
        {"up", "--json"},
        {"up", "--ready-fd", "x"},
        {"scale"},
        {"drain"},
        {"drain", "worker-"},
        {"drain", "worker-0"},
        {"drain", "1", "2"},
        {"scale", "0"},
        {"scale", "257"},
        {"scale", "2", "3"},
        {"scale", "-1"},
        {"status", "now"},
        {"status", "--workers", "2"},
        {"reload", "--json"},
        {"stop", "--watch"},
        {"keygen", "a", "b"},
        {"evict"},
        {"evict", "a", "b"},
        {"evict", "a", "--json"},
        {"sessions", "a", "b"},
        {"sessions", "--watch"},
        {"status", "--front", "ipc:///x"},
        {"keygen", "--state", "x"},
        {"up", "--out", "x"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *words[5] = {bad[i][0], bad[i][1], bad[i][2], bad[i][3]};
        CU_ASSERT_EQUAL(s_parse(words), ERR_MALFORMED);
        command_fini(&s_got);
    }
}

static void
test_words(void)
{
    for (command_name name = COMMAND_STATUS; name < COMMAND_COUNT; name++)
        CU_ASSERT_EQUAL(command_find(slice_text(command_word(name))), name);
    CU_ASSERT_EQUAL(command_find(slice_text("")), COMMAND_COUNT);
}

// A command for the supervisor has the number and the word of its verb.
static void
test_control_verbs(void)
{
    CU_ASSERT_EQUAL((int)COMMAND_UP, (int)CONTROL_VERB_COUNT);
    for (control_verb verb = CONTROL_STATUS; verb < CONTROL_VERB_COUNT; verb++)
        CU_ASSERT_STRING_EQUAL(command_word((command_name)verb), control_verb_word(verb));
}

static const unit_test s_tests[] = {
    {"up", test_up},
    {"control verbs", test_control_verbs},
    {"the others", test_others},
    {"what is refused", test_refused},
    {"words", test_words},
};
UNIT_MAIN("command", s_tests)
