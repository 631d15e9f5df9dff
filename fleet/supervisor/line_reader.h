// line_reader - splits the output of a process into lines, and keeps the last of them. Pure; not thread-safe.
#ifndef TROUPE_FLEET_SUPERVISOR_LINE_READER_H
#define TROUPE_FLEET_SUPERVISOR_LINE_READER_H

#include "common/slice.h"

enum {
    // A longer line is split.
    MAX_LINE = 4000,
    // Bytes of whole lines that are kept.
    MAX_TAIL = 8000,
};

typedef struct line_reader line_reader;
line_reader *line_reader_new(void);
void line_reader_destroy(line_reader **self_p); // NULL-safe

void line_reader_feed(line_reader *self, slice bytes);
// End of file: what is left is a line, too.
void line_reader_end(line_reader *self);
// The next line, without its newline; borrowed until the next line_reader_feed. False: no complete line is
// left.
bool line_reader_next(line_reader *self, slice *ret_line);
// The last lines that line_reader_next returned; borrowed until its next call.
slice line_reader_tail(const line_reader *self);
// The likely reason why the process ended: the exception of the last traceback in the tail, else the last
// line; "" if it wrote nothing. Truncated to size - 1 bytes. Returns ret_text.
const char *line_reader_reason(const line_reader *self, char *ret_text, size_t size);

#endif
