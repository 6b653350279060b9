"""What a user asks for of a `.safetensors` file: where, what of the source, and how."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.paths import prefixes
from estimator_ckpt.checkpoint.weight_files.safetensors_reader import SUFFIX
from estimator_ckpt.conversion.chosen_names import Naming
from estimator_ckpt.conversion.targets import (
    DATA,
    LAYOUTS,
    ROUNDED_TO,
    OptionError,
    local_path,
    refuse_rules_of_no_layout,
    require_known,
    require_usable,
)
from estimator_ckpt.layouts.layer_rules import Layouts
from estimator_ckpt.layouts.torch import torch_rules
from estimator_ckpt.layouts.torch.torch_rules import Request


@dataclasses.dataclass(frozen=True)
class ExportRequest:
    """What is to be exported, and how.

    Attributes:
      destination: the file, or a directory.
      naming: which variables, under which names.
      carry: what they are for, as for a warm start.
      requests: the user's layout rules; None: TensorFlow's layout.
      dtype: what floating-point tensors are rounded to; None: they stay as they are.
      overwrite: whether to replace a file that is there.
      progress: called with the number of bytes written.
    """

    destination: str
    naming: Naming
    carry: str = "model"
    requests: Optional[Sequence[Request]] = None
    dtype: Optional[str] = None
    overwrite: bool = False
    progress: Optional[files.Progress] = None

    @classmethod
    def of(
        cls,
        destination: files.PathLike,
        naming: Naming,
        *,
        carry: Optional[str],
        layout: Optional[str],
        layouts: Layouts,
        dtype: Optional[str],
        overwrite: bool,
        data: str = "auto",
        progress: Optional[files.Progress] = None,
    ) -> ExportRequest:
        """Checks what a user asks for; the arguments are those of `convert`.

        Raises:
          OptionError: an unknown `carry`, `layout`, `dtype` or `data`, or rules without
            layout.
          CheckpointError: the path is empty.
          LayoutRuleError: a rule is malformed.
        """
        carry = "model" if carry is None else carry
        require_known("carry", carry, tuple(roles.CARRY))
        if layout is not None:
            require_known("layout", layout, LAYOUTS)
        if dtype is not None:
            require_known("dtype", dtype, ROUNDED_TO)
        require_known("data", data, DATA)
        if data == "link":
            raise OptionError(
                "data='link' (--data=link): a .safetensors file is written anew, with "
                "bytes of its own"
            )
        refuse_rules_of_no_layout(layout, layouts)
        if layout is not None and carry == "all":
            raise OptionError(
                "carry='all' (--carry=all): PyTorch's layout has no place for "
                "optimizer state; leave out the layout, or carry 'model'"
            )
        path = local_path(destination)
        requests = None if layout is None else torch_rules.requests_of(layouts)
        return cls(path, naming, carry, requests, dtype, overwrite, progress)

    def path(self, source: str) -> str:
        """The file, which may be written to.

        Args:
          source: the source's prefix, whose name a directory's file gets.

        Raises:
          CheckpointError: it does not end in `.safetensors`, by which every reader
            knows it, or a file is in the way of its directory.
          DestinationExistsError: it is there, and is not to be replaced, or is the
            source itself.
        """
        path = self.destination
        if path.endswith("/") or files.is_dir(path):
            name = prefixes.base_name(source)
            stem = name[: -len(SUFFIX)] if name.endswith(SUFFIX) else name
            path = os.path.join(path, f"{stem}{SUFFIX}")
        if not path.endswith(SUFFIX):
            raise CheckpointError(
                f"{path}: the name of the file must end in {SUFFIX}, by which it is "
                f"known"
            )
        require_usable(path, path, source, "file", self.overwrite)
        return path
