// reconciler_stage - a reconciler with a fake clock and fake processes, whose pids are slot * 100 +
// generation. No I/O.
#ifndef TROUPE_TESTS_PLAN_STAGE_H
#define TROUPE_TESTS_PLAN_STAGE_H

#include "fleet/supervisor/reconciler.h"

#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

static reconciler *s_plan;
static uint64_t s_now;
static char s_said[512]; // what the reconciler wants, as "start 101, term 102 reload, kill 3"

static inline int
s_pid(unsigned number, unsigned generation)
{
    return (int)(number * 100 + generation);
}

static inline void
s_begin(unsigned workers)
{
    s_now = 1000;
    s_plan = reconciler_new(&(reconciler_options){workers, 60000, 8000, 5000, 0});
}

static inline const char *
s_act(void)
{
    reconciler_action next;
    s_said[0] = '\0';
    while (reconciler_next(s_plan, s_now, &next)) {
        static const char *const verbs[] = {"start", "term", "kill"};
        size_t used = strlen(s_said);
        int pid = next.type == RECONCILER_START ? s_pid(next.slot, next.generation) : next.pid;
        snprintf(s_said + used, sizeof s_said - used, "%s%s %d%s%s", used ? ", " : "", verbs[next.type], pid,
                 next.why ? " " : "", next.why ? next.why : "");
        if (next.type == RECONCILER_START)
            reconciler_started(s_plan, next.slot, pid);
    }
    return s_said;
}

static inline void
s_expect(const char *wanted)
{
    CU_ASSERT_STRING_EQUAL(s_act(), wanted);
    if (strcmp(s_said, wanted) != 0)
        printf("\n  wanted '%s', got '%s'\n", wanted, s_said);
    CU_ASSERT_EQUAL(reconciler_next(s_plan, s_now, &(reconciler_action){0}), false);
}

static inline void
s_ready(int pid)
{
    reconciler_ready(s_plan, pid, s_now);
}

static inline reconciler_end
s_exit(int pid)
{
    return reconciler_exited(s_plan, pid, "exit code 3", s_now, NULL, NULL);
}

static inline void
s_wait(uint64_t wanted)
{
    uint64_t wait = reconciler_wait(s_plan, s_now);
    CU_ASSERT_EQUAL(wait, wanted);
    if (wait != wanted)
        printf("\n  wanted to wait %llu, got %llu\n", (unsigned long long)wanted, (unsigned long long)wait);
}

static inline void
s_up(unsigned workers)
{
    s_begin(workers);
    s_act();
    s_ready(1);
    s_act();
    for (unsigned i = 1; i <= workers; i++)
        s_ready(s_pid(i, 1));
    s_expect("");
    CU_ASSERT_TRUE(reconciler_is_up(s_plan));
}

#endif
