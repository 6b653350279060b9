"""google-research ALBERT in Hugging Face's AlbertForPreTraining and its relatives.

Names: `modeling.py`, `run_pretraining.py` and `classifier_utils.py` of
google-research/albert; those of its TF-Hub modules begin with `module/`. All layers of
a group share one set of variables. The first LayerNorm of a layer is the attention's,
the second (`LayerNorm_1`) the whole layer's.

Where the embeddings are as wide as the layers ALBERT has no
`embedding_hidden_mapping_in`, which Hugging Face's model always has. Its decoder
(`predictions.decoder`) is tied and not written. The configuration that gives the same
outputs: `hidden_act="gelu_new"`, which is its default, and `layer_norm_eps=1e-12`.
"""

from __future__ import annotations

from estimator_ckpt.maps.torch_names import bert
from estimator_ckpt.maps.torch_names.torch_name import (
    TorchName,
    dense,
    norm,
    output,
    together,
)

_LAYER = rf"{bert.HUB}bert/encoder/transformer/group_(\d+)/inner_group_(\d+)"
_MODULE = r"albert.encoder.albert_layer_groups.\1.albert_layers.\2"
_HEAD = f"{bert.HUB}cls/predictions"

ALBERT = together(
    bert.embeddings(f"{bert.HUB}bert", "albert"),
    dense(
        f"{bert.HUB}bert/encoder/embedding_hidden_mapping_in",
        "albert.encoder.embedding_hidden_mapping_in",
    ),
    dense(rf"{_LAYER}/attention_1/self/(query|key|value)", rf"{_MODULE}.attention.\3"),
    dense(rf"{_LAYER}/attention_1/output/dense", rf"{_MODULE}.attention.dense"),
    norm(rf"{_LAYER}/LayerNorm", rf"{_MODULE}.attention.LayerNorm"),
    dense(rf"{_LAYER}/ffn_1/intermediate/dense", rf"{_MODULE}.ffn"),
    dense(rf"{_LAYER}/ffn_1/intermediate/output/dense", rf"{_MODULE}.ffn_output"),
    norm(rf"{_LAYER}/LayerNorm_1", rf"{_MODULE}.full_layer_layer_norm"),
    dense(f"{bert.HUB}bert/pooler/dense", "albert.pooler"),
    dense(f"{_HEAD}/transform/dense", "predictions.dense"),
    norm(f"{_HEAD}/transform/LayerNorm", "predictions.LayerNorm"),
    [TorchName(f"{_HEAD}/output_bias", "predictions.bias")],
    output(f"{bert.HUB}cls/seq_relationship", "sop_classifier.classifier"),
    output("cls/squad", "qa_outputs"),
    output("", "classifier"),
)
