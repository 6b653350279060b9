"""The checkpoint that an object's variables are made of, and what its names mean."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping
from typing import Optional

from estimator_ckpt.bundle.errors import CorruptIndexError
from estimator_ckpt.checkpoint.evidence import meta_graph, role_evidence
from estimator_ckpt.checkpoint.evidence.name_sorting import Fact
from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.checkpoint.object_keys import path_of
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.roles import AVERAGE, OF_OPTIMIZER, Decision, Roles
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps import planner
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.renaming import Renaming

_TF1_AVERAGE = "/ExponentialMovingAverage"
#: The place of a variable in the list of all that an optimizer keeps.
_PLACE = re.compile(r"_variables/(\d+)$")


@dataclasses.dataclass(frozen=True)
class Source:
    """A checkpoint that something is made of.

    Attributes:
      checkpoint: the checkpoint.
      variables: its variables, as plans take them.
      renaming: what an assignment map makes of their names.
      names_by: what its variables are called.
    """

    checkpoint: Checkpoint
    variables: Mapping[str, Variable]
    renaming: Renaming
    names_by: NamesBy = NamesBy.FULL_NAME

    @classmethod
    def of(
        cls,
        checkpoint: Checkpoint,
        renames: AssignmentMap,
        names_by: NamesBy = NamesBy.FULL_NAME,
    ) -> Source:
        """A checkpoint with an assignment map for it.

        Raises:
          AssignmentMapError: the map gives two variables one name.
        """
        renaming = renames.rename(
            dict.fromkeys(checkpoint), source=checkpoint.prefix, among_others=True
        )
        found = planner.of_checkpoint(checkpoint)
        return cls(checkpoint, found, renaming, names_by)

    @property
    def prefix(self) -> str:
        return self.checkpoint.prefix

    @property
    def old_names(self) -> Mapping[str, str]:
        """The source's names by what the map makes of them."""
        return self.renaming.sources

    @functools.cached_property
    def roles(self) -> Roles:
        """What its variables are for, by their own names.

        A map can give slots their usual names: `{out/kernel/opt: out/kernel/Adam}`.
        So where names are the evidence, those that it gives count as well.
        """
        found = self.checkpoint.roles
        is_said = any(m.rule is not None for m in self.renaming.moves)
        if not is_said or self.checkpoint.graph is not None:
            return found
        decisions = dict(found.decisions)
        overruling = self.checkpoint.overruling
        for name, said in self._roles_by_new_names().items():
            is_overruled = overruling.is_optimizer_state(name) is not None
            if said.role in OF_OPTIMIZER and not is_overruled:
                decisions[name] = said
        return Roles(decisions, found.unused)

    def _roles_by_new_names(self) -> dict[str, Decision]:
        """What variables are for by the names that the map gives, by the old ones."""
        facts = {
            new: Fact(self.variables[old].dtype, self.variables[old].shape)
            for new, old in self.old_names.items()
        }
        try:
            beside = meta_graph.trainability(self.prefix, self.checkpoint.store) or {}
        except CorruptIndexError:  # of which the checkpoint's own roles say so
            beside = {}
        step = self.checkpoint.contents.global_step
        trainable = {
            new: trains
            for old, trains in beside.items()
            for new in self.renaming.targets.get(old, ())
        }
        found = role_evidence.decide(
            facts,
            global_step=next(iter(self.renaming.targets.get(step or "", ())), None),
            trainable=trainable or None,
        )
        return {
            self.old_names[name]: said._replace(
                owner=None if said.owner is None else self.old_names[said.owner]
            )
            for name, said in found.items()
        }

    def average_of(self, name: str) -> Optional[str]:
        """The moving average of a variable; TensorFlow 1's own among several.

        None if there is none, or nobody can tell which.
        """
        found = self._averages.get(name, [])
        usual = [other for other in found if _TF1_AVERAGE in other]
        return found[0] if len(found) == 1 else usual[0] if len(usual) == 1 else None

    @functools.cached_property
    def _averages(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, said in self.roles.items():
            if said.role is AVERAGE and said.owner is not None:
                found.setdefault(said.owner, []).append(name)
        return found

    def full_name(self, name: str) -> str:
        """What the object graph calls a variable; its name where there is none."""
        key = self.variables[name].key or name
        return self._full_names.get(key, name)

    @functools.cached_property
    def _full_names(self) -> dict[str, str]:
        graph = self.checkpoint.graph
        return {} if graph is None else graph.full_names()

    def places(self, names: Iterable[str]) -> list[int]:
        """Where variables stand in the lists of the optimizers that keep them."""
        keys = [self.variables[name].key or "" for name in names]
        found = [_PLACE.search(path_of(key) or "") for key in keys]
        return [int(match.group(1)) for match in found if match]
