// report_text - a report as `troupe status` prints it. Pure.
#ifndef TROUPE_FLEET_CLI_REPORT_TEXT_H
#define TROUPE_FLEET_CLI_REPORT_TEXT_H

#include "common/buffer.h"
#include "fleet/report.h"

void report_table(const report *self, buffer *out);
// One object, with a newline at its end.
void report_json(const report *self, buffer *out);

#endif
