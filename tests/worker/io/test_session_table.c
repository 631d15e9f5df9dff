// Look-up, walks, and the list of unadopted sessions.
#include "tests/unit.h"
#include "worker/io/session_table.h"

static session *
s_session(uint8_t number)
{
    id16 id = {{number, 1, 2, 3}};
    return session_new(id, 1);
}

static void
s_find_and_remove(void)
{
    session_table *all = session_table_new(1);
    session *a = s_session(1), *b = s_session(2), *second_a = s_session(1);
    session_table_add(all, a);
    session_table_add(all, b);
    CU_ASSERT_PTR_EQUAL(session_table_find(all, session_id(a)), a);
    CU_ASSERT_EQUAL(session_table_count(all), 2);
    unsigned walked = 0;
    for (session *session = session_table_first(all); session; session = session_table_next(all, session))
        walked++;
    CU_ASSERT_EQUAL(walked, 2);
    session_table_remove(all, a);
    CU_ASSERT_PTR_NULL(session_table_find(all, session_id(a)));
    session_table_add(all, second_a);
    session_table_remove(all, a); // another one has its id by now
    CU_ASSERT_PTR_EQUAL(session_table_find(all, session_id(a)), second_a);
    session_table_destroy(&all);
    session_destroy(&a);
    session_destroy(&b);
    session_destroy(&second_a);
}

// Ids that are alike where a careless hash would look cost no more than others: zhashx once grew until there
// was no memory.
static void
s_ids_that_are_alike(void)
{
    enum { MANY = 2000 };
    session_table *all = session_table_new(1);
    session *some[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        id16 id = {{7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, (uint8_t)(i >> 8), (uint8_t)i}};
        some[i] = session_new(id, 1);
        session_table_add(all, some[i]);
    }
    for (unsigned i = 0; i < MANY; i++)
        CU_ASSERT_PTR_EQUAL(session_table_find(all, session_id(some[i])), some[i]);
    session_table_destroy(&all);
    for (unsigned i = 0; i < MANY; i++)
        session_destroy(&some[i]);
}

static void
s_unadopted(void)
{
    session_table *all = session_table_new(1);
    session *some[5];
    for (uint8_t i = 0; i < 5; i++) {
        some[i] = s_session(i);
        session_table_add(all, some[i]);
        session_table_mark_unadopted(all, some[i]);
    }
    session_table_mark_adopted(all, session_id(some[0]));
    session_table_mark_adopted(all, session_id(some[0])); // twice is once
    session_table_remove(all, some[2]);
    CU_ASSERT_EQUAL(session_table_unadopted_count(all), 3);
    CU_ASSERT_PTR_EQUAL(session_table_take_oldest_unadopted(all), some[1]);
    CU_ASSERT_PTR_EQUAL(session_table_take_oldest_unadopted(all), some[3]);
    CU_ASSERT_PTR_EQUAL(session_table_take_oldest_unadopted(all), some[4]);
    CU_ASSERT_PTR_NULL(session_table_take_oldest_unadopted(all));
    CU_ASSERT_EQUAL(session_table_count(all), 4);
    session_table_destroy(&all);
    for (unsigned i = 0; i < 5; i++)
        session_destroy(&some[i]);
}

static void
s_walks(void)
{
    session_table *all = session_table_new(1);
    session *some[5];
    bool seen[5] = {false};
    for (uint8_t i = 0; i < 5; i++) {
        some[i] = s_session(i);
        session_table_add(all, some[i]);
    }
    unsigned walked = 0;
    for (session *session = session_table_first(all); session;
         session = session_table_next(all, session), walked++) {
        uint8_t number = session_id(session).bytes[0];
        CU_ASSERT_FALSE(seen[number]);
        seen[number] = true;
        CU_ASSERT_PTR_EQUAL(session_table_find(all, session_id(some[4 - number])), some[4 - number]);
        for (unsigned i = 0; i < 5 && walked == 0; i++)
            if (some[i] != session && i % 2)
                session_table_remove(all, some[i]);
    }
    CU_ASSERT_EQUAL(walked, session_table_count(all));
    CU_ASSERT_TRUE(walked >= 3);
    session_table_destroy(&all);
    for (unsigned i = 0; i < 5; i++)
        session_destroy(&some[i]);
}

static const unit_test s_tests[] = {{"find and remove", s_find_and_remove},
                                    {"a walk in which others are looked up and removed", s_walks},
                                    {"ids that are alike", s_ids_that_are_alike},
                                    {"unadopted, oldest first", s_unadopted}};
UNIT_MAIN("roster", s_tests)
