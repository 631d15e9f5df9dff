// Session ids as a user types them, by their first digits, and rows of sessions as text and JSON.
#include "fleet/cli/session_rows.h"

#include "common/hex.h"
#include "common/log.h"
#include "fleet/cli/json.h"

#include <inttypes.h>
#include <stdio.h>

// -1 if it is none. Both cases are accepted: ids are shown in lower case, and may be pasted from
// elsewhere.
static int
s_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// An odd number of digits leaves half a byte, which is filled with zeros: `first` is the lowest id with
// the prefix.
err
id_prefix_parse(const char *text, id_prefix *ret)
{
    id_prefix parsed = {0};
    for (; text[parsed.digits]; parsed.digits++) {
        int digit = s_digit(text[parsed.digits]);
        if (digit < 0 || parsed.digits == 2 * ID_SIZE)
            return ERR_MALFORMED;
        parsed.first.bytes[parsed.digits / 2] |= (uint8_t)(parsed.digits % 2 ? digit : digit << 4);
    }
    if (parsed.digits == 0)
        return ERR_MALFORMED;
    *ret = parsed;
    return OK;
}

// Compares whole bytes first, then the half byte of an odd prefix.
bool
id_prefix_has(const id_prefix *self, id16 id)
{
    unsigned whole = self->digits / 2;
    if (memcmp(id.bytes, self->first.bytes, whole) != 0)
        return false;
    return self->digits % 2 == 0 || id.bytes[whole] >> 4 == self->first.bytes[whole] >> 4;
}

// The first id with this prefix, minus one, since SESSIONS lists what follows `after`. Borrows from byte to
// byte like a subtraction on paper; the first id is not zero, so this ends.
id16
id_prefix_before(const id_prefix *self)
{
    id16 before = self->first;
    // No session has the id of zeros, so nothing is missed by starting after it.
    if (id_is_zero(before))
        return before;
    unsigned at = ID_SIZE;
    while (before.bytes[--at]-- == 0)
        ;
    return before;
}

// The widths are those of session_rows_table().
void
session_rows_head(buffer *out)
{
    buffer_format(out, "%-32s  %-10s %-16s %-8s %7s %9s\n", "SESSION", "STATE", "WORKER", "PAGE", "PENDING",
                  "KEPT");
}

// Names are chosen by workers: no control characters reach the terminal.
static const char *
s_printable_or_dash(slice text, char *ret_text, size_t size)
{
    return log_plain(text.size ? text : slice_text("-"), ret_text, size);
}

void
session_rows_table(const listed *session, buffer *out)
{
    char id[ID_TEXT], state[32], worker[2 * MAX_WORKER_NAME], kept[32] = "-";
    s_printable_or_dash(session->state, state, sizeof state);
    s_printable_or_dash(session->worker, worker, sizeof worker);
    if (session->bytes)
        snprintf(kept, sizeof kept, "%" PRIu64, session->bytes);
    buffer_format(out, "%-32s  %-10s %-16s %-8s %7" PRIu64 " %9s\n", id_text(session->session, id), state,
                  worker, session->attached ? "attached" : "-", session->pending, kept);
}

// An object; the caller separates and surrounds them.
void
session_rows_json(const listed *session, buffer *out)
{
    char id[ID_TEXT];
    buffer_format(out, "{\"session\": \"%s\"", id_text(session->session, id));
    buffer_text(out, ", ");
    json_text(out, "state", session->state);
    if (session->worker.size) {
        buffer_text(out, ", ");
        json_text(out, "worker", session->worker);
    }
    buffer_format(
        out, ", \"attached\": %s, \"epoch\": %" PRIu64 ", \"pending\": %" PRIu64 ", \"bytes\": %" PRIu64 "}",
        session->attached ? "true" : "false", session->epoch, session->pending, session->bytes);
}
