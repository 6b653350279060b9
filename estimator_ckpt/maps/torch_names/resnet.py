"""ResNets of version 1 in torchvision's: those of tf-slim and of the official models.

tf-slim (`nets/resnet_v1.py` of TensorFlow's slim): any number of bottleneck units,
which torchvision counts from 0 and slim from 1. slim has the stride of a block in its
last unit, and torchvision in the first unit of the next: docs/hugging-face.md says what
to change in torchvision's model.

Official (`official/resnet/resnet_model.py` of tensorflow/models, `resnet_version=1`):
its layers are numbered in the order in which they are made, so there is a map for each
depth. Its models of 18 and 34 layers have a projection in their first block, which
torchvision's have not.

Both pool as SAME after the first convolution, which torchvision's model pads otherwise.
Neither has anything for `num_batches_tracked`, which a strict load may miss. ResNets of
version 2 (`resnet_v2_50`, `resnet_version=2`) are no models of torchvision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from estimator_ckpt.maps.torch_names.torch_name import (
    Arrangement,
    TorchName,
    batch_norm,
    dense,
    together,
)

#: The most units of a block that the map of slim knows; the deepest ResNet has 36.
_MOST_UNITS = 64
_SLIM = r"resnet_v1_\d+"
#: The scope of the official models, which the first of them had not.
_OFFICIAL = "(?:resnet_model/)?"


def _slim_conv(scope: str, conv: str, norm: str) -> tuple[TorchName, ...]:
    """A convolution of slim and the BatchNorm in its scope."""
    return (
        TorchName(rf"{scope}/weights", rf"{conv}.weight", Arrangement.CONV),
        *batch_norm(rf"{scope}/BatchNorm", norm),
    )


def _slim_unit(unit: int) -> tuple[TorchName, ...]:
    """The units of one number of all blocks."""
    scope = rf"{_SLIM}/block(\d)/unit_{unit}/bottleneck_v1"
    module = rf"layer\1.{unit - 1}"
    rows = _slim_conv(rf"{scope}/conv(\d)", rf"{module}.conv\2", rf"{module}.bn\2")
    if unit > 1:
        return rows
    downsample = f"{module}.downsample"
    return rows + _slim_conv(f"{scope}/shortcut", f"{downsample}.0", f"{downsample}.1")


def slim() -> tuple[TorchName, ...]:
    """tf-slim's models, with bottleneck units."""
    return together(
        _slim_conv(rf"{_SLIM}/conv1", "conv1", "bn1"),
        *(_slim_unit(unit) for unit in range(1, _MOST_UNITS + 1)),
        [
            TorchName(rf"{_SLIM}/logits/weights", "fc.weight", Arrangement.DENSE),
            TorchName(rf"{_SLIM}/logits/biases", "fc.bias"),
        ],
    )


def _official_modules(blocks: Sequence[int]) -> Iterator[tuple[str, str]]:
    """torchvision's convolutions and BatchNorms in the order of the official model."""
    yield "conv1", "bn1"
    for layer, units in enumerate(blocks, 1):
        yield f"layer{layer}.0.downsample.0", f"layer{layer}.0.downsample.1"
        for unit in range(units):
            for conv in (1, 2, 3):
                yield f"layer{layer}.{unit}.conv{conv}", f"layer{layer}.{unit}.bn{conv}"


def official(*blocks: int) -> tuple[TorchName, ...]:
    """An official model of so many bottleneck units in each of its blocks."""
    rows = list(dense(f"{_OFFICIAL}dense", "fc"))
    for number, (conv, norm) in enumerate(_official_modules(blocks)):
        end = f"_{number}" if number else ""
        kernel = f"{_OFFICIAL}conv2d{end}/kernel"
        rows.append(TorchName(kernel, f"{conv}.weight", Arrangement.CONV))
        rows += batch_norm(f"{_OFFICIAL}batch_normalization{end}", norm)
    return tuple(rows)
