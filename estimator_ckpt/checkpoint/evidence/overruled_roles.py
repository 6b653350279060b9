"""What a user says of roles, beside what the evidence says.

Where both agree, the evidence stays. Where they do not, the user decides, and the
decision says so; evidence still tells whose a slot is. That a variable is the global
step nobody overrules: it would be carried.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from estimator_ckpt.checkpoint.evidence import name_evidence
from estimator_ckpt.checkpoint.roles import (
    GLOBAL_STEP,
    MODEL,
    OF_MODEL,
    OF_OPTIMIZER,
    OPTIMIZER,
    SLOT,
    Decision,
    Overruling,
)


class Overruled(NamedTuple):
    """What a user says otherwise than the evidence.

    Attributes:
      known: what is model state.
      forced: names of what is optimizer state.
    """

    known: Mapping[str, Decision]
    forced: Collection[str]

    @classmethod
    def of(cls, found: Mapping[str, Decision], overruling: Overruling) -> Overruled:
        """What of these decisions a user says is otherwise."""
        known: dict[str, Decision] = {}
        forced: set[str] = set()
        for name, said in found.items():
            if said.role is GLOBAL_STEP:
                continue
            is_optimizer_state = overruling.is_optimizer_state(name)
            if is_optimizer_state is False:
                if said.role not in OF_MODEL or said.is_undecided:
                    known[name] = Decision(MODEL, "model_state says so")
            elif is_optimizer_state and said.role not in OF_OPTIMIZER:
                forced.add(name)
        return cls(known, forced)

    def said_of(self, found: Mapping[str, Decision]) -> dict[str, Decision]:
        """Decisions that follow what a user says, and say so.

        Args:
          found: what the evidence says beside it: of whose a slot is, for example.
        """
        result = {**found, **self.known}
        for name in self.forced:
            said = found[name]
            if said.role in OF_OPTIMIZER and said.evidence != name_evidence.FORCED:
                why = f"{name_evidence.FORCED}; {said.evidence}"
                result[name] = said._replace(evidence=why)
            elif said.role not in OF_OPTIMIZER:
                role = OPTIMIZER if said.owner is None else SLOT
                result[name] = Decision(role, name_evidence.FORCED, said.owner)
        return result
