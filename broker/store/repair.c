// Repairing damaged tables. LMDB has two meta pages, of its last two transactions: what one of them leads to
// may be valid when the other is damaged, so both are tried; then the valid sessions are copied to a new
// file.
//
// Until the final rename the original stays in its place. Its meta pages are overwritten while the choices
// are tried, and written back afterwards. When something fails on the way (a full disk), the broker does not
// start.
#include "broker/store/repair.h"

#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_FILE LMDB_TABLES_FILE ".salvage"

enum { META_PAGES = 2, MAX_META = 2 * 65536, MIN_SIZE = 2 * 4096 };

// Both meta pages as they are, or one of them in both places.
typedef enum { META_UNCHANGED, META_SECOND, META_FIRST, META_CHOICES } meta_choice;

typedef struct {
    const repair_request *request;
    char path[SET_ASIDE_PATH], copy[SET_ASIDE_PATH];
    int file;
    uint8_t meta[MAX_META];
    size_t page;
} repair;

// The meta pages are the first two of the file. LMDB's pages have the size of the system's.
static bool
s_read_meta(repair *self)
{
    long page = sysconf(_SC_PAGESIZE);
    self->page = page > 0 ? (size_t)page : 4096;
    size_t size = META_PAGES * self->page;
    return size <= sizeof self->meta && pread(self->file, self->meta, size, 0) == (ssize_t)size;
}

// A short write without an error is a full disk.
static int
s_write_page(const repair *self, size_t offset, const uint8_t *page)
{
    ssize_t wrote = pwrite(self->file, page, self->page, (off_t)offset);
    return wrote == (ssize_t)self->page ? 0 : wrote < 0 ? errno : ENOSPC;
}

// Both pages are written even if one fails: the second may be the one that is needed.
static int
s_write_meta(const repair *self, meta_choice choice)
{
    const uint8_t *first = self->meta, *second = self->meta + self->page;
    int code = s_write_page(self, 0, choice == META_SECOND ? second : first);
    int second_code = s_write_page(self, self->page, choice == META_FIRST ? first : second);
    return code ? code : second_code;
}

// Whether the tables are older than the journal: users may have seen newer state of the sessions in them.
static bool
s_is_stale(const repair *self, const salvage_report *report)
{
    journal_found found;
    return report->origin.store_id &&
           journal_find_newest(self->request->journal, report->origin.store_id, &found) &&
           report->origin.generation < found.origin.generation;
}

// The sessions that can be recovered, to compare meta pages by.
static size_t
s_count_usable(const repair *self, const salvage_report *report)
{
    if (s_is_stale(self, report))
        return 0;
    return report->state == SALVAGE_SOUND ? SIZE_MAX : (size_t)report->sessions;
}

// Writes the meta pages that lead to the most sessions. *ret_some: whether there are any. Returns an errno,
// or 0.
static int
s_choose_meta(repair *self, const salvage_report *unchanged, bool *ret_some)
{
    meta_choice best = META_UNCHANGED;
    size_t usable = s_count_usable(self, unchanged);
    *ret_some = usable;
    if (!s_read_meta(self))
        return 0;
    for (meta_choice choice = META_SECOND; choice < META_CHOICES; choice++) {
        salvage_report report = {0};
        int code = s_write_meta(self, choice);
        if (!code)
            salvage_inspect(self->path, self->request->room, &report);
        if (code || report.code) {
            (void)s_write_meta(self, META_UNCHANGED);
            return code ? code : report.code;
        }
        if (s_count_usable(self, &report) <= usable ||
            report.origin.generation < unchanged->origin.generation)
            continue;
        best = choice;
        usable = s_count_usable(self, &report);
    }
    *ret_some = usable;
    return s_write_meta(self, best);
}

// The copy is inspected like any other file before it takes the place of the original: writing it has used
// the disk and the library that are under suspicion.
static int
s_copy_valid(repair *self, salvage_report *ret)
{
    salvage_report copied, again = {0};
    unlink(self->copy);
    salvage_copy(self->path, self->copy, self->request->room, &copied);
    if (!copied.code)
        salvage_inspect(self->copy, self->request->room, &again);
    if (copied.code || again.code) {
        unlink(self->copy);
        return copied.code ? copied.code : again.code;
    }
    // The child ended too early; the journal is replayed on empty tables.
    if (again.state != SALVAGE_SOUND)
        unlink(self->copy);
    ret->origin = copied.origin;
    ret->boot = copied.boot;
    ret->workers = copied.workers;
    ret->damaged = copied.damaged;
    ret->sessions = again.state == SALVAGE_SOUND ? again.sessions : 0;
    return 0;
}

// An operator decides by this line whether the files that were set aside are worth a look.
static void
s_log_damaged_tables(const repair *self, const char *reason, uint64_t kept, uint64_t damaged)
{
    char text[200], folder[SET_ASIDE_PATH];
    log_event(LEVEL_ERROR, "store_damaged",
              "file=" LMDB_TABLES_FILE " reason=%s sessions_kept=%" PRIu64 " sessions_damaged=%" PRIu64
              " set_aside=%s",
              log_quoted(slice_text(reason), text, sizeof text), kept, damaged,
              log_quoted(slice_text(self->request->set_aside->folder), folder, sizeof folder));
}

// Sets the file aside, and puts the copy in its place if there is one.
static int
s_replace(const repair *self)
{
    bool copied = access(self->copy, F_OK) == 0;
    int code = copied ? set_aside_copy(self->request->set_aside, LMDB_TABLES_FILE)
                      : set_aside_move(self->request->set_aside, LMDB_TABLES_FILE);
    if (!code && copied && rename(self->copy, self->path))
        code = errno;
    return code;
}

// The original goes to the set-aside directory as it was found, with its own meta pages.
static int
s_rebuild(repair *self, salvage_report *report)
{
    char reason[sizeof report->reason];
    bool some;
    snprintf(reason, sizeof reason, "%s",
             s_is_stale(self, report) ? "older than the journal" : report->reason);
    int code = s_choose_meta(self, report, &some);
    if (code)
        return code;
    *report = (salvage_report){.boot = report->boot};
    code = some ? s_copy_valid(self, report) : 0;
    if (self->page)
        (void)s_write_meta(self, META_UNCHANGED);
    if (!code)
        code = s_replace(self);
    if (!code)
        s_log_damaged_tables(self, reason, report->sessions, report->damaged);
    return code;
}

// keep: set it aside instead of deleting it.
static int
s_remove_file(const repair *self, const char *reason, bool keep)
{
    int code = keep                 ? set_aside_move(self->request->set_aside, LMDB_TABLES_FILE)
               : unlink(self->path) ? errno
                                    : 0;
    if (!code)
        s_log_damaged_tables(self, reason, 0, 0);
    return code;
}

// The journal goes with the tables: its entries change sessions that only those have.
static int
s_set_aside_version(const repair *self, salvage_report *report)
{
    char text[SET_ASIDE_PATH];
    set_aside other = {.store = self->request->folder, .why = "other-version"};
    int code = set_aside_move(&other, LMDB_TABLES_FILE);
    if (code)
        return code;
    (void)set_aside_move(&other, JOURNAL_NAME);
    *report = (salvage_report){.state = SALVAGE_OTHER};
    log_event(LEVEL_WARN, "store_other_version", "set_aside=%s hint=\"%s\"",
              log_quoted(slice_text(other.folder), text, sizeof text),
              "written by another version, and not readable by this one: sessions start afresh");
    return 0;
}

// Most starts end after the first inspection.
static int
s_repair_file(repair *self, salvage_report *ret)
{
    salvage_inspect(self->path, self->request->room, ret);
    if (ret->code || ret->state == SALVAGE_EMPTY)
        return ret->code;
    // A damaged meta page may also make these tables look like those of another version: try both first.
    if (ret->state == SALVAGE_OTHER) {
        bool some;
        int code = s_choose_meta(self, ret, &some);
        if (code || !some)
            return code ? code : s_set_aside_version(self, ret);
    }
    return ret->state == SALVAGE_SOUND && !s_is_stale(self, ret) ? 0 : s_rebuild(self, ret);
}

// A journal with commits proves that there were tables.
static int
s_log_missing(const repair_request *request)
{
    journal_found found;
    if (journal_find_newest(request->journal, 0, &found))
        log_event(LEVEL_ERROR, "store_damaged", "file=" LMDB_TABLES_FILE " reason=\"missing\"");
    return 0;
}

int
repair_tables(const repair_request *request, salvage_report *ret)
{
    struct stat status;
    repair self = {.request = request};
    *ret = (salvage_report){0};
    if (snprintf(self.path, sizeof self.path, "%s/" LMDB_TABLES_FILE, request->folder) >= SET_ASIDE_PATH ||
        snprintf(self.copy, sizeof self.copy, "%s/" COPY_FILE, request->folder) >= SET_ASIDE_PATH)
        return ENAMETOOLONG;
    unlink(self.copy);
    if (stat(self.path, &status))
        return errno == ENOENT ? s_log_missing(request) : errno;
    if (!S_ISREG(status.st_mode))
        return s_remove_file(&self, "not a regular file", true);
    if (status.st_size < MIN_SIZE)
        return s_remove_file(&self, "too short to contain anything", false);
    self.file = open(self.path, O_RDWR | O_CLOEXEC);
    if (self.file < 0)
        return errno;
    int code = s_repair_file(&self, ret);
    close(self.file);
    return code;
}
