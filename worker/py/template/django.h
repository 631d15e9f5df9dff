// django - the Django objects and the names that lowered programs use. Filled once a process by eval_setup(),
// constant afterwards; all references are kept for good. GIL held.
#ifndef TROUPE_WORKER_PY_TEMPLATE_DJANGO_H
#define TROUPE_WORKER_PY_TEMPLATE_DJANGO_H

#include "worker/py/python.h"

// X(name): an interned str of that text.
#define DJANGO_NAMES(X)                                                                                      \
    X(__dir__)                                                                                               \
    X(__html__)                                                                                              \
    X(__len__)                                                                                               \
    X(_render)                                                                                               \
    X(_troupe)                                                                                               \
    X(add_blocks)                                                                                            \
    X(alters_data)                                                                                           \
    X(autoescape)                                                                                            \
    X(block)                                                                                                 \
    X(block_context)                                                                                         \
    X(blocks)                                                                                                \
    X(context)                                                                                               \
    X(counter)                                                                                               \
    X(counter0)                                                                                              \
    X(csrf_token)                                                                                            \
    X(debug)                                                                                                 \
    X(dicts)                                                                                                 \
    X(do_not_call_in_templates)                                                                              \
    X(engine)                                                                                                \
    X(eval)                                                                                                  \
    X(first)                                                                                                 \
    X(forloop)                                                                                               \
    X(get_parent)                                                                                            \
    X(ignore_failures)                                                                                       \
    X(isEnabledFor)                                                                                          \
    X(last)                                                                                                  \
    X(length)                                                                                                \
    X(name)                                                                                                  \
    X(new)                                                                                                   \
    X(nodelist)                                                                                              \
    X(parentloop)                                                                                            \
    X(pop)                                                                                                   \
    X(push)                                                                                                  \
    X(render)                                                                                                \
    X(render_annotated)                                                                                      \
    X(render_context)                                                                                        \
    X(replace)                                                                                               \
    X(resolve)                                                                                               \
    X(revcounter)                                                                                            \
    X(revcounter0)                                                                                           \
    X(string_if_invalid)                                                                                     \
    X(strip)                                                                                                 \
    X(template)                                                                                              \
    X(update)                                                                                                \
    X(set_upward)                                                                                            \
    X(bind_template)                                                                                         \
    X(template_name)                                                                                         \
    X(gettext)                                                                                               \
    X(pgettext)                                                                                              \
    X(ngettext)                                                                                              \
    X(npgettext)                                                                                             \
    X(request)                                                                                               \
    X(current_app)                                                                                           \
    X(resolver_match)                                                                                        \
    X(namespace)                                                                                             \
    X(USE_TZ)                                                                                                \
    X(use_l10n)                                                                                              \
    X(use_tz)

// X(name, module, attribute)
#define DJANGO_OBJECTS(X)                                                                                    \
    X(base_context, "django.template.context", "BaseContext")                                                \
    X(context_class, "django.template.context", "Context")                                                   \
    X(request_context, "django.template.context", "RequestContext")                                          \
    X(context_pop_exception, "django.template.context", "ContextPopException")                               \
    X(render_context_class, "django.template.context", "RenderContext")                                      \
    X(block_context_class, "django.template.loader_tags", "BlockContext")                                    \
    X(block_node, "django.template.loader_tags", "BlockNode")                                                \
    X(template_class, "django.template.base", "Template")                                                    \
    X(plain_nodelist, "django.template.base", "NodeList")                                                    \
    X(render_value, "django.template.base", "render_value_in_context")                                       \
    X(does_not_exist, "django.template.base", "VariableDoesNotExist")                                        \
    X(logger, "django.template.base", "logger")                                                              \
    X(syntax_error, "django.template.exceptions", "TemplateSyntaxError")                                     \
    X(safe_string, "django.utils.safestring", "SafeString")                                                  \
    X(safe_data, "django.utils.safestring", "SafeData")                                                      \
    X(mark_safe, "django.utils.safestring", "mark_safe")                                                     \
    X(conditional_escape, "django.utils.html", "conditional_escape")                                         \
    X(template_localtime, "django.utils.timezone", "template_localtime")                                     \
    X(translation, "django.utils", "translation")                                                            \
    X(cycle, "itertools", "cycle")                                                                           \
    X(not_a_number, "troupe.template.slow_path", "not_a_number")                                             \
    X(translate_again, "troupe.template.slow_path", "translate_again")                                       \
    X(render_bound, "troupe.template.slow_path", "render_bound")                                             \
    X(decimal, "decimal", "Decimal")                                                                         \
    X(native_template, "troupe.template.native", "Template")                                                 \
    X(reverse_url, "troupe.template.slow_path", "reverse_url")                                               \
    X(no_reverse_match, "django.urls", "NoReverseMatch")                                                     \
    X(settings, "django.conf", "settings")                                                                   \
    X(annotate, "troupe.template.slow_path", "annotate")                                                     \
    X(attribute_failed, "troupe.template.slow_path", "attribute_failed")                                     \
    X(context_step, "troupe.template.slow_path", "context_step")                                             \
    X(missing, "troupe.template.slow_path", "missing")                                                       \
    X(call_failed, "troupe.template.slow_path", "call_failed")                                               \
    X(lookup_failed, "troupe.template.slow_path", "lookup_failed")                                           \
    X(include_template, "troupe.template.slow_path", "include_template")                                     \
    X(inclusion_context, "troupe.template.slow_path", "inclusion_context")                                   \
    X(template_shown, "troupe.template.slow_path", "template_shown")                                         \
    X(root_blocks, "troupe.template.slow_path", "root_blocks")                                               \
    X(make_native, "troupe.template.native", "make_native")                                                  \
    X(make_nodelists_native, "troupe.template.native", "make_nodelists_native")                              \
    X(lower_nodelist, "troupe.template.lowering", "lower_nodelist")                                          \
    X(nodelist_class, "troupe.template.native", "NodeList")                                                  \
    X(subscribes_classes, "troupe.template.slow_path", "SUBSCRIBES_CLASSES")                                 \
    X(forloop_has_length, "troupe.template.slow_path", "FORLOOP_HAS_LENGTH")                                 \
    X(template_render, "troupe.template.slow_path", "TEMPLATE_RENDER")                                       \
    X(template_render_nodes, "troupe.template.slow_path", "TEMPLATE_RENDER_NODES")                           \
    X(nodelist_render, "troupe.template.slow_path", "NODELIST_RENDER")

#define DJANGO_NAME(name)                      PyObject *name;
#define DJANGO_OBJECT(name, module, attribute) PyObject *name;

typedef struct {
    struct {
        DJANGO_NAMES(DJANGO_NAME)
    } names;
    DJANGO_OBJECTS(DJANGO_OBJECT)
    PyObject *empty;      // SafeString("")
    PyObject *no_args;    // ()
    PyObject *autoescape; // ("autoescape",): names of keywords
    PyObject *ignore;     // ("ignore_failures",)
    bool ready;
} django_objects;

#undef DJANGO_NAME
#undef DJANGO_OBJECT

extern django_objects dj;

// False with an exception pending; may be called again.
bool django_load(void);

// An attribute that may not be there: 1 and a new reference, 0, or -1 with an exception.
int django_optional(PyObject *object, PyObject *name, PyObject **ret_value);

// SafeString(text), for an exact str. New reference.
PyObject *django_safe(PyObject *text);

static inline bool
django_is_safe_string(PyObject *value)
{
    return (PyObject *)Py_TYPE(value) == dj.safe_string;
}

// Exact builtin types whose comparing, hashing, truth and str() run no Python code.
static inline bool
django_is_plain(PyObject *value)
{
    return PyUnicode_CheckExact(value) || PyLong_CheckExact(value) || value == Py_None ||
           PyFloat_CheckExact(value) || PyBool_Check(value) || django_is_safe_string(value);
}

#endif
