// journal - what the store was put since the last checkpoint: in memory, and in a file that outlives this
// process. A reply waits for one write a batch, and for nothing else. Not thread-safe; logs nothing.
//
// The file mirrors the memory (journal_internal.h). A new generation starts at offset 0 again, over the old
// one. journal_read.h reads what an earlier process left in it.
#ifndef TROUPE_BROKER_STORE_JOURNAL_H
#define TROUPE_BROKER_STORE_JOURNAL_H

#include "common/buffer.h"
#include "common/errors.h"
#include "common/hex.h"

#define JOURNAL_NAME "journal"

enum {
    JOURNAL_BUCKETS = 64,
    // Bytes of a file that are read: far more than are ever written.
    MAX_JOURNAL = 256 << 20,
};

typedef enum {
    JOURNAL_FRAME = 1, // bytes: a snapshot frame
    JOURNAL_ROOT,      // bytes: the root's value
    JOURNAL_TOUCH,
    JOURNAL_DROP,
} journal_kind;

typedef struct {
    journal_kind kind;
    id16 session;
    uint32_t root;
    // In ms.
    uint64_t now;
    // Written one after the other, and read back as bytes.
    slice bytes, more;
} journal_entry;

// What a journal belongs to.
typedef struct {
    // Of the tables that its entries are applied to: each checkpoint begins a new one.
    uint64_t generation;
    // Of this store: drawn at random when it was created; not 0.
    uint64_t store_id;
} journal_origin;

typedef struct {
    int file;
    journal_origin origin;
    // The boot number of this start, for later readers of the file; 0: not known yet.
    uint64_t boot;
    // All of this generation, and how many of them are in the file.
    buffer bytes;
    size_t written;
    // Entries that were put since the last commit.
    size_t uncommitted;
    uint16_t counts[JOURNAL_BUCKETS];
} journal;

// Opens folder/journal, and creates it if need be. Returns an errno, or 0. EINVAL: it is not a regular file.
int journal_open(journal *self, const char *folder);
// Also for zeros. What was not written is lost.
void journal_close(journal *self);
// Appends the content of the file, MAX_JOURNAL bytes at most; blocks that the disk cannot read become zeros.
// Returns an errno, or 0.
int journal_load(const journal *self, buffer *out);
// Returns the offset of its bytes in self->bytes.
size_t journal_put(journal *self, const journal_entry *entry);
// Whether something was put since the last write.
bool journal_is_dirty(const journal *self);
// Writes what was put. ERR_SYSTEM: some of it, or nothing, is in the file.
err journal_write(journal *self);
// Starts a generation: forgets all entries, in the file as well if that can be written.
void journal_begin(journal *self, journal_origin origin);
// Forgets all entries, and truncates the file.
void journal_erase(journal *self);

// Below JOURNAL_BUCKETS.
unsigned journal_bucket(id16 session);

#endif
