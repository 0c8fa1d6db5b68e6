"""Packages whose parts load when they are asked for, so that each process carries only what it uses.

`import ccxt` alone would bring a hundred exchanges along, and a room of ours all its files with their libraries. The
packages stay as they are written; only their opening lines `from ccxt.kraken import kraken` wait until somebody asks
for `ccxt.kraken`, which then is what it always was.
"""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

_WAITING = "__waiting__"
#: The packages this is about: ccxt's three flavors, and the two rooms by which one app enters another.
PACKAGES = re.compile(r"ccxt(\.async_support|\.pro)?|apps\.\w+\.(actions|queries)")


class LazyPackage(ModuleType):
    """A package that knows which of its names wait in which module, and what they are called there."""

    def __getattr__(self, name: str) -> object:
        waiting: dict[str, tuple[str, str]] = self.__dict__.get(_WAITING, {})
        if name not in waiting:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        module, called = waiting[name]
        value = self.__dict__[name] = getattr(import_module(module), called)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        """Take everything but a module that Python ties to us after importing it, where its name means a part of it."""
        is_own_module = isinstance(value, ModuleType) and value.__name__ == f"{self.__name__}.{name}"
        if not (is_own_module and name in self.__dict__.get(_WAITING, {})):
            super().__setattr__(name, value)


class LazyLoader(SourceFileLoader):
    """Runs a package without the imports from its own modules, unless it uses what they bring."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile the package anew; the byte code on disk belongs to the package as it is."""
        path = self.get_filename(fullname)
        tree = ast.parse(self.get_data(path), filename=path)
        waiting: dict[str, tuple[str, str]] = {}
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        for place, line in enumerate(tree.body):
            names = dict(_names(line, fullname))
            if names and used.isdisjoint(names):
                waiting |= names
                tree.body[place] = ast.copy_location(ast.Pass(), line)
        return compile(_with_note(tree, waiting), path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        """Make a package that can wait, and run it."""
        module.__class__ = LazyPackage
        super().exec_module(module)


def _names(line: ast.stmt, package: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield what a line imports from a module of the package: the name here, the module, and the name there."""
    if isinstance(line, ast.ImportFrom) and line.module and line.module.startswith(f"{package}."):
        for alias in line.names:
            yield alias.asname or alias.name, (line.module, alias.name)


def _with_note(tree: ast.Module, waiting: dict[str, tuple[str, str]]) -> ast.Module:
    """Put what waits into the package before its first line, after which others may ask for it."""
    note = ast.parse(f"{_WAITING} = {waiting!r}").body
    begin = 1 if ast.get_docstring(tree, clean=False) is not None else 0
    tree.body[begin:begin] = note
    return tree


class LazyPackages(MetaPathFinder):
    """Finds these packages as Python does, and hands them to our loader."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load one of our packages, or nothing for Python to go on."""
        if PACKAGES.fullmatch(fullname) is None:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.submodule_search_locations and isinstance(spec.loader, SourceFileLoader):
            spec.loader = LazyLoader(fullname, spec.loader.path)
        return spec


def install() -> None:
    """Have Python load these packages our way; safe to repeat."""
    if not any(isinstance(finder, LazyPackages) for finder in sys.meta_path):
        sys.meta_path.insert(0, LazyPackages())


def load_rooms() -> None:
    """Load all that still waits in the rooms that are known to this process."""
    rooms = [module for name, module in sys.modules.items() if name.startswith("apps.") and type(module) is LazyPackage]
    for room in rooms:
        for name in room.__dict__[_WAITING]:
            getattr(room, name)
