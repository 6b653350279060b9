"""A variable as every floor sees it: what it is called, what it is, what it is for.

Of a checkpoint, of a graph or of an object; of a checkpoint also where it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Optional

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.roles import Role


class Variable(NamedTuple):
    """A variable on one side.

    Attributes:
      name: its name.
      dtype: TensorFlow's name of its dtype.
      shape: its shape, of a partitioned variable the whole one's; None if it is not
        known before a session runs.
      role: what it is for.
      key: the key that holds it, in a checkpoint.
      size: the bytes that it takes, slices summed.
      owner: the variable that a slot or an average belongs to; None if unknown.
      optimizer: what to call the optimizer that it belongs to, if known.
      slot: of a slot, what that is called: `Adam_1`, `m`; if known.
      is_undecided: whether it could be an optimizer's, which nothing decides.
      shard: the number of the shard that holds it, in a checkpoint; None if it is
        partitioned.
      offset: of its first byte in the shard; None if it is partitioned.
      num_slices: of how many slices it consists; 0 if it is not partitioned.
    """

    name: str
    dtype: str
    shape: Optional[tuple[int, ...]]
    role: Role = roles.TRAINABLE
    key: Optional[str] = None
    size: int = 0
    owner: Optional[str] = None
    optimizer: Optional[str] = None
    is_undecided: bool = False
    slot: Optional[str] = None
    shard: Optional[int] = None
    offset: Optional[int] = None
    num_slices: int = 0

    @property
    def slot_of(self) -> Optional[str]:
        """The variable that it is a slot variable of, or None."""
        return self.owner if self.role is roles.SLOT else None

    def counts_with(self, other: Variable) -> bool:
        """Whether both are a global step, of int32 or int64: what counts is the number.

        Graphs have it in either, objects in int64.
        """
        is_step = self.role is other.role is roles.GLOBAL_STEP
        return is_step and {self.dtype, other.dtype} <= {"int32", "int64"}

    def __str__(self) -> str:
        return f"{self.dtype}{'?' if self.shape is None else list(self.shape)}"


class StoredVariable(Variable):
    """A variable of a checkpoint: a `Variable` whose shape and key are always known."""

    __slots__ = ()

    if TYPE_CHECKING:
        shape: tuple[int, ...]
        key: str
