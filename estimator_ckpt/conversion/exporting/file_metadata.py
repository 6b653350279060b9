"""What a `.safetensors` file says of itself: all that the way back needs.

format              "pt" for PyTorch's layout, else "tf"
tool                this toolkit, with its version
source              the name of the checkpoint that it was made of
source_fingerprint  "sha256:...", of a bundle's index, with every tensor's checksum
                    in it, or of all of another file
global_step         the source's, if it has one
dtype               what floating-point tensors were rounded to, if that was asked
layouts             the rules that made PyTorch's tensors, a JSON list of what a
                    file of layout rules would hold
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.paths import prefixes, v1_files
from estimator_ckpt.layouts.layout_rule import LayoutRuleError
from estimator_ckpt.layouts.torch import torch_rules
from estimator_ckpt.layouts.torch.torch_rules import TorchRule

LAYOUTS = "layouts"


def written(
    checkpoint: Checkpoint, rules: Optional[Sequence[TorchRule]], dtype: Optional[str]
) -> dict[str, str]:
    """The metadata of a file.

    Args:
      checkpoint: the source.
      rules: those that made PyTorch's tensors; None for TensorFlow's layout.
      dtype: what floating-point tensors are rounded to.
    """
    from estimator_ckpt import __version__

    found = {
        "format": "tf" if rules is None else "pt",
        "tool": f"estimator_ckpt {__version__}",
        "source": prefixes.base_name(checkpoint.prefix),
        "source_fingerprint": _fingerprint(checkpoint),
    }
    if checkpoint.global_step is not None:
        found["global_step"] = str(checkpoint.global_step)
    if dtype is not None:
        found["dtype"] = dtype
    if rules is not None:
        fields = [dict(rule.fields) for rule in rules]
        found[LAYOUTS] = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
    return found


def rules_in(metadata: Mapping[str, str], path: str) -> list[TorchRule]:
    """The rules that a file says its tensors were made by; none if it does not.

    Raises:
      LayoutRuleError: what stands there is none.
    """
    text = metadata.get(LAYOUTS)
    if text is None:
        return []
    where = f"{path}: its metadata, layouts"
    try:
        items: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LayoutRuleError(f"{where}: {error}") from None
    if not isinstance(items, list):
        raise LayoutRuleError(f"{where}: no list of rules")
    return [
        torch_rules.rule_of(fields, f"{where}, rule {number}")
        for number, fields in enumerate(items, 1)
    ]


def _fingerprint(checkpoint: Checkpoint) -> str:
    """A checksum by which a source can be told from others."""
    digest = hashlib.sha256()
    if checkpoint.is_bundle:
        digest.update(checkpoint.index.data)
        return f"sha256:{digest.hexdigest()}"
    for path in v1_files.shards(checkpoint.prefix):
        with files.File(path) as file:
            for start in range(0, file.size, files.CHUNK):
                digest.update(file.read(start, min(files.CHUNK, file.size - start)))
    return f"sha256:{digest.hexdigest()}"
