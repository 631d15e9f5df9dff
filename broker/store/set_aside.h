// set_aside - where damaged files of a store are moved, so that they can be examined: to the directory
// `STORE.damaged-DATE` next to the store's, or inside of the store if that cannot be created or is on another
// file system. Created with the first file. Not thread-safe; logs nothing.
#ifndef TROUPE_BROKER_STORE_SET_ASIDE_H
#define TROUPE_BROKER_STORE_SET_ASIDE_H

#include <stdbool.h>

enum { SET_ASIDE_PATH = 4096 };

typedef struct {
    // The path of the store; borrowed.
    const char *store;
    // "damaged", for the name of the directory.
    const char *why;
    // "": not created yet.
    char folder[SET_ASIDE_PATH];
} set_aside;

// Links the file there, for a caller that renames another over it; moves it if the file system has no hard
// links. Returns an errno, or 0.
int set_aside_copy(set_aside *self, const char *name);
// Moves a file or a directory. Returns an errno, or 0.
int set_aside_move(set_aside *self, const char *name);
// Moves the store itself, whatever it is.
int set_aside_move_store(set_aside *self);

#endif
