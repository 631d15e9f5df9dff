// plan - a page as blocks, items and slots: C structs, made once a template from what
// troupe.template.plan.compile_page returns (its docstring has the format). A Python object, so that Python's
// template cache can keep it; immutable, so that any number of threads can walk it. GIL held for every
// function.
#ifndef TROUPE_WORKER_PY_LIVE_PLAN_H
#define TROUPE_WORKER_PY_LIVE_PLAN_H

#include "worker/page/block_type.h"
#include "worker/page/root.h"
#include "worker/py/template/program.h"

// A mask of what an item depends on, or of what changed (python/troupe/template/dependencies.py). Bits 0 to
// 46 are roots, 47 to 61 the rows of the loops around, by depth.
#define DEPENDS_DEEP     (UINT64_C(1) << 61) // shared by the rows of all loops that are deeper
#define DEPENDS_POSITION (UINT64_C(1) << 62) // the row's position in the innermost loop
#define DEPENDS_IMPURE   (UINT64_C(1) << 63) // evaluated at every turn
#define DEPENDS_ALL      UINT64_MAX

typedef enum {
    ITEM_HTML,   // static markup
    ITEM_LEAF,   // a slot with a value
    ITEM_DEAD,   // output outside of all slots: shown only by a whole root
    ITEM_SET,    // no output; sets variables of the context
    ITEM_BRANCH, // a slot that shows one of several blocks, or none
    ITEM_LIST,   // a slot with rows
    ITEM_SCOPE,  // items inside of a {% with %} or the like
} item_kind;

// In a leaf's flags, beside place.h's. QUIET: sent once, like a leaf that depends on nothing, but evaluated
// at every turn, because it has effects other than its text (in dj-update="ignore"). EDGE: an anchor follows
// directly.
#define LEAF_QUIET (1u << 30)
#define LEAF_EDGE  (1u << 29)

// Which parts of `forloop` the body of a list reads. PARENT: the position of a loop around it.
enum { LIST_POSITION = 1, LIST_LENGTH = 2, LIST_PARENT = 4 };

typedef struct plan_item plan_item;
typedef struct plan_block plan_block;

typedef struct {
    plan_item *items;
    unsigned count;
    uint64_t deps; // the union of all of theirs
} plan_items;

struct plan_block {
    plan_items items;
    const block_type *type;
    bool one; // a row that is exactly one element, found by position: needs no anchor before it
};

typedef struct {
    unsigned count;
    cond **conds;        // in order, the first true one wins; NULL: always ({% else %})
    plan_block **blocks; // what each shows; NULL: nothing
    uint64_t cond_deps;
    PyObject *node; // Django's, to annotate exceptions; or NULL
} plan_branch;

typedef struct {
    uint64_t seq_deps;
    uint64_t row;    // the bit of this loop's rows
    PyObject *names; // the loop variables
    expr *sequence;
    PyObject *node; // Django's, to annotate exceptions
    ops *key;       // NULL: positional
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
    unsigned place; // leaf, dead: flags of place.h; dead: 0 outside of the root
    uint64_t deps;
    bool acts;  // dead: it has to run at every turn, as it sets variables or has a state ({% cycle %})
    bool quiet; // leaf: LEAF_QUIET
    bool edge;  // leaf: LEAF_EDGE
    union {
        struct {
            char *data; // owned
            size_t size;
            bool written_out; // a tag that is not in the template: see walk.c
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
    PyObject *details; // the dict that it was made from, without its block: for troupe.runtime
    root_kind root_kind;
} plan;

// plan_free.c, for plan.c alone. Both NULL-safe, and safe for a block that was read only in part; the first
// nulls *self_p. plan_visit_block is a tp_traverse: returns what visit returned, if that is not 0.
void plan_free_block(plan_block **self_p);
int plan_visit_block(const plan_block *self, visitproc visit, void *arg);

// troupe._native.Page, made by the first call and kept. Borrowed; NULL with an exception.
PyTypeObject *plan_type(void);
// From a dict as compile_page returns it. New reference; NULL with an exception, ValueError if the dict does
// not follow the format.
plan *plan_new(PyObject *description);

#endif
