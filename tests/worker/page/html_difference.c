// html_difference - for difference_parser.mjs: reads "PLACE SIZE SIZE\n" and the HTML of a region before and
// after, as often as they come, and writes the change (difference_write) as a line, or an empty line where
// there is none. PLACE 0: they are whole roots.
#include "worker/page/difference.h"

#include "tests/proto/exact.h"

#include <stdio.h>

static slice
s_read(size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    if (!bytes || fread(bytes, 1, size, stdin) != size)
        exit(1);
    slice html = exact_copy(slice_of(bytes, size));
    free(bytes);
    return html;
}

int
main(void)
{
    unsigned place;
    size_t before_size, after_size;
    while (scanf("%u %zu %zu", &place, &before_size, &after_size) == 3 && getchar() == '\n') {
        slice before = s_read(before_size), after = s_read(after_size);
        buffer change;
        buffer_init(&change);
        bool differs = place ? difference_write(before, after, place, &change)
                             : difference_write_root(before, after, &change);
        if (differs)
            fwrite(change.data, 1, change.size, stdout);
        putchar('\n');
        buffer_fini(&change);
        exact_free(before);
        exact_free(after);
    }
    return 0;
}
