// markup_classify - for markup_parser.mjs: reads "PLACE SIZE\n" and SIZE bytes of HTML, as often as they
// come, and writes 1 if they fit there (markup_balanced), else 0.
#include "worker/page/markup.h"

#include "tests/proto/exact.h"

#include <stdio.h>

int
main(void)
{
    unsigned place;
    size_t size;
    while (scanf("%u %zu", &place, &size) == 2 && getchar() == '\n') {
        uint8_t *bytes = malloc(size + 1);
        if (!bytes || fread(bytes, 1, size, stdin) != size)
            return 1;
        slice html = exact_copy(slice_of(bytes, size));
        putchar(markup_balanced(html, place) ? '1' : '0');
        exact_free(html);
        free(bytes);
    }
    return 0;
}
