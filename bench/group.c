// Parses the specification of a group, and makes the events of its sessions.
#include "bench/group.h"

#include "common/errors.h"
#include "proto/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
s_number(const char *text, unsigned *ret)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    *ret = (unsigned)value;
    return end != text && !*end && value <= 100000000;
}

static bool
s_assign(group_spec *self, const char *key, char *value)
{
    if (!strcmp(key, "name"))
        return (self->name = value);
    if (!strcmp(key, "view"))
        return (self->view = value);
    if (!strcmp(key, "event"))
        return (self->event = value);
    if (!strcmp(key, "sessions"))
        return s_number(value, &self->sessions);
    if (!strcmp(key, "rate"))
        return s_number(value, &self->rate);
    if (!strcmp(key, "stagger"))
        return s_number(value, &self->stagger);
    return !strcmp(key, "loops") && s_number(value, &self->loops);
}

bool
group_parse(char *text, group_spec *ret)
{
    *ret = (group_spec){0};
    char *rest, *part = strtok_r(text, ",", &rest);
    for (; part; part = strtok_r(NULL, ",", &rest)) {
        char *value = strchr(part, '=');
        if (value)
            *value++ = '\0';
        if (!s_assign(ret, part, value ? value : part + strlen(part))) {
            fprintf(stderr, "no such key, or no such value: %s\n", part);
            return false;
        }
    }
    if (ret->name && ret->view && ret->event && ret->sessions)
        return true;
    fprintf(stderr, "a group has name, view, event and sessions\n");
    return false;
}

void
member_init(member *self, group *group)
{
    *self = (member){.of = group, .room = 64};
    self->due = malloc(self->room * sizeof *self->due);
    ASSERT(self->due);
}

void
member_fini(member *self)
{
    free(self->due);
    *self = (member){0};
}

void
member_add(member *self, uint64_t due)
{
    if (self->count == self->room) {
        uint64_t *more = malloc(2 * self->room * sizeof *more);
        ASSERT(more);
        for (unsigned i = 0; i < self->count; i++)
            more[i] = self->due[(self->head + i) % self->room];
        free(self->due);
        self->due = more;
        self->head = 0;
        self->room *= 2;
    }
    self->due[(self->head + self->count++) % self->room] = due;
}

uint64_t
member_take(member *self)
{
    ASSERT(self->sent);
    uint64_t due = self->due[self->head];
    self->head = (self->head + 1) % self->room;
    self->count--;
    self->sent--;
    return due;
}

bool
member_may_send(const member *self)
{
    return self->sent < self->count && self->sent < MOST_WAITING;
}

void
member_event(const member *self, buffer *out)
{
    const group_spec *spec = &self->of->spec;
    writer writer = writer_on(out);
    writer_map(writer, 3);
    writer_key_bin(writer, "view", slice_of(self->view.bytes, ID_SIZE));
    writer_key_str(writer, "name", slice_text(spec->event));
    writer_key(writer, "params");
    writer_map(writer, spec->loops ? 1 : 0);
    if (spec->loops)
        writer_key_uint(writer, "loops", spec->loops);
}
