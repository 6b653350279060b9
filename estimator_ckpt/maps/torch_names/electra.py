"""google-research ELECTRA in Hugging Face's: ElectraForPreTraining, ElectraForMaskedLM.

Names: `model/modeling.py` and `run_pretraining.py` of google-research/electra. A
checkpoint holds two models, so there are two maps, and each leaves the other model's
variables as they are called: exclude them (docs/hugging-face.md). They share
`electra/embeddings`, unless the generator has embeddings of its own
(`untied_generator_embeddings`).

The generator's decoder (`generator_lm_head.weight`) is tied and not written. The
configuration that gives the same outputs: `hidden_act="gelu"` (ELECTRA's is the one
with erf), which is its default, and `layer_norm_eps=1e-12`. The heads of its
fine-tuning (`task_specific`) are laid out otherwise than Hugging Face's.
"""

from __future__ import annotations

from estimator_ckpt.maps.torch_names import bert
from estimator_ckpt.maps.torch_names.torch_name import (
    TorchName,
    dense,
    norm,
    together,
)

_DISCRIMINATOR = "discriminator_predictions"
_GENERATOR = "generator_predictions"

ELECTRA = together(
    bert.embeddings("electra", "electra"),
    dense("electra/embeddings_project", "electra.embeddings_project"),
    bert.encoder("electra", "electra"),
    dense(f"{_DISCRIMINATOR}/dense", f"{_DISCRIMINATOR}.dense"),
    dense(f"{_DISCRIMINATOR}/dense_1", f"{_DISCRIMINATOR}.dense_prediction"),
)

ELECTRA_GENERATOR = together(
    bert.embeddings("(?:electra|generator)", "electra"),
    dense("generator/embeddings_project", "electra.embeddings_project"),
    bert.encoder("generator", "electra"),
    dense(f"{_GENERATOR}/dense", f"{_GENERATOR}.dense"),
    norm(f"{_GENERATOR}/LayerNorm", f"{_GENERATOR}.LayerNorm"),
    [TorchName(f"{_GENERATOR}/output_bias", "generator_lm_head.bias")],
)
