// Every pair of state and input of session.def.
#include "broker/routing/state.h"

#include "tests/unit.h"

// Written by hand a second time: a row per state, a column per input, in the order of session.def. The
// letter is the action, the digit the next state (0 none, 1 activating, 2 unadopted, 3 active, 4 detached,
// 5 stored).
//                                      mount join req  leave mnted unadpjoind answd relsd lost
static const char *const s_expected[] = {"P1 P1 R0 I0 X0 X0 X0 X0 I0 I0",  // none
                                         "F1 F1 F1 I1 D3 D2 A3 D1 O0 O0",  // activating
                                         "F2 F2 F2 I2 D3 D2 A3 D2 O0 O0",  // unadopted
                                         "F3 F3 F3 L4 D3 D3 A3 D3 O0 O0",  // active
                                         "F4 F4 F4 I4 D4 D4 A3 D4 O0 O0",  // detached
                                         "S1 S1 S1 I5 X5 X5 X5 X5 I5 I5"}; // stored

static const char s_letters[ACTION_COUNT] = {
    [ACTION_IGNORE] = 'I',  [ACTION_PLACE] = 'P',   [ACTION_FORWARD] = 'F', [ACTION_REFUSE] = 'R',
    [ACTION_DELIVER] = 'D', [ACTION_ATTACH] = 'A',  [ACTION_DETACH] = 'L',  [ACTION_FORGET] = 'O',
    [ACTION_DROP] = 'X',    [ACTION_RESTORE] = 'S',
};

static void
test_every_pair(void)
{
    CU_ASSERT_EQUAL_FATAL(sizeof s_expected / sizeof *s_expected, STATE_COUNT);
    CU_ASSERT_EQUAL_FATAL(strlen(s_expected[0]), 3 * INPUT_COUNT - 1);
    for (int state = 0; state < STATE_COUNT; state++)
        for (int input = 0; input < INPUT_COUNT; input++) {
            session_transition step = state_step((session_state)state, (session_input)input);
            const char *expected = s_expected[state] + 3 * input;
            CU_ASSERT_EQUAL(s_letters[step.action], expected[0]);
            CU_ASSERT_EQUAL((int)step.next, expected[1] - '0');
        }
}

// The table is filled by designators: of a pair named twice the last would win silently, and one left out
// would be NONE and IGNORE.
static void
test_each_pair_stands_once(void)
{
    int seen[STATE_COUNT][INPUT_COUNT] = {{0}};
#define T(state, input, next, action) seen[STATE_##state][INPUT_##input]++;
#include "proto/session.def"
    for (int state = 0; state < STATE_COUNT; state++)
        for (int input = 0; input < INPUT_COUNT; input++)
            CU_ASSERT_EQUAL(seen[state][input], 1);
}

static void
test_what_must_hold(void)
{
    for (int state = 0; state < STATE_COUNT; state++)
        for (int input = 0; input < INPUT_COUNT; input++) {
            session_transition step = state_step((session_state)state, (session_input)input);
            // Only PLACE and RESTORE make a session, and only FORGET ends it.
            CU_ASSERT_EQUAL(state == STATE_NONE && step.next != STATE_NONE, step.action == ACTION_PLACE);
            CU_ASSERT_EQUAL(state == STATE_STORED && step.next != STATE_STORED,
                            step.action == ACTION_RESTORE);
            CU_ASSERT_EQUAL(state != STATE_NONE && step.next == STATE_NONE, step.action == ACTION_FORGET);
            // A client can be attached in ACTIVE only.
            if (step.action == ACTION_ATTACH)
                CU_ASSERT_EQUAL(step.next, STATE_ACTIVE);
            if (state == STATE_ACTIVE && step.next == STATE_DETACHED)
                CU_ASSERT_EQUAL(step.action, ACTION_DETACH);
            int owned = state != STATE_STORED;
            CU_ASSERT_FALSE(owned && input == INPUT_RELEASED && step.next != STATE_NONE);
            CU_ASSERT_FALSE(owned && input == INPUT_LOST && step.next != STATE_NONE);
        }
}

static void
test_words(void)
{
    CU_ASSERT_STRING_EQUAL(state_word(STATE_UNADOPTED), "unadopted");
    for (int a = 0; a < STATE_COUNT; a++)
        for (int b = 0; b < a; b++)
            CU_ASSERT_STRING_NOT_EQUAL(state_word((session_state)a), state_word((session_state)b));
}

static const unit_test s_tests[] = {
    {"every pair of state and input", test_every_pair},
    {"each pair stands in the table once", test_each_pair_stands_once},
    {"input must hold of any table", test_what_must_hold},
    {"states have words of their own", test_words},
};
UNIT_MAIN("state", s_tests)
