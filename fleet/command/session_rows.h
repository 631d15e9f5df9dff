// session_rows - what `troupe sessions` prints of LISTED, as a table and as JSON; and the ids that a person
// types, of which the beginning is enough. Pure.
#ifndef TROUPE_FLEET_COMMAND_SESSION_ROWS_H
#define TROUPE_FLEET_COMMAND_SESSION_ROWS_H

#include "proto/listing.h"

typedef struct {
    id16 first; // the lowest id that begins so
    unsigned digits;
} id_prefix;
// 1 to 32 hex digits. ERR_MALFORMED.
err id_prefix_parse(const char *text, id_prefix *ret);
bool id_prefix_has(const id_prefix *self, id16 id);
id16 id_prefix_before(const id_prefix *self); // the id in front of the first, for SESSIONS' `after`

void session_rows_head(buffer *out);
void session_rows_table(const listed *one, buffer *out); // a line
void session_rows_json(const listed *one, buffer *out);  // an object

#endif
