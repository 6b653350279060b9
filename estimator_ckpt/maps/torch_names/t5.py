"""T5, T5 1.1, mT5 and ByT5 of Mesh-TensorFlow in T5ForConditionalGeneration.

Names: `transformer/transformer.py` and `transformer_layers.py` of tensorflow/mesh, with
the configurations of google-research/text-to-text-transfer-transformer. The first T5
says `layer_norm` and `final_layer_norm`, the later ones `rms_norm` for both; these have
`wi_0` and `wi_1` in place of `wi`, and `decoder/logits`, which the first one shares
with the embeddings. Every matrix is `[in, out]`, the table of relative positions
`[heads, buckets]`: PyTorch has them transposed; the embeddings it has as they are.

Adafactor's `_slot_v`, `_slot_vr`, `_slot_vc` and `_slot_m` are slots. Tied and not
written: `encoder.embed_tokens.weight`, `decoder.embed_tokens.weight`, and of the first
T5 `lm_head.weight`. The configuration that gives the same outputs: of the first T5
Hugging Face's default, of the later ones `feed_forward_proj="gated-gelu"` and
`tie_word_embeddings=False`.
"""

from __future__ import annotations

from estimator_ckpt.maps.torch_names.torch_name import Arrangement, TorchName

_LAYER = r"(encoder|decoder)/block_0*(\d+)/layer_0*(\d+)"
_MODULE = r"\1.block.\2.layer.\3"

T5 = (
    TorchName("shared/embedding", "shared.weight"),
    TorchName(
        rf"{_LAYER}/(SelfAttention|EncDecAttention)/([qkvo]|relative_attention_bias)",
        rf"{_MODULE}.\4.\5.weight",
        Arrangement.DENSE,
    ),
    TorchName(
        rf"{_LAYER}/DenseReluDense/(wi|wi_0|wi_1|wo)/kernel",
        rf"{_MODULE}.DenseReluDense.\4.weight",
        Arrangement.DENSE,
    ),
    TorchName(
        rf"{_LAYER}/(?:layer_norm|rms_norm)/scale", rf"{_MODULE}.layer_norm.weight"
    ),
    TorchName(
        "(encoder|decoder)/(?:final_layer_norm|rms_norm)/scale",
        r"\1.final_layer_norm.weight",
    ),
    TorchName("decoder/logits/kernel", "lm_head.weight", Arrangement.DENSE),
)
