#include "broker/routing/quarantine.h"

#include <stdio.h>
#include <stdlib.h>

struct quarantine {
    size_t count;
    quarantine_entry all[MAX_QUARANTINED];
};

quarantine *
quarantine_new(void)
{
    quarantine *self = calloc(1, sizeof *self);
    ASSERT(self);
    return self;
}

void
quarantine_destroy(quarantine **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

static size_t
s_find(const quarantine *self, id16 session)
{
    size_t at = 0;
    while (at < self->count && !id_equal(self->all[at].session, session))
        at++;
    return at;
}

static bool
s_is_held(const quarantine_entry *one, uint64_t now)
{
    return one->until > now;
}

static bool
s_goes_before(const quarantine_entry *one, const quarantine_entry *other, uint64_t now)
{
    bool held = s_is_held(one, now), other_held = s_is_held(other, now);
    return held != other_held ? other_held : one->at < other->at;
}

static quarantine_entry *
s_room(quarantine *self, uint64_t now)
{
    if (self->count < MAX_QUARANTINED)
        return &self->all[self->count++];
    quarantine_entry *first = &self->all[0];
    for (size_t i = 1; i < self->count; i++)
        if (s_goes_before(&self->all[i], first, now))
            first = &self->all[i];
    return first;
}

static uint8_t
s_copy(char *to, slice text, size_t most)
{
    size_t size = text.size < most ? text.size : most;
    if (size)
        memcpy(to, text.data, size);
    return (uint8_t)size;
}

bool
quarantine_record(quarantine *self, const running_turn *of, uint64_t now)
{
    size_t found = s_find(self, of->session);
    bool known = found < self->count;
    if (known && self->all[found].at == now)
        return false; // one death is said once
    bool before = known && s_is_held(&self->all[found], now);
    bool again = before || (known && now - self->all[found].at <= QUARANTINE_WITHIN_MS);
    quarantine_entry *one = known ? &self->all[found] : s_room(self, now);
    *one =
        (quarantine_entry){.session = of->session, .at = now, .until = again ? now + QUARANTINE_HOLD_MS : 0};
    one->view_size = s_copy(one->view, of->view, sizeof one->view);
    one->event_size = s_copy(one->event, of->event, sizeof one->event);
    return again && !before;
}

const quarantine_entry *
quarantine_find_held(const quarantine *self, id16 session, uint64_t now)
{
    size_t found = s_find(self, session);
    return found < self->count && s_is_held(&self->all[found], now) ? &self->all[found] : NULL;
}

const quarantine_entry *
quarantine_find_recent(const quarantine *self, id16 session, uint64_t now)
{
    size_t found = s_find(self, session);
    return found < self->count && self->all[found].at == now ? &self->all[found] : NULL;
}

const char *
quarantine_text(const quarantine_entry *self, char ret_text[QUARANTINE_TEXT])
{
    snprintf(ret_text, QUARANTINE_TEXT, "'%.*s'%s%.*s ended %s", self->event_size, self->event,
             self->view_size ? " of " : "", self->view_size, self->view,
             self->until ? "two workers within a minute" : "its worker");
    return ret_text;
}
