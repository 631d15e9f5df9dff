// root_cut - for root_parser.mjs: reads "SIZE\n" and SIZE bytes of HTML, as often as they come, and writes a
// line with where the root begins and ends (root_find).
#include "worker/page/root.h"

#include "tests/proto/exact.h"

#include <stdio.h>

int
main(void)
{
    size_t size;
    while (scanf("%zu", &size) == 1 && getchar() == '\n') {
        uint8_t *bytes = malloc(size + 1);
        if (!bytes || fread(bytes, 1, size, stdin) != size)
            return 1;
        slice html = exact_copy(slice_of(bytes, size));
        root_place place = root_find(html);
        printf("%zu %zu\n", place.begin, place.end);
        exact_free(html);
        free(bytes);
    }
    return 0;
}
