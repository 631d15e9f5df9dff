// A window of one second that begins with the first line that passes. What was suppressed is reported with
// the next line that passes, and never if there is none: a limit needs no timer.
#include "broker/io/log_limit.h"

bool
log_limit_pass(log_limit *self, uint64_t now, unsigned *ret_suppressed)
{
    if (self->passed == 0 || now - self->since >= 1000) {
        self->since = now;
        self->passed = 0;
    }
    if (self->passed >= LOG_LIMIT_LINES) {
        self->suppressed++;
        return false;
    }
    self->passed++;
    *ret_suppressed = self->suppressed;
    self->suppressed = 0;
    return true;
}
