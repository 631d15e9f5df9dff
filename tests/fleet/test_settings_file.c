#include "fleet/settings_file.h"

#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static settings *s_given;
static char s_why[256];

static err
s_read(const char *text)
{
    char path[] = "/tmp/troupe-test-XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_TRUE_FATAL(fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    s_given = settings_new();
    s_why[0] = '\0';
    err error = settings_file_read(s_given, path, s_why, sizeof s_why);
    unlink(path);
    return error;
}

static void
test_good(void)
{
    CU_ASSERT_EQUAL(
        s_read("# a fleet\nworkers = 3\nsettings = shop.settings\npath = src\npath = /opt/x\nverbose = yes\n"
               "front = \"ipc:///run/x/front\"\n"),
        OK);
    CU_ASSERT_EQUAL(settings_number(s_given, SET_WORKERS, 0), 3);
    CU_ASSERT_STRING_EQUAL(settings_text(s_given, SET_DJANGO), "shop.settings");
    CU_ASSERT_STRING_EQUAL(settings_value(s_given, SET_PATH, 0), "/tmp/src"); // beside the file
    CU_ASSERT_STRING_EQUAL(settings_value(s_given, SET_PATH, 1), "/opt/x");
    CU_ASSERT_STRING_EQUAL(settings_text(s_given, SET_FRONT), "ipc:///run/x/front");
    CU_ASSERT_EQUAL(settings_number(s_given, SET_VERBOSE, 0), 1);
    settings_destroy(&s_given);
}

static void
test_bad(void)
{
    CU_ASSERT_EQUAL(s_read("wrkers = 3\n"), ERR_MALFORMED);
    CU_ASSERT_PTR_NOT_NULL(strstr(s_why, "there is no setting 'wrkers'"));
    settings_destroy(&s_given);
    CU_ASSERT_EQUAL(s_read("workers = lots\n"), ERR_MALFORMED);
    CU_ASSERT_PTR_NOT_NULL(strstr(s_why, "'lots' is not a number"));
    settings_destroy(&s_given);
    CU_ASSERT_EQUAL(s_read("workers\n    many = 3\n"), ERR_MALFORMED);
    settings_destroy(&s_given);
    s_given = settings_new();
    CU_ASSERT_EQUAL(settings_file_read(s_given, "/nowhere/troupe.conf", s_why, sizeof s_why), ERR_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(s_why, "No such file"));
    settings_destroy(&s_given);
}

static const unit_test s_tests[] = {
    {"a file", test_good},
    {"files that are none", test_bad},
};
UNIT_MAIN("settings_file", s_tests)
