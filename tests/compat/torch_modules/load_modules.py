"""Loads layers into PyTorch's modules, and holds what they give against TensorFlow's.

    python -m tests.compat.torch_modules.load_modules DIRECTORY

There is `DIRECTORY/model.safetensors`, converted from the checkpoint of save_layers.py,
and `DIRECTORY/outputs.npz`, what TensorFlow's layers gave. Writes
`DIRECTORY/written.safetensors`: the same modules as PyTorch and the format's library
write them. Knows nothing of the toolkit.
"""

import os
import sys

import numpy as np
import safetensors.torch
import torch
from torch import nn

from tests.compat.torch_modules import module_sizes as sizes

#: The most by which an output may differ from TensorFlow 1.15's.
MOST = 1e-5


class Separable(nn.Module):
    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(
            sizes.IN, 2 * sizes.IN, 3, groups=sizes.IN, bias=False
        )
        self.pointwise = nn.Conv2d(2 * sizes.IN, 5, 1)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


def recurrent(module_class, **options):
    return module_class(sizes.IN, sizes.UNITS, batch_first=True, **options)


def modules():
    """The modules under the names of TensorFlow's layers."""
    return nn.ModuleDict(
        {
            "dense": nn.Linear(sizes.IN, sizes.UNITS),
            "square": nn.Linear(sizes.IN, sizes.IN),
            "conv1d": nn.Conv1d(sizes.IN, 6, 3),
            "conv2d": nn.Conv2d(sizes.IN, 6, 3, padding=1, bias=False),
            "conv3d": nn.Conv3d(2, 4, 3),
            "depthwise": nn.Conv2d(sizes.IN, 2 * sizes.IN, 3, groups=sizes.IN),
            "separable": Separable(),
            "transposed": nn.ConvTranspose2d(sizes.IN, 5, 3, stride=2),
            "bn": nn.BatchNorm2d(sizes.IN, eps=1e-3),
            "ln": nn.LayerNorm(sizes.IN, eps=1e-12),
            "embedding": nn.Embedding(sizes.VOCABULARY, sizes.IN),
            "basic": recurrent(nn.LSTM),
            "projected": recurrent(nn.LSTM, proj_size=sizes.PROJECTED),
            "stacked": recurrent(nn.LSTM, num_layers=2),
            "both": recurrent(nn.LSTM, bidirectional=True),
            "cudnn_gru": recurrent(nn.GRU),
            "keras_lstm": recurrent(nn.LSTM),
            "keras_gru": recurrent(nn.GRU),
            "keras_rnn": recurrent(nn.RNN),
        }
    ).eval()


def output(module, given):
    """What a module gives, with channels last."""
    if given.dtype == np.int32:
        return module(torch.from_numpy(given))
    x = torch.from_numpy(given)
    is_image = x.ndim > 2 and not isinstance(module, (nn.RNNBase, nn.LayerNorm))
    found = module(x.movedim(-1, 1) if is_image else x)
    found = found[0] if isinstance(found, tuple) else found
    return found.movedim(1, -1) if is_image else found


def main(directory):
    model = modules()
    tensors = safetensors.torch.load_file(os.path.join(directory, "model.safetensors"))
    model.load_state_dict(tensors, strict=True)
    expected = np.load(os.path.join(directory, "outputs.npz"))
    for name, given in sizes.inputs().items():
        found = output(model[name], given).detach().numpy()
        assert found.shape == expected[name].shape, (name, found.shape)
        off = float(np.abs(found - expected[name]).max())
        print(f"{name}: off by {off:.1e} of {np.abs(expected[name]).max():.1f}")
        assert off < MOST * max(1, np.abs(expected[name]).max()), name
    written = {name: t.contiguous() for name, t in model.state_dict().items()}
    path = os.path.join(directory, "written.safetensors")
    safetensors.torch.save_file(written, path, {"format": "pt"})


if __name__ == "__main__":
    main(*sys.argv[1:])
