// lines - what a process writes, cut into lines, and the last of it kept. Pure; not thread-safe.
#ifndef TROUPE_FLEET_SUPERVISOR_LINES_H
#define TROUPE_FLEET_SUPERVISOR_LINES_H

#include "common/slice.h"

enum {
    LINE_MOST = 4000, // a longer one is cut in pieces
    TAIL_MOST = 8000, // bytes of what was written last
};

typedef struct lines lines;
lines *lines_new(void);
void lines_destroy(lines **self_p); // NULL-safe

void lines_feed(lines *self, slice bytes);
void lines_end(lines *self); // a last line may lack its end
// The next line, without its end; borrowed until the next lines_feed. False: there is no whole one.
bool lines_next(lines *self, slice *ret_line);
slice lines_tail(const lines *self); // the last lines that lines_next gave, whole; borrowed until the next
// Why it ended, as far as that can be read off the last lines: the exception of the last traceback, else the
// last line. At most size - 1 bytes; "" if it wrote nothing. Returns ret_text.
const char *lines_reason(const lines *self, char *ret_text, size_t size);

#endif
