#include "broker/io/log_limit.h"

bool
gate_pass(gate *self, uint64_t now, unsigned *ret_held)
{
    if (self->passed == 0 || now - self->since >= 1000) {
        self->since = now;
        self->passed = 0;
    }
    if (self->passed >= GATE_LINES) {
        self->held++;
        return false;
    }
    self->passed++;
    *ret_held = self->held;
    self->held = 0;
    return true;
}
