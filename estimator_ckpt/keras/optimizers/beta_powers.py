"""The beta powers that tf1 keeps of each Adam: their values, and whose they are.

tf1 names them by the order in which a graph makes its optimizers (`beta1_power`,
`beta1_power_1`), which no Keras object knows. So where two optimizers have other
powers, the user says which is which; never the alphabet.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from estimator_ckpt.checkpoint.optimizers import optimizer_steps
from estimator_ckpt.checkpoint.optimizers.algorithms import Algorithm
from estimator_ckpt.keras.objects.descriptions import OptimizerDescription
from estimator_ckpt.keras.optimizers.state_errors import OptimizerStateError
from estimator_ckpt.maps.renaming import Renaming


@dataclasses.dataclass(frozen=True)
class Taken:
    """The steps that an optimizer took.

    Attributes:
      optimizer: the optimizer.
      algorithm: the algorithm of the tf1 optimizer that goes on from it.
      steps: how many.
    """

    optimizer: OptimizerDescription
    algorithm: Algorithm
    steps: int

    @property
    def powers(self) -> dict[str, float]:
        """Its beta powers in tf1, by name: `beta1_power`."""
        betas = self.optimizer.betas
        return {
            power: optimizer_steps.power_after(betas[power], self.steps)
            for power in self.algorithm.powers
        }


def by_name(taken: Sequence[Taken]) -> dict[str, float]:
    """All powers, by the names that an assignment map renames.

    Where optimizers have the same ones, or there is one, by tf1's names; else by the
    optimizer's path: `generator_optimizer/beta1_power`.
    """
    if _differ(taken):
        return {
            f"{each.optimizer.path}/{power}": value
            for each in taken
            for power, value in each.powers.items()
        }
    found: dict[str, float] = {}
    for each in taken:
        for power, value in each.powers.items():
            others = sum(name.startswith(power) for name in found)
            found[f"{power}_{others}" if others else power] = value
    return found


def require_owners(taken: Sequence[Taken], renaming: Renaming, source: str) -> None:
    """Raises OptimizerStateError if nobody said which powers are whose.

    Args:
      taken: the optimizers.
      renaming: what the user's map makes of the names of `by_name`.
      source: the checkpoint, for messages.
    """
    said = {move.old for move in renaming.moves if move.rule is not None}
    if not _differ(taken) or said.issuperset(by_name(taken)):
        return
    steps = ", ".join(f"{each.optimizer.path} {each.steps}" for each in taken)
    rules = ", ".join(
        f"'{each.optimizer.path}/{power}': '{power}{f'_{i}' if i else ''}'"
        for i, each in enumerate(each for each in taken if each.algorithm.powers)
        for power in each.algorithm.powers
    )
    raise OptimizerStateError(
        f"{source}: its optimizers took different steps or have other betas ({steps}), "
        f"and tf1 names their beta powers by the order in which its graph makes the "
        f"optimizers: say which is which, by an assignment map such as {{{rules}}}"
    )


def _differ(taken: Sequence[Taken]) -> bool:
    """Whether two optimizers have other beta powers."""
    values: dict[str, set[float]] = {}
    for each in taken:
        for power, value in each.powers.items():
            values.setdefault(power, set()).add(value)
    return any(len(found) > 1 for found in values.values())
