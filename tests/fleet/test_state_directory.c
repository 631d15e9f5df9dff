// Where the state directory is, and that one supervisor has it at a time.
#include "fleet/state_directory.h"

#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_where(void)
{
    option_set *given = option_set_new();
    char path[STATE_DIRECTORY_PATH], usual[STATE_DIRECTORY_PATH];
    setenv("XDG_RUNTIME_DIR", "/run/somewhere", 1);
    CU_ASSERT_EQUAL(state_directory_find(given, path), OK);
    CU_ASSERT_STRING_EQUAL(path, "/run/somewhere/troupe");
    unsetenv("XDG_RUNTIME_DIR");
    snprintf(usual, sizeof usual, "/run/user/%u", (unsigned)getuid());
    bool has_runtime = access(usual, W_OK) == 0;
    snprintf(usual, sizeof usual, has_runtime ? "/run/user/%u/troupe" : "/tmp/troupe-%u", (unsigned)getuid());
    CU_ASSERT_EQUAL(state_directory_find(given, path), OK);
    CU_ASSERT_STRING_EQUAL(path, usual);
    setenv("TROUPE_DEFAULT_STATE", "/run/somewhere/troupe/site-1", 1);
    CU_ASSERT_EQUAL(state_directory_find(given, path), OK);
    CU_ASSERT_STRING_EQUAL(path, "/run/somewhere/troupe/site-1");
    option_set_put(given, OPTION_STATE, "/var/x", SOURCE_FLAG, NULL);
    CU_ASSERT_EQUAL(state_directory_find(given, path), OK);
    CU_ASSERT_STRING_EQUAL(path, "/var/x");
    char longer[STATE_DIRECTORY_PATH + 2];
    memset(longer, 'x', sizeof longer - 1);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    option_set_put(given, OPTION_STATE, longer, SOURCE_FLAG, NULL);
    CU_ASSERT_EQUAL(state_directory_find(given, path), ERR_TOO_LARGE);
    char address[STATE_DIRECTORY_ADDRESS];
    state_directory_address("/var/x", "front", address);
    CU_ASSERT_STRING_EQUAL(address, "ipc:///var/x/front");
    option_set_destroy(&given);
}

// In a process of its own, as a claim lasts for a process's life.
static err
s_claim_elsewhere(const char *path)
{
    pid_t child = fork();
    char why[256];
    int status;
    if (child == 0)
        _exit((int)state_directory_lock(path, why, sizeof why));
    CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
    return (err)WEXITSTATUS(status);
}

static void
test_claim(void)
{
    char parent[] = "/tmp/troupe-test-XXXXXX", path[STATE_DIRECTORY_PATH], file[STATE_DIRECTORY_ADDRESS],
         why[256];
    struct stat found;
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(parent));
    snprintf(path, sizeof path, "%s/deep/down", parent);
    CU_ASSERT_EQUAL(s_claim_elsewhere(path), OK);
    CU_ASSERT_EQUAL(stat(path, &found), 0);
    CU_ASSERT_EQUAL(found.st_mode & 07777, 0700);
    CU_ASSERT_EQUAL(state_directory_lock(path, why, sizeof why), OK); // the other has ended
    CU_ASSERT_EQUAL(s_claim_elsewhere(path), ERR_NAME_TAKEN);
    chmod(path, 0750);
    CU_ASSERT_EQUAL(s_claim_elsewhere(path), ERR_SYSTEM);
    CU_ASSERT_EQUAL(state_directory_lock(path, why, sizeof why), ERR_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "chmod 700 it, or choose another directory with --state"));
    snprintf(file, sizeof file, "%s/lock", path);
    CU_ASSERT_EQUAL(s_claim_elsewhere(file), ERR_SYSTEM);
    unlink(file);
    rmdir(path);
    snprintf(path, sizeof path, "%s/deep", parent);
    rmdir(path);
    rmdir(parent);
}

static const unit_test s_tests[] = {
    {"where it is", test_where},
    {"one supervisor has it, and nobody else", test_claim},
};
UNIT_MAIN("state_directory", s_tests)
