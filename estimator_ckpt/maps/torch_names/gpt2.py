"""OpenAI's GPT-2 in Hugging Face's GPT2LMHeadModel.

Names: `src/model.py` of openai/gpt-2. Its `conv1d` has kernels `[1, in, out]`, and
Hugging Face's Conv1D `[in, out]`: not transposed, unlike a Linear's. `lm_head.weight`
is tied to `wte` and not written. Its default configuration gives the same outputs:
`activation_function="gelu_new"`, `layer_norm_epsilon=1e-5`.
"""

from __future__ import annotations

from estimator_ckpt.maps.torch_names.torch_name import Arrangement, TorchName

_KERNELS = "(attn|mlp)/(c_attn|c_proj|c_fc)"

GPT2 = (
    TorchName("model/(wte|wpe)", r"transformer.\1.weight"),
    TorchName(
        rf"model/h(\d+)/{_KERNELS}/w",
        r"transformer.h.\1.\2.\3.weight",
        Arrangement.MATRIX,
    ),
    TorchName(rf"model/h(\d+)/{_KERNELS}/b", r"transformer.h.\1.\2.\3.bias"),
    TorchName(r"model/h(\d+)/(ln_1|ln_2)/g", r"transformer.h.\1.\2.weight"),
    TorchName(r"model/h(\d+)/(ln_1|ln_2)/b", r"transformer.h.\1.\2.bias"),
    TorchName("model/ln_f/g", "transformer.ln_f.weight"),
    TorchName("model/ln_f/b", "transformer.ln_f.bias"),
)
