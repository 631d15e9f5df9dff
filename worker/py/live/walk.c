// The walk over a plan: leaves, branches and scopes. Lists are in walk_list.c.
//
// `changed` is passed down and says which dependencies differ from the last walk. It grows on the way: a
// block that is new needs everything, a row whose item changed adds its loop's bit. The tree is updated while
// the patch is written, so a walk that does not end well leaves it unusable.
#include "worker/py/live/walk_internal.h"

#include "common/errors.h"
#include "worker/page/markup.h"

#include <stdio.h>

// eval writes a lone surrogate as three bytes (0xed, 0xa0 or more, …), which is not UTF-8. U+FFFD has three
// bytes, too, so the text need not move. Nearly all texts have none: eval tells.
void
walk_replace_surrogates(const walk *self, buffer *text, size_t from)
{
    if (!self->eval.surrogates)
        return;
    for (size_t i = from; i + 2 < text->size; i++)
        if (text->data[i] == 0xed && text->data[i + 1] >= 0xa0)
            memcpy(text->data + i, "\xef\xbf\xbd", 3);
}

void
walk_write_anchor(walk *self, char kind, const char *more)
{
    char text[32];
    if (!self->html)
        return;
    snprintf(text, sizeof text, "<!--$%.1s%s-->", &kind, more);
    rendered_anchor(self->html, text);
}

unsigned
walk_chunk(walk *self, const block_type *shows)
{
    bool new = false;
    unsigned number = tree_chunk(self->tree, shows, &new);
    if (new && self->patch)
        patch_chunk(self->patch, shows);
    return number;
}

void
walk_write_chunk_anchor(walk *self, char kind, const block_type *shows)
{
    char number[16] = "";
    if (!self->html)
        return;
    if (shows)
        snprintf(number, sizeof number, "%u", walk_chunk(self, shows));
    walk_write_anchor(self, kind, number);
}

void
walk_write_end_anchor(walk *self)
{
    if (self->html)
        rendered_anchor(self->html, "<!--$-->");
}

// The patch is given up for good: whoever entered a scope in it must ask again whether there is one to leave.
bool
walk_unfit(walk *self)
{
    self->unfit = true;
    self->patch = NULL;
    return self->html != NULL;
}

// --- leaves ---------------------------------------------------------------------------------------------

// The size of a leading newline. A parser drops it right after <pre>, but not behind an anchor: it has to be
// written before that.
static size_t
s_first_newline(slice value)
{
    if (value.size && value.data[0] == '\n')
        return 1;
    if (!value.size || value.data[0] != '\r')
        return 0;
    return value.size > 1 && value.data[1] == '\n' ? 2 : 1;
}

// Writes the value as HTML, between anchors if the browser could not find it by position: regions, and texts
// that contain tags.
static bool
s_write_leaf(walk *self, const plan_item *leaf, slice value)
{
    markup_kind kind = markup_classify(leaf->class, leaf->place, value);
    bool anchored = leaf->class == CLASS_REGION ||
                    (leaf->class == CLASS_TEXT && kind == MARKUP_HTML && markup_has_tags(value));
    size_t first = anchored && (leaf->place & PLACE_PRE) ? s_first_newline(value) : 0;
    buffer_append(&self->html->text, value.data, first);
    if (anchored)
        walk_write_anchor(self, leaf->class, "");
    buffer_append(&self->html->text, value.data + first, value.size - first);
    if (anchored)
        walk_write_end_anchor(self);
    return kind != MARKUP_UNFIT || walk_unfit(self);
}

// True if a new value of this leaf is to be sent. One that depends on nothing, or is quiet, is sent once, and
// again in another locale.
static bool
s_may_send(const walk *self, const block *block, const plan_item *leaf)
{
    bool once = leaf->quiet || !leaf->deps;
    return !once || self->locale || block_leaf_is_new(block, leaf->slot);
}

// To a parser CR LF is one newline, but not with an anchor between them: a value before an anchor must not
// end with a CR, as the text behind the anchor may begin with the LF.
static bool
s_may_split_newline(const plan_item *leaf, slice value)
{
    return leaf->edge && value.size && value.data[value.size - 1] == '\r';
}

// Records the value. True if it is a new one; *ret_before is given the last one then, if differences from it
// may be sent.
static bool
s_differs(walk *self, block *block, const plan_item *leaf, slice value, buffer *ret_before)
{
    bool markup = leaf->class == CLASS_TEXT || leaf->class == CLASS_REGION;
    if (!s_may_send(self, block, leaf))
        return false;
    if (!markup || self->tree->full)
        return block_leaf(block, leaf->slot, value, self->hashing->key);
    return block_markup(block, leaf->slot, value, self->hashing->key, ret_before);
}

// Evaluates a leaf, and adds it to the patch if its hash differs from the last one. The HTML gets it in any
// case.
static bool
s_leaf(walk *self, block *block, const plan_item *leaf)
{
    buffer_clear(&self->value);
    if (!eval_ops(&self->eval, leaf->ops, &self->value))
        return false;
    walk_replace_surrogates(self, &self->value, 0);
    slice value = buffer_bytes(&self->value);
    buffer before;
    buffer_init(&before);
    bool differs = s_differs(self, block, leaf, value, &before), ok = true;
    if (self->html && !s_write_leaf(self, leaf, value))
        ok = false;
    else if (s_may_split_newline(leaf, value))
        ok = walk_unfit(self);
    else if (differs && self->patch)
        ok = patch_leaf_from(self->patch, leaf->slot, leaf->class, leaf->place, buffer_bytes(&before),
                             value) ||
             walk_unfit(self);
    buffer_fini(&before);
    return ok;
}

// Items without a slot: output outside of all slots (ITEM_DEAD), and tags that only set variables (ITEM_SET).
// They are in no patch; without HTML they are evaluated for their effects alone.
static bool
s_without_slot(walk *self, const plan_item *item)
{
    if (self->html) {
        size_t from = self->html->text.size;
        bool ok = eval_ops(&self->eval, item->ops, &self->html->text);
        walk_replace_surrogates(self, &self->html->text, from);
        slice made = slice_of(self->html->text.data + from, self->html->text.size - from);
        // An element left open here would contain the slots that follow. The HTML goes on, so the result is
        // not needed.
        if (ok && item->place && markup_classify(CLASS_REGION, item->place, made) == MARKUP_UNFIT)
            walk_unfit(self);
        return ok;
    }
    if (item->kind == ITEM_DEAD && !item->acts)
        return true;
    buffer_clear(&self->value);
    return eval_ops(&self->eval, item->ops, &self->value);
}

// --- branches -------------------------------------------------------------------------------------------

// Evaluates the conditions. Returns the alternative, BRANCH_NOTHING if none holds or the one that does shows
// nothing, or BRANCH_UNKNOWN with an exception.
static int
s_choose(walk *self, const plan_branch *branch)
{
    int chosen = eval_if(&self->eval, branch->conds, branch->count);
    if (chosen < 0) {
        if (branch->node)
            eval_annotate(&self->eval, branch->node);
        return BRANCH_UNKNOWN;
    }
    return (unsigned)chosen < branch->count && branch->blocks[chosen] ? chosen : BRANCH_NOTHING;
}

// Chooses the alternative if the conditions may have changed, and visits it. An alternative other than before
// starts with an empty block, for which everything is evaluated.
static bool
s_branch(walk *self, block *block, const plan_item *item, uint64_t changed)
{
    const plan_branch *branch = item->branch;
    if (block_is_full(block)) {
        self->too_deep = true;
        return false;
    }
    int before = block_alternative(block, item->slot), now = before;
    if (before == BRANCH_UNKNOWN || walk_must_visit(branch->cond_deps, changed))
        if ((now = s_choose(self, branch)) == BRANCH_UNKNOWN)
            return false;
    const plan_block *shows = now == BRANCH_NOTHING ? NULL : branch->blocks[now];
    const block_type *chunk = shows ? shows->type : NULL;
    if (now != before) {
        block_show(block, item->slot, now, chunk);
        changed = DEPENDS_ALL;
    }
    walk_write_chunk_anchor(self, CLASS_BRANCH, chunk);
    // The patch may be given up inside: patch_leave only if it was entered and still exists.
    bool patched = self->patch != NULL;
    if (patched) {
        patch_enter(self->patch, item->slot);
        if (now != before && chunk)
            patch_show(self->patch, walk_chunk(self, chunk));
        else if (now != before)
            patch_hide(self->patch);
    }
    bool ok = !shows || walk_items(self, block_shown(block, item->slot), &shows->items, changed);
    if (patched && self->patch)
        patch_leave(self->patch);
    walk_write_end_anchor(self);
    return ok;
}

// --- items ----------------------------------------------------------------------------------------------

// The scope is left even after a failure: the context outlives the walk. An exception is annotated with the
// scope's node, as Node.render_annotated does in Django.
static bool
s_scope(walk *self, block *block, const plan_item *item, uint64_t changed)
{
    eval_scope entered;
    if (!eval_scope_enter(&self->eval, &entered, item->scoped.scope))
        return false;
    bool ok = walk_items(self, block, &item->scoped.items, changed);
    ok = eval_scope_leave(&self->eval, &entered, ok) && ok;
    PyObject *node = scope_node(item->scoped.scope);
    if (!ok && node && PyErr_Occurred())
        eval_annotate(&self->eval, node);
    return ok;
}

static bool
s_item(walk *self, block *block, const plan_item *item, uint64_t changed)
{
    switch (item->kind) {
    case ITEM_HTML:
        // Behind markup that was not expected, a tag that only the plan has may close something else.
        if (self->html && !(item->html.written_out && self->unfit))
            buffer_append(&self->html->text, item->html.data, item->html.size);
        return true;
    case ITEM_LEAF:
        return s_leaf(self, block, item);
    case ITEM_DEAD:
    case ITEM_SET:
        return s_without_slot(self, item);
    case ITEM_BRANCH:
        return s_branch(self, block, item, changed);
    case ITEM_LIST:
        return walk_list(self, block, item, changed);
    case ITEM_SCOPE:
        break;
    }
    return s_scope(self, block, item, changed);
}

// This check is what makes a small change cheap: an item that depends on nothing that changed is skipped with
// all that is inside it.
bool
walk_items(walk *self, block *block, const plan_items *items, uint64_t changed)
{
    for (unsigned i = 0; i < items->count; i++) {
        const plan_item *item = &items->items[i];
        if ((self->html || walk_must_visit(item->deps, changed)) && !s_item(self, block, item, changed))
            return false;
    }
    return true;
}

walk_result
walk_plan(const plan *plan, PyObject *context, const walk_order *order)
{
    ASSERT(order->tree->root_block && (!order->html || order->changed == DEPENDS_ALL));
    walk self = {
        .tree = order->tree,
        .hashing = order->hashing,
        .patch = order->patch,
        .html = order->html,
        .locale = order->locale,
    };
    if (!eval_init(&self.eval, context))
        return WALK_FAILED;
    bool ok = walk_items(&self, order->tree->root_block, &plan->root->items, order->changed);
    eval_fini(&self.eval);
    buffer_fini(&self.value);
    buffer_fini(&self.hashes);
    buffer_fini(&self.keys);
    buffer_fini(&self.ends);
    // A walk that writes HTML goes on behind a value that did not fit, and user code may raise after it: the
    // exception counts, and must not stay pending behind another result.
    if (!ok && PyErr_Occurred())
        return WALK_FAILED;
    if (self.too_deep)
        return WALK_DEEP;
    ASSERT(ok || self.unfit);
    return self.unfit ? WALK_UNFIT : WALK_DONE;
}
