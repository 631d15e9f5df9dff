// unit - the little that every CUnit program here shares: one suite a module, and an exit code that tells.
#ifndef TROUPE_UNIT_H
#define TROUPE_UNIT_H

#include <CUnit/Basic.h>
#include <stdio.h>

typedef struct {
    const char *name;
    void (*run)(void);
} unit_test;

// Runs the tests of one suite, prints CUnit's summary and a line "N passed, N failed"; returns main's exit
// code.
static inline int
unit_main(const char *suite_name, const unit_test *tests, size_t count)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; suite && i < count; i++)
        if (!CU_add_test(suite, tests[i].name, tests[i].run))
            return 2;
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_tests_failed(), run = CU_get_number_of_tests_run();
    printf("%u passed, %u failed\n", run - failed, failed);
    CU_cleanup_registry();
    return failed || run != count ? 1 : 0;
}

#define UNIT_MAIN(suite, tests)                                                                              \
    int main(void)                                                                                           \
    {                                                                                                        \
        return unit_main(suite, tests, sizeof tests / sizeof *tests);                                        \
    }

#endif
