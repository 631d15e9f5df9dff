// The configuration file, and files that are none.
#include "fleet/option_file.h"

#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static option_set *s_given;
static char s_why[256];

static err
s_read(const char *text)
{
    char path[] = "/tmp/troupe-test-XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_TRUE_FATAL(fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    s_given = option_set_new();
    s_why[0] = '\0';
    err error = option_file_read(s_given, path, s_why, sizeof s_why);
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
    CU_ASSERT_EQUAL(option_set_number(s_given, OPTION_WORKERS), 3);
    CU_ASSERT_STRING_EQUAL(option_set_text(s_given, OPTION_SETTINGS), "shop.settings");
    CU_ASSERT_STRING_EQUAL(option_set_value(s_given, OPTION_PATH, 0), "/tmp/src"); // beside the file
    CU_ASSERT_STRING_EQUAL(option_set_value(s_given, OPTION_PATH, 1), "/opt/x");
    CU_ASSERT_STRING_EQUAL(option_set_text(s_given, OPTION_FRONT), "ipc:///run/x/front");
    CU_ASSERT_EQUAL(option_set_number(s_given, OPTION_VERBOSE), 1);
    option_set_destroy(&s_given);
}

static void
test_bad(void)
{
    CU_ASSERT_EQUAL(s_read("wrkers = 3\n"), ERR_MALFORMED);
    CU_ASSERT_PTR_NOT_NULL(strstr(s_why, "unknown option 'wrkers'"));
    option_set_destroy(&s_given);
    CU_ASSERT_EQUAL(s_read("workers = lots\n"), ERR_MALFORMED);
    CU_ASSERT_PTR_NOT_NULL(strstr(s_why, "'lots' is not a number"));
    option_set_destroy(&s_given);
    CU_ASSERT_EQUAL(s_read("workers\n    many = 3\n"), ERR_MALFORMED);
    option_set_destroy(&s_given);
    s_given = option_set_new();
    CU_ASSERT_EQUAL(option_file_read(s_given, "/nowhere/troupe.conf", s_why, sizeof s_why), ERR_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(s_why, "No such file"));
    option_set_destroy(&s_given);
}

static const unit_test s_tests[] = {
    {"a file", test_good},
    {"invalid files", test_bad},
};
UNIT_MAIN("option_file", s_tests)
