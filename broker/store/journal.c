// Writing the journal (docs/decisions/fleet/0021); journal_internal.h has its format. The memory is written
// to the file as it is, from `written` on, so both have the same offsets. Nothing here calls fsync(2): what
// is written survives the process, not the machine.
#include "broker/store/journal.h"

#include "broker/store/journal_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

// Memory that a new generation takes over.
#define MAX_KEPT (16U << 20)

enum { FILE_MODE = 0600, BLOCK = 4096 };

// Not seeded: the counts in a file are compared by a later process.
unsigned
journal_bucket(id16 session)
{
    return (unsigned)(XXH3_64bits(session.bytes, ID_SIZE) % JOURNAL_BUCKETS);
}

// O_NONBLOCK, so that a device of that name cannot block the broker; for a regular file it means nothing.
static int
s_open_file(const char *folder)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/" JOURNAL_NAME, folder) >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, FILE_MODE);
}

// What is not a regular file is reported as EINVAL, for the caller to set aside.
int
journal_open(journal *self, const char *folder)
{
    struct stat status;
    *self = (journal){.file = s_open_file(folder)};
    buffer_init(&self->bytes);
    if (self->file < 0)
        return errno == EISDIR || errno == ENXIO ? EINVAL : errno;
    if (fstat(self->file, &status))
        return errno;
    return S_ISREG(status.st_mode) ? 0 : EINVAL;
}

void
journal_close(journal *self)
{
    if (self->file > 0)
        close(self->file);
    buffer_fini(&self->bytes);
    *self = (journal){0};
}

int
journal_load(const journal *self, buffer *out)
{
    struct stat status;
    if (fstat(self->file, &status))
        return errno;
    size_t size = status.st_size < MAX_JOURNAL ? (size_t)status.st_size : MAX_JOURNAL;
    // One more, so that an empty file is not NULL.
    uint8_t *bytes = buffer_reserve(out, size + 1);
    for (size_t at = 0; at < size;) {
        size_t rest = size - at;
        ssize_t got = pread(self->file, bytes + at, rest, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        // Truncated in the meantime.
        if (got == 0) {
            size = at;
            break;
        }
        // A block that the disk cannot read: the reader treats zeros as a hole, and finds what follows.
        if (got < 0) {
            got = (ssize_t)(rest < BLOCK ? rest : BLOCK - at % BLOCK);
            memset(bytes + at, 0, (size_t)got);
        }
        at += (size_t)got;
    }
    buffer_wrote(out, size);
    return 0;
}

// Appends a record and returns the offset of its content. The head is written twice: its checksums depend
// on the content, which is in its place only after the second buffer_slice().
static size_t
s_append_record(journal *self, journal_head head, slice content, slice more)
{
    uint64_t salt = journal_salt(self->origin, self->bytes.size);
    size_t begin = self->bytes.size, at = begin + sizeof head;
    head.magic = JOURNAL_MAGIC;
    head.size = content.size + more.size;
    buffer_append(&self->bytes, &head, sizeof head);
    buffer_slice(&self->bytes, content);
    buffer_slice(&self->bytes, more);
    head.check = journal_content_check(self->bytes.data + at, head.size, salt);
    head.head_check = journal_head_check(head, salt);
    memcpy(self->bytes.data + begin, &head, sizeof head);
    return at;
}

// The entry is durable only after journal_write(). Its bytes stay in memory until the next generation,
// since the memtable refers to them.
size_t
journal_put(journal *self, const journal_entry *entry)
{
    journal_head head = {
        .session = entry->session, .now = entry->now, .kind = entry->kind, .root = entry->root};
    self->uncommitted++;
    self->counts[journal_bucket(entry->session)]++;
    return s_append_record(self, head, entry->bytes, entry->more);
}

bool
journal_is_dirty(const journal *self)
{
    return self->uncommitted;
}

// The counts are those of the whole generation, so that a reader knows what is missing even if several
// commits are lost.
static void
s_append_commit(journal *self)
{
    journal_commit commit = {.origin = self->origin, .boot = self->boot};
    memcpy(commit.counts, self->counts, sizeof commit.counts);
    s_append_record(self, (journal_head){.kind = JOURNAL_COMMIT},
                    slice_of((const uint8_t *)&commit, sizeof commit), (slice){0});
    self->uncommitted = 0;
}

// On failure `written` stays, so that the next write repeats everything from there. The end mark is not
// counted: the next batch overwrites it.
static err
s_write_file(journal *self)
{
    memset(buffer_reserve(&self->bytes, JOURNAL_END), 0, JOURNAL_END);
    size_t size = self->bytes.size + JOURNAL_END;
    for (size_t at = self->written; at < size;) {
        ssize_t wrote = pwrite(self->file, self->bytes.data + at, size - at, (off_t)at);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return ERR_SYSTEM;
        at += (size_t)wrote;
    }
    self->written = self->bytes.size;
    return OK;
}

// One pwrite(2) for a whole batch of replies: the reason why there is a journal at all.
err
journal_write(journal *self)
{
    if (!journal_is_dirty(self))
        return OK;
    s_append_commit(self);
    return s_write_file(self);
}

// The file is overwritten from its beginning and not truncated, so that its blocks stay allocated. The
// commit at offset 0 makes the new generation visible to readers; records of the old one behind it have
// checksums of another generation.
void
journal_begin(journal *self, journal_origin origin)
{
    self->origin = origin;
    self->written = self->uncommitted = 0;
    memset(self->counts, 0, sizeof self->counts);
    buffer_clear(&self->bytes);
    if (self->bytes.capacity > MAX_KEPT)
        buffer_fini(&self->bytes);
    s_append_commit(self);
    // On failure it is written with the first batch.
    (void)s_write_file(self);
}

// After a failed write the file may hold entries of sessions that the store has given up: no later process
// may replay them.
void
journal_erase(journal *self)
{
    journal_begin(self, self->origin);
    // On failure nothing else can be done.
    int code = ftruncate(self->file, 0);
    (void)code;
    self->written = 0;
}
