// Where an option's value comes from: flags before the environment, before the file.
#include "common/option_set.h"

#include "tests/unit.h"

#include <string.h>

static option_set *s_given;

static err
s_put(option_name name, const char *text, option_source source)
{
    return option_set_put(s_given, name, text, source, NULL);
}

static void
test_precedence(void)
{
    static const option_source orders[][3] = {
        {SOURCE_FLAG, SOURCE_ENVIRONMENT, SOURCE_FILE},
        {SOURCE_FILE, SOURCE_ENVIRONMENT, SOURCE_FLAG},
        {SOURCE_ENVIRONMENT, SOURCE_FLAG, SOURCE_FILE},
    };
    static const char *const values[] = {
        [SOURCE_FILE] = "2", [SOURCE_ENVIRONMENT] = "3", [SOURCE_FLAG] = "4"};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        s_given = option_set_new();
        CU_ASSERT_EQUAL(option_set_number(s_given, OPTION_WORKERS), 2);
        for (size_t k = 0; k < 3; k++)
            CU_ASSERT_EQUAL(s_put(OPTION_WORKERS, values[orders[i][k]], orders[i][k]), OK);
        CU_ASSERT_EQUAL(option_set_number(s_given, OPTION_WORKERS), 4);
        option_set_destroy(&s_given);
    }
    option_set_destroy(&s_given);
}

static void
test_lists(void)
{
    s_given = option_set_new();
    s_put(OPTION_PATH, "a", SOURCE_FILE);
    s_put(OPTION_PATH, "b", SOURCE_FILE);
    CU_ASSERT_EQUAL(option_set_count(s_given, OPTION_PATH), 2);
    s_put(OPTION_PATH, "c", SOURCE_FLAG); // replaces both
    s_put(OPTION_PATH, "d", SOURCE_FLAG);
    s_put(OPTION_PATH, "e", SOURCE_FILE);
    CU_ASSERT_EQUAL(option_set_count(s_given, OPTION_PATH), 2);
    CU_ASSERT_STRING_EQUAL(option_set_value(s_given, OPTION_PATH, 0), "c");
    CU_ASSERT_STRING_EQUAL(option_set_value(s_given, OPTION_PATH, 1), "d");
    for (int i = 2; i < MAX_OPTION_VALUES; i++)
        CU_ASSERT_EQUAL(s_put(OPTION_PATH, "x", SOURCE_FLAG), OK);
    CU_ASSERT_EQUAL(s_put(OPTION_PATH, "x", SOURCE_FLAG), ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(option_set_problem(s_given), "path: more than 16 values");
    s_put(OPTION_SETTINGS, "one", SOURCE_FLAG);
    s_put(OPTION_SETTINGS, "two", SOURCE_FLAG);
    CU_ASSERT_STRING_EQUAL(option_set_text(s_given, OPTION_SETTINGS), "two");
    CU_ASSERT_EQUAL(option_set_count(s_given, OPTION_SETTINGS), 1);
    option_set_destroy(&s_given);
}

static void
test_values(void)
{
    static const char *const bad[] = {"", "x", "1x", "0", "257", "-1", "99999999999999999999"};
    s_given = option_set_new();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_EQUAL(s_put(OPTION_WORKERS, bad[i], SOURCE_FLAG), ERR_MALFORMED);
    CU_ASSERT_FALSE(option_set_has(s_given, OPTION_WORKERS));
    CU_ASSERT_EQUAL(s_put(OPTION_WORKERS, "300", SOURCE_FLAG), ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(option_set_problem(s_given), "workers: '300' is not a number from 1 to 256");
    CU_ASSERT_EQUAL(s_put(OPTION_SETTINGS, "", SOURCE_FLAG), ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(option_set_problem(s_given), "settings: the value is empty");
    CU_ASSERT_EQUAL(s_put(OPTION_RELOAD, "maybe", SOURCE_FILE), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_put(OPTION_RELOAD, "yes", SOURCE_FILE), OK);
    CU_ASSERT_EQUAL(option_set_number(s_given, OPTION_RELOAD), 1);
    CU_ASSERT_EQUAL(s_put(OPTION_RELOAD, "off", SOURCE_FLAG), OK);
    CU_ASSERT_EQUAL(option_set_number(s_given, OPTION_RELOAD), 0);
    option_set_destroy(&s_given);
}

static void
test_relative_paths(void)
{
    s_given = option_set_new();
    option_set_put(s_given, OPTION_PATH, "src", SOURCE_FILE, "/srv/site");
    option_set_put(s_given, OPTION_PATH, "/opt/x", SOURCE_FILE, "/srv/site");
    option_set_put(s_given, OPTION_SETTINGS, "site.settings", SOURCE_FILE, "/srv/site");
    CU_ASSERT_STRING_EQUAL(option_set_value(s_given, OPTION_PATH, 0), "/srv/site/src");
    CU_ASSERT_STRING_EQUAL(option_set_value(s_given, OPTION_PATH, 1), "/opt/x");
    CU_ASSERT_STRING_EQUAL(option_set_text(s_given, OPTION_SETTINGS), "site.settings");
    option_set_destroy(&s_given);
}

static char *
s_look(const char *variable)
{
    static char workers[] = "7", front[] = "ipc:///a,tcp://127.0.0.1:1", path[] = "x:y:z", empty[] = "";
    if (strcmp(variable, "TROUPE_WORKERS") == 0)
        return workers;
    if (strcmp(variable, "TROUPE_FRONT") == 0)
        return front;
    if (strcmp(variable, "TROUPE_PATH") == 0)
        return path;
    return strcmp(variable, "TROUPE_MAX_RSS_MB") == 0 ? empty : NULL;
}

static char *
s_look_badly(const char *variable)
{
    static char text[] = "many";
    return strcmp(variable, "TROUPE_MAX_RSS_MB") == 0 ? text : NULL;
}

static void
test_environment(void)
{
    s_given = option_set_new();
    CU_ASSERT_EQUAL(option_set_put_environment(s_given, PROGRAM_FLEET, s_look), OK);
    CU_ASSERT_EQUAL(option_set_number(s_given, OPTION_WORKERS), 7);
    CU_ASSERT_EQUAL(option_set_count(s_given, OPTION_FRONT), 2);
    CU_ASSERT_STRING_EQUAL(option_set_value(s_given, OPTION_FRONT, 1), "tcp://127.0.0.1:1");
    CU_ASSERT_EQUAL(option_set_count(s_given, OPTION_PATH), 3);
    CU_ASSERT_FALSE(option_set_has(s_given, OPTION_MAX_RSS_MB));
    CU_ASSERT_EQUAL(option_set_put_environment(s_given, PROGRAM_FLEET, s_look_badly), ERR_MALFORMED);
    option_set_destroy(&s_given);
}

// With a key, the processes of this machine connect to an ipc:// address that is added.
static void
test_local(void)
{
    s_given = option_set_new();
    CU_ASSERT_EQUAL(option_set_put(s_given, OPTION_FRONT, "tcp://0.0.0.0:1", SOURCE_FILE, NULL), OK);
    CU_ASSERT_STRING_EQUAL(option_set_local(s_given, OPTION_FRONT), "tcp://0.0.0.0:1");
    CU_ASSERT_EQUAL(option_set_append(s_given, OPTION_FRONT, "ipc:///a"), OK);
    CU_ASSERT_EQUAL(option_set_count(s_given, OPTION_FRONT), 2);
    CU_ASSERT_STRING_EQUAL(option_set_local(s_given, OPTION_FRONT), "ipc:///a");
    CU_ASSERT_STRING_EQUAL(option_set_text(s_given, OPTION_FRONT), "tcp://0.0.0.0:1");
    for (unsigned i = 2; i < MAX_OPTION_VALUES; i++)
        CU_ASSERT_EQUAL(option_set_append(s_given, OPTION_FRONT, "ipc:///b"), OK);
    CU_ASSERT_EQUAL(option_set_append(s_given, OPTION_FRONT, "ipc:///b"), ERR_MALFORMED);
    option_set_destroy(&s_given);
}

static void
test_find(void)
{
    CU_ASSERT_EQUAL(option_find("max-rss-mb", PROGRAM_FLEET), OPTION_MAX_RSS_MB);
    CU_ASSERT_EQUAL(option_find("wrkers", PROGRAM_FLEET), OPTION_COUNT);
}

static const unit_test s_tests[] = {
    {"flags over environment over file", test_precedence},
    {"lists", test_lists},
    {"invalid values", test_values},
    {"relative paths of a file", test_relative_paths},
    {"the environment", test_environment},
    {"the address for this machine", test_local},
    {"keys", test_find},
};
UNIT_MAIN("option_set", s_tests)
