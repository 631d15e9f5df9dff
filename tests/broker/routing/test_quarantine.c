// A view that keeps ending workers is refused for a while.
#include "broker/routing/quarantine.h"

#include "tests/unit.h"

static running_turn
s_turn(unsigned number)
{
    running_turn turn = {.sequence = 1, .view = slice_text("shop.Cart"), .event = slice_text("add")};
    memcpy(turn.session.bytes, &number, sizeof number);
    turn.session.bytes[15] = 1;
    return turn;
}

static bool
s_note(quarantine *self, unsigned number, uint64_t now)
{
    running_turn turn = s_turn(number);
    return quarantine_record(self, &turn, now);
}

static bool
s_holds(const quarantine *self, unsigned number, uint64_t now)
{
    return quarantine_find_held(self, s_turn(number).session, now);
}

static void
test_two_within_a_minute(void)
{
    quarantine *self = quarantine_new();
    CU_ASSERT_FALSE(s_holds(self, 1, 1000));
    CU_ASSERT_FALSE(s_note(self, 1, 1000));
    CU_ASSERT_FALSE(s_note(self, 1, 1000)); // the same death
    CU_ASSERT_FALSE(s_holds(self, 1, 1000));
    CU_ASSERT_TRUE(s_note(self, 1, 1000 + QUARANTINE_WITHIN_MS));
    CU_ASSERT_TRUE(s_holds(self, 1, 1000 + QUARANTINE_WITHIN_MS));
    CU_ASSERT_FALSE(s_holds(self, 2, 1000 + QUARANTINE_WITHIN_MS));
    quarantine_destroy(&self);
}

static void
test_two_that_are_far_apart(void)
{
    quarantine *self = quarantine_new();
    for (uint64_t now = 1000; now < 10 * QUARANTINE_WITHIN_MS; now += QUARANTINE_WITHIN_MS + 1)
        CU_ASSERT_FALSE(s_note(self, 1, now));
    quarantine_destroy(&self);
}

static void
test_it_ends(void)
{
    quarantine *self = quarantine_new();
    s_note(self, 1, 1000);
    s_note(self, 1, 2000);
    uint64_t end = 2000 + QUARANTINE_HOLD_MS;
    CU_ASSERT_TRUE(s_holds(self, 1, end - 1));
    CU_ASSERT_FALSE(s_note(self, 1, end - 1)); // it ran all the same, and is held for longer; that is no news
    CU_ASSERT_TRUE(s_holds(self, 1, end));
    end += QUARANTINE_HOLD_MS - 1;
    CU_ASSERT_FALSE(s_holds(self, 1, end));
    CU_ASSERT_FALSE(s_note(self, 1, end)); // and begins anew
    CU_ASSERT_TRUE(s_note(self, 1, end + 1));
    quarantine_destroy(&self);
}

static void
test_it_is_bounded(void)
{
    quarantine *self = quarantine_new();
    s_note(self, 0, 1);
    s_note(self, 0, 2);
    for (unsigned i = 1; i <= 2 * MAX_QUARANTINED; i++)
        s_note(self, i, 10 + i);
    uint64_t now = 10 + 2 * MAX_QUARANTINED + 1;
    CU_ASSERT_TRUE(s_holds(self, 0, now));                  // suspects go first
    CU_ASSERT_FALSE(s_note(self, 1, now));                  // it was forgotten
    CU_ASSERT_TRUE(s_note(self, 2 * MAX_QUARANTINED, now)); // it was not
    for (unsigned i = 1; i < MAX_QUARANTINED; i++) { // as many as there is room for, and the oldest has to go
        s_note(self, 1000 + i, now);
        s_note(self, 1000 + i, now + 1);
    }
    CU_ASSERT_FALSE(s_holds(self, 0, now + 1));
    CU_ASSERT_TRUE(s_holds(self, 1000 + MAX_QUARANTINED - 1, now + 1));
    quarantine_destroy(&self);
}

static void
test_it_names_what_ran(void)
{
    char text[QUARANTINE_TEXT];
    quarantine *self = quarantine_new();
    id16 id = s_turn(1).session;
    CU_ASSERT_PTR_NULL(quarantine_find_recent(self, id, 1000));
    s_note(self, 1, 1000);
    const quarantine_entry *noted = quarantine_find_recent(self, id, 1000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(noted);
    CU_ASSERT_STRING_EQUAL(quarantine_text(noted, text), "'add' of shop.Cart ended its worker");
    CU_ASSERT_PTR_NULL(quarantine_find_recent(self, id, 1001));
    running_turn unknown = {.session = id, .event = slice_text("RESTORE")};
    quarantine_record(self, &unknown, 2000);
    CU_ASSERT_STRING_EQUAL(quarantine_text(quarantine_find_held(self, id, 2000), text),
                           "'RESTORE' ended two workers within a minute");
    quarantine_destroy(&self);
}

static const unit_test s_tests[] = {
    {"two within a minute", test_two_within_a_minute},
    {"two that are far apart", test_two_that_are_far_apart},
    {"it ends", test_it_ends},
    {"it is bounded", test_it_is_bounded},
    {"it names what ran", test_it_names_what_ran},
};
UNIT_MAIN("quarantine", s_tests)
