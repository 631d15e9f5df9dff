// The children of the supervisor: one array, searched by pid. As a subreaper it also inherits, and kills,
// what workers leave behind.
#include "fleet/supervisor/processes.h"

#include "fleet/arguments.h"
#include "fleet/programs.h"
#include "fleet/supervisor/slot.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct processes {
    const option_set *options;
    const clock_ops *clock;
    child *children[MAX_PROCESSES];
    size_t count;
};

processes *
processes_new(const option_set *options, const clock_ops *clock)
{
    processes *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->options = options;
    self->clock = clock;
    // Orphans of workers become our children instead of init's.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return self;
}

// The processes themselves have ended: supervisor_run() waits for that.
void
processes_destroy(processes **self_p)
{
    processes *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        child_destroy(&self->children[i]);
    free(self);
    *self_p = NULL;
}

// The command line of a broker or worker: the options of `troupe up` that concern it, and its descriptors.
static arguments *
s_build_arguments(const processes *self, const child *new_child)
{
    char program[4096];
    arguments *built =
        arguments_new(program_find(new_child->slot ? "worker" : "broker", program, sizeof program));
    arguments_add_options(built, self->options, new_child->slot ? PROGRAM_WORKER : PROGRAM_BROKER);
    if (new_child->slot) {
        // The generation makes the name unique: its predecessor may still be stopping.
        arguments_add(built, "--name=%s.%u", new_child->name, new_child->generation);
        arguments_add(built, "--back=%s", option_set_local(self->options, OPTION_BACK));
        arguments_add(built, "--black-box-fd=%d", CHILD_BOX_FD);
    }
    arguments_add(built, "--ready-fd=%d", CHILD_READY_FD);
    return built;
}

// A limit, ± 10 %, so that workers that started together are not replaced together.
static uint64_t
s_random_limit(const processes *self, option_name name, uint64_t unit)
{
    uint32_t random;
    clock_random(self->clock, &random, sizeof random);
    uint64_t limit = option_set_number(self->options, name) * unit;
    return limit - limit / 10 + limit / 5 * (random % 1024) / 1024;
}

// The child is ours until processes_reap() hands it over; the caller only looks at it.
const child *
processes_start(processes *self, unsigned slot_number, unsigned generation)
{
    ASSERT(self->count < MAX_PROCESSES);
    child *started = child_new();
    started->slot = slot_number;
    started->generation = generation;
    started->started_at = clock_now(self->clock);
    slot_name(slot_number, started->name, sizeof started->name);
    started->attached = slot_number && option_set_number(self->options, OPTION_DEBUG);
    if (slot_number) {
        started->max_turns = s_random_limit(self, OPTION_MAX_EVENTS, 1);
        started->max_age_ms = s_random_limit(self, OPTION_MAX_AGE_S, 1000);
        started->max_rss = s_random_limit(self, OPTION_MAX_RSS_MB, 1 << 20);
    }
    arguments *command = s_build_arguments(self, started);
    err error = child_start(started, arguments_argv(command));
    arguments_destroy(&command);
    if (error)
        child_destroy(&started);
    else
        self->children[self->count++] = started;
    return started;
}

// A linear search: it is called when a process changes its state, and for each row of a report.
child *
processes_find(const processes *self, int pid)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->children[i]->pid == pid)
            return self->children[i];
    return NULL;
}

size_t
processes_count(const processes *self)
{
    return self->count;
}

child *
processes_at(const processes *self, size_t at)
{
    ASSERT(at < self->count);
    return self->children[at];
}

// Keeps the order, in which reports list the processes.
static void
s_remove(processes *self, const child *ended)
{
    size_t at = 0;
    while (self->children[at] != ended)
        at++;
    memmove(&self->children[at], &self->children[at + 1], (self->count - at - 1) * sizeof *self->children);
    self->count--;
}

// The group is killed before the child is reaped, while its number cannot belong to anybody else.
bool
processes_reap(processes *self, child **ret_child, int *ret_status)
{
    siginfo_t info = {0};
    // Look without reaping first: until it is reaped, its pid and group id cannot be reused.
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 || info.si_pid == 0)
        return false;
    child *ended = processes_find(self, info.si_pid);
    if (ended)
        child_kill_group(ended);
    waitpid(info.si_pid, ret_status, 0);
    *ret_child = ended;
    if (ended)
        s_remove(self, ended);
    return true;
}

// Repeats, because the death of an orphan makes its own children ours (PR_SET_CHILD_SUBREAPER).
void
processes_kill_orphans(void)
{
    char path[64];
    // Bounded: a process in an uninterruptible sleep cannot be killed.
    int pid, rounds = 100;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    for (bool found = true; found && rounds > 0; rounds--) {
        FILE *file = fopen(path, "re");
        found = false;
        while (file && fscanf(file, "%d", &pid) == 1) {
            found = true;
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
        if (file)
            fclose(file);
    }
}
