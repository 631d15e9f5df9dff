// Workers by name and by routing id, and when a silent one is lost.
#include "tests/broker/records.h"

#include "tests/unit.h"

static void
test_find_and_name(void)
{
    registry *workers = registry_new(1);
    worker *alpha = worker_of(workers, "r1", "alpha", 100);
    worker *beta = worker_of(workers, "r2", "beta", 100);
    CU_ASSERT_PTR_EQUAL(registry_find(workers, slice_text("r1")), alpha);
    CU_ASSERT_PTR_EQUAL(registry_find(workers, slice_text("r2")), beta);
    CU_ASSERT_PTR_NULL(registry_find(workers, slice_text("r")));
    CU_ASSERT_PTR_EQUAL(registry_named(workers, slice_text("beta")), beta);
    CU_ASSERT_PTR_NULL(registry_named(workers, slice_text("bet")));
    CU_ASSERT_PTR_NULL(registry_named(workers, slice_text("r1")));
    CU_ASSERT_EQUAL(registry_count(workers), 2);
    registry_remove(workers, &alpha);
    CU_ASSERT_PTR_NULL(alpha);
    CU_ASSERT_PTR_NULL(registry_named(workers, slice_text("alpha")));
    CU_ASSERT_EQUAL(registry_count(workers), 1);
    registry_destroy(&workers);
    CU_ASSERT_PTR_NULL(workers);
    registry_destroy(&workers);
}

static void
test_name_is_free_when_leaving(void)
{
    registry *workers = registry_new(1);
    worker_of(workers, "r1", "alpha", 0)->state = WORKER_LEAVING;
    CU_ASSERT_PTR_NULL(registry_named(workers, slice_text("alpha")));
    CU_ASSERT_PTR_NOT_NULL(registry_find(workers, slice_text("r1")));
    registry_destroy(&workers);
}

static void
test_silent(void)
{
    registry *workers = registry_new(1);
    list_link lost;
    list_init(&lost);
    worker *early = worker_of(workers, "r1", "early", 1000);
    worker_of(workers, "r2", "late", 2000);
    registry_silent(workers, 9000, 8000, &lost);
    CU_ASSERT_TRUE(list_is_empty(&lost)); // 8 s are not over 8 s
    registry_silent(workers, 9001, 8000, &lost);
    registry_silent(workers, 9002, 8000, &lost); // once more is harmless
    CU_ASSERT_PTR_EQUAL(lost.next, &early->lost);
    CU_ASSERT_PTR_EQUAL(lost.next->next, &lost);
    registry_remove(workers, &early);
    CU_ASSERT_TRUE(list_is_empty(&lost));
    registry_forgive(workers, 5000);
    registry_silent(workers, 15000, 8000, &lost);
    CU_ASSERT_TRUE(list_is_empty(&lost));
    registry_silent(workers, 15001, 8000, &lost);
    CU_ASSERT_FALSE(list_is_empty(&lost));
    registry_destroy(&workers);
}

// The body of a walk may look workers up, walk all of them, and remove others than the current one.
static void
test_walks_within_walks(void)
{
    registry *workers = registry_new(1);
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    unsigned outer = 0, inner = 0;
    for (unsigned i = 0; i < 5; i++)
        worker_of(workers, names[i], names[i], 0);
    for (worker *each = registry_first(workers); each; each = registry_next(workers, each), outer++) {
        CU_ASSERT_PTR_NOT_NULL(registry_find(workers, slice_text("a")));
        CU_ASSERT_PTR_NULL(registry_named(workers, slice_text("nobody")));
        for (worker *other = registry_first(workers); other; other = registry_next(workers, other))
            inner++;
        worker *worker = outer == 1 ? registry_find(workers, slice_text("d")) : NULL;
        if (worker)
            registry_remove(workers, &worker);
    }
    CU_ASSERT_EQUAL(outer, 4);
    CU_ASSERT_EQUAL(inner, 2 * 5 + 2 * 4);
    registry_destroy(&workers);
}

static const unit_test s_tests[] = {
    {"a walk within a walk", test_walks_within_walks},
    {"found by routing id and by name", test_find_and_name},
    {"who leaves does not hold the name", test_name_is_free_when_leaving},
    {"who is silent for too long is lost, once", test_silent},
};
UNIT_MAIN("registry", s_tests)
