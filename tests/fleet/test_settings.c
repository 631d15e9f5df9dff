#include "fleet/settings.h"

#include "tests/unit.h"

#include <string.h>

static settings *s_given;

static err
s_put(setting_name name, const char *text, setting_source source)
{
    return settings_put(s_given, name, text, source, NULL);
}

static void
test_precedence(void)
{
    static const setting_source orders[][3] = {
        {SOURCE_FLAG, SOURCE_ENVIRONMENT, SOURCE_FILE},
        {SOURCE_FILE, SOURCE_ENVIRONMENT, SOURCE_FLAG},
        {SOURCE_ENVIRONMENT, SOURCE_FLAG, SOURCE_FILE},
    };
    static const char *const said[] = {[SOURCE_FILE] = "2", [SOURCE_ENVIRONMENT] = "3", [SOURCE_FLAG] = "4"};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        s_given = settings_new();
        CU_ASSERT_EQUAL(settings_number(s_given, SET_WORKERS, 9), 9);
        for (size_t k = 0; k < 3; k++)
            CU_ASSERT_EQUAL(s_put(SET_WORKERS, said[orders[i][k]], orders[i][k]), OK);
        CU_ASSERT_EQUAL(settings_number(s_given, SET_WORKERS, 9), 4);
        settings_destroy(&s_given);
    }
    settings_destroy(&s_given);
}

static void
test_lists(void)
{
    s_given = settings_new();
    s_put(SET_PATH, "a", SOURCE_FILE);
    s_put(SET_PATH, "b", SOURCE_FILE);
    CU_ASSERT_EQUAL(settings_count(s_given, SET_PATH), 2);
    s_put(SET_PATH, "c", SOURCE_FLAG); // replaces both
    s_put(SET_PATH, "d", SOURCE_FLAG);
    s_put(SET_PATH, "e", SOURCE_FILE);
    CU_ASSERT_EQUAL(settings_count(s_given, SET_PATH), 2);
    CU_ASSERT_STRING_EQUAL(settings_value(s_given, SET_PATH, 0), "c");
    CU_ASSERT_STRING_EQUAL(settings_value(s_given, SET_PATH, 1), "d");
    for (int i = 2; i < SETTING_VALUES; i++)
        CU_ASSERT_EQUAL(s_put(SET_PATH, "x", SOURCE_FLAG), OK);
    CU_ASSERT_EQUAL(s_put(SET_PATH, "x", SOURCE_FLAG), ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(settings_problem(s_given), "path: more than 16");
    s_put(SET_DJANGO, "one", SOURCE_FLAG);
    s_put(SET_DJANGO, "two", SOURCE_FLAG);
    CU_ASSERT_STRING_EQUAL(settings_text(s_given, SET_DJANGO), "two");
    CU_ASSERT_EQUAL(settings_count(s_given, SET_DJANGO), 1);
    settings_destroy(&s_given);
}

static void
test_values(void)
{
    static const char *const bad[] = {"", "x", "1x", "0", "257", "-1", "99999999999999999999"};
    s_given = settings_new();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_EQUAL(s_put(SET_WORKERS, bad[i], SOURCE_FLAG), ERR_MALFORMED);
    CU_ASSERT_FALSE(settings_given(s_given, SET_WORKERS));
    CU_ASSERT_EQUAL(s_put(SET_WORKERS, "300", SOURCE_FLAG), ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(settings_problem(s_given), "workers: '300' is not a number from 1 to 256");
    CU_ASSERT_EQUAL(s_put(SET_DJANGO, "", SOURCE_FLAG), ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(settings_problem(s_given), "settings: nothing is given");
    CU_ASSERT_EQUAL(s_put(SET_RELOAD, "maybe", SOURCE_FILE), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_put(SET_RELOAD, "yes", SOURCE_FILE), OK);
    CU_ASSERT_EQUAL(settings_number(s_given, SET_RELOAD, 0), 1);
    CU_ASSERT_EQUAL(s_put(SET_RELOAD, "off", SOURCE_FLAG), OK);
    CU_ASSERT_EQUAL(settings_number(s_given, SET_RELOAD, 1), 0);
    settings_destroy(&s_given);
}

static void
test_folder(void)
{
    s_given = settings_new();
    settings_put(s_given, SET_PATH, "src", SOURCE_FILE, "/srv/site");
    settings_put(s_given, SET_PATH, "/opt/x", SOURCE_FILE, "/srv/site");
    settings_put(s_given, SET_DJANGO, "site.settings", SOURCE_FILE, "/srv/site");
    CU_ASSERT_STRING_EQUAL(settings_value(s_given, SET_PATH, 0), "/srv/site/src");
    CU_ASSERT_STRING_EQUAL(settings_value(s_given, SET_PATH, 1), "/opt/x");
    CU_ASSERT_STRING_EQUAL(settings_text(s_given, SET_DJANGO), "site.settings");
    settings_destroy(&s_given);
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
    s_given = settings_new();
    CU_ASSERT_EQUAL(settings_put_environment(s_given, s_look), OK);
    CU_ASSERT_EQUAL(settings_number(s_given, SET_WORKERS, 2), 7);
    CU_ASSERT_EQUAL(settings_count(s_given, SET_FRONT), 2);
    CU_ASSERT_STRING_EQUAL(settings_value(s_given, SET_FRONT, 1), "tcp://127.0.0.1:1");
    CU_ASSERT_EQUAL(settings_count(s_given, SET_PATH), 3);
    CU_ASSERT_FALSE(settings_given(s_given, SET_MAX_RSS_MB));
    CU_ASSERT_EQUAL(settings_put_environment(s_given, s_look_badly), ERR_MALFORMED);
    settings_destroy(&s_given);
}

// With keys, this machine's own processes come in by an ipc:// address that nobody gave.
static void
test_local(void)
{
    s_given = settings_new();
    CU_ASSERT_EQUAL(settings_put(s_given, SET_FRONT, "tcp://0.0.0.0:1", SOURCE_FILE, NULL), OK);
    CU_ASSERT_STRING_EQUAL(settings_local(s_given, SET_FRONT), "tcp://0.0.0.0:1");
    CU_ASSERT_EQUAL(settings_append(s_given, SET_FRONT, "ipc:///a"), OK);
    CU_ASSERT_EQUAL(settings_count(s_given, SET_FRONT), 2);
    CU_ASSERT_STRING_EQUAL(settings_local(s_given, SET_FRONT), "ipc:///a");
    CU_ASSERT_STRING_EQUAL(settings_text(s_given, SET_FRONT), "tcp://0.0.0.0:1");
    for (unsigned i = 2; i < SETTING_VALUES; i++)
        CU_ASSERT_EQUAL(settings_append(s_given, SET_FRONT, "ipc:///b"), OK);
    CU_ASSERT_EQUAL(settings_append(s_given, SET_FRONT, "ipc:///b"), ERR_MALFORMED);
    settings_destroy(&s_given);
}

static void
test_find(void)
{
    CU_ASSERT_EQUAL(settings_find("max-rss-mb"), SET_MAX_RSS_MB);
    CU_ASSERT_EQUAL(settings_find("wrkers"), SETTING_COUNT);
}

static const unit_test s_tests[] = {
    {"flags over environment over file", test_precedence},
    {"lists", test_lists},
    {"values that are none", test_values},
    {"relative paths of a file", test_folder},
    {"the environment", test_environment},
    {"the address of this machine's own", test_local},
    {"keys", test_find},
};
UNIT_MAIN("settings", s_tests)
