// The table of options: defaults, limits, keys and help agree with each other and with the protocol.
#include "common/limits.h"
#include "common/options.h"
#include "tests/unit.h"

#include <argp.h>
#include <string.h>

static void
test_defaults(void)
{
    for (unsigned name = 0; name < OPTION_COUNT; name++) {
        const option *row = &option_table[name];
        char problem[OPTION_PROBLEM_SIZE];
        uint64_t number;
        if (row->kind == KIND_NUMBER && row->fallback)
            CU_ASSERT_EQUAL(option_parse((option_name)name, row->fallback, &number, problem), OK);
        CU_ASSERT_EQUAL(row->argument == NULL, row->kind == KIND_SWITCH);
    }
}

// Defaults that PROTOCOL.md names, too.
static void
test_limits(void)
{
    CU_ASSERT_EQUAL(option_default(OPTION_HEARTBEAT_MS), HEARTBEAT_MS);
    CU_ASSERT_EQUAL(option_default(OPTION_WORKER_DEAD_MS), WORKER_DEAD_MS);
    CU_ASSERT_EQUAL(option_default(OPTION_CLIENT_DEAD_MS), CLIENT_DEAD_MS);
    CU_ASSERT_EQUAL(option_default(OPTION_PASSIVE_S) * 1000, PASSIVE_MS);
    CU_ASSERT_EQUAL(option_default(OPTION_CREDITS), WORKER_CREDIT);
    CU_ASSERT_EQUAL(option_default(OPTION_BUDGET_MB) << 20, MAX_IN_FLIGHT);
    CU_ASSERT_EQUAL(option_default(OPTION_MAX_SESSIONS), WORKER_SESSIONS);
    CU_ASSERT_EQUAL(option_default(OPTION_SOFT_MS), SOFT_MS);
    CU_ASSERT_EQUAL(option_default(OPTION_HARD_MS), HARD_MS);
    CU_ASSERT_EQUAL(option_default(OPTION_MAX_EVENTS), 0);
    CU_ASSERT_EQUAL(option_default(OPTION_FRONT), 0);
}

static void
test_unique(void)
{
    static const unsigned programs[] = {PROGRAM_FLEET, PROGRAM_BROKER, PROGRAM_WORKER};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        for (unsigned name = 0; name < OPTION_COUNT; name++) {
            struct argp_option entry;
            if (!(option_table[name].programs & programs[i]))
                continue;
            CU_ASSERT_EQUAL(option_find(option_table[name].key, programs[i]), name);
            option_argp((option_name)name, programs[i], &entry);
            CU_ASSERT_EQUAL(option_argp_find(entry.key, programs[i]), name);
        }
    CU_ASSERT_EQUAL(option_find("name", PROGRAM_FLEET), OPTION_COUNT);
    CU_ASSERT_EQUAL(option_argp_find('v', PROGRAM_BROKER), OPTION_VERBOSE);
    CU_ASSERT_EQUAL(option_argp_find('b', PROGRAM_BROKER), OPTION_COUNT);
    CU_ASSERT_EQUAL(option_argp_find(0, PROGRAM_WORKER), OPTION_COUNT);
    CU_ASSERT_EQUAL(option_argp_find(ARGP_KEY_END, PROGRAM_WORKER), OPTION_COUNT);
}

static void
test_help(void)
{
    struct argp_option entry, all[OPTION_ARGP_SIZE];
    char variable[OPTION_VARIABLE_SIZE];
    option_argp(OPTION_WORKERS, PROGRAM_FLEET, &entry);
    CU_ASSERT_STRING_EQUAL(entry.doc, "Number of workers (default: 2)");
    option_argp(OPTION_VERBOSE, PROGRAM_FLEET, &entry); // no short options in troupe
    CU_ASSERT_TRUE(entry.key >= 1000 && !entry.arg);
    option_argp(OPTION_FRONT, PROGRAM_BROKER, &entry);
    CU_ASSERT_PTR_NOT_NULL(strstr(entry.doc, "(default: $TROUPE_FRONT)"));
    option_argp(OPTION_HARD_MS, PROGRAM_BROKER, &entry); // what 0 means: test_broker_loss, test_watchdog
    CU_ASSERT_PTR_NOT_NULL(strstr(entry.doc, "0: the worker never ends; the broker answers as with 15000"));
    option_argp_all(PROGRAM_WORKER, all);
    size_t count = 0;
    while (all[count].name)
        count++;
    CU_ASSERT_EQUAL(count, 20);
    CU_ASSERT_STRING_EQUAL(option_variable(OPTION_MAX_RSS_MB, variable), "TROUPE_MAX_RSS_MB");
}

static const unit_test s_tests[] = {
    {"defaults are within limits", test_defaults},
    {"defaults are those of the protocol", test_limits},
    {"keys are unique in a program", test_unique},
    {"help", test_help},
};
UNIT_MAIN("options", s_tests)
