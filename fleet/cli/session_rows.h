// session_rows - the rows that `troupe sessions` prints, as a table and as JSON; and session ids as a user
// types them, where a prefix is enough. Pure.
#ifndef TROUPE_FLEET_CLI_SESSION_ROWS_H
#define TROUPE_FLEET_CLI_SESSION_ROWS_H

#include "proto/listing.h"

typedef struct {
    // The lowest id with this prefix.
    id16 first;
    unsigned digits;
} id_prefix;
// 1 to 32 hex digits. ERR_MALFORMED.
err id_prefix_parse(const char *text, id_prefix *ret);
bool id_prefix_has(const id_prefix *self, id16 id);
// The id just below the first with this prefix, for `after` of SESSIONS.
id16 id_prefix_before(const id_prefix *self);

void session_rows_head(buffer *out);
void session_rows_table(const listed *session, buffer *out);
void session_rows_json(const listed *session, buffer *out);

#endif
