#include "fleet/arguments.h"

#include "tests/unit.h"

#include <string.h>

static void
s_assert_argv(const arguments *of, const char *expected)
{
    char all[512] = "";
    for (char *const *at = arguments_argv(of); *at; at++) {
        strncat(all, *at, sizeof all - strlen(all) - 1);
        strncat(all, " ", sizeof all - strlen(all) - 1);
    }
    CU_ASSERT_STRING_EQUAL(all, expected);
}

static void
test_programs(void)
{
    settings *given = settings_new();
    settings_put(given, SET_WORKERS, "3", SOURCE_FLAG, NULL);
    settings_put(given, SET_DJANGO, "a b", SOURCE_FLAG, NULL);
    settings_put(given, SET_PATH, "x", SOURCE_FLAG, NULL);
    settings_put(given, SET_PATH, "-y", SOURCE_FLAG, NULL);
    settings_put(given, SET_FRONT, "ipc:///f", SOURCE_DEFAULT, NULL);
    settings_put(given, SET_BACK, "ipc:///b", SOURCE_DEFAULT, NULL);
    settings_put(given, SET_RELOAD, "no", SOURCE_FLAG, NULL);
    settings_put(given, SET_VERBOSE, "yes", SOURCE_FLAG, NULL);
    arguments *made = arguments_new("/bin/w");
    arguments_add_settings(made, given, PROGRAM_WORKER);
    arguments_add(made, "--name=%s.%u", "worker-1", 7U);
    s_assert_argv(made, "/bin/w --settings=a b --path=x --path=-y --verbose --name=worker-1.7 ");
    arguments_destroy(&made);
    made = arguments_new("b");
    arguments_add_settings(made, given, PROGRAM_BROKER);
    s_assert_argv(made, "b --front=ipc:///f --back=ipc:///b --verbose ");
    arguments_destroy(&made);
    arguments_destroy(&made);
    settings_destroy(&given);
}

static const unit_test s_tests[] = {{"each program gets its own settings", test_programs}};
UNIT_MAIN("arguments", s_tests)
