// programs - where troupe-broker and troupe-worker are: next to this program, where the build puts them, or
// on PATH. Reads the file system.
#ifndef TROUPE_FLEET_PROGRAMS_H
#define TROUPE_FLEET_PROGRAMS_H

#include <stddef.h>

// name: "broker" or "worker". Returns ret_path; a bare file name is looked up on PATH.
const char *program_find(const char *name, char *ret_path, size_t size);

#endif
