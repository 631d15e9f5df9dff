// Frees a plan's structs, and visits the Python objects in them for CPython's garbage collector. Plans that
// were read only in part get here, too: arrays are zeroed when made, counts say how many elements were begun,
// and what reading did not reach is NULL.
#include "worker/py/live/plan.h"

#include <stdlib.h>

static void s_free_items(plan_items *self);

// The arrays have at least count elements; those beyond are still zero.
static void
s_free_branch(plan_branch *self)
{
    for (unsigned i = 0; i < self->count; i++) {
        cond_free(&self->conds[i]);
        plan_free_block(&self->blocks[i]);
    }
    free(self->conds);
    free(self->blocks);
    Py_XDECREF(self->node);
    free(self);
}

static void
s_free_list(plan_list *self)
{
    Py_XDECREF(self->names);
    Py_XDECREF(self->node);
    expr_free(&self->sequence);
    ops_free(&self->key);
    plan_free_block(&self->body);
    plan_free_block(&self->empty);
    free(self);
}

// The union's member was set by the reader of the item's kind, and is zero if that failed early.
static void
s_free_items(plan_items *self)
{
    for (unsigned i = 0; i < self->count; i++) {
        plan_item *item = &self->items[i];
        if (item->kind == ITEM_HTML)
            free(item->html.data);
        else if (item->kind == ITEM_BRANCH && item->branch)
            s_free_branch(item->branch);
        else if (item->kind == ITEM_LIST && item->list)
            s_free_list(item->list);
        else if (item->kind == ITEM_LEAF || item->kind == ITEM_DEAD || item->kind == ITEM_SET)
            ops_free(&item->ops);
        if (item->kind == ITEM_SCOPE) {
            scope_free(&item->scoped.scope);
            s_free_items(&item->scoped.items);
        }
    }
    free(self->items);
}

// Blocks nest no deeper than reading them allowed (Py_EnterRecursiveCall), so the C stack suffices.
void
plan_free_block(plan_block **self_p)
{
    plan_block *self = *self_p;
    if (!self)
        return;
    s_free_items(&self->items);
    block_type_release(&self->type);
    free(self);
    *self_p = NULL;
}

// The visitors do as tp_traverse must: they visit each owned reference once, allocate nothing, run no Python
// code, and stop at the first answer that is not 0.
static int s_visit_items(const plan_items *self, visitproc visit, void *arg);

static int
s_visit_branch(const plan_branch *self, visitproc visit, void *arg)
{
    Py_VISIT(self->node);
    int stop = 0;
    for (unsigned i = 0; !stop && i < self->count; i++)
        if (!self->conds[i] || !(stop = cond_traverse(self->conds[i], visit, arg)))
            stop = plan_visit_block(self->blocks[i], visit, arg);
    return stop;
}

static int
s_visit_list(const plan_list *self, visitproc visit, void *arg)
{
    Py_VISIT(self->names);
    Py_VISIT(self->node);
    int stop = expr_traverse(self->sequence, visit, arg);
    if (!stop)
        stop = ops_traverse(self->key, visit, arg);
    if (!stop)
        stop = plan_visit_block(self->body, visit, arg);
    return stop ? stop : plan_visit_block(self->empty, visit, arg);
}

// Static markup owns no Python objects.
static int
s_visit_item(const plan_item *self, visitproc visit, void *arg)
{
    int stop;
    switch (self->kind) {
    case ITEM_LEAF:
    case ITEM_DEAD:
    case ITEM_SET:
        return ops_traverse(self->ops, visit, arg);
    case ITEM_BRANCH:
        return s_visit_branch(self->branch, visit, arg);
    case ITEM_LIST:
        return s_visit_list(self->list, visit, arg);
    case ITEM_SCOPE:
        stop = scope_traverse(self->scoped.scope, visit, arg);
        return stop ? stop : s_visit_items(&self->scoped.items, visit, arg);
    case ITEM_HTML:
        break;
    }
    return 0;
}

static int
s_visit_items(const plan_items *self, visitproc visit, void *arg)
{
    int stop = 0;
    for (unsigned i = 0; !stop && i < self->count; i++)
        stop = s_visit_item(&self->items[i], visit, arg);
    return stop;
}

// The type is shared by count, and has no Python objects.
int
plan_visit_block(const plan_block *self, visitproc visit, void *arg)
{
    return self ? s_visit_items(&self->items, visit, arg) : 0;
}
