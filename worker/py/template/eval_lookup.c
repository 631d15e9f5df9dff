// Variables, as django.template.base.Variable._resolve_lookup finds them: a name in the context,
// then for each further part an item, an attribute, an index, in that order, calling whatever is
// callable on the way. Most lookups run no Python code; the others are bracketed by eval_call_begin
// and eval_call_end.
#include "worker/py/template/eval_internal.h"

// The exceptions of `current[bit]` after which _resolve_lookup tries the attribute: two of the
// LookupErrors, and three others.
static bool
s_tries_on(void)
{
    return PyErr_ExceptionMatches(PyExc_LookupError)
               ? PyErr_ExceptionMatches(PyExc_KeyError) || PyErr_ExceptionMatches(PyExc_IndexError)
               : PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_AttributeError) ||
                     PyErr_ExceptionMatches(PyExc_ValueError);
}

// The pending exception, normalised and with its traceback, as an `except` clause would have it.
// New reference.
static PyObject *
s_take_error(void)
{
    eval_error error = eval_error_save();
    PyErr_NormalizeException(&error.type, &error.value, &error.traceback);
    if (error.traceback)
        PyException_SetTraceback(error.value, error.traceback);
    Py_XDECREF(error.type);
    Py_XDECREF(error.traceback);
    return error.value;
}

// The context

// Whether a lookup runs no Python code of the dict's own. A subclass may override other methods, as
// ContextDict does.
static bool
s_is_plain_dict(PyObject *dict)
{
    if (PyDict_CheckExact(dict))
        return true;
    const PyTypeObject *type = Py_TYPE(dict);
    return PyDict_Check(dict) &&
           type->tp_as_mapping->mp_subscript == PyDict_Type.tp_as_mapping->mp_subscript &&
           type->tp_as_sequence->sq_contains == PyDict_Type.tp_as_sequence->sq_contains;
}

// For a dict with its own __getitem__ or __contains__: 1 and a new reference, 0, or -1.
static int
s_in_mapping(eval *self, PyObject *mapping, PyObject *name, PyObject **ret_value)
{
    Py_INCREF(mapping);
    eval_call_begin(self);
    int found = PySequence_Contains(mapping, name);
    if (found == 1 && !(*ret_value = PyObject_GetItem(mapping, name)))
        found = -1;
    eval_call_end(self);
    Py_DECREF(mapping);
    return found;
}

// From the innermost scope outwards. A dict with Python code of its own may pop scopes meanwhile,
// so the length is looked at again at each step.
int
eval_lookup_name(eval *self, PyObject *name, PyObject **ret_value)
{
    if (!eval_fresh(self))
        return -1;
    if (name == dj.names.forloop && self->loops)
        eval_before_python(self);
    PyObject *dicts = self->dicts;
    for (Py_ssize_t i = PyList_GET_SIZE(dicts) - 1; i >= 0; i--) {
        if (i >= PyList_GET_SIZE(dicts))
            continue;
        PyObject *dict = PyList_GET_ITEM(dicts, i);
        if (!s_is_plain_dict(dict)) {
            int found = s_in_mapping(self, dict, name, ret_value);
            if (found != 0)
                return found;
            if (!eval_fresh(self))
                return -1;
            continue;
        }
        PyObject *value = PyDict_GetItemWithError(dict, name);
        if (value) {
            *ret_value = Py_NewRef(value);
            return 1;
        }
        if (PyErr_Occurred())
            return -1;
    }
    return 0;
}

// Attributes

// Whether reading an attribute that the type has in this form runs no Python code. Data descriptors
// (properties) go before the instance's __dict__, other descriptors (cached_property) after it.
static bool
s_is_quiet(PyObject *object, PyObject *found, PyObject *name)
{
    const PyTypeObject *type = Py_TYPE(found);
    if (!type->tp_descr_get || type == &PyFunction_Type || type == &PyMethodDescr_Type ||
        type == &PyMemberDescr_Type || type == &PyGetSetDescr_Type || type == &PyClassMethodDescr_Type ||
        type == &PyStaticMethod_Type)
        return true;
    if (type->tp_descr_set)
        return false;
    PyObject *own = PyObject_GenericGetDict(object, NULL);
    if (!own)
        PyErr_Clear();
    int there = own ? PyDict_Contains(own, name) : 0;
    Py_XDECREF(own);
    return there == 1;
}

// object.name: 1 and a new reference; 0: it has no such attribute, certainly; -1: an exception. A
// type with a __dir__ of its own never gets 0: _resolve_lookup asks dir() whether an AttributeError
// is the attribute's own, and so needs the exception. A type with __getattr__ has another
// tp_getattro.
static int
s_attribute(eval *self, PyObject *object, PyObject *name, PyObject **ret_value)
{
    PyTypeObject *type = Py_TYPE(object);
    if (type->tp_getattro == PyObject_GenericGetAttr) {
        PyObject *found = _PyType_Lookup(type, name);
        if (!found) {
            int there = django_optional(object, name, ret_value);
            bool listed = _PyType_Lookup(type, dj.names.__dir__) !=
                          _PyType_Lookup(&PyBaseObject_Type, dj.names.__dir__);
            if (there != 0 || !listed)
                return there;
        } else {
            Py_INCREF(found);
            bool quiet = s_is_quiet(object, found, name);
            Py_DECREF(found);
            if (quiet)
                return (*ret_value = PyObject_GetAttr(object, name)) ? 1 : -1;
        }
    }
    eval_call_begin(self);
    *ret_value = PyObject_GetAttr(object, name);
    eval_call_end(self);
    return *ret_value ? 1 : -1;
}

// Steps

// Leaves a failed step to a function of troupe.template.slow_path, with the exception as its
// argument.
static PyObject *
s_helped(eval *self, PyObject *helper, PyObject *current, const lookup_step *step)
{
    PyObject *error = s_take_error();
    eval_call_begin(self);
    PyObject *value = PyObject_CallFunctionObjArgs(helper, current, step->name, error, NULL);
    eval_call_end(self);
    Py_DECREF(error);
    return value;
}

// Whether _resolve_lookup tries current[bit]. It asks the type for a __getitem__; before that it
// asked the object, so that classes with __class_getitem__ are tried (SUBSCRIBES_CLASSES).
static bool
s_subscribes(PyObject *current)
{
    const PyTypeObject *type = Py_TYPE(current);
    if ((type->tp_as_mapping && type->tp_as_mapping->mp_subscript) ||
        (type->tp_as_sequence && type->tp_as_sequence->sq_item))
        return true;
    return PyType_Check(current) && dj.subscribes_classes == Py_True;
}

// current[int(bit)], the last way: 1 and a new reference, 0: nothing there, -1: an exception, -2:
// the type's own __getitem__ must be tried by Python. step->index is -1 for a number that is too
// large; the template language has no negative ones.
static int
s_index(PyObject *current, const lookup_step *step, PyObject **ret_value)
{
    if (!step->number)
        return 0;
    if (PyDict_CheckExact(current)) {
        *ret_value = Py_XNewRef(PyDict_GetItemWithError(current, step->number));
        return *ret_value ? 1 : PyErr_Occurred() ? -1 : 0;
    }
    if (!s_subscribes(current))
        return 0;
    if (PyUnicode_CheckExact(current) || PyList_CheckExact(current) || PyTuple_CheckExact(current)) {
        if (step->index < 0 || step->index >= PySequence_Size(current))
            return 0;
        return (*ret_value = PySequence_GetItem(current, step->index)) ? 1 : -1;
    }
    return -2;
}

// Raises VariableDoesNotExist as Django words it. Returns NULL.
static PyObject *
s_raise_missing(PyObject *current, const lookup_step *step)
{
    PyObject *error = PyObject_CallFunctionObjArgs(dj.missing, current, step->name, NULL);
    if (error)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    return NULL;
}

// Nothing is there: sets *ret_missing where nobody would see the exception, else raises it. Making
// a VariableDoesNotExist is slow, and optional variables are common.
static PyObject *
s_nothing(eval *self, PyObject *current, const lookup_step *step, bool *ret_missing)
{
    if (ret_missing && eval_is_silent(self)) {
        *ret_missing = true;
        return NULL;
    }
    return PyErr_Occurred() ? NULL : s_raise_missing(current, step);
}

// The second and third way of a step: an attribute, then an index. An AttributeError or TypeError
// is looked at in Python, as it may be the property's own.
static PyObject *
s_by_attribute(eval *self, PyObject *current, const lookup_step *step, bool *ret_missing)
{
    PyObject *value = NULL;
    int found = s_attribute(self, current, step->name, &value);
    if (found == 1)
        return value;
    if (found == 0) {
        found = s_index(current, step, &value);
        if (found == 1)
            return value;
        if (found == 0)
            return s_nothing(self, current, step, ret_missing);
        if (found == -2)
            PyErr_SetObject(PyExc_AttributeError, step->name);
    }
    if (PyErr_ExceptionMatches(PyExc_AttributeError) || PyErr_ExceptionMatches(PyExc_TypeError))
        return s_helped(self, dj.attribute_failed, current, step);
    return NULL;
}

// One step from a value to the next. New reference. Exact dicts, lists, tuples and strs are decided
// without making an exception. Inside a Context object its methods are out of reach
// (slow_path.context_step).
static PyObject *
s_step(eval *self, PyObject *current, const lookup_step *step, bool *ret_missing)
{
    PyObject *value;
    if (PyDict_CheckExact(current)) {
        if ((value = PyDict_GetItemWithError(current, step->name)))
            return Py_NewRef(value);
        if (PyErr_Occurred())
            return NULL;
        return s_by_attribute(self, current, step, ret_missing);
    }
    if (step->number && (PyList_CheckExact(current) || PyTuple_CheckExact(current)))
        return s_index(current, step, &value) == 1 ? value : s_nothing(self, current, step, ret_missing);
    if (PyList_CheckExact(current) || PyTuple_CheckExact(current) || PyUnicode_CheckExact(current) ||
        !s_subscribes(current))
        return s_by_attribute(self, current, step, ret_missing);
    if (PyObject_TypeCheck(current, (PyTypeObject *)dj.base_context)) {
        eval_call_begin(self);
        value = PyObject_CallFunctionObjArgs(dj.context_step, current, step->name, NULL);
        eval_call_end(self);
        return value;
    }
    eval_call_begin(self);
    value = PyObject_GetItem(current, step->name);
    eval_call_end(self);
    if (value || !s_tries_on())
        return value;
    PyErr_Clear();
    return s_by_attribute(self, current, step, ret_missing);
}

// The first step: a name of the context. A subclass of Context may have class attributes that a
// lookup can see; the two plain classes have none.
static PyObject *
s_first(eval *self, const lookup_step *step, bool *ret_missing)
{
    PyObject *value = NULL;
    int found = eval_lookup_name(self, step->name, &value);
    if (found == 1)
        return value;
    if (found < 0 && !s_tries_on())
        return NULL;
    PyErr_Clear();
    PyObject *type = (PyObject *)Py_TYPE(self->context);
    if (type == dj.context_class || type == dj.request_context)
        return s_nothing(self, self->context, step, ret_missing);
    eval_call_begin(self);
    value = PyObject_CallFunctionObjArgs(dj.context_step, self->context, step->name, NULL);
    eval_call_end(self);
    return value;
}

// Callables

// string_if_invalid of the engine: what a callable with alters_data gives instead of being called.
static PyObject *
s_invalid(eval *self)
{
    PyObject *template = PyObject_GetAttr(self->context, dj.names.template);
    PyObject *engine = template ? PyObject_GetAttr(template, dj.names.engine) : NULL;
    PyObject *text = engine ? PyObject_GetAttr(engine, dj.names.string_if_invalid) : NULL;
    Py_XDECREF(engine);
    Py_XDECREF(template);
    return text;
}

// Whether an object has this attribute and it is true: 1, 0, or -1.
static int
s_mark(PyObject *object, PyObject *name)
{
    PyObject *value = NULL;
    int there = django_optional(object, name, &value);
    if (there != 1)
        return there;
    int is = PyObject_IsTrue(value);
    Py_DECREF(value);
    return is;
}

// A call without arguments raised TypeError: if the signature requires some, the value is
// string_if_invalid; else the error is the callable's own. The helper looks at the signature, as
// Django does.
static PyObject *
s_call_failed(eval *self, PyObject *current)
{
    PyObject *error = s_take_error();
    PyObject *value = PyObject_CallFunctionObjArgs(dj.call_failed, current, self->context, error, NULL);
    Py_DECREF(error);
    return value;
}

// d.items and its like: methods of an exact dict, which have none of the marks below and run no
// user code.
static bool
s_is_of_dict(PyObject *callable)
{
    return PyCFunction_CheckExact(callable) && PyCFunction_GET_SELF(callable) &&
           PyDict_CheckExact(PyCFunction_GET_SELF(callable));
}

// What a callable gives in a template, by its marks: itself (do_not_call_in_templates),
// string_if_invalid (alters_data), or the result of calling it. Steals current.
static PyObject *
s_called(eval *self, PyObject *current)
{
    if (s_is_of_dict(current)) {
        PyObject *value = PyObject_CallNoArgs(current);
        if (value) {
            Py_DECREF(current);
            return value;
        }
        // It wants arguments: the general way finds out that it does.
        PyErr_Clear();
    }
    eval_call_begin(self);
    PyObject *value = NULL;
    int mark = s_mark(current, dj.names.do_not_call_in_templates);
    if (mark == 1)
        value = Py_NewRef(current);
    else if (mark == 0 && (mark = s_mark(current, dj.names.alters_data)) == 1)
        value = s_invalid(self);
    else if (mark == 0) {
        value = PyObject_CallNoArgs(current);
        if (!value && PyErr_ExceptionMatches(PyExc_TypeError))
            value = s_call_failed(self, current);
    }
    eval_call_end(self);
    Py_DECREF(current);
    return value;
}

// An exception inside a lookup is logged at DEBUG; with silent_variable_failure it gives
// string_if_invalid instead.
static PyObject *
s_failed(eval *self, const lookup_step *step)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return NULL;
    return s_helped(self, dj.lookup_failed, self->context, step);
}

// All steps from the context down, calling what is callable at each. callable() is asked by the
// type's slot.
static PyObject *
s_lookup(eval *self, const base *base, bool *ret_missing)
{
    PyObject *current = s_first(self, &base->steps[0], ret_missing);
    for (unsigned i = 0;; i++) {
        if (current && Py_TYPE(current)->tp_call)
            current = s_called(self, current);
        if (!current)
            return ret_missing && *ret_missing ? NULL : s_failed(self, &base->steps[i]);
        if (i + 1 == base->count)
            return current;
        PyObject *next = s_step(self, current, &base->steps[i + 1], ret_missing);
        Py_DECREF(current);
        current = next;
    }
}

// BASE_CALL: a subclass of Variable, or a literal that is translated at each rendering, resolves
// itself.
PyObject *
eval_lookup(eval *self, const base *base, bool *ret_missing)
{
    if (base->kind == BASE_CONST)
        return Py_NewRef(base->value);
    if (base->kind == BASE_LOOKUP)
        return s_lookup(self, base, ret_missing);
    eval_call_begin(self);
    PyObject *value = PyObject_CallMethodOneArg(base->value, dj.names.resolve, self->context);
    eval_call_end(self);
    return value;
}
