// journal_read - the bytes of a journal's file, as a process that is gone, a full disk or a damaged one left
// them. Pure: any bytes do. Nothing is handed out whose checksum is not right.
#ifndef TROUPE_BROKER_STORE_JOURNAL_READ_H
#define TROUPE_BROKER_STORE_JOURNAL_READ_H

#include "broker/store/journal.h"

typedef enum {
    JOURNAL_HOLE, // bytes that are no record, with sound records of this generation behind them
    JOURNAL_BAD,  // a record's content is damaged: what it said of its session is lost
    JOURNAL_LOST, // entries of sessions in these buckets are missing: what is kept of them may be old
    JOURNAL_TORN, // behind the last commit is no end: a write that was cut off, or damage
} journal_fault;

typedef struct {
    journal_fault fault;
    size_t offset, size; // TORN, LOST: the latter 0
    id16 session;        // BAD; zeros: of none
    uint64_t buckets;    // LOST: bit n for journal_bucket() == n
} journal_damage;

typedef struct {
    void (*entry)(void *context, const journal_entry *entry); // oldest first; borrowed from the file's bytes
    void (*damage)(void *context, const journal_damage *damage); // between the entries around it
    void *context;
} journal_visitor;

typedef struct {
    journal_origin origin;
    uint64_t boot; // the highest that any commit has
} journal_found;

// The newest generation that the file has a sound commit of. mark: the store's, or 0 where that is lost: then
// the first commit's. False: there is none.
bool journal_newest(slice file, uint64_t mark, journal_found *ret);
void journal_read(slice file, journal_origin origin, const journal_visitor *visitor);

#endif
