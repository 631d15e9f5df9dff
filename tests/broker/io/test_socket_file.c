// Directories and stale files of ipc:// sockets. Only a dead broker's socket is removed.
#include "broker/io/socket_file.h"

#include "tests/unit.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char s_root[64];

static const char *
s_path(const char *name)
{
    static char path[108];
    snprintf(path, sizeof path, "%s/%s", s_root, name);
    return path;
}

static void
s_begin(void)
{
    snprintf(s_root, sizeof s_root, "/tmp/troupe-test-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s_root));
}

static void
s_end(void)
{
    CU_ASSERT_EQUAL(rmdir(s_root), 0); // nothing else was left
}

static int
s_listen(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    CU_ASSERT_EQUAL_FATAL(listen(fd, 1), 0);
    return fd;
}

static err
s_claim(const char *path, char why[256])
{
    int lock = -1;
    err error = socket_file_claim(path, &lock, why, 256);
    CU_ASSERT_EQUAL(error == OK, lock != -1);
    socket_file_unlock(lock);
    return error;
}

static void
test_makes_directories(void)
{
    char why[256] = "";
    struct stat made;
    s_begin();
    CU_ASSERT_EQUAL(s_claim(s_path("a/b/front"), why), OK);
    CU_ASSERT_EQUAL(stat(s_path("a/b"), &made), 0);
    CU_ASSERT_EQUAL(made.st_mode & 07777, 0700);
    rmdir(s_path("a/b"));
    rmdir(s_path("a"));
    s_end();
}

static void
test_open_directory(void)
{
    char why[256] = "";
    s_begin();
    CU_ASSERT_EQUAL(chmod(s_root, 0710), 0);
    CU_ASSERT_EQUAL(s_claim(s_path("front"), why), ERR_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "0710"));
    CU_ASSERT_EQUAL(chmod(s_root, 0701), 0);
    CU_ASSERT_EQUAL(s_claim(s_path("front"), why), ERR_SYSTEM);
    s_end();
}

static void
test_live_and_stale(void)
{
    char why[256] = "";
    s_begin();
    int fd = s_listen(s_path("front"));
    CU_ASSERT_EQUAL(s_claim(s_path("front"), why), ERR_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "another broker listens on"));
    CU_ASSERT_EQUAL(access(s_path("front"), F_OK), 0);
    close(fd);
    CU_ASSERT_EQUAL(s_claim(s_path("front"), why), OK);
    CU_ASSERT_EQUAL(access(s_path("front"), F_OK), -1);
    s_end();
}

static void
test_not_a_socket(void)
{
    char why[256] = "";
    s_begin();
    FILE *file = fopen(s_path("front"), "w");
    fclose(file);
    CU_ASSERT_EQUAL(s_claim(s_path("front"), why), ERR_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "not a socket"));
    unlink(s_path("front"));
    CU_ASSERT_EQUAL(symlink("/nowhere", s_path("front")), 0);
    CU_ASSERT_EQUAL(s_claim(s_path("front"), why), ERR_SYSTEM);
    unlink(s_path("front"));
    s_end();
}

static const unit_test s_tests[] = {
    {"makes directories that only we can enter", test_makes_directories},
    {"refuses one that others can enter", test_open_directory},
    {"another broker, and what a dead one left", test_live_and_stale},
    {"a file that is no socket stays", test_not_a_socket},
};
UNIT_MAIN("socket_file", s_tests)
