// troupe-bench-load: puts a load on a fleet, or on the bare chain, and prints what it saw as one JSON object.
#include "bench/pace.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_GROUPS 8

typedef struct {
    const char *front;
    bool bare;
    pace_options pace;
    group groups[MOST_GROUPS];
    unsigned count;
} arguments;

static const struct argp_option s_options[] = {
    {"front", 'f', "ADDRESS", 0, "The broker's front address", 0},
    {"bare", 'b', 0, 0, "It is troupe-bench-bare's: mount nothing", 0},
    {"warm-up", 'w', "MS", 0, "Load that is not measured (500)", 0},
    {"measure", 'm', "MS", 0, "How long to measure (2000)", 0},
    {"patience", 'p', "MS", 0, "How long to wait for late answers (3000)", 0},
    {0},
};

static error_t
s_parse(int key, char *text, struct argp_state *state)
{
    arguments *into = state->input;
    switch (key) {
    case 'f':
        into->front = text;
        return 0;
    case 'b':
        into->bare = true;
        return 0;
    case 'w':
        into->pace.warm_up_ms = (unsigned)strtoul(text, NULL, 10);
        return 0;
    case 'm':
        into->pace.measure_ms = (unsigned)strtoul(text, NULL, 10);
        return 0;
    case 'p':
        into->pace.patience_ms = (unsigned)strtoul(text, NULL, 10);
        return 0;
    case ARGP_KEY_ARG:
        if (into->count == MOST_GROUPS || !group_parse(text, &into->groups[into->count++].spec))
            argp_error(state, "not a group, or one too many: %s", text);
        return 0;
    case ARGP_KEY_END:
        if (!into->front || !into->count)
            argp_error(state, "an address and a group are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void
s_print_summary(const group *group, uint32_t worker, double seconds)
{
    summary told = samples_summary(&group->latencies, worker);
    printf("{\"count\":%zu,\"rate\":%.2f,\"p50_us\":%.2f,\"p99_us\":%.2f,\"max_us\":%.2f", told.count,
           (double)told.count / seconds, told.p50 / 1e3, told.p99 / 1e3, told.most / 1e3);
}

static void
s_print_group(const fleet *fleet, const group *group, double seconds)
{
    printf("\"%s\":", group->spec.name);
    s_print_summary(group, EVERY_WORKER, seconds);
    printf(",\"errors\":%zu,\"workers\":{", group->errors);
    const char *comma = "";
    for (uint32_t i = 0; i < fleet->worker_count; i++) {
        unsigned sessions = 0;
        for (unsigned k = 0; k < group->spec.sessions; k++)
            sessions += fleet->members[group->first + k].worker == i;
        printf("%s\"%u\":", comma, fleet->workers[i]);
        s_print_summary(group, i, seconds);
        printf(",\"sessions\":%u}", sessions);
        comma = ",";
    }
    printf("}}");
}

static void
s_print(const fleet *fleet, const arguments *given)
{
    double seconds = given->pace.measure_ms / 1e3;
    printf("{\"request_bytes\":%zu,\"reply_bytes\":%zu,\"groups\":{", fleet->request_size, fleet->reply_size);
    for (unsigned i = 0; i < given->count; i++) {
        printf("%s", i ? "," : "");
        s_print_group(fleet, &given->groups[i], seconds);
    }
    printf("}}\n");
}

int
main(int argc, char **argv)
{
    static const struct argp parser = {
        s_options, s_parse, "GROUP...", "Puts a load on a fleet. See group.h for groups.", NULL, NULL, NULL};
    static arguments given = {.pace = {500, 2000, 3000}};
    argp_parse(&parser, argc, argv, 0, NULL, &given);
    for (unsigned i = 0; i < given.count; i++)
        samples_init(&given.groups[i].latencies);
    fleet fleet;
    fleet_init(&fleet, given.front, given.bare);
    fleet_mount(&fleet, given.groups, given.count);
    pace_run(&fleet, given.groups, given.count, &given.pace);
    s_print(&fleet, &given);
    fleet_shutdown(&fleet);
    fleet_fini(&fleet);
    for (unsigned i = 0; i < given.count; i++)
        samples_fini(&given.groups[i].latencies);
    return 0;
}
