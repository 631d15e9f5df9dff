// death - runs a function in a child process and tells whether it died by abort(), as ASSERT promises.
#ifndef TROUPE_TEST_DEATH_H
#define TROUPE_TEST_DEATH_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static inline bool
death_by_abort(void (*run)(void))
{
    fflush(NULL); // or the child would print what the parent has not flushed yet
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDERR_FILENO);
        run();
        _exit(0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGABRT;
}

#endif
