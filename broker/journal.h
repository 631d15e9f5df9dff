// journal - what the store was put since its tables were written: in memory, and in a file that outlives this
// process. One write a batch is all that a reply has to wait for. Not thread-safe; logs nothing.
//
// The file mirrors the memory: batches {check, generation, size} of entries, one behind the other. A new
// generation begins at offset 0 again, over the old one; what is of another, or was cut off, is not read.
#ifndef TROUPE_BROKER_JOURNAL_H
#define TROUPE_BROKER_JOURNAL_H

#include "common/buffer.h"
#include "common/errors.h"
#include "common/hex.h"

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
    uint64_t now;      // ms
    slice bytes, more; // written one behind the other, and read as bytes
} journal_entry;

typedef struct {
    int file;
    uint64_t generation;
    buffer bytes;   // of this generation
    size_t written; // of them, to the file
} journal;

// Opens folder/journal, and makes it if need be. An errno, or 0.
int journal_open(journal *self, const char *folder);
void journal_close(journal *self); // also of zeros; what was not written is lost
// Calls replay with each entry that the file has of this generation, from the oldest on. An errno, or 0.
int journal_replay(const journal *self, void (*replay)(void *context, const journal_entry *entry),
                   void *context);
size_t journal_put(journal *self, const journal_entry *added); // returns where its bytes are, in self->bytes
bool journal_is_open(const journal *self); // whether something was put since it was written last
err journal_write(journal *self);          // ERR_SYSTEM: the file has none of what was put since
// Forgets all. The file keeps it, until it is written over.
void journal_begin(journal *self, uint64_t generation);
void journal_void(journal *self); // and so does the file

#endif
