// The command lines of the supervisor's children.
#include "fleet/arguments.h"

#include "tests/unit.h"

#include <string.h>

static void
s_assert_argv(const arguments *arguments, const char *expected)
{
    char all[512] = "";
    for (char *const *at = arguments_argv(arguments); *at; at++) {
        strncat(all, *at, sizeof all - strlen(all) - 1);
        strncat(all, " ", sizeof all - strlen(all) - 1);
    }
    CU_ASSERT_STRING_EQUAL(all, expected);
}

static void
test_programs(void)
{
    option_set *given = option_set_new();
    option_set_put(given, OPTION_WORKERS, "3", SOURCE_FLAG, NULL);
    option_set_put(given, OPTION_SETTINGS, "a b", SOURCE_FLAG, NULL);
    option_set_put(given, OPTION_PATH, "x", SOURCE_FLAG, NULL);
    option_set_put(given, OPTION_PATH, "-y", SOURCE_FLAG, NULL);
    option_set_put(given, OPTION_FRONT, "ipc:///f", SOURCE_DEFAULT, NULL);
    option_set_put(given, OPTION_BACK, "ipc:///b", SOURCE_DEFAULT, NULL);
    option_set_put(given, OPTION_RELOAD, "no", SOURCE_FLAG, NULL);
    option_set_put(given, OPTION_VERBOSE, "yes", SOURCE_FLAG, NULL);
    arguments *made = arguments_new("/bin/w");
    arguments_add_options(made, given, PROGRAM_WORKER);
    arguments_add(made, "--name=%s.%u", "worker-1", 7U);
    s_assert_argv(made, "/bin/w --settings=a b --path=x --path=-y --verbose --name=worker-1.7 ");
    arguments_destroy(&made);
    made = arguments_new("b");
    arguments_add_options(made, given, PROGRAM_BROKER);
    s_assert_argv(made, "b --front=ipc:///f --back=ipc:///b --verbose ");
    arguments_destroy(&made);
    arguments_destroy(&made);
    option_set_destroy(&given);
}

static const unit_test s_tests[] = {{"each program gets its own options", test_programs}};
UNIT_MAIN("arguments", s_tests)
