"""Loss, mean IoU and gradients of an encoder-decoder with weights from a formula, for the test in
`crates/replay/src/network/tests.rs`.

    pip install torch==2.15.0 && python3 tests/reference/encoder_decoder.py
"""

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def scatter(tensor, shape):
    """Numbers from -1 to 1 that look random."""
    places = torch.arange(torch.Size(shape).numel())
    mixed = places * (places + tensor + 1) * 2654435761 & 0xFFFFFFFF
    return (mixed.double() / 2**31 - 1).reshape(shape)


class Normed(torch.nn.Module):
    def __init__(self, inputs, outputs, size=3, stride=1):
        super().__init__()
        self.conv = torch.nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
        self.norm = torch.nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.norm(self.conv(x))


class Block(torch.nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.first, self.second = Normed(inputs, outputs, stride=2), Normed(outputs, outputs)
        self.shortcut = Normed(inputs, outputs, size=1, stride=2)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


class Up(torch.nn.Module):
    def forward(self, x):
        return F.interpolate(x, scale_factor=2, mode="nearest")


class Stem(Normed):
    def forward(self, x):
        return F.relu(super().forward(x))


# Channels 3, 4, 5 down and width 6; then a layer on each pixel with three classes.
model = torch.nn.Sequential(
    Stem(2, 3), Block(3, 4), Block(4, 5), Up(), Stem(5, 4), Up(), Stem(4, 6), torch.nn.Conv2d(6, 3, 1, bias=False)
)
# The order in which the network of this project lists its variables: layers of pixels first, then by layer, in each
# weight, scale, shift.
normed = [m for m in model.modules() if isinstance(m, Normed)]
order = [model[-1].weight] + [p for m in normed for p in (m.conv.weight, m.norm.weight, m.norm.bias)]
with torch.no_grad():
    for i, parameter in enumerate(order):
        if parameter.dim() == 4:
            outputs, inputs, height, width = parameter.shape
            ours = scatter(i, (height, width, inputs, outputs)) * (3 / (height * width * inputs)) ** 0.5
            parameter.copy_(ours.permute(3, 2, 0, 1))
        else:
            parameter.copy_(scatter(i, parameter.shape) * 0.2 + (1 if i % 3 == 2 else 0))

images = scatter(50, (3, 8, 12, 2)).permute(0, 3, 1, 2)
labels = ((scatter(60, (3, 8, 12)) + 1) * 2).long()  # 0 to 3, of which 3 is ignored
logits = model(images)
loss = F.cross_entropy(logits, labels, ignore_index=3)
loss.backward()
known, guess = labels != 3, logits.argmax(1)
shares = []
for c in range(3):
    both = ((guess == c) & (labels == c) & known).sum().item()
    either = (((guess == c) | (labels == c)) & known).sum().item()
    shares.append(both / either)
residual = F.one_hot(labels.clamp(max=2), 3) - logits.softmax(1).permute(0, 2, 3, 1)
print("known", known.sum().item(), "loss", f"{loss.item():.15g}", "mean IoU", f"{sum(shares) / 3:.15g}")
print("energy", f"{residual.norm(dim=-1)[known].mean().item():.15g}")
print("logits", [f"{v:.15g}" for v in logits.permute(0, 2, 3, 1).flatten()[::97].tolist()])
for i, parameter in enumerate(order):
    gradient = parameter.grad
    gradient = gradient.permute(2, 3, 1, 0) if gradient.dim() == 4 else gradient
    print(f"({i}, {gradient.flatten()[-1].item():.15g}, {gradient.norm().item():.15g}),")
