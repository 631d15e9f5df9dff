// Reads key files line by line. A line that is not understood is skipped: zcert (ZPL, rfc.zeromq.org/spec/4)
// and pyzmq write comments, sections and metadata around the keys. zcert_load() is not used, since it reports
// neither why a file was refused nor that the secret key is missing.
#include "common/certificate.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

// The alphabet of Z85 (rfc.zeromq.org/spec/32). strchr() finds the NUL that ends the string, too: hence
// the test of c.
static bool
s_is_z85(uint8_t c)
{
    return (c < 0x80 && isalnum(c)) || (c && strchr(".-:+=^!/*?&<>()[]{}@%$#", c));
}

static slice
s_trim(slice line)
{
    while (line.size && isspace(line.data[0]))
        line = slice_of(line.data + 1, line.size - 1);
    while (line.size && isspace(line.data[line.size - 1]))
        line.size--;
    return line;
}

// The value of `name = "value"`, whose quotes may be missing; false: the line says something else.
static bool
s_value(slice line, const char *name, slice *ret)
{
    size_t length = strlen(name);
    line = s_trim(line);
    if (line.size <= length || memcmp(line.data, name, length) != 0)
        return false;
    line = s_trim(slice_of(line.data + length, line.size - length));
    if (line.size == 0 || line.data[0] != '=')
        return false;
    line = s_trim(slice_of(line.data + 1, line.size - 1));
    bool quoted = line.size >= 2 && (line.data[0] == '"' || line.data[0] == '\'') &&
                  line.data[line.size - 1] == line.data[0];
    *ret = quoted ? slice_of(line.data + 1, line.size - 2) : line;
    return true;
}

// Takes the key if this line has it. A line that names the key and has something else for it is an error:
// a mutilated key must not look like a missing one.
static err
s_take(slice line, const char *name, char ret_key[KEY_TEXT])
{
    slice value;
    if (!s_value(line, name, &value))
        return OK;
    if (value.size != KEY_SIZE)
        return ERR_MALFORMED;
    for (size_t i = 0; i < KEY_SIZE; i++)
        if (!s_is_z85(value.data[i]))
            return ERR_MALFORMED;
    memcpy(ret_key, value.data, KEY_SIZE);
    return OK;
}

// Not NUL-terminated and possibly binary: everything goes by length. The last of several keys counts.
err
certificate_parse(slice text, certificate *ret)
{
    certificate parsed = {"", ""};
    err error = OK;
    for (size_t at = 0; at < text.size && !error;) {
        const uint8_t *start = text.data + at, *end = memchr(start, '\n', text.size - at);
        slice line = slice_of(start, end ? (size_t)(end - start) : text.size - at);
        error = s_take(line, "public-key", parsed.public_key);
        if (!error)
            error = s_take(line, "secret-key", parsed.secret_key);
        at += line.size + 1;
    }
    if (!error && !*parsed.public_key)
        error = ERR_MALFORMED;
    if (!error)
        *ret = parsed;
    return error;
}

// A file longer than MAX_CERTIFICATE is read up to there only: the keys are near the beginning of any real
// one.
err
certificate_load(const char *path, certificate *ret, char *ret_why, size_t why_size)
{
    uint8_t text[MAX_CERTIFICATE];
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(text, 1, sizeof text, file) : 0;
    bool read = file && !ferror(file);
    int reason = errno;
    if (file)
        fclose(file);
    err error = read ? certificate_parse(slice_of(text, size), ret) : ERR_SYSTEM;
    if (error)
        snprintf(ret_why, why_size, "%s: %s", path,
                 read ? "not a key file as written by `troupe keygen`" : strerror(reason));
    return error;
}

// Users confuse the two files that keygen writes, so this says which one to use.
err
certificate_load_secret(const char *path, certificate *ret, char *ret_why, size_t why_size)
{
    certificate loaded;
    err error = certificate_load(path, &loaded, ret_why, why_size);
    if (error)
        return error;
    if (!*loaded.secret_key) {
        snprintf(ret_why, why_size, "%s: contains only the public key: use the file that ends in _secret",
                 path);
        return ERR_MALFORMED;
    }
    *ret = loaded;
    return OK;
}
