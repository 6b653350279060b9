"""How the variables of a result are keyed, as its format says.

A variable `dense/kernel` of a result that is laid out anew:

    tf1    dense/kernel
    tf2    var_list/dense.Skernel/.ATTRIBUTES/VARIABLE_VALUE
    dual   both
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from estimator_ckpt.bundle.coding import name_to_key
from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.checkpoint.contents import Contents
from estimator_ckpt.checkpoint.formats import Format
from estimator_ckpt.conversion.targets import OptionError

if TYPE_CHECKING:
    from estimator_ckpt.checkpoint.stored_graph import StoredGraph


class ResultKeys:
    """How the variables of a result are keyed.

    A variable has a name key, an object key, or both, as its format says. Object keys
    and object graph are those of the source, or those of
    `tf.train.Checkpoint(<root>={name: variable}, step=...)`.

    Attributes:
      format: the result's format.
      source_graph: the source's object graph if that and its object keys stay; None
        if they are laid out anew, or there are to be none.
      root: the name of the dictionary that holds the variables, where they are laid
        out anew; None: `var_list`.
      step: the variable, by its old name, that goes under `step` there; None leaves it
        with the others.

    Raises:
      OptionError: the dictionary's name is none, or that of another child of the root.
    """

    def __init__(
        self,
        format: Format,
        source_graph: Optional[StoredGraph] = None,
        root: Optional[str] = None,
        step: Optional[str] = object_keys.GLOBAL_STEP,
    ) -> None:
        """Keys as the attributes say."""
        self.format = format
        self.source_graph = source_graph
        self.root = root
        self.step = step
        taken = ["", object_keys.SAVE_COUNTER]
        if step is not None:
            taken.append(object_keys.STEP)
        if root in taken:
            raise OptionError(
                f"root={root!r} (--root): the dictionary of the variables needs a "
                f"name, and another than what lies beside it: "
                f"{', '.join(map(repr, taken[1:]))}"
            )
        self._key_of = object_keys.variable_keys(self.dictionary)

    @property
    def is_new_graph(self) -> bool:
        """Whether the result has an object graph that the source has not."""
        return self.format.has_object_keys and self.source_graph is None

    @property
    def dictionary(self) -> str:
        """The name of the dictionary that holds the variables in a new graph."""
        return object_keys.ROOT if self.root is None else self.root

    def of_variable(
        self, old_key: bytes, name: str, is_step: bool
    ) -> tuple[bytes, ...]:
        """The keys of a variable in the result.

        Args:
          old_key: the key that holds it in the source.
          name: its new name.
          is_step: whether it goes under `step` in a new graph.
        """
        if not self.format.has_object_keys:
            return (name_to_key(name),)
        # Estimator reads max_steps against the name, in every format.
        has_name = self.format.has_name_keys or name == object_keys.GLOBAL_STEP
        if self.source_graph is not None:
            key = old_key
        elif is_step:
            key = name_to_key(object_keys.STEP_KEY)
        else:
            key = name_to_key(self._key_of(name))
        return (key, name_to_key(name)) if has_name else (key,)

    def of_fresh_step(self, contents: Contents) -> tuple[bytes, ...]:
        """The keys of a new global step, in the place of the source's."""
        keys = []
        if self.is_new_graph:
            keys.append(object_keys.STEP_KEY)
        elif self.source_graph is not None and contents.global_step is not None:
            keys.append(contents.keys[contents.global_step])
        return tuple(map(name_to_key, dict.fromkeys([*keys, object_keys.GLOBAL_STEP])))
