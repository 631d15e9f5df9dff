// list - an intrusive ring: the link is a member of the item, so that insertion and removal neither search
// nor allocate. For what changes with every message; zlistx is used elsewhere. Owns nothing; not thread-safe.
#ifndef TROUPE_COMMON_LIST_H
#define TROUPE_COMMON_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct list_link {
    struct list_link *prev;
    struct list_link *next;
} list_link;

// The item that a link is a member of.
#define LIST_ITEM(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))
// Walks a list. The position is the caller's, so the body may walk the list too, and insert or remove any
// item except the current one, which must stay in the list until the next step.
#define LIST_EACH(at, head) for (list_link *at = (head)->next; at != (head); at = at->next)

// The link after `at`; NULL at the end.
static inline list_link *
list_behind(const list_link *head, const list_link *at)
{
    return at->next == head ? NULL : at->next; // NOLINT(clang-analyzer-unix.Malloc): see list_remove
}

// For a head, and for a link that is in no list.
static inline void
list_init(list_link *self)
{
    self->prev = self->next = self;
}

static inline bool
list_is_empty(const list_link *self)
{
    return self->next == self; // NOLINT(clang-analyzer-unix.Malloc): see list_remove
}

// The link is in no list afterwards; removing it again is harmless.
static inline void
list_remove(list_link *link)
{
    // The analyzer does not see that an item leaves its lists before it is freed.
    // NOLINTBEGIN(clang-analyzer-unix.Malloc)
    link->prev->next = link->next;
    link->next->prev = link->prev;
    // NOLINTEND(clang-analyzer-unix.Malloc)
    list_init(link);
}

// The link must be in no list.
static inline void
list_append(list_link *head, list_link *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

#endif
