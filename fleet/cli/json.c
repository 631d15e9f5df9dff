// Strings for `troupe status --json` and `troupe sessions --json`. Only what RFC 8259 requires is escaped:
// quotes, backslashes and control characters. The rest is UTF-8 and stays as it is.
#include "fleet/cli/json.h"

void
json_text(buffer *out, const char *key, slice text)
{
    buffer_format(out, "\"%s\": \"", key);
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '"' || c == '\\')
            buffer_format(out, "\\%c", c);
        else if (c < 0x20)
            buffer_format(out, "\\u%04x", c);
        else
            buffer_byte(out, c);
    }
    buffer_text(out, "\"");
}
