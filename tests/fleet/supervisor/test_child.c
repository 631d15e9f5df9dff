// The descriptors of a child, whichever are free in the supervisor when it is started.
#include "fleet/supervisor/child.h"

#include "tests/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOWEST = 7 }; // descriptors below are free or taken, in every combination

// All that comes until the end of the pipe.
static bool
s_says(int fd, const char *expected)
{
    char text[256];
    size_t used = 0;
    ssize_t size = 1;
    struct pollfd item = {.fd = fd, .events = POLLIN};
    while (size > 0 && used < sizeof text - 1 && poll(&item, 1, -1) == 1) {
        size = read(fd, text + used, sizeof text - 1 - used);
        used += size > 0 ? (size_t)size : 0;
    }
    text[used] = '\0';
    return strcmp(text, expected) == 0;
}

// Writes to each of them, and names what else is open.
static char s_script[] = "echo out; echo err >&2; echo ready >&3; [ -z \"$1\" ] || echo box >&4; "
                         "read line && echo not empty; "
                         "for fd in /proc/$$/fd/*; do [ \"${fd##*/}\" -gt \"$2\" ] && [ -e \"$fd\" ] && "
                         "echo \"$fd\"; done; exit 0";

static int
s_start(unsigned slot)
{
    child *started = child_new();
    started->slot = slot;
    char *argv[] = {"/bin/bash", "-c", s_script, "sh", slot ? "box" : "", slot ? "4" : "3", NULL};
    buffer box;
    int status;
    buffer_init(&box);
    if (child_start(started, argv))
        return 2;
    if (!s_says(started->ready, "ready\n"))
        return 3;
    if (!s_says(started->out, "out\nerr\n"))
        return 4;
    if (waitpid(started->pid, &status, 0) != started->pid || status)
        return 5;
    child_black_box(started, &box);
    return slice_is(buffer_bytes(&box), slot ? "box\n" : "") ? 0 : 6;
}

static int
s_with_free(unsigned which, unsigned slot)
{
    int null = LOWEST;
    if (dup3(open("/dev/null", O_RDWR), null, O_CLOEXEC) != null ||
        syscall(SYS_close_range, LOWEST + 1, ~0U, 0))
        return 1;
    for (int fd = 0; fd < LOWEST; fd++) {
        if (which & 1U << fd)
            close(fd);
        else if (dup3(null, fd, O_CLOEXEC) != fd)
            return 1;
    }
    return s_start(slot);
}

static void
test_whatever_is_free(void)
{
    for (unsigned which = 0; which < 1U << LOWEST; which++)
        for (unsigned slot = 0; slot < 2; slot++) {
            fflush(NULL);
            pid_t process = fork();
            if (process == 0)
                _exit(s_with_free(which, slot));
            int status = 1;
            CU_ASSERT_EQUAL(waitpid(process, &status, 0), process);
            if (status)
                printf("free 0x%x slot %u status 0x%x\n", which, slot, (unsigned)status);
            CU_ASSERT_EQUAL(status, 0);
        }
}

static const unit_test s_tests[] = {{"whatever is free", test_whatever_is_free}};
UNIT_MAIN("child", s_tests)
