"""`tf.estimator`, wherever TensorFlow 2.15 had it.

TensorFlow's API is loaded several times under several names: `tensorflow`,
`tensorflow.compat.v1` beside `tensorflow._api.v2.compat.v1`, and `compat.v1` and
`compat.v2` in each other. In 2.15 each of them has a lazy `estimator`, and a folder in
its `__path__` from which `import tensorflow.estimator` and the like are loaded.

Checked against TensorFlow 2.16.2, 2.18.1, 2.20.0 and 2.21.0.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import ModuleType
from typing import Any, Optional

from estimator_ckpt.tf_private.estimator_runtime import installation
from estimator_ckpt.tf_private.estimator_runtime.import_hook import Watcher

_NESTED = r"tensorflow(?:\._api\.v2)?(?:\.compat\.v[12])*"
_API = "tensorflow_estimator.python.estimator.api"

#: The classes of tf.compat.v1.tpu.experimental that 2.16 removed.
_TPU_PARAMETERS = (
    "AdagradParameters",
    "AdamParameters",
    "FtrlParameters",
    "StochasticGradientDescentParameters",
)

_HOOK = "CheckpointInputPipelineHook"  # of tf.data.experimental, until 2.15


def watch(watcher: Watcher) -> None:
    """Puts the names in place as TensorFlow's API modules are imported."""
    watcher.after(rf"{_NESTED}\.compat\.v1", lambda module: _offer(module, "_v1"))
    watcher.after(rf"{_NESTED}\.compat\.v2", lambda module: _offer(module, "_v2"))
    watcher.after(r"tensorflow\._api\.v2\.v2", lambda module: _offer(module, "_v2"))
    watcher.after("tensorflow", lambda module: _offer(module, "_v2"))
    watcher.after(r"tensorflow\.python\.util\.tf_export", _know_estimator)
    watcher.after(rf"{_NESTED}\.compat\.v1\.tpu\.experimental", _offer_parameters)
    watcher.after(rf"{_NESTED}\.data\.experimental", _offer_hook)


def _offer(module: Any, generation: str) -> None:
    """Gives an API module its lazy `estimator`.

    Args:
      module: one of TensorFlow's, or the wrapper that stands for it.
      generation: `_v1` or `_v2`, as tensorflow-estimator names its folders.
    """
    from tensorflow.python.util.lazy_loader import LazyLoader

    wrapped = getattr(module, "_tfmw_wrapped_module", module)
    if "estimator" in vars(wrapped):
        return  # a TensorFlow that has it
    name = f"{_API}.{generation}.estimator"
    module.estimator = LazyLoader("estimator", vars(wrapped), name)
    listed = getattr(wrapped, "__all__", None)
    if listed is not None and "estimator" not in listed:
        listed.append("estimator")
    folder = _folder(generation)
    if folder is not None and folder not in module.__path__:
        module.__path__ = [*module.__path__, folder]


def _folder(generation: str) -> Optional[str]:
    """The folder of tensorflow-estimator that holds the package `estimator`."""
    found = installation.spec("tensorflow_estimator")
    where = found.submodule_search_locations if found is not None else None
    if not where:
        return None
    return os.path.join(where[0], "python", "estimator", "api", generation)


def _know_estimator(tf_export: Any) -> None:
    """Lets symbols be exported under `estimator`, as tensorflow-estimator does."""
    if hasattr(tf_export, "ESTIMATOR_API_NAME"):
        return
    tf_export.ESTIMATOR_API_NAME = "estimator"
    tf_export.SUBPACKAGE_NAMESPACES.append("estimator")
    attributes = type(tf_export.API_ATTRS["tensorflow"])
    tf_export.API_ATTRS["estimator"] = attributes(
        "_estimator_api_names", "_estimator_api_constants"
    )
    tf_export.API_ATTRS_V1["estimator"] = attributes(
        "_estimator_api_names_v1", "_estimator_api_constants_v1"
    )
    for function, attribute in (
        ("get_v1_names", "_estimator_api_names_v1"),
        ("get_v2_names", "_estimator_api_names"),
    ):
        setattr(tf_export, function, _with(getattr(tf_export, function), attribute))


def _with(names_of: Callable[[Any], Any], attribute: str) -> Callable[[Any], list[str]]:
    """A function of tf_export's that knows the names under `estimator` as well."""

    def names(symbol: Any) -> list[str]:
        return [*names_of(symbol), *getattr(symbol, "__dict__", {}).get(attribute, ())]

    return names


def _offer_parameters(experimental: ModuleType) -> None:
    from estimator_ckpt.tf_private.estimator_runtime import tpu_embedding

    for name in _TPU_PARAMETERS:
        if not hasattr(experimental, name):
            setattr(experimental, name, getattr(tpu_embedding, name))


def _offer_hook(experimental: ModuleType) -> None:
    if not hasattr(experimental, _HOOK):
        from estimator_ckpt.tf_private.estimator_runtime import input_pipeline_hook

        setattr(experimental, _HOOK, getattr(input_pipeline_hook, _HOOK))
