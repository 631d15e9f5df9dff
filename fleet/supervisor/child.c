// Starting a process between fork and exec, where only async-signal-safe calls are allowed; and reading its
// pipes.
#include "fleet/supervisor/child.h"

#include "proto/black_box.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

// The descriptors are -1 until child_start().
child *
child_new(void)
{
    child *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->out = self->ready = self->box = -1;
    self->reader = line_reader_new();
    return self;
}

// Also for one that is closed already.
static void
s_close_fd(int *fd)
{
    if (*fd != -1)
        close(*fd);
    *fd = -1;
}

void
child_destroy(child **self_p)
{
    child *self = *self_p;
    if (!self)
        return;
    s_close_fd(&self->out);
    s_close_fd(&self->ready);
    s_close_fd(&self->box);
    line_reader_destroy(&self->reader);
    free(self);
    *self_p = NULL;
}

// Formats with snprintf, and writes without stdio, whose locks another thread may have held.
// errno is that of execvp(3).
static void
s_write_exec_error(const char *program)
{
    char text[512];
    int size = snprintf(text, sizeof text, "cannot run %.300s: %s\n", program, strerror(errno));
    ssize_t written = write(STDERR_FILENO, text, (size_t)size);
    (void)written;
}

// Moves a descriptor above those that the child is given, so that dup2 to their numbers never closes one that
// is still needed. -1 stays -1.
static int
s_move_up(int fd)
{
    return fd == -1 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, CHILD_BOX_FD + 1);
}

// dup2(2) clears FD_CLOEXEC: exactly these survive exec.
static bool
s_dup_to(int fd, int number)
{
    return fd != -1 && dup2(fd, number) == number;
}

// Runs in the child after fork, where ZeroMQ's threads do not exist, but their locks may be held for ever:
// only async-signal-safe functions may be called (signal-safety(7)). Ends with 126 or 127, like a shell that
// cannot run a command.
_Noreturn static void
s_exec_child(char *const *argv, bool attached, pid_t parent, int out, int ready, int box)
{
    bool has_box = box != -1;
    out = s_move_up(out);
    ready = s_move_up(ready);
    box = s_move_up(box);
    int null = s_move_up(open("/dev/null", O_RDWR | O_CLOEXEC));
    // A group of its own: Ctrl-C in a terminal reaches the supervisor only, and what the child starts
    // can be killed as a group.
    if (!attached)
        setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent died before the prctl.
    if (getppid() != parent)
        _exit(1);
    if (!attached && (!s_dup_to(null, STDIN_FILENO) || !s_dup_to(out, STDOUT_FILENO)))
        _exit(126);
    if (!s_dup_to(out, STDERR_FILENO) || !s_dup_to(ready, CHILD_READY_FD) ||
        (has_box && !s_dup_to(box, CHILD_BOX_FD)))
        _exit(126);
    // exec keeps ignored signals ignored and blocked ones blocked: the child begins with neither.
    signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(argv[0], argv);
    s_write_exec_error(argv[0]);
    _exit(127);
}

// The write ends of both pipes are closed here, so that the supervisor sees end of file when the child
// ends.
err
child_start(child *self, char *const *argv)
{
    int out[2] = {-1, -1}, ready[2] = {-1, -1};
    pid_t parent = getpid(), pid = -1;
    // Anonymous memory goes when both processes have ended, however they end.
    self->box = self->slot ? memfd_create("troupe-black-box", MFD_CLOEXEC) : -1;
    if (pipe2(out, O_CLOEXEC) == 0 && pipe2(ready, O_CLOEXEC) == 0)
        pid = fork();
    if (pid == 0)
        s_exec_child(argv, self->attached, parent, out[1], ready[1], self->box);
    int reason = errno;
    s_close_fd(&out[1]);
    s_close_fd(&ready[1]);
    if (pid == -1) {
        s_close_fd(&out[0]);
        s_close_fd(&ready[0]);
        errno = reason;
        return ERR_SYSTEM;
    }
    // In both processes, so that the group exists before it is first signalled.
    if (!self->attached)
        setpgid(pid, pid);
    self->pid = pid;
    self->out = out[0];
    self->ready = ready[0];
    fcntl(self->out, F_SETFL, O_NONBLOCK);
    fcntl(self->ready, F_SETFL, O_NONBLOCK);
    return OK;
}

// At most one read(2) per call: a child that writes without end must not keep the loop to itself.
void
child_read(child *self)
{
    char bytes[16384];
    if (self->out == -1)
        return;
    ssize_t size = read(self->out, bytes, sizeof bytes);
    if (size > 0)
        line_reader_feed(self->reader, slice_of(bytes, (size_t)size));
    else if (size == 0 || (errno != EAGAIN && errno != EINTR))
        s_close_fd(&self->out);
}

// The pipe is closed after one byte, and at end of file, which is a process that ended before it was ready.
bool
child_read_ready(child *self)
{
    char byte;
    ssize_t size = self->ready == -1 ? -1 : read(self->ready, &byte, 1);
    if (size == -1 && (self->ready == -1 || errno == EAGAIN || errno == EINTR))
        return false;
    s_close_fd(&self->ready);
    return size == 1;
}

// The process itself: a worker tells its own children.
void
child_signal(const child *self, int number)
{
    kill(self->pid, number);
}

void
child_kill_group(const child *self)
{
    if (!self->attached)
        kill(-self->pid, SIGKILL);
}

void
child_black_box(const child *self, buffer *out)
{
    // Read rather than mapped: the child may truncate it, and access beyond its end is SIGBUS.
    uint8_t *space = buffer_reserve(out, sizeof(black_box));
    ssize_t size = self->box == -1 ? 0 : pread(self->box, space, sizeof(black_box), 0);
    buffer_wrote(out, size > 0 ? (size_t)size : 0);
}

// Resident pages are the second field of statm (proc(5)). A worker's memory may be shared with others: so
// this is an upper limit of what ending it would free.
uint64_t
child_rss(const child *self)
{
    char path[64];
    unsigned long long all, resident = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", self->pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%llu %llu", &all, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
