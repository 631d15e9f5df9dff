// A fixed table, searched linearly: it is asked only when a session is placed or ends, not for each request.
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

// Returns the count if the session is not here.
static size_t
s_find(const quarantine *self, id16 session)
{
    size_t index = 0;
    while (index < self->count && !id_equal(self->all[index].session, session))
        index++;
    return index;
}

static bool
s_is_held(const quarantine_entry *entry, uint64_t now)
{
    return entry->until > now;
}

// Which of two entries is replaced first: one that is not held, then the older one.
static bool
s_goes_before(const quarantine_entry *entry, const quarantine_entry *other, uint64_t now)
{
    bool held = s_is_held(entry, now), other_held = s_is_held(other, now);
    return held != other_held ? other_held : entry->at < other->at;
}

// A free entry, or the one that matters least: ids in EXITED are not verified, so the table must not grow.
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

// Truncates: the text is only shown to people.
static uint8_t
s_copy(char *target, slice text, size_t limit)
{
    size_t size = text.size < limit ? text.size : limit;
    if (size)
        memcpy(target, text.data, size);
    return (uint8_t)size;
}

// Two entries of one report count as one death: they come at the same ms. A second death within
// QUARANTINE_WITHIN_MS holds the session; one while it is held prolongs that.
bool
quarantine_record(quarantine *self, const running_turn *turn, uint64_t now)
{
    size_t found = s_find(self, turn->session);
    bool known = found < self->count;
    if (known && self->all[found].at == now)
        return false;
    bool before = known && s_is_held(&self->all[found], now);
    bool again = before || (known && now - self->all[found].at <= QUARANTINE_WITHIN_MS);
    quarantine_entry *entry = known ? &self->all[found] : s_room(self, now);
    *entry = (quarantine_entry){
        .session = turn->session, .at = now, .until = again ? now + QUARANTINE_HOLD_MS : 0};
    entry->view_size = s_copy(entry->view, turn->view, sizeof entry->view);
    entry->event_size = s_copy(entry->event, turn->event, sizeof entry->event);
    return again && !before;
}

const quarantine_entry *
quarantine_find_held(const quarantine *self, id16 session, uint64_t now)
{
    size_t found = s_find(self, session);
    return found < self->count && s_is_held(&self->all[found], now) ? &self->all[found] : NULL;
}

// By the time alone: front_exited notes the turns and gives up the worker while handling the same message.
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
