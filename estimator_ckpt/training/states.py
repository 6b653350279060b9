"""The optimizer state that a checkpoint holds, and what a Keras optimizer makes of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Optional

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.migration import optimizers, roles
from estimator_ckpt.migration.checkpoint import Checkpoint
from estimator_ckpt.migration.optimizers import Kind
from estimator_ckpt.training import recipes
from estimator_ckpt.training.trackables import LiveOptimizer


class OptimizerStateError(CheckpointError, ValueError):
    """The state of another optimizer than the one given, or of one that is unknown."""


@dataclasses.dataclass(frozen=True)
class State:
    """Optimizer state in a checkpoint.

    Attributes:
      kind: of which kind it is.
      slots: names of slot variables by what they are, then by their variable's name.
      steps: how many steps were taken; None if nothing says so.
      global_step: the checkpoint's global step.
    """

    kind: Kind
    slots: Mapping[str, Mapping[str, str]]
    steps: Optional[int]
    global_step: Optional[int]

    def changes(
        self, optimizer: LiveOptimizer, steps: int
    ) -> dict[str, recipes.Change]:
        """What becomes of the numbers in slots that mean something else in Keras.

        Raises:
          OptimizerStateError: the learning rate is 0, which Keras's momentum is
            multiplied with.
        """
        if self.kind is optimizers.MOMENTUM:
            rate = optimizer.learning_rate(steps)
            if not rate:
                raise OptimizerStateError(
                    f"{optimizer.name}: Keras keeps the momentum times the learning "
                    f"rate, which is 0 here: give the optimizer the rate of the next "
                    f"step"
                )
            return {"accumulator": recipes.scaled(-rate)}
        if self.kind is optimizers.ADAGRAD and not optimizer.is_legacy:
            return {"accumulator": recipes.shifted(-optimizer.setting("epsilon"))}
        return {}

    def warnings(
        self, optimizer: LiveOptimizer, steps: int, has_embeddings: bool
    ) -> list[str]:
        """What will not go on exactly as it was, a sentence each."""
        name, kind = optimizer.name, self.kind
        found = []
        if kind.name in optimizers.DENSE_ONLY and not optimizer.is_legacy:
            if has_embeddings:
                found.append(
                    f"{name}: it treats rows of embeddings that a batch does not touch "
                    f"otherwise than tf1; tf.keras.optimizers.legacy is exact"
                )
        if name.endswith("Nadam"):
            found.append(
                f"{name}: Keras's Nadam has a momentum schedule that tf1's has not: "
                f"training goes on otherwise"
            )
        if kind is optimizers.RMSPROP and "momentum" not in optimizer.slots:
            if optimizer.is_legacy:
                found.append(
                    f"{name}: without momentum it adds epsilon outside of the root and "
                    f"decays untouched rows; momentum=1e-30 is exactly tf1's"
                )
            elif has_embeddings:
                found.append(
                    f"{name}: tf.keras.optimizers.legacy.RMSprop(momentum=1e-30) is "
                    f"exactly tf1's, rows of embeddings included"
                )
        if kind is optimizers.MOMENTUM and optimizer.has_schedule:
            found.append(
                f"{name}: Keras keeps the learning rate in its momentum, so under a "
                f"schedule training goes on otherwise"
            )
        if kind is optimizers.ADAGRAD and optimizer.is_legacy:
            if optimizer.setting("epsilon") > 1e-10:
                found.append(
                    f"{name}: it adds epsilon to the root, tf1 does not; epsilon=1e-20 "
                    f"is exact"
                )
        if kind is optimizers.FTRL and optimizer.setting("beta"):
            found.append(f"{name}: tf1's Ftrl has no beta; beta=0 is exact")
        if optimizer.is_legacy and optimizer.setting("decay"):
            found.append(f"{name}: tf1's optimizers have no decay; decay=0 is exact")
        if kind is optimizers.BERT:
            found.append(
                f"{name}: AdamWeightDecay corrects no bias, so iterations are {steps}, "
                f"where Keras's Adam does not either; its weight decay is AdamW's"
            )
        elif self.global_step not in (None, steps) and optimizer.has_schedule:
            found.append(
                f"{name}: it took {steps} steps, and the global step is "
                f"{self.global_step}: its learning rate schedule goes on from {steps}"
            )
        return found


def find(
    checkpoint: Checkpoint, optimizer: LiveOptimizer, owners: Collection[str]
) -> State:
    """The state that a checkpoint holds for the variables of an optimizer.

    Args:
      checkpoint: the source.
      optimizer: the Keras optimizer that is to go on.
      owners: the source's names of the variables that it trains.

    Raises:
      OptimizerStateError: there is none, it is of another or an unknown optimizer, or
        the optimizer wants slots that this kind does not have; lists the slots.
    """
    if not optimizer.kind.reads:
        known = ", ".join(optimizers.KERAS)
        raise OptimizerStateError(
            f"{optimizer.name} is an optimizer of which nothing is known here; there "
            f"are {known}. optimizer_state=False (--nooptimizer_state) leaves it as it "
            f"is"
        )
    by_owner = {
        owner: slots
        for owner, slots in optimizers.slots_by_owner(checkpoint.layout.keys).items()
        if owner in owners
    }
    kind = _kind(checkpoint, optimizer, by_owner)
    wanted = set(optimizer.slots) - set(kind.slots)
    if wanted and kind is not optimizers.SGD:
        raise OptimizerStateError(
            f"{checkpoint.prefix} has the state of {kind.name}, without what "
            f"{optimizer.name} keeps as {', '.join(sorted(wanted))}: give an optimizer "
            f"with the same options (amsgrad, centered)"
        )
    if kind is optimizers.CENTERED and "mg" not in optimizer.slots:
        raise OptimizerStateError(
            f"{checkpoint.prefix} has the state of a centered RMSProp: give "
            f"{optimizer.name} with centered=True"
        )
    slots = {
        slot: {owner: found[suffix] for owner, found in by_owner.items()}
        for slot, suffix in kind.slots.items()
    }
    step = checkpoint.global_step
    return State(kind, slots, _steps(checkpoint, optimizer, kind, step), step)


def _kind(
    checkpoint: Checkpoint,
    optimizer: LiveOptimizer,
    by_owner: Mapping[str, Mapping[str, str]],
) -> Kind:
    expected = " or ".join(kind.name for kind in optimizer.kind.reads)
    kinds: dict[Optional[Kind], list[str]] = {}
    for slots in by_owner.values():
        kinds.setdefault(optimizers.kind_of(slots), []).extend(slots.values())
    if not kinds:
        if optimizers.SGD in optimizer.kind.reads:
            return optimizers.SGD
        others = sorted(
            n for n in checkpoint.layout.keys if roles.is_optimizer_state(n, checkpoint)
        )
        raise OptimizerStateError(
            f"{checkpoint.prefix} has no slots of {expected} for the variables that "
            f"{optimizer.name} trains"
            f"{f' (it has {_listed(others)})' if others else ''}. "
            f"optimizer_state=False (--nooptimizer_state) starts the optimizer anew"
        )
    wrong = {kind: n for kind, n in kinds.items() if kind not in optimizer.kind.reads}
    if wrong or len(kinds) > 1:
        found = "; ".join(
            f"{kind.name if kind else 'an unknown optimizer'}: {_listed(slots)}"
            for kind, slots in kinds.items()
        )
        raise OptimizerStateError(
            f"{checkpoint.prefix} has slots of {found}, and {optimizer.name} goes on "
            f"from {expected}: give that optimizer, or optimizer_state=False "
            f"(--nooptimizer_state)"
        )
    (kind,) = kinds
    assert kind is not None
    return kind


def _steps(
    checkpoint: Checkpoint,
    optimizer: LiveOptimizer,
    kind: Kind,
    global_step: Optional[int],
) -> Optional[int]:
    """How many steps the optimizer took."""
    if kind is optimizers.BERT:
        if optimizer.has_schedule:
            raise OptimizerStateError(
                f"{optimizer.name}: AdamWeightDecay corrects no bias. Keras's Adam does "
                f"not either after {optimizers.UNCORRECTED:,} steps, but a learning "
                f"rate schedule must then subtract these: say what its iterations are "
                f"to be (iterations=, --iterations)"
            )
        return optimizers.UNCORRECTED
    if not kind.powers:
        return global_step
    powers = {}
    for power in kind.powers:
        found = {
            float(checkpoint.read(name))
            for name in checkpoint.layout.keys
            if roles.is_beta_power(name) and power in name
        }
        if len(found) > 1:
            raise OptimizerStateError(
                f"{checkpoint.prefix} has several {power}, of different steps "
                f"({_listed(sorted(map(str, found)))}): say how many steps "
                f"{optimizer.name} took (iterations=, --iterations)"
            )
        powers.update((power, value) for value in found)
    betas = {
        "beta1_power": optimizer.setting("beta_1"),
        "beta2_power": optimizer.setting("beta_2"),
    }
    return optimizers.steps_taken(powers, betas, global_step)


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(map(repr, list(names)[:6]))
    return f"{shown} and {len(names) - 6} more" if len(names) > 6 else shown
