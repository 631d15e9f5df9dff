#include "worker/patch.h"

#include <inttypes.h>

// What a byte needs inside a JSON string: 0 nothing, 'u' a \u00xx, else the letter behind the backslash.

static const char s_escape[256] = {
    ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
    [0] = 'u',   [1] = 'u',     [2] = 'u',    [3] = 'u',    [4] = 'u',    [5] = 'u',    [6] = 'u',
    [7] = 'u',   [11] = 'u',    [14] = 'u',   [15] = 'u',   [16] = 'u',   [17] = 'u',   [18] = 'u',
    [19] = 'u',  [20] = 'u',    [21] = 'u',   [22] = 'u',   [23] = 'u',   [24] = 'u',   [25] = 'u',
    [26] = 'u',  [27] = 'u',    [28] = 'u',   [29] = 'u',   [30] = 'u',   [31] = 'u',   [127] = 'u',
};

void
json_string(buffer *out, slice text)
{
    static const char digits[] = "0123456789abcdef";
    buffer_byte(out, '"');
    size_t clean = 0;
    for (size_t i = 0; i < text.size; i++) {
        char escape = s_escape[text.data[i]];
        if (!escape)
            continue;
        buffer_append(out, text.data + clean, i - clean);
        clean = i + 1;
        if (escape == 'u') {
            char code[6] = {'\\', 'u', '0', '0', digits[text.data[i] >> 4], digits[text.data[i] & 15]};
            buffer_append(out, code, sizeof code);
        } else {
            buffer_append(out, (char[2]){'\\', escape}, 2);
        }
    }
    buffer_append(out, text.data + clean, text.size - clean);
    buffer_byte(out, '"');
}

patch
patch_begin(buffer *out, id16 view, uint64_t version, uint64_t applied)
{
    char id[ID_TEXT];
    buffer_format(out, "{\"v\":\"%s\",\"s\":%" PRIu64 ",\"a\":%" PRIu64, id_text(view, id), version, applied);
    return (patch){out, 0};
}

static void
s_region(buffer *out, unsigned slot, slice html)
{
    buffer_format(out, "\"%u\":{\"h\":", slot);
    json_string(out, html);
    buffer_byte(out, '}');
}

void
patch_region(patch *self, unsigned slot, slice html)
{
    buffer_text(self->out, self->changes++ ? "," : ",\"d\":{");
    s_region(self->out, slot, html);
}

void
patch_end(patch *self)
{
    buffer_text(self->out, self->changes ? "}}" : "}");
}

void
patch_region_only(buffer *out, unsigned slot, slice html)
{
    buffer_byte(out, '{');
    s_region(out, slot, html);
    buffer_byte(out, '}');
}
