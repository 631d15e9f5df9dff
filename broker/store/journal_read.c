// Reading a journal: from record to record, and after anything else to the next valid record. Fuzzed
// (tests/fuzz/fuzz_journal.c): no byte of the file is trusted before a checksum covers it.
//
// Entries and damage are passed on in the order of the file. The damage that a commit reveals comes after the
// entries that it counts and before newer ones: a session that is written in full later is sound again.
#include "broker/store/journal_read.h"

#include "broker/store/journal_internal.h"

#include <stdlib.h>

typedef struct {
    journal_entry entry;
    journal_damage damage;
    bool is_damage;
} read_step;

typedef struct {
    slice file;
    journal_origin origin;
    const journal_visitor *visitor;
    // Entries and damage since the last commit.
    read_step *steps;
    size_t count, capacity;
    // Of the entries with valid heads.
    uint16_t counts[JOURNAL_BUCKETS];
    // Where the last commit ends.
    size_t committed;
} reading;

// The head was validated: its content is inside the file.
static const uint8_t *
s_content(slice file, size_t at)
{
    return file.data + at + sizeof(journal_head);
}

// Whether there is a valid head: then its size can be trusted.
static bool
s_read_head(slice file, journal_origin origin, size_t at, journal_head *ret)
{
    if (file.size - at < sizeof *ret)
        return false;
    memcpy(ret, file.data + at, sizeof *ret);
    return ret->magic == JOURNAL_MAGIC && ret->size <= file.size - at - sizeof *ret &&
           ret->head_check == journal_head_check(*ret, journal_salt(origin, at));
}

// Separate from the head: with a valid head, damaged content still has the name of its session, and a size
// by which it can be skipped.
static bool
s_is_content_valid(slice file, journal_origin origin, size_t at, const journal_head *head)
{
    return head->check == journal_content_check(s_content(file, at), head->size, journal_salt(origin, at));
}

// The next offset from `at` on where a record may start; the size of the file: none.
static size_t
s_next_magic(slice file, size_t at)
{
    const uint32_t magic = JOURNAL_MAGIC;
    if (at >= file.size)
        return file.size;
    const uint8_t *found = memmem(file.data + at, file.size - at, &magic, sizeof magic);
    return found ? (size_t)(found - file.data) : file.size;
}

// --- the newest generation ------------------------------------------------------------------------------

// A commit is checked with the origin that it contains.
static bool
s_read_commit(slice file, size_t at, journal_commit *ret)
{
    journal_head head;
    if (file.size - at < sizeof head + sizeof *ret)
        return false;
    memcpy(&head, file.data + at, sizeof head);
    if (head.kind != JOURNAL_COMMIT || head.size != sizeof *ret)
        return false;
    memcpy(ret, s_content(file, at), sizeof *ret);
    return s_read_head(file, ret->origin, at, &head) && s_is_content_valid(file, ret->origin, at, &head);
}

// Looks at every commit in the file, of all generations: a newer one may have overwritten only the
// beginning of an older one.
bool
journal_find_newest(slice file, uint64_t store_id, journal_found *ret)
{
    bool found = false;
    journal_commit commit;
    for (size_t at = s_next_magic(file, 0); at < file.size; at = s_next_magic(file, at + 1)) {
        if (!s_read_commit(file, at, &commit) || (store_id && commit.origin.store_id != store_id))
            continue;
        store_id = commit.origin.store_id;
        if (!found)
            *ret = (journal_found){commit.origin, commit.boot};
        found = true;
        if (commit.origin.generation > ret->origin.generation)
            ret->origin = commit.origin;
        if (commit.boot > ret->boot)
            ret->boot = commit.boot;
    }
    return found;
}

// --- entries ----------------------------------------------------------------------------------------

static void
s_add_step(reading *self, const read_step *step)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : 64;
        self->steps = realloc(self->steps, self->capacity * sizeof *self->steps);
        ASSERT(self->steps);
    }
    self->steps[self->count++] = *step;
}

static void
s_add_damage(reading *self, journal_fault fault, size_t at, size_t size, id16 session)
{
    s_add_step(self,
               &(read_step){.is_damage = true,
                            .damage = {.fault = fault, .offset = at, .size = size, .session = session}});
}

// Passes on what was read since the last commit.
static void
s_report_steps(reading *self)
{
    for (size_t i = 0; i < self->count; i++) {
        const read_step *next = &self->steps[i];
        if (next->is_damage)
            self->visitor->damage(self->visitor->context, &next->damage);
        else
            self->visitor->entry(self->visitor->context, &next->entry);
    }
    self->count = 0;
}

// Compares the counts of the commit with what was read: differences are entries that were lost.
static void
s_handle_commit(reading *self, size_t at, size_t end)
{
    journal_commit commit;
    memcpy(&commit, s_content(self->file, at), sizeof commit);
    journal_damage lost = {.fault = JOURNAL_LOST, .offset = self->committed};
    for (unsigned i = 0; i < JOURNAL_BUCKETS; i++)
        if (commit.counts[i] != self->counts[i])
            lost.buckets |= UINT64_C(1) << i;
    s_report_steps(self);
    if (lost.buckets)
        self->visitor->damage(self->visitor->context, &lost);
    memcpy(self->counts, commit.counts, sizeof self->counts);
    self->committed = end;
}

// Anything that has a valid head counts for its bucket, even if its content is damaged: that loss is
// reported by session already, and its bucket must not be dropped for it as well.
static void
s_handle_record(reading *self, size_t at, const journal_head *head)
{
    bool valid = s_is_content_valid(self->file, self->origin, at, head);
    bool is_commit = head->kind == JOURNAL_COMMIT;
    size_t size = sizeof *head + head->size;
    if (is_commit && valid && head->size == sizeof(journal_commit)) {
        s_handle_commit(self, at, at + size);
        return;
    }
    if (!is_commit)
        self->counts[journal_bucket(head->session)]++;
    // A damaged commit names no session: its damage is logged only, and the next commit has the
    // counts.
    if (!valid || is_commit) {
        s_add_damage(self, JOURNAL_CORRUPT, at, size, head->session);
        return;
    }
    s_add_step(self, &(read_step){.entry = {.kind = (journal_kind)head->kind,
                                            .session = head->session,
                                            .root = head->root,
                                            .now = head->now,
                                            .bytes = slice_of(s_content(self->file, at), head->size)}});
}

// The offset of the next valid record of this generation; the size of the file: none.
static size_t
s_resynchronise(const reading *self, size_t at)
{
    journal_head head;
    do
        at = s_next_magic(self->file, at + 1);
    while (at < self->file.size && !s_read_head(self->file, self->origin, at, &head));
    return at;
}

// A file may also end right after the last commit.
static bool
s_has_end_mark(const reading *self)
{
    static const uint8_t end[JOURNAL_END];
    size_t rest = self->file.size - self->committed;
    return memcmp(self->file.data + self->committed, end, rest < JOURNAL_END ? rest : JOURNAL_END) == 0;
}

// In one pass. What follows the last commit is passed on, too: those entries are valid, and no client can
// have seen anything older.
void
journal_read(slice file, journal_origin origin, const journal_visitor *visitor)
{
    reading self = {.file = file, .origin = origin, .visitor = visitor};
    journal_head head;
    for (size_t at = 0; at < file.size;) {
        if (s_read_head(file, origin, at, &head)) {
            s_handle_record(&self, at, &head);
            at += sizeof head + head.size;
            continue;
        }
        size_t next = s_resynchronise(&self, at);
        if (next < file.size)
            s_add_damage(&self, JOURNAL_HOLE, at, next - at, (id16){{0}});
        at = next;
    }
    bool torn = self.count || !s_has_end_mark(&self);
    s_report_steps(&self);
    if (torn)
        visitor->damage(visitor->context, &(journal_damage){.fault = JOURNAL_TORN, .offset = self.committed});
    free(self.steps);
}
