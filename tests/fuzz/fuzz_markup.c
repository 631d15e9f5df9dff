// An input is a value of a template at some place in the page: three bytes of place, then HTML. Nothing may
// be read outside of it, and the scanners' answers must be consistent with each other. That what "fits"
// really does is tested against an HTML parser, by tests/worker/page/markup_parser.mjs. libFuzzer drives this
// (scripts/fuzz); replay.c runs the corpus as a test.
#include "common/errors.h"
#include "worker/page/block_type.h"
#include "worker/page/difference.h"
#include "worker/page/fragment.h"
#include "worker/page/json.h"
#include "worker/page/markup.h"

#include "tests/proto/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OPEN_PLACES (PLACE_P | PLACE_LI | PLACE_DD | PLACE_A | PLACE_BUTTON | PLACE_FORM)

// Whether the pieces, put together, are balanced.
static bool
s_composed(const char *before, slice html, const char *between, slice again, const char *after,
           unsigned place)
{
    buffer all;
    buffer_init(&all);
    buffer_text(&all, before);
    buffer_slice(&all, html);
    buffer_text(&all, between);
    buffer_slice(&all, again);
    buffer_text(&all, after);
    bool fits = markup_balanced(buffer_bytes(&all), place);
    buffer_fini(&all);
    return fits;
}

// What fits does not change what is around it: so it also fits twice, inside an element, and where less is
// forbidden. What does not fit does not with something harmless behind it either, except a '<' at the end,
// which is text as soon as a space follows.
static void
s_balance(slice html, unsigned place)
{
    bool fits = markup_balanced(html, place);
    if (fits) {
        ASSERT(s_composed("", html, "", html, "", place));
        ASSERT(s_composed("<!--x-->", html, "\n", (slice){0}, "<!---->", place));
        ASSERT(!s_composed("", html, "<!--$-->", html, "", place));
        ASSERT(!s_composed("", html, "</i>", html, "", place));
        ASSERT(!s_composed("<i>", html, "</b>", html, "", place));
        ASSERT(markup_balanced(html, place & ~(unsigned)OPEN_PLACES));
    } else if (!html.size || html.data[html.size - 1] != '<') {
        ASSERT(!s_composed("", html, "<!--x-->", (slice){0}, "", place) ||
               markup_classify(CLASS_REGION, place, html) == MARKUP_UNFIT);
    }
    if (fits && place == PLACE_KNOWN)
        ASSERT(s_composed("<div>", html, "<b>", (slice){0}, "</b></div>", place));
}

// Text without markup decodes, and to the same string that goes into a patch.
static void
s_text(slice html)
{
    buffer decoded, direct, indirect;
    buffer_init(&decoded);
    buffer_init(&direct);
    buffer_init(&indirect);
    markup_kind kind = markup_classify(CLASS_TEXT, PLACE_KNOWN, html);
    bool plain = markup_decode(html, &decoded);
    ASSERT(!plain || kind == MARKUP_TEXT);
    if (plain) {
        json_value(&direct, html, JSON_DECODE);
        json_string(&indirect, buffer_bytes(&decoded));
        ASSERT(slice_equal(buffer_bytes(&direct), buffer_bytes(&indirect)));
    } else {
        ASSERT(decoded.size == 0);
    }
    buffer_fini(&decoded);
    buffer_fini(&direct);
    buffer_fini(&indirect);
}

// Every class of slot must cope with every value; and what counts as an attribute's value, as raw text or as
// a tag cannot leave its place.
static void
s_classes(slice html, unsigned place)
{
    static const char classes[] = "targhT";
    for (const char *class = classes; *class; class ++)
        markup_classify(*class, place, html);
    if (markup_is_tag(html))
        ASSERT(html.data[0] == '<' && html.data[html.size - 1] == '>');
    if (markup_classify(CLASS_ATTRIBUTE, 0, html) != MARKUP_UNFIT)
        ASSERT(s_composed("<i a=\"", html, "\" b>", (slice){0}, "</i>", PLACE_KNOWN));
    if (markup_classify(CLASS_RAW, 0, html) != MARKUP_UNFIT)
        ASSERT(s_composed("<script>", html, "", (slice){0}, "\n</script>", PLACE_KNOWN));
}

// What fits a place has a tree, unless it is too deep or may be another one elsewhere; the tree covers it
// without gaps. Nothing differs from itself.
static void
s_differences(slice html, unsigned place)
{
    fragment tree;
    buffer out;
    buffer_init(&out);
    if (fragment_parse(&tree, html, place)) {
        ASSERT(tree.units[0].next == tree.count && tree.units[0].end == html.size);
        for (uint32_t i = 1; i < tree.count; i++) {
            const fragment_unit *unit = tree.units + i;
            ASSERT(unit->begin <= unit->inside && unit->inside <= unit->inside_end);
            ASSERT(unit->inside_end <= unit->end && unit->end <= html.size);
            ASSERT(unit->next > i && unit->next <= tree.count && unit->children < unit->next - i);
        }
    }
    fragment_fini(&tree);
    slice first = slice_of(html.data, html.size / 2);
    slice rest = slice_of(html.data + first.size, html.size - first.size);
    if (difference_write(html, html, place, &out))
        ASSERT(out.data[0] == '[' && !memchr(out.data, ',', out.size));
    difference_write(first, rest, place, &out);
    difference_write(rest, first, place, &out);
    difference_write(html, first, place, &out);
    difference_write_root(first, rest, &out);
    difference_write_root(html, first, &out);
    buffer_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    unsigned place = data[0] | (unsigned)data[1] << 8 | (unsigned)data[2] << 16;
    slice html = exact_copy(slice_of(data + 3, size - 3));
    s_balance(html, place);
    s_text(html);
    s_classes(html, place);
    s_differences(html, place);
    exact_free(html);
    return 0;
}
