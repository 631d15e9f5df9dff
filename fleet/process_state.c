// The words for process states, which the supervisor reports and the commands look for.
#include "fleet/process_state.h"

const char *
process_state_word(process_state state)
{
    static const char *const words[] = {"backoff", "starting", "ready", "stopping"};
    return words[state];
}
