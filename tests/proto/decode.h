// decode - a body decoded by what its message is, as its receiver would, the result thrown away. For vectors
// and fuzzing.
#ifndef TROUPE_TEST_DECODE_H
#define TROUPE_TEST_DECODE_H

#include "proto/bodies.h"

// OK, ERR_MALFORMED or ERR_TOO_LARGE. from_worker tells HEARTBEAT's two bodies apart. Replies, for which the
// C side has no decoders, are read by PROTOCOL.md 5.2 with the reader.
err decode_any(message_type type, bool from_worker, slice body);

#endif
