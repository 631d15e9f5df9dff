#include "broker/store/repair.h"

#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_FILE TABLES_FILE ".salvage"

enum { META_PAGES = 2, MOST_META = 2 * 65536, LEAST_SIZE = 2 * 4096 };

// Its two meta pages as they are, or one in the place of both.
typedef enum { AS_IT_IS, SECOND_FOR_BOTH, FIRST_FOR_BOTH, ATTEMPTS } attempt;

typedef struct {
    const repair_order *order;
    char path[ASIDE_PATH], copy[ASIDE_PATH];
    int file;
    uint8_t meta[MOST_META];
    size_t page;
} repair;

static bool
s_read_meta(repair *self)
{
    long page = sysconf(_SC_PAGESIZE); // LMDB's pages are of that size
    self->page = page > 0 ? (size_t)page : 4096;
    size_t size = META_PAGES * self->page;
    return size <= sizeof self->meta && pread(self->file, self->meta, size, 0) == (ssize_t)size;
}

static int
s_write_page(const repair *self, size_t at, const uint8_t *page)
{
    ssize_t wrote = pwrite(self->file, page, self->page, (off_t)at);
    return wrote == (ssize_t)self->page ? 0 : wrote < 0 ? errno : ENOSPC;
}

static int
s_write_meta(const repair *self, attempt how)
{
    const uint8_t *first = self->meta, *second = self->meta + self->page;
    int code = s_write_page(self, 0, how == SECOND_FOR_BOTH ? second : first);
    int then = s_write_page(self, self->page, how == FIRST_FOR_BOTH ? first : second);
    return code ? code : then;
}

// Older than the journal: what it has of sessions may be older than what users have seen.
static bool
s_is_stale(const repair *self, const salvage_report *report)
{
    journal_found found;
    return report->origin.mark && journal_newest(self->order->journal, report->origin.mark, &found) &&
           report->origin.generation < found.origin.generation;
}

static size_t
s_worth(const repair *self, const salvage_report *report)
{
    if (s_is_stale(self, report))
        return 0;
    return report->state == SALVAGE_SOUND ? SIZE_MAX : (size_t)report->sessions;
}

// Leaves the meta pages of the best attempt in the file. *ret_some: whether it gives anything. An errno, or
// 0.
static int
s_choose_meta(repair *self, const salvage_report *as_it_is, bool *ret_some)
{
    attempt best = AS_IT_IS;
    size_t worth = s_worth(self, as_it_is);
    *ret_some = worth;
    if (!s_read_meta(self))
        return 0;
    for (attempt how = SECOND_FOR_BOTH; how < ATTEMPTS; how++) {
        salvage_report report = {0};
        int code = s_write_meta(self, how);
        if (!code)
            salvage_inspect(self->path, self->order->room, &report);
        if (code || report.code) {
            (void)s_write_meta(self, AS_IT_IS);
            return code ? code : report.code;
        }
        if (s_worth(self, &report) <= worth || report.origin.generation < as_it_is->origin.generation)
            continue;
        best = how;
        worth = s_worth(self, &report);
    }
    *ret_some = worth;
    return s_write_meta(self, best);
}

static int
s_copy(repair *self, salvage_report *ret)
{
    salvage_report copied, again = {0};
    unlink(self->copy);
    salvage_copy(self->path, self->copy, self->order->room, &copied);
    if (!copied.code)
        salvage_inspect(self->copy, self->order->room, &again);
    if (copied.code || again.code) {
        unlink(self->copy);
        return copied.code ? copied.code : again.code;
    }
    if (again.state != SALVAGE_SOUND)
        unlink(self->copy); // the child ended too early; the journal goes on by itself
    ret->origin = copied.origin;
    ret->boot = copied.boot;
    ret->workers = copied.workers;
    ret->damaged = copied.damaged;
    ret->sessions = again.state == SALVAGE_SOUND ? again.sessions : 0;
    return 0;
}

static void
s_log(const repair *self, const char *reason, uint64_t kept, uint64_t damaged)
{
    char text[200], folder[ASIDE_PATH];
    log_event(LEVEL_ERROR, "store_damaged",
              "file=" TABLES_FILE " reason=%s sessions_kept=%" PRIu64 " sessions_damaged=%" PRIu64
              " set_aside=%s",
              log_quoted(slice_text(reason), text, sizeof text), kept, damaged,
              log_quoted(slice_text(self->order->aside->folder), folder, sizeof folder));
}

// The copy takes its place; where there is none, nothing does.
static int
s_replace(const repair *self)
{
    bool copied = access(self->copy, F_OK) == 0;
    int code =
        copied ? aside_copy(self->order->aside, TABLES_FILE) : aside_move(self->order->aside, TABLES_FILE);
    if (!code && copied && rename(self->copy, self->path))
        code = errno;
    return code;
}

static int
s_mend(repair *self, salvage_report *report)
{
    char reason[sizeof report->reason];
    bool some;
    snprintf(reason, sizeof reason, "%s",
             s_is_stale(self, report) ? "it is older than the journal" : report->reason);
    int code = s_choose_meta(self, report, &some);
    if (code)
        return code;
    *report = (salvage_report){.boot = report->boot};
    code = some ? s_copy(self, report) : 0;
    if (self->page)
        (void)s_write_meta(self, AS_IT_IS);
    if (!code)
        code = s_replace(self);
    if (!code)
        s_log(self, reason, report->sessions, report->damaged);
    return code;
}

static int
s_start_anew(const repair *self, const char *reason, bool keep)
{
    int code = keep ? aside_move(self->order->aside, TABLES_FILE) : unlink(self->path) ? errno : 0;
    if (!code)
        s_log(self, reason, 0, 0);
    return code;
}

static int
s_other_version(const repair *self, salvage_report *report)
{
    char text[ASIDE_PATH];
    aside other = {.store = self->order->folder, .why = "other-version"};
    int code = aside_move(&other, TABLES_FILE);
    if (code)
        return code;
    (void)aside_move(&other, JOURNAL_NAME);
    *report = (salvage_report){.state = SALVAGE_OTHER};
    log_event(LEVEL_WARN, "store_other_version", "set_aside=%s hint=\"%s\"",
              log_quoted(slice_text(other.folder), text, sizeof text),
              "it is another version's, and cannot be read by this one: sessions begin afresh");
    return 0;
}

static int
s_with_file(repair *self, salvage_report *ret)
{
    salvage_inspect(self->path, self->order->room, ret);
    if (ret->code || ret->state == SALVAGE_EMPTY)
        return ret->code;
    if (ret->state == SALVAGE_OTHER) { // or one of its meta pages only looks so
        bool some;
        int code = s_choose_meta(self, ret, &some);
        if (code || !some)
            return code ? code : s_other_version(self, ret);
    }
    return ret->state == SALVAGE_SOUND && !s_is_stale(self, ret) ? 0 : s_mend(self, ret);
}

static int
s_missing(const repair_order *order)
{
    journal_found found;
    if (journal_newest(order->journal, 0, &found))
        log_event(LEVEL_ERROR, "store_damaged", "file=" TABLES_FILE " reason=\"it is missing\"");
    return 0;
}

int
repair_tables(const repair_order *order, salvage_report *ret)
{
    struct stat status;
    repair self = {.order = order};
    *ret = (salvage_report){0};
    if (snprintf(self.path, sizeof self.path, "%s/" TABLES_FILE, order->folder) >= ASIDE_PATH ||
        snprintf(self.copy, sizeof self.copy, "%s/" COPY_FILE, order->folder) >= ASIDE_PATH)
        return ENAMETOOLONG;
    unlink(self.copy);
    if (stat(self.path, &status))
        return errno == ENOENT ? s_missing(order) : errno;
    if (!S_ISREG(status.st_mode))
        return s_start_anew(&self, "it is no file", true);
    if (status.st_size < LEAST_SIZE)
        return s_start_anew(&self, "it is too short to have anything in it", false);
    self.file = open(self.path, O_RDWR | O_CLOEXEC);
    if (self.file < 0)
        return errno;
    int code = s_with_file(&self, ret);
    close(self.file);
    return code;
}
