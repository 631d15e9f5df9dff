// lis - the longest increasing subsequence, to find the fewest rows to move when a list's order changed: all
// rows but those of one such subsequence. Pure.
#ifndef TROUPE_WORKER_PAGE_LIS_H
#define TROUPE_WORKER_PAGE_LIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIS_NEW UINT32_MAX

// from[i]: where row i stood before, or LIS_NEW; no two the same. stays[i] becomes true for the rows that
// need not be moved; new rows do not stay. count < UINT32_MAX. O(n log n), O(n) if nothing is out of order.
void lis_find(const uint32_t *from, size_t count, bool *ret_stays);

#endif
