"""google-research BERT in Hugging Face's BertForPreTraining and its relatives.

Names: `modeling.py`, `run_pretraining.py`, `run_classifier.py` and `run_squad.py` of
google-research/bert; those of its TF-Hub module begin with `module/`. `BertModel` takes
the same file, with the heads as unexpected.

The word embeddings are the decoder of the masked language model, too: its weight and
bias (`cls.predictions.decoder`) are tied in Hugging Face's model and not written. The
configuration that gives the same outputs: `hidden_act="gelu_new"` (BERT's gelu is the
one with tanh) and `layer_norm_eps=1e-12`.
"""

from __future__ import annotations

from estimator_ckpt.maps.torch_names.torch_name import (
    TorchName,
    dense,
    norm,
    output,
    together,
)


def encoder(scope: str, model: str) -> tuple[TorchName, ...]:
    """The layers of BERT's encoder.

    Args:
      scope: a regex without groups for the scope that the encoder is in.
      model: its name in Hugging Face's model.
    """
    layer, module = rf"{scope}/encoder/layer_(\d+)", rf"{model}.encoder.layer.\1"
    return together(
        dense(
            rf"{layer}/attention/self/(query|key|value)", rf"{module}.attention.self.\2"
        ),
        dense(rf"{layer}/attention/output/dense", rf"{module}.attention.output.dense"),
        norm(
            rf"{layer}/attention/output/LayerNorm",
            rf"{module}.attention.output.LayerNorm",
        ),
        dense(rf"{layer}/intermediate/dense", rf"{module}.intermediate.dense"),
        dense(rf"{layer}/output/dense", rf"{module}.output.dense"),
        norm(rf"{layer}/output/LayerNorm", rf"{module}.output.LayerNorm"),
    )


def embeddings(scope: str, model: str) -> tuple[TorchName, ...]:
    """The tables of words, positions and token types, and their LayerNorm.

    Args:
      scope: a regex without groups for the scope that the embeddings are in.
      model: its name in Hugging Face's model.
    """
    return (
        TorchName(
            rf"{scope}/embeddings/(word|position|token_type)_embeddings",
            rf"{model}.embeddings.\1_embeddings.weight",
        ),
        *norm(rf"{scope}/embeddings/LayerNorm", rf"{model}.embeddings.LayerNorm"),
    )


#: What stands before the names where the model came from TF-Hub.
HUB = "(?:module/)?"
_TRANSFORM = f"{HUB}cls/predictions/transform"

BERT = together(
    embeddings(f"{HUB}bert", "bert"),
    encoder(f"{HUB}bert", "bert"),
    dense(f"{HUB}bert/pooler/dense", "bert.pooler.dense"),
    dense(f"{_TRANSFORM}/dense", "cls.predictions.transform.dense"),
    norm(f"{_TRANSFORM}/LayerNorm", "cls.predictions.transform.LayerNorm"),
    [TorchName(f"{HUB}cls/predictions/output_bias", "cls.predictions.bias")],
    output(f"{HUB}cls/seq_relationship", "cls.seq_relationship"),
    output("cls/squad", "qa_outputs"),
    output("", "classifier"),
)
