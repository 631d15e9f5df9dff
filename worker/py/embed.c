// Starts CPython and Django in a worker process, and hands out view_ops. Nothing is ever torn down:
// the process exits with the interpreter running, after what was registered with atexit.
#include "worker/py/embed.h"

#include "common/log.h"
#include "worker/py/python_views.h"
#include "worker/py/template/nodelist.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// folder/bin/python3, if folder has the marker and that can be executed.
static bool
s_candidate(char *ret_path, size_t size, const char *folder, const char *marker)
{
    char check[4096];
    if (snprintf(check, sizeof check, "%s/%s", folder, marker) >= (int)sizeof check || access(check, F_OK))
        return false;
    return snprintf(ret_path, size, "%s/bin/python3", folder) < (int)size && access(ret_path, X_OK) == 0;
}

// In this order: the environment that the program is installed in, the one that is active in the
// shell, the interpreter that the build was configured with.
const char *
embed_find_python(char *ret_path, size_t size)
{
    char folder[4096];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (length > 0) {
        folder[length] = '\0';
        // …/bin/troupe-worker → …
        for (unsigned i = 0; i < 2; i++) {
            char *slash = strrchr(folder, '/');
            if (slash)
                *slash = '\0';
        }
        if (s_candidate(ret_path, size, folder, "pyvenv.cfg"))
            return ret_path;
    }
    const char *environment = getenv("VIRTUAL_ENV");
    if (environment && s_candidate(ret_path, size, environment, "pyvenv.cfg"))
        return ret_path;
    ASSERT(snprintf(ret_path, size, "%s", TROUPE_PYTHON) < (int)size);
    return ret_path;
}

// PyConfig_InitPythonConfig rather than an isolated one: PYTHON* variables count, and the user's own
// site-packages, as for manage.py. But no folder of a script goes into sys.path (safe_path), and
// signals are left to the worker. CPython finds the virtual environment by config.executable.
// Settings and apps look at sys.argv for what runs: it is that of a management command.
static PyStatus
s_configure(PyConfig *config, const char *python)
{
    config->parse_argv = 0;
    config->safe_path = 1;
    config->install_signal_handlers = 0;
    config->faulthandler = 1;
    config->buffered_stdio = 0;
    char *argv[] = {(char *)"manage.py", (char *)"troupe", (char *)"worker"};
    PyStatus status = PyConfig_SetBytesArgv(config, 3, argv);
    if (!PyStatus_Exception(status))
        status = PyConfig_SetBytesString(config, &config->executable, python);
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(config);
    return status;
}

// module.function(*format arguments). New reference; NULL with an exception.
static PyObject *
s_call_function(const char *module, const char *function, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PyObject *imported = PyImport_ImportModule(module);
    PyObject *callable = imported ? PyObject_GetAttrString(imported, function) : NULL;
    PyObject *tuple = callable ? Py_VaBuildValue(format, arguments) : NULL;
    PyObject *result = tuple ? PyObject_CallObject(callable, tuple) : NULL;
    Py_XDECREF(tuple);
    Py_XDECREF(callable);
    Py_XDECREF(imported);
    va_end(arguments);
    return result;
}

// Logs why CPython does not start: there is no exception to print yet. UTF-8 mode, as file names
// and standard streams must not depend on the locale that a service manager sets.
static bool
s_initialize(const char *python)
{
    // troupe._worker runs in an interpreter, which then gets here what s_configure() asks of a new one: its
    // handlers come after the recorder's, which they restore.
    if (Py_IsInitialized()) {
        PyObject *none = s_call_function("faulthandler", "enable", "()");
        Py_XDECREF(none);
        return none;
    }
    PyPreConfig before;
    PyPreConfig_InitPythonConfig(&before);
    before.utf8_mode = 1;
    PyStatus status = Py_PreInitialize(&before);
    if (!PyStatus_Exception(status)) {
        PyConfig config;
        PyConfig_InitPythonConfig(&config);
        status = s_configure(&config, python);
        PyConfig_Clear(&config);
    }
    if (!PyStatus_Exception(status))
        return true;
    char path[512], why[512];
    log_event(LEVEL_ERROR, "python_failed", "python=%s error=%s", log_value(python, path, sizeof path),
              log_quoted(slice_text(status.err_msg ? status.err_msg : "?"), why, sizeof why));
    return false;
}

// Puts the folders in front of sys.path, in their order, and sets the switch interval. What
// PySys_GetObject returns is borrowed. False with an exception.
static bool
s_set_paths(const embed_options *options)
{
    PyObject *path = PySys_GetObject("path");
    for (unsigned i = options->path_count; path && i-- > 0;) {
        PyObject *folder = PyUnicode_DecodeFSDefault(options->paths[i]);
        bool ok = folder && PyList_Insert(path, 0, folder) == 0;
        Py_XDECREF(folder);
        if (!ok)
            return false;
    }
    PyObject *set = PySys_GetObject("setswitchinterval");
    PyObject *none = set ? PyObject_CallFunction(set, "d", options->switch_us / 1e6) : NULL;
    Py_XDECREF(none);
    return none != NULL;
}

// Sets up Django, then the event loop, then the host; each step needs the one before it, and runs
// only if that succeeded. NULL with an exception. troupe._render comes first, because importing
// troupe.template needs it.
static const view_ops *
s_start(const embed_options *options)
{
    PyObject *render = s_set_paths(options) ? nodelist_register() : NULL;
    PyObject *ready = render ? s_call_function("troupe.runtime.boot", "setup", "(zii)", options->settings,
                                               !options->lazy, options->debug)
                             : NULL;
    PyObject *loop =
        ready ? s_call_function("troupe.runtime.event_loop", "LoopThread", "(I)", options->most_threads)
              : NULL;
    PyObject *submit = loop ? PyObject_GetAttrString(loop, "submit") : NULL;
    py_host *host = submit ? py_host_new(submit) : NULL;
    PyObject *kept =
        host ? s_call_function("troupe.runtime.entry", "set_housekeeping", "(O)", Py_True) : NULL;
    PyObject *limited =
        kept ? s_call_function("troupe.errors", "set_limits", "(ddd)", options->soft_ms / 1000.0,
                               options->hard_ms / 1000.0, (double)options->await_s)
             : NULL;
    // `kill -USR2` shows what all threads are doing; so does view_ops.dump.
    PyObject *none = limited ? s_call_function("faulthandler", "register", "(i)", SIGUSR2) : NULL;
    Py_XDECREF(none);
    Py_XDECREF(limited);
    Py_XDECREF(kept);
    Py_XDECREF(submit);
    Py_XDECREF(loop);
    Py_XDECREF(ready);
    Py_XDECREF(render);
    return none ? py_host_ops(host) : NULL;
}

// PyErr_Print would end the process silently at a SystemExit, which a settings module may raise.
static void
s_print_exception(void)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    if (type)
        PyErr_Display(type, error, traceback);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(traceback);
}

// sys.executable of the interpreter that already runs (troupe._worker).
static const char *
s_own_interpreter(char *ret_path, size_t size)
{
    PyObject *executable = PySys_GetObject("executable");
    const char *text = executable && PyUnicode_Check(executable) ? PyUnicode_AsUTF8(executable) : NULL;
    PyErr_Clear();
    snprintf(ret_path, size, "%s", text ? text : "-");
    return ret_path;
}

const view_ops *
embed_start(const embed_options *options)
{
    char found[4096];
    const char *python = options->python      ? options->python
                         : Py_IsInitialized() ? s_own_interpreter(found, sizeof found)
                                              : embed_find_python(found, sizeof found);
    if (!s_initialize(python)) {
        if (Py_IsInitialized() && PyErr_Occurred())
            s_print_exception();
        return NULL;
    }
    const view_ops *ops = s_start(options);
    if (ops)
        return ops;
    s_print_exception();
    char path[512], settings[256];
    log_event(LEVEL_ERROR, "project_failed", "python=%s settings=%s hint=\"the traceback is above\"",
              log_value(python, path, sizeof path),
              log_value(options->settings ? options->settings : "-", settings, sizeof settings));
    return NULL;
}

typedef struct {
    void (*changed)(void *context);
    void *context;
} watch;

// The callback that troupe.runtime.reload calls from its own thread, with the GIL held.
static PyObject *
s_changed(PyObject *capsule, PyObject *unused)
{
    (void)unused;
    const watch *self = PyCapsule_GetPointer(capsule, NULL);
    if (!self)
        return NULL;
    self->changed(self->context);
    Py_RETURN_NONE;
}

// The pair of function and context lives as long as the process, since the watching thread is never
// joined.
bool
embed_watch(void (*changed)(void *context), void *context)
{
    static PyMethodDef method = {"changed", s_changed, METH_NOARGS, NULL};
    static watch only; // a process watches once
    only = (watch){changed, context};
    PyObject *capsule = PyCapsule_New(&only, NULL, NULL);
    PyObject *callback = capsule ? PyCFunction_New(&method, capsule) : NULL;
    PyObject *none = callback ? s_call_function("troupe.runtime.reload", "watch", "(O)", callback) : NULL;
    bool ok = none;
    if (!ok)
        s_print_exception();
    Py_XDECREF(none);
    Py_XDECREF(callback);
    Py_XDECREF(capsule);
    return ok;
}

// Of the main thread, between embed_release and embed_finish.
static PyThreadState *s_main;

void
embed_release(void)
{
    s_main = PyEval_SaveThread();
}

// Python is not finalised: its other threads go on until the process ends.
void
embed_finish(unsigned limit_ms)
{
    if (!s_main)
        return;
    PyEval_RestoreThread(s_main);
    PyObject *none =
        s_call_function("troupe.runtime.shutdown", "run_exit_functions", "(d)", limit_ms / 2000.0);
    if (!none)
        s_print_exception();
    Py_XDECREF(none);
    s_main = PyEval_SaveThread();
}
