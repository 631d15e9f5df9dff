// lis - the longest increasing subsequence of the rows' old positions. The rows in it can stay where they
// are, and moving all others is the fewest moves that bring a list into its new order. Pure; allocates, never
// fails.
#ifndef TROUPE_WORKER_PAGE_LIS_H
#define TROUPE_WORKER_PAGE_LIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIS_NEW UINT32_MAX

// from[i]: the old position of row i, or LIS_NEW; no two old positions are the same. ret_stays[i] becomes
// true for rows that need not be moved, and false for moved and new ones. count < UINT32_MAX. O(n log n),
// O(n) if nothing is out of order.
void lis_find(const uint32_t *from, size_t count, bool *ret_stays);

#endif
