// Ids as hexadecimal text. Both cases are read; lower case is written.
#include "common/hex.h"

// Lower case, so that an id looks the same in every log and can be searched for.
const char *
id_text(id16 id, char ret_text[ID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < ID_SIZE; i++) {
        ret_text[2 * i] = digits[id.bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[id.bytes[i] & 15];
    }
    ret_text[2 * ID_SIZE] = '\0';
    return ret_text;
}

// -1 if it is none.
static int
s_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    // Sets the bit that distinguishes lower from upper case in ASCII.
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

err
id_parse(slice text, id16 *ret_id)
{
    if (text.size != 2 * ID_SIZE)
        return ERR_MALFORMED;
    id16 id;
    for (size_t i = 0; i < ID_SIZE; i++) {
        int high = s_digit(text.data[2 * i]), low = s_digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return ERR_MALFORMED;
        id.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret_id = id;
    return OK;
}
