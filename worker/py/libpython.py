"""What linking CPython itself into a program takes, a line each: the static library, then the arguments. Nothing where
there is none. Asked by meson, of the interpreter that is to be embedded.

A program that is linked with it runs Python code 10 to 20 % faster than with the shared one: calls inside
the interpreter need no detour, as in python3 itself (docs/decisions/worker/0008).
"""

import sysconfig
from pathlib import Path

library = Path(sysconfig.get_config_var("LIBPL") or "/nowhere", sysconfig.get_config_var("LIBRARY") or "none")
if library.suffix == ".a" and library.is_file():
    print(library)
    for name in ("LINKFORSHARED", "MODLIBS", "LIBS", "SYSLIBS"):
        for argument in (sysconfig.get_config_var(name) or "").split():
            print(argument)
