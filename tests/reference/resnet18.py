"""Features of torchvision's ResNet-18 with weights from a formula, for the test of `src/replay/weights.rs`.

    pip install torch==2.9.0 torchvision==0.24.0 && python3 tests/reference/resnet18.py
"""

import torch
import torchvision


def scatter(tensor, shape):
    """Numbers from -1 to 1 that look random."""
    places = torch.arange(torch.Size(shape).numel())
    mixed = places * (places + tensor + 1) * 2654435761 & 0xFFFFFFFF
    return (mixed.double() / 2**31 - 1).reshape(shape)


model = torchvision.models.resnet18()
state = {
    name: value for name, value in model.state_dict().items() if "num_batches" not in name and "fc." not in name
}
for i, (name, value) in enumerate(sorted(state.items())):
    kind = name.rsplit(".")[-1]
    if value.dim() == 4:
        middle, scale = 0, (6 / (value.numel() // value.shape[0])) ** 0.5
    elif kind in ("weight", "running_var"):
        middle, scale = 1, 0.5
    else:
        middle, scale = 0, 0.1
    value.copy_((middle + scale * scatter(i, value.shape)).float())
model.fc = torch.nn.Identity()
model.eval()
with torch.no_grad():
    for image in model(scatter(0, (2, 3, 50, 41)).float()):
        print([f"{v:.7g}" for v in image[::100].tolist()])
