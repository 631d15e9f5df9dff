// Reading tables that may be damaged. LMDB trusts its file: on a damaged page it may read beyond the mapping,
// run in circles or fail an assertion of its own. So the file is read in a child process. When LMDB crashes
// on a page, the signal handler jumps out of it, its transaction is abandoned, and the walk continues after
// that place.
//
// To jump out of a signal handler into code that was not prepared for it is undefined behaviour in C. It is
// confined to a process that does nothing else, holds no lock that anybody else waits for, and never returns
// to the caller's code: whatever it leaves behind ends with it.
#include "broker/store/salvage.h"

#include "common/errors.h"
#include "common/log.h"
#include "proto/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// How far the first skip goes, in first halves of ids. Ids are random: with a million sessions two neighbours
// are 2^44 apart.
#define FIRST_STRIDE (UINT64_C(1) << 40)
// Bytes of a transaction of the copy.
#define MAX_BATCH ((size_t)8 << 20)
// Pages that LMDB may count as used and never wrote.
#define SLACK ((size_t)64 << 20)

// MAX_ESCAPES bounds the skips, and CPU_SECONDS a walk in circles.
enum { MAX_ESCAPES = 20000, MAX_LOGGED = 20, CPU_SECONDS = 300 };

typedef struct {
    // copy: NULL, to inspect only.
    const char *path, *copy;
    size_t room;
    salvage_report *report;
    lmdb_tables source, target;
    // The next batch for the copy, and its values.
    memtable batch;
    buffer bytes;
    // The session that is read: where its values begin in bytes, its id, and whether it is being read now.
    size_t begin;
    id16 session;
    bool in_session;
    // Where to continue: the first half of an id.
    uint64_t top;
    uint64_t stride;
    unsigned escapes;
    bool done;
} walk;

// Where s_on_signal() jumps to: set anew before each part of the work, in this single thread.
static sigjmp_buf s_escape;

// siglongjmp() restores the signal mask that sigsetjmp() saved, so that a second signal arrives as well.
static void
s_on_signal(int number)
{
    siglongjmp(s_escape, number);
}

// LMDB's own assertions would abort().
static void
s_on_assert(MDB_env *env, const char *text)
{
    (void)env;
    (void)text;
    siglongjmp(s_escape, SIGABRT);
}

// Keeps the first reason: later ones are often its consequences.
static void
s_report_damage(walk *self, const char *reason)
{
    self->report->state = SALVAGE_DAMAGED;
    if (!self->report->reason[0])
        snprintf(self->report->reason, sizeof self->report->reason, "%s", reason);
}

// Inspections count only; the copy logs, so that each session is named once.
static void
s_report_session(walk *self, id16 id, const char *reason)
{
    char text[ID_TEXT];
    s_report_damage(self, reason);
    if (self->report->damaged++ < MAX_LOGGED && self->copy)
        log_event(LEVEL_ERROR, "store_damaged", "file=" LMDB_TABLES_FILE " session=%s reason=\"%s\"",
                  id_text(id, text), reason);
}

// --- positions in the order of ids -------------------------------------------------------------------------

// Positions are the first 8 bytes of an id: enough to continue at, and simple to add to.
static uint64_t
s_id_top(id16 id)
{
    uint64_t top = 0;
    for (unsigned i = 0; i < sizeof top; i++)
        top = top << 8 | id.bytes[i];
    return top;
}

static id16
s_id_from_top(uint64_t top)
{
    id16 id = {{0}};
    for (unsigned i = 0; i < sizeof top; i++)
        id.bytes[i] = (uint8_t)(top >> (56 - 8 * i));
    return id;
}

// Skips a damaged place: the stride doubles until a session is found.
static void
s_skip(walk *self)
{
    self->done |= self->top > UINT64_MAX - self->stride || ++self->escapes > MAX_ESCAPES;
    self->top += self->stride;
    self->stride = self->stride > UINT64_MAX / 2 ? UINT64_MAX : 2 * self->stride;
}

// --- sessions -------------------------------------------------------------------------------------------

// A failure to write ends the walk: the copy is of no use then, whatever could still be read.
static bool
s_write_batch(walk *self)
{
    int code = lmdb_tables_write(&self->target, &self->batch, self->bytes.data, self->report->origin);
    memtable_clear(&self->batch);
    buffer_clear(&self->bytes);
    self->report->code = code;
    self->done |= code != 0;
    return !code;
}

// The session is a snapshot frame in bytes; the memtable points to the values in it.
static void
s_add_to_batch(walk *self, id16 id, const session_record *stored)
{
    snapshot_reader in;
    snapshot_entry entry;
    slice frame = slice_of(self->bytes.data + self->begin, self->bytes.size - self->begin);
    if (snapshot_read(frame, &in)) {
        s_report_session(self, id, "its roots are not a valid snapshot");
        self->bytes.size = self->begin;
        return;
    }
    memtable_session *session = memtable_add(&self->batch, id);
    session->touched = stored->touched;
    session->size = stored->size;
    // The session's sum stays 0: all its roots are in this batch, and lmdb_tables_write() adds their
    // checksums.
    session->exists = true;
    while (snapshot_next(&in, &entry)) {
        bool new;
        memtable_root *root = memtable_root_entry(&self->batch, session, entry.root, &new);
        root->at = (size_t)(entry.bytes.data - self->bytes.data);
        root->size = entry.bytes.size;
    }
    if (self->bytes.size >= MAX_BATCH)
        s_write_batch(self);
}

// Verifies a session, and copies it if there is a copy.
static void
s_check_session(walk *self, id16 id, const session_record *stored)
{
    self->begin = self->bytes.size;
    if (self->copy)
        snapshot_begin(&self->bytes, SNAPSHOT_FULL);
    int code =
        stored ? lmdb_tables_roots(&self->source, id, self->copy ? &self->bytes : NULL) : MDB_CORRUPTED;
    if (code) {
        s_report_session(self, id, "a record does not match its checksum, or is missing");
        self->bytes.size = self->begin;
        return;
    }
    self->report->sessions++;
    if (self->copy)
        s_add_to_batch(self, id, stored);
}

// Reads sessions until the end, or until a damaged page; returns a code of LMDB. The position is moved on
// before a session is read, so that the walk continues after it if LMDB crashes in it. Keys that do not
// ascend are a sign of pages in the wrong place, and would make the walk endless. The cursor is left open:
// nothing else is asked of LMDB on a damaged page.
static int
s_walk_sessions(walk *self)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    id16 first = s_id_from_top(self->top);
    MDB_val key = {ID_SIZE, first.bytes}, value;
    int code = lmdb_tables_transaction(&self->source, &txn);
    code = code ? code : mdb_cursor_open(txn, self->source.sessions, &cursor);
    code = code ? code : mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; !code && !self->done; code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        session_record stored;
        id16 id;
        bool valid = !lmdb_tables_decode_session(&key, &value, &id, &stored);
        if (key.mv_size != ID_SIZE || s_id_top(id) < self->top)
            return MDB_CORRUPTED;
        self->session = id;
        self->top = s_id_top(id) + 1;
        self->stride = FIRST_STRIDE;
        self->in_session = true;
        s_check_session(self, id, valid ? &stored : NULL);
        self->in_session = false;
    }
    return code;
}

// LMDB's state is abandoned after a signal; what the session had in the batch so far is removed.
static void
s_recover_from_signal(walk *self, int number)
{
    char reason[64];
    snprintf(reason, sizeof reason, "LMDB crashes with signal %d", number);
    lmdb_tables_abandon(&self->source);
    self->bytes.size = self->begin < self->bytes.size ? self->begin : self->bytes.size;
    if (self->in_session)
        s_report_session(self, self->session, reason);
    else
        s_report_damage(self, reason);
    self->in_session = false;
    s_skip(self);
}

// sigsetjmp() returns a second time, with the number of the signal, whenever LMDB crashes below.
static void
s_walk(walk *self)
{
    int number = sigsetjmp(s_escape, 1);
    if (number)
        s_recover_from_signal(self, number);
    while (!self->done) {
        int code = s_walk_sessions(self);
        self->done |= code == MDB_NOTFOUND || !code;
        if (self->done)
            break;
        s_report_damage(self, mdb_strerror(code));
        s_skip(self);
    }
}

// --- the rest of the file -------------------------------------------------------------------------------

// All are read, even if one is damaged: each is of use by itself.
static int
s_read_numbers(walk *self)
{
    salvage_report *report = self->report;
    int code = lmdb_tables_origin(&self->source, &report->origin);
    int others[] = {lmdb_tables_number(&self->source, "boot", &report->boot),
                    lmdb_tables_number(&self->source, "workers", &report->workers)};
    return code ? code : others[0] ? others[0] : others[1];
}

// A bit for each page of a file. map: the address of page 0; 0: not known yet.
typedef struct {
    size_t count, size;
    uint8_t *seen;
    uintptr_t map;
} page_set;

// Pages 0 and 1 are the meta pages, which belong to no table. again: a page may be marked already, since
// it has many records.
static bool
s_mark_page(page_set *self, size_t page, bool again)
{
    uint8_t bit = (uint8_t)(1 << page % 8);
    if (page < 2 || page >= self->count || (!again && (self->seen[page / 8] & bit)))
        return false;
    self->seen[page / 8] |= bit;
    return true;
}

// Marks the page of an address. Pages start with their number; false: it does not fit the address.
static bool
s_mark_address(page_set *self, const void *inside, size_t pages)
{
    size_t number;
    uintptr_t page = (uintptr_t)inside & ~(self->size - 1);
    memcpy(&number, (const void *)page, sizeof number);
    self->map = self->map ? self->map : page - number * self->size;
    if (page - number * self->size != self->map)
        return false;
    for (size_t i = 0; i < pages; i++)
        if (!s_mark_page(self, number + i, true))
            return false;
    return true;
}

// A value is next to its key, or has overflow pages of its own, with a head of 16 bytes.
static bool
s_mark_record(page_set *self, const MDB_val *key, const MDB_val *value)
{
    uintptr_t mask = ~(self->size - 1);
    bool has_overflow = ((uintptr_t)key->mv_data & mask) != ((uintptr_t)value->mv_data & mask);
    size_t pages = (16 + value->mv_size + self->size - 1) / self->size;
    return s_mark_address(self, key->mv_data, 1) &&
           (!has_overflow || s_mark_address(self, value->mv_data, pages));
}

// Marks free pages. False: one is in use, or is listed twice.
static bool
s_mark_free(page_set *self, const MDB_val *value)
{
    size_t count, page;
    if (value->mv_size < sizeof count)
        return false;
    memcpy(&count, value->mv_data, sizeof count);
    if (count > value->mv_size / sizeof page - 1)
        return false;
    for (size_t i = 1; i <= count; i++) {
        memcpy(&page, (const uint8_t *)value->mv_data + i * sizeof page, sizeof page);
        if (!s_mark_page(self, page, false))
            return false;
    }
    return true;
}

// free: the table is LMDB's list of free pages.
static bool
s_mark_table(walk *self, MDB_dbi table, bool free, page_set *pages)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key, value;
    int code = lmdb_tables_transaction(&self->source, &txn);
    code = code ? code : mdb_cursor_open(txn, table, &cursor);
    if (code)
        return false;
    bool valid = true;
    while (valid && !(code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)))
        valid = free ? s_mark_free(pages, &value) : s_mark_record(pages, &key, &value);
    mdb_cursor_close(cursor);
    return valid && code == MDB_NOTFOUND;
}

// LMDB would overwrite a record whose page is in its list of free pages.
static bool
s_free_pages_are_free(walk *self, size_t count, size_t size)
{
    const lmdb_tables *source = &self->source;
    page_set pages = {.count = count, .size = size, .seen = calloc(count / 8 + 1, 1)};
    ASSERT(pages.seen);
    bool valid = s_mark_table(self, source->roots, false, &pages) &&
                 s_mark_table(self, source->sessions, false, &pages) &&
                 s_mark_table(self, source->figures, false, &pages) && s_mark_table(self, 0, true, &pages);
    free(pages.seen);
    return valid;
}

// From LMDB's statistics, to compare with what the walk has found.
static size_t
s_entries(walk *self, MDB_dbi table)
{
    MDB_stat stat = {0};
    MDB_txn *txn;
    if (!lmdb_tables_transaction(&self->source, &txn))
        mdb_stat(txn, table, &stat);
    return stat.ms_entries;
}

// 0: unknown.
static size_t
s_file_size(walk *self)
{
    mdb_filehandle_t file;
    off_t end = mdb_env_get_fd(self->source.env, &file) ? 0 : lseek(file, 0, SEEK_END);
    return end > 0 ? (size_t)end : 0;
}

// What reading the sessions cannot detect: a truncated file, a damaged list of free pages, missing sessions.
static void
s_check_rest(walk *self)
{
    MDB_envinfo info = {0};
    MDB_stat stat = {0};
    int number = sigsetjmp(s_escape, 1);
    if (number) {
        s_report_damage(self, "the list of free pages is damaged");
        return;
    }
    mdb_env_info(self->source.env, &info);
    mdb_env_stat(self->source.env, &stat);
    if (info.me_last_pgno > (s_file_size(self) + SLACK) / stat.ms_psize)
        s_report_damage(self, "the file was truncated");
    else if (!s_free_pages_are_free(self, info.me_last_pgno + 1, stat.ms_psize))
        s_report_damage(self, "the list of free pages is damaged");
    if (s_entries(self, self->source.sessions) != self->report->sessions + self->report->damaged)
        s_report_damage(self, "sessions are missing");
    else if (!self->report->damaged && s_entries(self, self->source.roots) != self->source.roots_read)
        s_report_damage(self, "some records belong to no session");
}

// --- the child ------------------------------------------------------------------------------------------

// SA_NODEFER, since the handler never returns.
static void
s_catch_signals(void (*handler)(int))
{
    const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_NODEFER};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

// A damaged file may lead LMDB in circles: the CPU time is limited.
static void
s_limit_child(void)
{
    struct rlimit none = {0, 0}, cpu = {CPU_SECONDS, CPU_SECONDS};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_CPU, &cpu);
}

// Whether the main database names any table. What cannot be read counts as yes: better set aside than
// overwritten.
static bool
s_has_tables(walk *self)
{
    MDB_stat stat = {0};
    MDB_txn *txn;
    MDB_dbi names;
    bool can = !lmdb_tables_transaction(&self->source, &txn) && !mdb_dbi_open(txn, NULL, 0, &names);
    return !can || mdb_stat(txn, names, &stat) || stat.ms_entries;
}

// Tables with other names belong to another version.
static void
s_handle_open_failure(walk *self, int code)
{
    s_report_damage(self, code == MDB_NOTFOUND ? "it has other tables" : mdb_strerror(code));
    if (code == MDB_VERSION_MISMATCH)
        self->report->state = SALVAGE_OTHER;
    if (code == MDB_NOTFOUND)
        self->report->state = s_has_tables(self) ? SALVAGE_OTHER : SALVAGE_EMPTY;
    // Nothing else will be read.
    lmdb_tables_abandon(&self->source);
}

// Writes the last batch, and the numbers of this store.
static void
s_finish_copy(walk *self)
{
    if (self->report->code || !s_write_batch(self))
        return;
    self->report->code = lmdb_tables_set_number(&self->target, "boot", self->report->boot);
    if (!self->report->code)
        self->report->code = lmdb_tables_set_number(&self->target, "workers", self->report->workers);
    lmdb_tables_close(&self->target);
}

// The whole file is read, which is faster sequentially from a cold disk.
static void
s_read_ahead(walk *self)
{
    mdb_filehandle_t file;
    if (!mdb_env_get_fd(self->source.env, &file))
        (void)posix_fadvise(file, 0, 0, POSIX_FADV_WILLNEED);
}

static void
s_open_source(walk *self)
{
    int number = sigsetjmp(s_escape, 1);
    if (number) {
        s_report_damage(self, "LMDB crashes when it opens the file");
        return;
    }
    int code = lmdb_tables_open(&self->source, self->path, self->room, LMDB_TABLES_READ);
    if (code) {
        s_handle_open_failure(self, code);
        return;
    }
    s_read_ahead(self);
    // Until here an assertion of LMDB arrives as SIGABRT.
    mdb_env_set_assert(self->source.env, s_on_assert);
    if (self->copy &&
        (self->report->code = lmdb_tables_open(&self->target, self->copy, self->room, LMDB_TABLES_WRITE)))
        return;
    self->report->state = SALVAGE_SOUND;
    if (s_read_numbers(self))
        s_report_damage(self, "its numbers are damaged");
}

// Ends with _exit(): atexit handlers and stdio buffers are the parent's.
static _Noreturn void
s_run_child(walk *self)
{
    s_limit_child();
    s_catch_signals(s_on_signal);
    self->stride = FIRST_STRIDE;
    buffer_init(&self->bytes);
    s_open_source(self);
    if (self->source.reading && !self->report->code) {
        s_walk(self);
        s_check_rest(self);
    }
    if (self->target.env)
        s_finish_copy(self);
    _exit(0);
}

// The child crashed in spite of the handlers: what it had found by then remains valid.
static void
s_report_crash(salvage_report *report, int status)
{
    report->state = SALVAGE_DAMAGED;
    if (!report->reason[0])
        snprintf(report->reason, sizeof report->reason, "LMDB crashes with signal %d",
                 WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

// The report is in shared memory, so that it survives a crash of the child.
static void
s_in_child(walk *self, salvage_report *ret)
{
    int status = 0;
    salvage_report *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(shared != MAP_FAILED);
    *shared = (salvage_report){0};
    self->report = shared;
    // The broker has no other thread yet that could hold a lock: stores are opened before its loop
    // begins.
    pid_t child = fork();
    if (child == 0)
        s_run_child(self);
    if (child < 0) {
        shared->code = errno;
    } else {
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
        if (status)
            s_report_crash(shared, status);
    }
    *ret = *shared;
    munmap(shared, sizeof *shared);
}

// Reads and verifies everything, and changes nothing.
void
salvage_inspect(const char *path, size_t room, salvage_report *ret)
{
    walk self = {.path = path, .room = room};
    s_in_child(&self, ret);
}

void
salvage_copy(const char *path, const char *copy_path, size_t room, salvage_report *ret)
{
    walk self = {.path = path, .copy = copy_path, .room = room};
    s_in_child(&self, ret);
}
