#include "broker/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MOST_KEPT (16U << 20) // memory that a new generation takes over

typedef struct {
    uint64_t check; // of what follows it
    uint64_t generation;
    uint64_t size; // of the entries
} batch;

typedef struct {
    id16 session;
    uint64_t now;
    uint32_t kind, root;
    uint64_t size;
} entry_head;

enum { FILE_MODE = 0600, CHECKED_FROM = sizeof(uint64_t) };

static int
s_open(const char *folder)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/journal", folder) >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
}

int
journal_open(journal *self, const char *folder)
{
    *self = (journal){.file = s_open(folder)};
    buffer_init(&self->bytes);
    return self->file < 0 ? errno : 0;
}

void
journal_close(journal *self)
{
    if (self->file > 0)
        close(self->file);
    buffer_fini(&self->bytes);
    *self = (journal){0};
}

static uint64_t
s_check(const uint8_t *begin, size_t size) // of a batch with its head
{
    return XXH3_64bits(begin + CHECKED_FROM, size - CHECKED_FROM);
}

// What the file has of size bytes; all of them, or an errno.
static int
s_read(int file, uint8_t *to, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t got = pread(file, to + at, size - at, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got ? errno : EIO;
        at += (size_t)got;
    }
    return 0;
}

static void
s_replay_batch(slice entries, void (*replay)(void *, const journal_entry *), void *context)
{
    entry_head head;
    for (size_t at = 0; entries.size - at >= sizeof head; at += head.size) {
        memcpy(&head, entries.data + at, sizeof head);
        at += sizeof head;
        if (head.size > entries.size - at)
            return;
        replay(context, &(journal_entry){.kind = (journal_kind)head.kind,
                                         .session = head.session,
                                         .root = head.root,
                                         .now = head.now,
                                         .bytes = slice_of(entries.data + at, head.size)});
    }
}

int
journal_replay(const journal *self, void (*replay)(void *context, const journal_entry *entry), void *context)
{
    struct stat status;
    if (fstat(self->file, &status))
        return errno;
    buffer all;
    buffer_init(&all);
    size_t size = (size_t)status.st_size;
    int code = s_read(self->file, buffer_reserve(&all, size), size);
    batch head;
    for (size_t at = 0; !code && size - at >= sizeof head; at += sizeof head + head.size) {
        memcpy(&head, all.data + at, sizeof head);
        if (head.generation != self->generation || head.size > size - at - sizeof head ||
            head.check != s_check(all.data + at, sizeof head + head.size))
            break;
        s_replay_batch(slice_of(all.data + at + sizeof head, head.size), replay, context);
    }
    buffer_fini(&all);
    return code;
}

size_t
journal_put(journal *self, const journal_entry *added)
{
    if (!journal_is_open(self)) // what its head says is known when it is written
        buffer_append(&self->bytes, &(batch){0}, sizeof(batch));
    entry_head head = {.session = added->session,
                       .now = added->now,
                       .kind = added->kind,
                       .root = added->root,
                       .size = added->bytes.size + added->more.size};
    buffer_append(&self->bytes, &head, sizeof head);
    size_t at = self->bytes.size;
    buffer_slice(&self->bytes, added->bytes);
    buffer_slice(&self->bytes, added->more);
    return at;
}

bool
journal_is_open(const journal *self)
{
    return self->bytes.size > self->written;
}

err
journal_write(journal *self)
{
    if (!journal_is_open(self))
        return OK;
    uint8_t *begin = self->bytes.data + self->written;
    size_t size = self->bytes.size - self->written;
    batch head = {.generation = self->generation, .size = size - sizeof head};
    memcpy(begin, &head, sizeof head);
    head.check = s_check(begin, size);
    memcpy(begin, &head, sizeof head);
    for (size_t at = 0; at < size;) {
        ssize_t wrote = pwrite(self->file, begin + at, size - at, (off_t)(self->written + at));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return ERR_SYSTEM;
        at += (size_t)wrote;
    }
    self->written = self->bytes.size;
    return OK;
}

void
journal_begin(journal *self, uint64_t generation)
{
    self->generation = generation;
    self->written = 0;
    buffer_clear(&self->bytes);
    if (self->bytes.capacity > MOST_KEPT)
        buffer_fini(&self->bytes);
}

void
journal_void(journal *self)
{
    journal_begin(self, self->generation);
    int code = ftruncate(self->file, 0); // if it fails: nothing else can be done about it
    (void)code;
}
