#include "fleet/supervisor/processes.h"

#include "fleet/arguments.h"
#include "fleet/programs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct crew {
    const settings *given;
    const clock_ops *clock;
    child *all[CREW_MOST];
    size_t count;
};

crew *
crew_new(const settings *given, const clock_ops *clock)
{
    crew *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->given = given;
    self->clock = clock;
    prctl(PR_SET_CHILD_SUBREAPER, 1); // what workers leave behind is ours to end
    return self;
}

void
crew_destroy(crew **self_p)
{
    crew *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        child_destroy(&self->all[i]);
    free(self);
    *self_p = NULL;
}

const char *
crew_slot_name(unsigned slot, char *ret_text, size_t size)
{
    if (slot == 0)
        snprintf(ret_text, size, "broker");
    else
        snprintf(ret_text, size, "worker-%u", slot);
    return ret_text;
}

static arguments *
s_arguments(const crew *self, const child *of)
{
    char program[4096];
    arguments *made = arguments_new(program_find(of->slot ? "worker" : "broker", program, sizeof program));
    arguments_add_settings(made, self->given, of->slot ? PROGRAM_WORKER : PROGRAM_BROKER);
    if (of->slot) {
        // A name of its own, as it may have to start while the one before still ends.
        arguments_add(made, "--name=%s.%u", of->name, of->generation);
        arguments_add(made, "--back=%s", settings_local(self->given, SET_BACK));
        arguments_add(made, "--black-box-fd=%d", CHILD_BOX_FD);
    }
    arguments_add(made, "--ready-fd=%d", CHILD_READY_FD);
    return made;
}

// A limit, give or take 10 %, so that workers that started together do not end together.
static uint64_t
s_limit(const crew *self, setting_name name, uint64_t unit)
{
    uint32_t random;
    clock_random(self->clock, &random, sizeof random);
    uint64_t limit = settings_number(self->given, name, 0) * unit;
    return limit - limit / 10 + limit / 5 * (random % 1024) / 1024;
}

const child *
crew_start(crew *self, unsigned slot, unsigned generation)
{
    ASSERT(self->count < CREW_MOST);
    child *made = child_new();
    made->slot = slot;
    made->generation = generation;
    made->started_at = clock_now(self->clock);
    crew_slot_name(slot, made->name, sizeof made->name);
    if (slot) {
        made->most_turns = s_limit(self, SET_MAX_EVENTS, 1);
        made->most_age_ms = s_limit(self, SET_MAX_AGE_S, 1000);
        made->most_rss = s_limit(self, SET_MAX_RSS_MB, 1 << 20);
    }
    arguments *command = s_arguments(self, made);
    err error = child_start(made, arguments_argv(command));
    arguments_destroy(&command);
    if (error)
        child_destroy(&made);
    else
        self->all[self->count++] = made;
    return made;
}

child *
crew_find(const crew *self, int pid)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->all[i]->pid == pid)
            return self->all[i];
    return NULL;
}

size_t
crew_count(const crew *self)
{
    return self->count;
}

child *
crew_at(const crew *self, size_t at)
{
    ASSERT(at < self->count);
    return self->all[at];
}

static void
s_forget(crew *self, const child *gone)
{
    size_t at = 0;
    while (self->all[at] != gone)
        at++;
    memmove(&self->all[at], &self->all[at + 1], (self->count - at - 1) * sizeof *self->all);
    self->count--;
}

bool
crew_reap(crew *self, child **ret_child, int *ret_status)
{
    siginfo_t info = {0};
    // First a look: as long as it is not reaped, nobody else can get its pid, nor a group that number.
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 || info.si_pid == 0)
        return false;
    child *gone = crew_find(self, info.si_pid);
    if (gone)
        child_kill_group(gone);
    waitpid(info.si_pid, ret_status, 0);
    *ret_child = gone;
    if (gone)
        s_forget(self, gone);
    return true;
}

void
crew_end_strangers(void)
{
    char path[64];
    int pid, rounds = 100; // one that cannot be killed must not hold us for ever
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
