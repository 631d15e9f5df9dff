// journal_internal - the format of a journal: records, each with a checksum of its head and one of its
// content. For journal.c, journal_read.c and their tests only.
//
// The file is a sequence of records. Each batch of entries ends with a JOURNAL_COMMIT, which has the number
// of entries so far, by bucket of their sessions, so that a reader knows which sessions a hole in the file
// affects. A generation starts with a commit at offset 0, written over the generation before.
//
// Checksums depend on the store's id, the generation and the offset. So a record of an older generation, a
// misplaced one, and bytes in user data that look like a record are all invalid.
#ifndef TROUPE_BROKER_STORE_JOURNAL_INTERNAL_H
#define TROUPE_BROKER_STORE_JOURNAL_INTERNAL_H

#include "broker/store/journal.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

// "TrJ2": the 2 is the version of the format.
#define JOURNAL_MAGIC UINT32_C(0x324a7254)

enum {
    // A kind of record besides those of journal_kind.
    JOURNAL_COMMIT = 0x100,
    // Zero bytes after the last record.
    JOURNAL_END = 8,
};

typedef struct {
    // head_check: of this head, with 0 in its place. check: of the content.
    uint32_t magic, head_check;
    uint64_t check;
    uint64_t now;
    id16 session;
    uint32_t kind, root;
    // Of the content, which follows.
    uint64_t size;
} journal_head;

typedef struct {
    journal_origin origin;
    uint64_t boot;
    uint16_t counts[JOURNAL_BUCKETS];
} journal_commit;

static inline uint64_t
journal_salt(journal_origin origin, size_t offset)
{
    uint64_t words[] = {origin.store_id, origin.generation, offset};
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
