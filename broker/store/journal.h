// journal - what the store was put since its tables were written: in memory, and in a file that outlives this
// process. One write a batch is all that a reply has to wait for. Not thread-safe; logs nothing.
//
// The file mirrors the memory (journal_record.h). A new generation begins at offset 0 again, over the old
// one. What a process that is gone left there is read by journal_read.h.
#ifndef TROUPE_BROKER_STORE_JOURNAL_H
#define TROUPE_BROKER_STORE_JOURNAL_H

#include "common/buffer.h"
#include "common/errors.h"
#include "common/hex.h"

#define JOURNAL_NAME "journal"

enum {
    JOURNAL_BUCKETS = 64,
    JOURNAL_MOST = 256 << 20, // bytes of a file that are read; far more than is ever written
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
    uint64_t now;      // ms
    slice bytes, more; // written one behind the other, and read as bytes
} journal_entry;

typedef struct {
    uint64_t generation; // of the tables that these entries come on top of
    uint64_t mark;       // of this store, drawn at random once; not 0
} journal_origin;

typedef struct {
    int file;
    journal_origin origin;
    uint64_t boot;      // of this start, for whoever reads the file; 0: not known yet
    buffer bytes;       // of this generation
    size_t written;     // of them, to the file
    size_t uncommitted; // entries
    uint16_t counts[JOURNAL_BUCKETS];
} journal;

// Opens folder/journal, and makes it if need be. An errno, or 0. EINVAL: there is something that is no file.
int journal_open(journal *self, const char *folder);
void journal_close(journal *self); // also of zeros; what was not written is lost
// Appends what the file has, JOURNAL_MOST bytes at most; zeros where the disk cannot read it. An errno, or 0.
int journal_load(const journal *self, buffer *out);
size_t journal_put(journal *self, const journal_entry *added); // returns where its bytes are, in self->bytes
bool journal_is_open(const journal *self); // whether something was put since it was written last
err journal_write(journal *self);          // ERR_SYSTEM: the file may have none of what was put since
// Forgets all, in the file as well, as far as that can be written.
void journal_begin(journal *self, journal_origin origin);
void journal_void(journal *self); // and so does the file in any case

unsigned journal_bucket(id16 session); // below JOURNAL_BUCKETS

#endif
