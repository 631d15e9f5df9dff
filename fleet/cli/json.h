// json - strings of JSON output. Pure.
#ifndef TROUPE_FLEET_CLI_JSON_H
#define TROUPE_FLEET_CLI_JSON_H

#include "common/buffer.h"
#include "common/slice.h"

// Appends "key": "text", escaped. The text must be valid UTF-8.
void json_text(buffer *out, const char *key, slice text);

#endif
