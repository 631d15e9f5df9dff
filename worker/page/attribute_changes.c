// Compares the attributes of two start tags, each with each: tags with many of them are left to the browser.
#include "worker/page/attribute_changes.h"

#include "worker/page/block_type.h"
#include "worker/page/html/html_chars.h"
#include "worker/page/html/lexer.h"
#include "worker/page/html/scan.h"
#include "worker/page/json.h"
#include "worker/page/markup.h"

#define MAX_ATTRIBUTES 32

typedef struct {
    slice name, value;
} attribute;

typedef struct {
    attribute all[MAX_ATTRIBUTES];
    size_t count;
} attributes;

// True for names that no parser changes, except for their case, and that scripts may set.
static bool
s_is_plain(slice name)
{
    if (!html_is_letter(name.data[0]))
        return false;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        if (!html_is_letter(c) && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != ':' && c != '.')
            return false;
    }
    return true;
}

static const attribute *
s_find_attribute(const attributes *self, slice name)
{
    for (size_t i = 0; i < self->count; i++)
        if (scan_same_name(self->all[i].name, name))
            return self->all + i;
    return NULL;
}

// The first of several with the same name counts. False: there are too many, or some that are not plain.
static bool
s_read(slice start, attributes *ret)
{
    ret->count = 0;
    attribute next;
    for (size_t at = lexer_tag_name(start, 1).size + 1;
         lexer_attribute(start, &at, &next.name, &next.value);) {
        if (s_find_attribute(ret, next.name))
            continue;
        if (ret->count == MAX_ATTRIBUTES || !s_is_plain(next.name))
            return false;
        ret->all[ret->count++] = next;
    }
    return true;
}

static void
s_write_name(slice name, buffer *out)
{
    buffer_byte(out, '"');
    for (size_t i = 0; i < name.size; i++)
        buffer_byte(out, (char)(html_is_letter(name.data[i]) ? name.data[i] | 0x20 : name.data[i]));
    buffer_text(out, "\":");
}

// Writes what is new or differs. False: a value is not certain to be its own text.
static bool
s_write_new(const attributes *before, const attributes *after, buffer *out)
{
    for (size_t i = 0; i < after->count; i++) {
        const attribute *now = after->all + i, *old = s_find_attribute(before, now->name);
        if (old && slice_equal(old->value, now->value))
            continue;
        if (markup_classify(CLASS_ATTRIBUTE, 0, now->value) != MARKUP_TEXT)
            return false;
        buffer_byte(out, ',');
        s_write_name(now->name, out);
        json_value(out, now->value, JSON_DECODE | JSON_REPLACE_NUL);
    }
    return true;
}

bool
attribute_changes_write(slice before, slice after, buffer *out)
{
    attributes olds, news;
    size_t begin = out->size;
    if (!s_read(before, &olds) || !s_read(after, &news) || !s_write_new(&olds, &news, out)) {
        out->size = begin;
        return false;
    }
    for (size_t i = 0; i < olds.count; i++) {
        if (s_find_attribute(&news, olds.all[i].name))
            continue;
        buffer_byte(out, ',');
        s_write_name(olds.all[i].name, out);
        buffer_text(out, "null");
    }
    if (out->size == begin)
        buffer_byte(out, ',');
    out->data[begin] = '{';
    buffer_byte(out, '}');
    if (out->size - begin <= after.size + 2)
        return true;
    out->size = begin;
    return false;
}
