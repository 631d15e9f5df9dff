// samples - latencies of one group of sessions, told apart by worker. Not thread-safe.
#ifndef TROUPE_BENCH_SAMPLES_H
#define TROUPE_BENCH_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#define EVERY_WORKER UINT32_MAX

typedef struct {
    uint64_t ns;
    uint32_t worker;
} sample;

typedef struct {
    sample *all;
    size_t count;
    size_t room;
} samples;

typedef struct {
    size_t count;
    double p50, p99, most; // ns; 0 when count is 0
} summary;

void samples_init(samples *self);
void samples_fini(samples *self);
void samples_add(samples *self, uint64_t ns, uint32_t worker);
summary samples_summary(const samples *self, uint32_t worker); // nearest rank; of one worker, or EVERY_WORKER

#endif
