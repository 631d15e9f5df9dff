// journal_record - the bytes of a journal: records, each with a checksum of its head and one of its content.
// Only journal.c, journal_read.c and their tests use this.
//
// The file is a sequence of records. Behind each batch of entries is a JOURNAL_COMMIT. It says how many
// entries there were so far, by bucket of their sessions, so that a reader knows whose entries a hole
// swallowed. A generation begins with a commit at offset 0, written over the generation before.
//
// Checksums depend on the store's mark, the generation and the offset: a record of an older generation, one
// that stands elsewhere, and bytes that a user made to look like one are no records.
#ifndef TROUPE_BROKER_STORE_JOURNAL_RECORD_H
#define TROUPE_BROKER_STORE_JOURNAL_RECORD_H

#include "broker/store/journal.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define JOURNAL_MAGIC UINT32_C(0x324a7254) // the 2 is the format's version

enum {
    JOURNAL_COMMIT = 0x100, // a kind besides those of journal_kind
    JOURNAL_END = 8,        // zero bytes behind the last record
};

typedef struct {
    uint32_t magic, head_check; // of this head, with 0 here
    uint64_t check;             // of the content
    uint64_t now;
    id16 session;
    uint32_t kind, root;
    uint64_t size; // of the content, which follows
} journal_head;

typedef struct {
    journal_origin origin;
    uint64_t boot;
    uint16_t counts[JOURNAL_BUCKETS];
} journal_commit;

static inline uint64_t
journal_salt(journal_origin origin, size_t offset)
{
    uint64_t words[] = {origin.mark, origin.generation, offset};
    return XXH3_64bits(words, sizeof words);
}

static inline uint32_t
journal_head_check(journal_head head, uint64_t salt)
{
    head.head_check = 0;
    return (uint32_t)XXH3_64bits_withSeed(&head, sizeof head, salt);
}

static inline uint64_t
journal_content_check(const uint8_t *content, size_t size, uint64_t salt)
{
    return XXH3_64bits_withSeed(content, size, salt);
}

#endif
