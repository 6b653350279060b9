"""What a conversion for an object is going to write, and the plan that says so."""

from __future__ import annotations

import dataclasses
from typing import Any, Optional

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.opening import Checkpoint
from estimator_ckpt.conversion.key_moves import KeyMoves, NewTensor
from estimator_ckpt.keras import tensor_origins
from estimator_ckpt.keras.described import Live
from estimator_ckpt.keras.tensor_origins import Recipe
from estimator_ckpt.maps import plans
from estimator_ckpt.maps.plans import Item, Plan, Variable, Verdict


class ConversionError(CheckpointError, ValueError):
    """A checkpoint that cannot be converted for an object; names every variable."""


@dataclasses.dataclass
class Result:
    """What is going to be written.

    Attributes:
      checkpoint: the source.
      target: what to call what it is for.
      graph: the object graph, serialized; None for a name-based result.
      links: the source's variable names by new key.
      written: new tensors by key.
      items: what becomes of each variable.
      warnings: what is not as it was, a sentence each.
    """

    checkpoint: Checkpoint
    target: str
    graph: Optional[bytes] = None
    links: dict[str, str] = dataclasses.field(default_factory=dict)
    written: dict[str, NewTensor] = dataclasses.field(default_factory=dict)
    items: list[Item] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)

    def add(self, variable: Variable, recipe: Recipe) -> None:
        """A variable that the source has, under whatever name and layout."""
        assert variable.key is not None
        if recipe.is_link:
            self.links[variable.key] = recipe.sources[0]
        else:
            self.written[variable.key] = recipe.tensor(self.checkpoint)
        same = recipe.is_link and recipe.sources[0] == variable.name
        verdict = Verdict.CARRIED if same else Verdict.RENAMED
        source = self.source[recipe.sources[0]]
        self.items.append(Item(verdict, variable, source, str(recipe)))

    def add_value(self, variable: Variable, value: Any, because: str) -> None:
        """A variable that gets a value which the source does not have."""
        assert variable.key is not None
        self.written[variable.key] = tensor_origins.constant(value, variable.dtype)
        self.items.append(Item(Verdict.RESET, variable, None, because))

    def add_counter(self, live: Live, count: Optional[int]) -> None:
        """A counter; its own value where the source has no count."""
        if count is None:
            self.add_own(live, roles.OPTIMIZER)
            return
        self.add_value(live.as_variable(roles.OPTIMIZER), count, f"{count} steps")

    def add_own(
        self, live: Live, role: str, because: str = "the object's own value"
    ) -> None:
        """A variable that keeps its value."""
        self.keep_own(live)
        self.items.append(Item(Verdict.RESET, live.as_variable(role), None, because))

    def keep_own(self, live: Live) -> None:
        """The same for one that has an item already."""
        self.written[live.key] = tensor_origins.own(live)

    @property
    def source(self) -> dict[str, Variable]:
        """The source's variables, as plans take them."""
        if not hasattr(self, "_source"):
            self._source = plans.of_checkpoint(self.checkpoint)
        return self._source

    @property
    def plan(self) -> Plan:
        """What becomes of every variable, the source's unused ones last."""
        taken = {item.source.name for item in self.items if item.source}
        unused = [
            Item(Verdict.UNUSED, None, variable, "not in the target")
            for name, variable in self.source.items()
            if name not in taken
        ]
        items = (*self.items, *unused)
        prefix = self.checkpoint.prefix
        return Plan(prefix, self.target, items, tuple(self.warnings))

    def require_complete(self) -> None:
        """Raises ConversionError if variables have no value; lists them all."""
        problems = [
            f"{item.name!r}: {item.because}"
            for item in self.items
            if item.verdict.is_problem
        ]
        if problems:
            raise ConversionError(
                f"{self.checkpoint.prefix} does not fit {self.target}: "
                f"{'; '.join(problems)}{self._unused()}. For other names give an "
                f"assignment map "
                f"(estimator-ckpt plan --suggest proposes one), for other layouts "
                f"layout rules; strict=False (--nostrict) leaves these variables at "
                f"the object's own values"
            )

    def _unused(self) -> str:
        """What the source has of a model that nothing takes, for a message."""
        own = (roles.TRAINABLE, roles.MODEL)
        taken = {item.source.name for item in self.items if item.source}
        left = [v.name for v in self.source.values() if v.role in own]
        left = [name for name in left if name not in taken]
        if not left:
            return ""
        more = f" and {len(left) - 10} more" if len(left) > 10 else ""
        return f". The source has left: {', '.join(map(repr, left[:10]))}{more}"

    def key_moves(self) -> KeyMoves:
        """The same as what a conversion writes."""
        moves: dict[str, tuple[str, ...]] = {}
        for key, name in self.links.items():
            old = self.checkpoint[name].key
            moves[old] = (*moves.get(old, ()), key)
        return KeyMoves(
            new_keys=moves,
            graph=self.graph,
            written=self.written,
            keeps_names=False,
        )
