// The longest increasing subsequence by patience sorting. A linear pass comes first: in most updates of a
// list rows are only added or removed, and nothing is out of order.
#include "worker/page/lis.h"

#include "common/errors.h"

#include <stdlib.h>

// True if the old rows are still in their old order.
static bool
s_ordered(const uint32_t *from, size_t count)
{
    int64_t last = -1;
    for (size_t i = 0; i < count; i++) {
        if (from[i] == LIS_NEW)
            continue;
        if (from[i] < last)
            return false;
        last = from[i];
    }
    return true;
}

// ends[n] is the row that ends the best increasing subsequence of length n + 1, the one with the lowest last
// value; so ends is sorted by from. Returns the first entry whose value is not lower: the one to replace.
static size_t
s_place(const uint32_t *from, const uint32_t *ends, size_t length, uint32_t value)
{
    size_t low = 0, high = length;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (from[ends[middle]] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// before[i] links row i to its predecessor in the best subsequence that ends with it; LIS_NEW ends the chain.
static void
s_longest(const uint32_t *from, size_t count, bool *stays)
{
    uint32_t *ends = malloc(2 * count * sizeof *ends), *before = ends + count;
    ASSERT(ends);
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        stays[i] = false;
        if (from[i] == LIS_NEW)
            continue;
        size_t place = s_place(from, ends, length, from[i]);
        before[i] = place ? ends[place - 1] : LIS_NEW;
        ends[place] = (uint32_t)i;
        length += place == length;
    }
    for (uint32_t i = length ? ends[length - 1] : LIS_NEW; i != LIS_NEW; i = before[i])
        stays[i] = true;
    free(ends);
}

// When nothing is out of order, all old rows are the subsequence.
void
lis_find(const uint32_t *from, size_t count, bool *ret_stays)
{
    if (!s_ordered(from, count)) {
        s_longest(from, count, ret_stays);
        return;
    }
    for (size_t i = 0; i < count; i++)
        ret_stays[i] = from[i] != LIS_NEW;
}
