// nodes_loader - entering and leaving blocks and other templates ({% block %}, {% include %}, {% extends %}),
// for ops (nodes_loader.c) and for live pages (eval_scopes.c). GIL held. Enter returns false with an
// exception and nothing to leave; leave keeps a pending exception. The x_fini functions are for enter and
// leave.
#ifndef TROUPE_WORKER_PY_TEMPLATE_NODES_LOADER_H
#define TROUPE_WORKER_PY_TEMPLATE_NODES_LOADER_H

#include "worker/py/template/eval.h"

typedef struct {
    PyObject *name;
    PyObject *context; // the BlockContext, or NULL: no inheritance
    PyObject *popped;  // the version that is shown, or None
    PyObject *shown;   // the BlockNode that the context has as "block"
} block_state;

bool block_enter(eval *self, block_state *state, PyObject *node);
bool block_leave(eval *self, block_state *state, bool ok); // ok: what ran inside did not fail
void block_fini(block_state *self);

// RenderContext.push_state.
typedef struct {
    PyObject *render_context;
    PyObject *dicts;  // its scopes
    PyObject *before; // its template
    bool isolated;
} template_state;

bool template_enter(eval *self, template_state *state, PyObject *template, bool isolated);
bool template_leave(template_state *state);
void template_fini(template_state *self);
// False with an exception: a receiver raised it.
bool template_announce(eval *self, PyObject *template);

// The blocks of an ExtendsNode, and of its parent if that is the root, join the rendering.
bool extends_blocks(eval *self, PyObject *node, PyObject *parent);

#endif
