// journal_read - reads the bytes of a journal file, whatever a process that ended, a full disk or a damaged
// one left in it. Pure: any bytes are valid input. Only entries with correct checksums are passed on.
#ifndef TROUPE_BROKER_STORE_JOURNAL_READ_H
#define TROUPE_BROKER_STORE_JOURNAL_READ_H

#include "broker/store/journal.h"

typedef enum {
    // Bytes that are no record, followed by valid records of this generation.
    JOURNAL_HOLE,
    // A record with a damaged content: an entry of its session is lost.
    JOURNAL_CORRUPT,
    // Entries of sessions in some buckets are missing: what is stored of these sessions may be outdated.
    JOURNAL_LOST,
    // The last commit is not followed by the end mark: a torn write, or damage.
    JOURNAL_TORN,
} journal_fault;

typedef struct {
    journal_fault fault;
    // TORN and LOST: size is 0.
    size_t offset, size;
    // CORRUPT only; zeros: of none.
    id16 session;
    // LOST only: bit n for journal_bucket() == n.
    uint64_t buckets;
} journal_damage;

typedef struct {
    // In the order of the file. Entries borrow its bytes.
    void (*entry)(void *context, const journal_entry *entry);
    void (*damage)(void *context, const journal_damage *damage);
    void *context;
} journal_visitor;

typedef struct {
    journal_origin origin;
    // The highest boot number in any commit.
    uint64_t boot;
} journal_found;

// The newest generation of which the file has a valid commit. store_id: of the store; 0, if that is lost: of
// the first commit. False: there is none.
bool journal_find_newest(slice file, uint64_t store_id, journal_found *ret);
void journal_read(slice file, journal_origin origin, const journal_visitor *visitor);

#endif
