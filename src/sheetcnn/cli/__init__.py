"""The command line, a file for each group of commands. The only folder that prints."""

from . import workbooks, exercises, models, training, shipped  # noqa: F401, I001 - each adds its commands, in the order of the help
from .app import app
from .run import main

__all__ = ["app", "main"]
