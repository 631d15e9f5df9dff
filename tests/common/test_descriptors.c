// A closed standard descriptor is taken before anything else can get its number.
#include "common/descriptors.h"

#include "tests/unit.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static int
s_with_closed(unsigned which)
{
    for (int fd = 0; fd < 3; fd++)
        if (which & 1U << fd)
            close(fd);
    if (descriptors_reserve_standard())
        return 1;
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) != 0) // open, and inherited
            return 2;
    return open("/dev/null", O_RDONLY) > STDERR_FILENO ? 0 : 3;
}

static void
test_any_may_be_closed(void)
{
    for (unsigned which = 0; which < 8; which++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0)
            _exit(s_with_closed(which));
        int status = 1;
        CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
        CU_ASSERT_EQUAL(status, 0);
    }
}

static const unit_test s_tests[] = {{"any of them may be closed", test_any_may_be_closed}};
UNIT_MAIN("descriptors", s_tests)
