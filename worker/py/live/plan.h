// plan - a page as blocks, items and slots: C structs from what troupe.template.plan.compile_page gives, once
// a template. A Python object (so that Python keeps and collects it), immutable: any number of threads walk
// one. GIL held for every function.
#ifndef TROUPE_WORKER_PY_LIVE_PLAN_H
#define TROUPE_WORKER_PY_LIVE_PLAN_H

#include "worker/page/block_type.h"
#include "worker/page/root.h"
#include "worker/py/template/program.h"

// Bits of what an item depends on. 0 to 46: roots.
#define DEPENDS_POSITION (UINT64_C(1) << 62) // where a row of its loop stands
#define DEPENDS_IMPURE   (UINT64_C(1) << 63) // evaluated at every turn
#define DEPENDS_DEEP     (UINT64_C(1) << 61) // rows of several loops share it
#define DEPENDS_ALL      UINT64_MAX

typedef enum { ITEM_HTML, ITEM_LEAF, ITEM_DEAD, ITEM_SET, ITEM_BRANCH, ITEM_LIST, ITEM_SCOPE } item_kind;

// In a leaf's flags, beside place.h's: it is sent once, as a leaf that depends on nothing is, but evaluated
// at every turn, because it does more than to yield text (dj-update="ignore").
#define LEAF_QUIET (1u << 30)
// And: an anchor follows right after it.
#define LEAF_EDGE (1u << 29)

// Which parts of `forloop` the body of a list looks at.
enum { LIST_POSITION = 1, LIST_LENGTH = 2, LIST_PARENT = 4 };

typedef struct plan_item plan_item;
typedef struct plan_block plan_block;

typedef struct {
    plan_item *items;
    unsigned count;
    uint64_t deps; // of all of them; impure if one has to run at every turn
} plan_items;

struct plan_block {
    plan_items items;
    const block_type *type;
    bool one; // a row that is one element: no mark in front of it
};

typedef struct {
    unsigned count;
    cond **conds;        // NULL: else
    plan_block **blocks; // NULL: shows nothing
    uint64_t cond_deps;
    PyObject *node; // or NULL
} plan_branch;

typedef struct {
    uint64_t seq_deps;
    uint64_t row;    // this loop's bit
    PyObject *names; // the loop variables
    expr *sequence;
    PyObject *node;
    ops *key; // NULL: by position
    plan_block *body;
    plan_block *empty; // NULL: none
    unsigned flags;
    bool reversed;
    bool forloop;
} plan_list;

struct plan_item {
    item_kind kind;
    char class;     // leaf
    unsigned slot;  // leaf, branch, list
    unsigned place; // leaf, dead: place.h's flags; dead: 0 outside of the root
    uint64_t deps;
    bool acts;  // dead: others may notice that it runs: it sets variables, or has a state
    bool quiet; // leaf: LEAF_QUIET
    bool edge;  // leaf: LEAF_EDGE
    union {
        struct {
            char *data; // owned
            size_t size;
        } html;
        ops *ops; // leaf, dead, set
        plan_branch *branch;
        plan_list *list;
        struct {
            scope *scope;
            plan_items items;
        } scoped;
    };
};

typedef struct {
    PyObject_HEAD plan_block *root;
    PyObject *roots;   // tuple of str
    PyObject *details; // the dict it was made from, without its block: for runtime.py
    root_kind root_kind;
} plan;

// For plan.c.
void plan_free_block(plan_block **self_p);                                // NULL-safe; a half-built one too
int plan_visit_block(const plan_block *self, visitproc visit, void *arg); // NULL-safe

// The type, made once; troupe._native.Page. NULL with an exception.
PyTypeObject *plan_type(void);
// From a dict as compile_page gives it. New reference; NULL with an exception (ValueError: not what was
// agreed).
plan *plan_new(PyObject *description);

#endif
