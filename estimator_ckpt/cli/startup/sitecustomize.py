"""Read by each Python that `estimator-ckpt run` starts, before anything of the user's.

Python imports `sitecustomize` as it starts; `run` puts this folder first on PYTHONPATH,
so that the script itself is started by `python` and nothing else, and so are the
processes that it starts. Any other sitecustomize is imported as well. Another Python
than the one that was asked for, of any version, finds nothing changed: so types stand
in comments, which each can read.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType  # noqa: F401


def _leave_path():  # type: () -> str
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [p for p in sys.path if os.path.abspath(p or os.curdir) != here]
    return here


def _prepare(here):  # type: (str) -> None
    package_folder = os.path.dirname(os.path.dirname(os.path.dirname(here)))
    sys.path.insert(0, package_folder)
    try:
        from estimator_ckpt.cli import run_startup
    finally:
        sys.path.remove(package_folder)
    run_startup.prepare()


def _import_other(ours):  # type: (ModuleType) -> None
    sys.modules.pop(__name__, None)
    try:
        import sitecustomize  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        sys.modules[__name__] = ours


_here = _leave_path()
if os.environ.get("ESTIMATOR_CKPT_RUN") == sys.prefix:
    _prepare(_here)
_import_other(sys.modules[__name__])
