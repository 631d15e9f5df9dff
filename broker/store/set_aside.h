// aside - where damaged files of a store go, so that nobody loses the evidence: the folder
// `STORE.damaged-DATE` beside the store's, or where that cannot be made, or is on another file system, one
// inside of it. Made when the first file comes. Not thread-safe; logs nothing.
#ifndef TROUPE_BROKER_STORE_SET_ASIDE_H
#define TROUPE_BROKER_STORE_SET_ASIDE_H

#include <stdbool.h>

enum { ASIDE_PATH = 4096 };

typedef struct {
    const char *store;       // the store's folder, or what stands in its place; borrowed
    const char *why;         // "damaged", as the folder is to be named
    char folder[ASIDE_PATH]; // "": nothing is there
} aside;

// The file has a second name there from now on, for who then renames another over it; where the file system
// has no second names, it is moved. An errno, or 0.
int aside_copy(aside *self, const char *name);
int aside_move(aside *self, const char *name); // also folders, and all else. An errno, or 0
int aside_move_store(aside *self);             // the folder itself, or what is in its place

#endif
