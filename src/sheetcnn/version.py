"""Which version of sheetcnn this is."""

from importlib.metadata import version

VERSION = version("sheetcnn")
