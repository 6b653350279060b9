"""Conversion between the formats, by rewriting only the index.

A name-based and an object-based checkpoint are the same table of tensors under other
keys. So a conversion is a plan of key moves, and a new bundle that follows it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from estimator_ckpt.bundle import argument_types, files, logs
from estimator_ckpt.bundle.tensor_reader import TensorReader
from estimator_ckpt.checkpoint import messages, object_keys, opening
from estimator_ckpt.checkpoint.formats import Format, FormatLike
from estimator_ckpt.checkpoint.naming import NamesLike
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.roles import Regexes
from estimator_ckpt.conversion import conversion_moves
from estimator_ckpt.conversion.chosen_names import Naming
from estimator_ckpt.conversion.key_moves import KeyMoves
from estimator_ckpt.conversion.targets import (
    LAYOUTS,
    SAFETENSORS,
    OptionError,
    Target,
    refuse_rules_of_no_layout,
    require_known,
)
from estimator_ckpt.conversion.writing import (
    bundle_copy,
    drafts,
    new_bundle,
    snapshot,
)
from estimator_ckpt.conversion.writing.new_bundle import Written
from estimator_ckpt.maps.filters import Patterns

if TYPE_CHECKING:
    from estimator_ckpt.layouts.layer_rules import Layouts
    from estimator_ckpt.layouts.torch.torch_rules import Request


class Conversion(NamedTuple):
    """What a conversion is going to do; nothing is written yet.

    Attributes:
      source: the source's prefix.
      format: the new checkpoint's format.
      moves: what becomes of each key.
    """

    source: str
    format: Format
    moves: KeyMoves


@argument_types.checked
def convert(
    source: files.PathLike,
    destination: files.PathLike,
    *,
    to: FormatLike,
    layout: Optional[str] = None,
    layouts: Layouts = None,
    carry: Optional[str] = None,
    dtype: Optional[str] = None,
    include: Patterns = None,
    exclude: Patterns = None,
    assignment_map: Any = None,
    names: NamesLike = "full_name",
    root: Optional[str] = None,
    step: Optional[str] = object_keys.GLOBAL_STEP,
    optimizer_state: Regexes = None,
    model_state: Regexes = None,
    data: str = "auto",
    overwrite: bool = False,
    progress: Optional[files.Progress] = None,
) -> str:
    """Converts a checkpoint to another format.

    Slices, slot variables, hash tables' entries and whatever else is in the bundle
    travel untouched. The values are not read; use `verify` for that.

    Args:
      source: a checkpoint in any format, as `open_checkpoint` takes it; one of the V1
        format is read and written, at the cost of its bytes.
      destination: the new prefix; a directory (or a path ending in `/`) takes the
        source's own name.
      to: `tf1`, `tf2` or `dual`; or `safetensors`, a file in that format.
      layout: `torch` for a file in PyTorch's layout: its names, and kernels as its
        modules have them. With another `to` the source is such a file, and this the
        way back. None: TensorFlow's layout.
      layouts: rules for that layout, where the evidence does not decide what a
        variable is: a list of dicts or a YAML file; see `layouts.torch.torch_rules`.
      carry: for `safetensors`, what is taken: `model` (the default), `trainable`, or
        `all`, which has optimizer state and the global step, too.
      dtype: for `safetensors`, what floating-point tensors are rounded to: `float16`,
        `bfloat16` or `float32`. None: they stay as they are.
      include: regexes of variable names to keep, matched from the beginning.
      exclude: regexes of variable names to leave out; they win. Both are held
        against the source's names; one that matches nothing is logged.
      assignment_map: new names: a dict or list of pairs (old to new), the path of a
        YAML or JSON file, or `builtin:NAME`; see `maps.assignment`. A list of new
        names copies: `{"net/": ["online/", "target/"]}`. It lays an object-based
        source out anew.
      names: what variables of an object-based source are called: `full_name` or
        `path`, as for `open_checkpoint`.
      root: the dictionary that holds the variables in an object-based result. None:
        `var_list`; but an object-based source keeps its own keys and object graph.
      step: the variable that goes under `step`; None leaves it with the others.
      optimizer_state: regexes of variables that are optimizer state, whatever the
        evidence says, as for `open_checkpoint`.
      model_state: the same of model state.
      data: how shards get their new names: `link` (a hard link), `copy` (files of
        their own; where more than a tenth of the bytes is not used, only what is used
        is written), `auto` (a hard link, else a copy). A link keeps all bytes of its
        shard, also those of variables that are left out.
      overwrite: whether to replace a checkpoint that is there.
      progress: called with the number of bytes done as shards are linked or copied.

    Returns:
      The new prefix, or the path of the file.

    Raises:
      ValueError: an unknown `to`, `data`, `names`, `layout`, `carry` or `dtype`, a
        `root` that is empty or the name of what lies beside it, or a pattern that is
        no regex.
      LayoutRuleError: a layout rule is malformed, or nothing says what a variable is;
        names the rules that could be given.
      CheckpointNotFoundError: there is no source.
      DestinationExistsError: the destination is there, and overwrite is False.
      AmbiguousNameError: two variables claim one name.
      AssignmentMapError: the map cannot be read, or gives two variables one name.
      DestinationInUseError: another process is writing the destination.
      SourceChangedError: the source was saved anew again and again meanwhile.
      NoSpaceError: the disk is full.
      CheckpointError: the source is damaged, or writing failed.
      In all of these cases nothing is left behind.
    """
    wanted = Naming.of(
        names=names,
        root=root,
        step=step,
        assignment_map=assignment_map,
        include=include,
        exclude=exclude,
        optimizer_state=optimizer_state,
        model_state=model_state,
    )
    if to == SAFETENSORS:
        # Not every conversion needs them.
        from estimator_ckpt.conversion.exporting import export_requests, exports

        request = export_requests.ExportRequest.of(
            destination,
            wanted,
            carry=carry,
            layout=layout,
            layouts=layouts,
            dtype=dtype,
            overwrite=overwrite,
            data=data,
            progress=progress,
        )
        export = exports.run(source, request)
        warn(export.sentences())
        return export.path
    target = Target.of(destination, to, data, overwrite, progress)
    way_back = WayBack.of(layout, layouts, carry, dtype)
    return run(source, target, wanted, way_back)


class WayBack(NamedTuple):
    """The layout that a source has, if it is not TensorFlow's.

    Attributes:
      requests: the user's rules for PyTorch's layout; None: TensorFlow's layout.
    """

    requests: Optional[Sequence[Request]] = None

    @classmethod
    def of(
        cls,
        layout: Optional[str],
        layouts: Layouts,
        carry: Optional[str],
        dtype: Optional[str],
    ) -> WayBack:
        """Checks what a user asks for; the arguments are those of `convert`.

        Raises:
          OptionError: an unknown `layout`, or an option that is for exports only.
          LayoutRuleError: a rule is malformed.
        """
        for keyword, given in (("carry", carry), ("dtype", dtype)):
            if given is not None:
                raise OptionError(
                    f"{keyword} (--{keyword}) is for to='safetensors' "
                    f"(--to=safetensors)"
                )
        refuse_rules_of_no_layout(layout, layouts)
        if layout is None:
            return cls()
        from estimator_ckpt.layouts.torch import torch_rules

        require_known("layout", layout, LAYOUTS)
        return cls(torch_rules.requests_of(layouts))


#: A source in TensorFlow's layout.
AS_IT_IS = WayBack()


def plan(
    source: files.PathLike, target: Target, wanted: Naming, back: WayBack = AS_IT_IS
) -> Conversion:
    """What `run` would do, without doing it; refuses what it would.

    Raises:
      As `convert`.
    """

    def attempt() -> Conversion:
        reader, conversion, _ = _decided(source, target, wanted, back)
        with contextlib.closing(reader):
            new_bundle.rehearse(reader, conversion.moves)
        return conversion

    return snapshot.settled([source], attempt)


def run(
    source: files.PathLike, target: Target, wanted: Naming, back: WayBack = AS_IT_IS
) -> str:
    """Converts a checkpoint; returns the new prefix. Errors are those of `convert`."""

    def attempt() -> tuple[str, Sequence[str], Written]:
        reader, (_, _, moves), prefix = _decided(source, target, wanted, back)
        beside, progress = os.path.dirname(prefix), target.progress
        with contextlib.ExitStack() as stack:
            stack.callback(reader.close)
            copy = bundle_copy.as_bundle(reader, beside, progress)
            bundle = stack.enter_context(copy)
            unused, new = moves.unused, drafts.draft(bundle.index, moves)
            del moves  # of 100,000 variables, 20 MB that the draft has no use for
            return prefix, unused, new_bundle.write(bundle, new, prefix, target)

    prefix, unused, written = snapshot.settled([source], attempt)
    sentences = [*unused]
    if not wanted.chosen.keeps_all and written.used < written.size:
        sentences.append(
            f"{prefix}: the data are linked, so all of their {written.size} bytes "
            f"stay, of which {written.used} are used; data='copy' (--data=copy) writes "
            f"only these"
        )
    warn(sentences)
    return prefix


def warn(sentences: Iterable[str]) -> None:
    """Logs what the user should know of a conversion."""
    for sentence in sentences:
        logs.logger().warning("%s", sentence)


def _decided(
    source: files.PathLike, target: Target, wanted: Naming, back: WayBack
) -> tuple[TensorReader, Conversion, str]:
    """What is to be done, and the new prefix, which may be written to.

    Returns:
      What reads the source, which the caller closes: what the source means takes more
      memory than what is to be done, and is gone here. The conversion; the prefix.
    """
    with contextlib.ExitStack() as stack:
        checkpoint = stack.enter_context(
            opening.opened(
                source,
                names=wanted.names_by,
                root=wanted.root,
                overruling=wanted.overruling,
            )
        )
        remarks: tuple[str, ...] = ()
        if back.requests is not None:
            checkpoint, remarks = _in_tensorflows_layout(checkpoint, back.requests)
        prefix = target.usable_prefix(checkpoint.prefix)
        moves = conversion_moves.of_checkpoint(checkpoint, target.format, wanted)
        moves = moves._replace(unused=(*remarks, *moves.unused))
        stack.pop_all()
        return (
            checkpoint.reader,
            Conversion(checkpoint.prefix, target.format, moves),
            prefix,
        )


def _in_tensorflows_layout(
    checkpoint: Checkpoint, requests: Sequence[Request]
) -> tuple[Checkpoint, tuple[str, ...]]:
    """A file in PyTorch's layout as variables, and what is to be said."""
    from estimator_ckpt.conversion.exporting import torch_reader

    found = torch_reader.opened(checkpoint, requests)
    assert isinstance(found.reader, torch_reader.TorchReader)
    remarks = list(found.reader.unused)
    if found.reader.left_out:
        remarks.append(
            f"{found.prefix}: {messages.quoted(found.reader.left_out, most=3)} left "
            f"out: no variable of TensorFlow"
        )
    return found, tuple(remarks)
