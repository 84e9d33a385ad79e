"""The kinds of tasks, one file each: to add one, write its file."""

from importlib import import_module
from pkgutil import iter_modules

from .task import Task

for _module in iter_modules(__path__):
    import_module(f".{_module.name}", __name__)

TASKS: dict[str, type[Task]] = dict(sorted(Task.known.items()))
