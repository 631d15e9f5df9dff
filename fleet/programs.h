// programs - where troupe-broker and troupe-worker are: beside this program, where the build puts them, or
// wherever PATH says. Reads the file system.
#ifndef TROUPE_FLEET_PROGRAMS_H
#define TROUPE_FLEET_PROGRAMS_H

#include <stddef.h>

// room: "broker" or "worker". Returns ret_path; a bare name is left to PATH.
const char *program_find(const char *room, char *ret_path, size_t size);

#endif
