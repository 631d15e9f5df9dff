// The child of salvage.h. Where LMDB meets a page that it cannot bear, the walk leaves everything as it
// stands and goes on behind that place.
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

#define FIRST_STRIDE                                                                                         \
    (UINT64_C(1) << 40) // of the ids, which are drawn at random: less than from one to the next
#define MOST_GATHERED ((size_t)8 << 20)
#define SLACK         ((size_t)64 << 20) // what LMDB may have counted as used and never written

enum { MOST_ESCAPES = 20000, MOST_NAMED = 20, CPU_SECONDS = 300 };

typedef struct {
    const char *path, *copy; // copy: NULL, to inspect
    size_t room;
    salvage_report *report;
    tables from, to;
    fresh fresh;  // what goes into the copy next,
    buffer bytes; // and its values
    size_t begin; // in bytes, of the session that is read
    id16 at;      // that session,
    bool inside;  // while it is read
    uint64_t top; // where to go on: the first half of an id
    uint64_t stride;
    unsigned escapes;
    bool done;
} walk;

static sigjmp_buf s_escape;

static void
s_on_signal(int number)
{
    siglongjmp(s_escape, number);
}

static void
s_on_assert(MDB_env *env, const char *text)
{
    (void)env;
    (void)text;
    siglongjmp(s_escape, SIGABRT);
}

static void
s_say(walk *self, const char *reason)
{
    self->report->state = SALVAGE_DAMAGED;
    if (!self->report->reason[0])
        snprintf(self->report->reason, sizeof self->report->reason, "%s", reason);
}

static void
s_name_session(walk *self, id16 id, const char *reason)
{
    char text[ID_TEXT];
    s_say(self, reason);
    if (self->report->damaged++ < MOST_NAMED && self->copy)
        log_event(LEVEL_ERROR, "store_damaged", "file=" TABLES_FILE " session=%s reason=\"%s\"",
                  id_text(id, text), reason);
}

// --- places in the order of ids -------------------------------------------------------------------------

static uint64_t
s_top_of(id16 id)
{
    uint64_t top = 0;
    for (unsigned i = 0; i < sizeof top; i++)
        top = top << 8 | id.bytes[i];
    return top;
}

static id16
s_id_of(uint64_t top)
{
    id16 id = {{0}};
    for (unsigned i = 0; i < sizeof top; i++)
        id.bytes[i] = (uint8_t)(top >> (56 - 8 * i));
    return id;
}

// Further each time that nothing was found in between.
static void
s_skip(walk *self)
{
    self->done |= self->top > UINT64_MAX - self->stride || ++self->escapes > MOST_ESCAPES;
    self->top += self->stride;
    self->stride = self->stride > UINT64_MAX / 2 ? UINT64_MAX : 2 * self->stride;
}

// --- sessions -------------------------------------------------------------------------------------------

static bool
s_flush(walk *self)
{
    int code = tables_write(&self->to, &self->fresh, self->bytes.data, self->report->origin);
    fresh_clear(&self->fresh);
    buffer_clear(&self->bytes);
    self->report->code = code;
    self->done |= code != 0;
    return !code;
}

static void
s_keep(walk *self, id16 id, const record *stored)
{
    snapshot_reader in;
    snapshot_entry entry;
    slice frame = slice_of(self->bytes.data + self->begin, self->bytes.size - self->begin);
    if (snapshot_read(frame, &in)) {
        s_name_session(self, id, "its roots make no snapshot");
        self->bytes.size = self->begin;
        return;
    }
    fresh_session *session = fresh_add(&self->fresh, id);
    session->touched = stored->touched;
    session->size = stored->size;
    session->here = true;
    while (snapshot_next(&in, &entry)) {
        bool new;
        fresh_root *root = fresh_root_of(&self->fresh, session, entry.root, &new);
        root->at = (size_t)(entry.bytes.data - self->bytes.data);
        root->size = entry.bytes.size;
    }
    if (self->bytes.size >= MOST_GATHERED)
        s_flush(self);
}

static void
s_session(walk *self, id16 id, const record *stored)
{
    self->begin = self->bytes.size;
    if (self->copy)
        snapshot_begin(&self->bytes, SNAPSHOT_FULL);
    int code = stored ? tables_roots(&self->from, id, self->copy ? &self->bytes : NULL) : MDB_CORRUPTED;
    if (code) {
        s_name_session(self, id, "a record of it does not match its checksum, or is missing");
        self->bytes.size = self->begin;
        return;
    }
    self->report->sessions++;
    if (self->copy)
        s_keep(self, id, stored);
}

// Until there are no more, or a page in the way is damaged: then a code.
static int
s_sessions(walk *self)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    id16 from = s_id_of(self->top);
    MDB_val key = {ID_SIZE, from.bytes}, value;
    int code = tables_begin(&self->from, &txn);
    code = code ? code : mdb_cursor_open(txn, self->from.sessions, &cursor);
    code = code ? code : mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; !code && !self->done; code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        record stored;
        id16 id;
        bool sound = !tables_session_of(&key, &value, &id, &stored);
        if (key.mv_size != ID_SIZE || s_top_of(id) < self->top)
            return MDB_CORRUPTED;
        self->at = id;
        self->top = s_top_of(id) + 1;
        self->stride = FIRST_STRIDE;
        self->inside = true;
        s_session(self, id, sound ? &stored : NULL);
        self->inside = false;
    }
    return code;
}

// After a signal, with whatever LMDB was about left as it stood.
static void
s_escaped(walk *self, int number)
{
    char reason[64];
    snprintf(reason, sizeof reason, "reading it ends with signal %d", number);
    tables_abandon(&self->from);
    self->bytes.size = self->begin < self->bytes.size ? self->begin : self->bytes.size;
    if (self->inside)
        s_name_session(self, self->at, reason);
    else
        s_say(self, reason);
    self->inside = false;
    s_skip(self);
}

static void
s_walk(walk *self)
{
    int number = sigsetjmp(s_escape, 1);
    if (number)
        s_escaped(self, number);
    while (!self->done) {
        int code = s_sessions(self);
        self->done |= code == MDB_NOTFOUND || !code;
        if (self->done)
            break;
        s_say(self, mdb_strerror(code));
        s_skip(self);
    }
}

// --- the rest of the file -------------------------------------------------------------------------------

static int
s_figures(walk *self)
{
    salvage_report *report = self->report;
    int code = tables_origin(&self->from, &report->origin);
    int others[] = {tables_figure(&self->from, "boot", &report->boot),
                    tables_figure(&self->from, "workers", &report->workers)};
    return code ? code : others[0] ? others[0] : others[1];
}

// The pages of a file, a bit each; where page 0 is in memory; 0: not known yet.
typedef struct {
    size_t count, size;
    uint8_t *seen;
    uintptr_t map;
} page_set;

static bool
s_see_page(page_set *self, size_t page, bool again)
{
    uint8_t bit = (uint8_t)(1 << page % 8);
    if (page < 2 || page >= self->count || (!again && (self->seen[page / 8] & bit)))
        return false;
    self->seen[page / 8] |= bit;
    return true;
}

// Pages begin with their number. False: not with that of their place.
static bool
s_see_address(page_set *self, const void *inside, size_t pages)
{
    size_t number;
    uintptr_t page = (uintptr_t)inside & ~(self->size - 1);
    memcpy(&number, (const void *)page, sizeof number);
    self->map = self->map ? self->map : page - number * self->size;
    if (page - number * self->size != self->map)
        return false;
    for (size_t i = 0; i < pages; i++)
        if (!s_see_page(self, number + i, true))
            return false;
    return true;
}

// A value stands behind its key, or has pages of its own, which have a head of 16 bytes.
static bool
s_see_record(page_set *self, const MDB_val *key, const MDB_val *value)
{
    uintptr_t mask = ~(self->size - 1);
    bool apart = ((uintptr_t)key->mv_data & mask) != ((uintptr_t)value->mv_data & mask);
    size_t pages = (16 + value->mv_size + self->size - 1) / self->size;
    return s_see_address(self, key->mv_data, 1) && (!apart || s_see_address(self, value->mv_data, pages));
}

// Each once, and none that is in use.
static bool
s_see_free(page_set *self, const MDB_val *value)
{
    size_t count, page;
    if (value->mv_size < sizeof count)
        return false;
    memcpy(&count, value->mv_data, sizeof count);
    if (count > value->mv_size / sizeof page - 1)
        return false;
    for (size_t i = 1; i <= count; i++) {
        memcpy(&page, (const uint8_t *)value->mv_data + i * sizeof page, sizeof page);
        if (!s_see_page(self, page, false))
            return false;
    }
    return true;
}

// free: the table is LMDB's list of free pages, whose records name them.
static bool
s_see_table(walk *self, MDB_dbi table, bool free, page_set *pages)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key, value;
    int code = tables_begin(&self->from, &txn);
    code = code ? code : mdb_cursor_open(txn, table, &cursor);
    if (code)
        return false;
    bool sound = true;
    while (sound && !(code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)))
        sound = free ? s_see_free(pages, &value) : s_see_record(pages, &key, &value);
    mdb_cursor_close(cursor);
    return sound && code == MDB_NOTFOUND;
}

// A page of a record in LMDB's list of free ones would be written over.
static bool
s_free_pages_are_free(walk *self, size_t count, size_t size)
{
    const tables *from = &self->from;
    page_set pages = {.count = count, .size = size, .seen = calloc(count / 8 + 1, 1)};
    ASSERT(pages.seen);
    bool are = s_see_table(self, from->roots, false, &pages) &&
               s_see_table(self, from->sessions, false, &pages) &&
               s_see_table(self, from->figures, false, &pages) && s_see_table(self, 0, true, &pages);
    free(pages.seen);
    return are;
}

static size_t
s_entries(walk *self, MDB_dbi table)
{
    MDB_stat stat = {0};
    MDB_txn *txn;
    if (!tables_begin(&self->from, &txn))
        mdb_stat(txn, table, &stat);
    return stat.ms_entries;
}

static size_t
s_file_size(walk *self)
{
    mdb_filehandle_t file;
    off_t end = mdb_env_get_fd(self->from.env, &file) ? 0 : lseek(file, 0, SEEK_END);
    return end > 0 ? (size_t)end : 0;
}

static void
s_check_rest(walk *self)
{
    MDB_envinfo info = {0};
    MDB_stat stat = {0};
    int number = sigsetjmp(s_escape, 1);
    if (number) {
        s_say(self, "its list of free pages is damaged");
        return;
    }
    mdb_env_info(self->from.env, &info);
    mdb_env_stat(self->from.env, &stat);
    if (info.me_last_pgno > (s_file_size(self) + SLACK) / stat.ms_psize)
        s_say(self, "it is shorter than it was");
    else if (!s_free_pages_are_free(self, info.me_last_pgno + 1, stat.ms_psize))
        s_say(self, "its list of free pages is damaged");
    if (s_entries(self, self->from.sessions) != self->report->sessions + self->report->damaged)
        s_say(self, "sessions are missing");
    else if (!self->report->damaged && s_entries(self, self->from.roots) != self->from.roots_read)
        s_say(self, "records are there that belong to no session");
}

// --- the child ------------------------------------------------------------------------------------------

static void
s_on_signals(void (*handler)(int))
{
    const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_NODEFER};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

static void
s_limit(void)
{
    struct rlimit none = {0, 0}, cpu = {CPU_SECONDS, CPU_SECONDS};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_CPU, &cpu);
}

static bool
s_has_tables(walk *self)
{
    MDB_stat stat = {0};
    MDB_txn *txn;
    MDB_dbi names;
    bool can = !tables_begin(&self->from, &txn) && !mdb_dbi_open(txn, NULL, 0, &names);
    return !can || mdb_stat(txn, names, &stat) || stat.ms_entries;
}

// Tables by other names are another version's.
static void
s_not_opened(walk *self, int code)
{
    s_say(self, code == MDB_NOTFOUND ? "it has other tables" : mdb_strerror(code));
    if (code == MDB_VERSION_MISMATCH)
        self->report->state = SALVAGE_OTHER;
    if (code == MDB_NOTFOUND)
        self->report->state = s_has_tables(self) ? SALVAGE_OTHER : SALVAGE_EMPTY;
    tables_abandon(&self->from); // nothing else is to be read
}

static void
s_finish_copy(walk *self)
{
    if (self->report->code || !s_flush(self))
        return;
    self->report->code = tables_set_figure(&self->to, "boot", self->report->boot);
    if (!self->report->code)
        self->report->code = tables_set_figure(&self->to, "workers", self->report->workers);
    tables_close(&self->to);
}

// All of it is read, and from a cold disk sooner in one go.
static void
s_read_ahead(walk *self)
{
    mdb_filehandle_t file;
    if (!mdb_env_get_fd(self->from.env, &file))
        (void)posix_fadvise(file, 0, 0, POSIX_FADV_WILLNEED);
}

static void
s_run(walk *self)
{
    int number = sigsetjmp(s_escape, 1);
    if (number) {
        s_say(self, "opening it ends with a signal");
        return;
    }
    int code = tables_open(&self->from, self->path, self->room, TABLES_READ);
    if (code) {
        s_not_opened(self, code);
        return;
    }
    s_read_ahead(self);
    mdb_env_set_assert(self->from.env, s_on_assert);
    if (self->copy && (self->report->code = tables_open(&self->to, self->copy, self->room, TABLES_WRITE)))
        return;
    self->report->state = SALVAGE_SOUND;
    if (s_figures(self))
        s_say(self, "its figures are damaged");
}

static _Noreturn void
s_child(walk *self)
{
    s_limit();
    s_on_signals(s_on_signal);
    self->stride = FIRST_STRIDE;
    buffer_init(&self->bytes);
    s_run(self);
    if (self->from.reading && !self->report->code) {
        s_walk(self);
        s_check_rest(self);
    }
    if (self->to.env)
        s_finish_copy(self);
    _exit(0);
}

// The child dies all the same: what it had found by then stays.
static void
s_died(salvage_report *report, int status)
{
    report->state = SALVAGE_DAMAGED;
    if (!report->reason[0])
        snprintf(report->reason, sizeof report->reason, "reading it ends with signal %d",
                 WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void
s_in_child(walk *self, salvage_report *ret)
{
    int status = 0;
    salvage_report *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(shared != MAP_FAILED);
    *shared = (salvage_report){0};
    self->report = shared;
    pid_t child = fork();
    if (child == 0)
        s_child(self);
    if (child < 0) {
        shared->code = errno;
    } else {
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
        if (status)
            s_died(shared, status);
    }
    *ret = *shared;
    munmap(shared, sizeof *shared);
}

void
salvage_inspect(const char *path, size_t room, salvage_report *ret)
{
    walk self = {.path = path, .room = room};
    s_in_child(&self, ret);
}

void
salvage_copy(const char *path, const char *to, size_t room, salvage_report *ret)
{
    walk self = {.path = path, .copy = to, .room = room};
    s_in_child(&self, ret);
}
