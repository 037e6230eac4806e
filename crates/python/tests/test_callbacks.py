"""Recorders in the training loops of Lightning and of transformers measure what a plain loop measures."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from taskhead.torch import Recorder, recording  # noqa: E402

EPOCHS, BATCH, RATE = 3, 4, 0.1
# 10 samples are 3 batches; two of them make a step where gradients are accumulated.
BATCHES = 3


def task():
    torch.manual_seed(0)
    inputs, labels = torch.randn(10, 6), torch.arange(10) % 2
    backbone = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Dropout(0.5))
    return inputs, labels, backbone, torch.nn.Linear(8, 2)


def recorder_of(backbone, head, inputs, labels, every=2):
    return Recorder(backbone, head, [(inputs[:5], labels[:5]), (inputs[5:], labels[5:])], every=every)


def plainly(inputs, labels, backbone, head, accumulate=1):
    """The same training by a plain loop."""
    recorder = recorder_of(backbone, head, inputs, labels)
    recorder.start()
    optimiser = torch.optim.SGD([*backbone.parameters(), *head.parameters()], lr=RATE)
    backbone.eval()  # Dropout would draw other numbers.
    for _ in range(EPOCHS):
        for batch in range(BATCHES):
            rows = slice(batch * BATCH, (batch + 1) * BATCH)
            loss = torch.nn.functional.cross_entropy(head(backbone(inputs[rows])), labels[rows])
            (loss / accumulate).backward()
            if (batch + 1) % accumulate == 0 or batch == BATCHES - 1:
                optimiser.step()
                optimiser.zero_grad()
                recorder.step()
    recorder.finish()
    return recorder.rows


def same(rows, expected):
    assert [row["time"] for row in rows] == [row["time"] for row in expected]
    for row, other in zip(rows, expected):
        for name in ("aie", "euclidean", "cosine", "norm", "residual", "accuracy", "head_norm"):
            assert row[name] == pytest.approx(other[name], rel=1e-5), name
    assert rows[-1]["euclidean"] > 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("accumulate", "times"), [(1, [2, 4, 6, 8, 9]), (2, [2, 4, 6])])
def test_lightning(tmp_path, accumulate, times):
    lightning = pytest.importorskip("lightning.pytorch")
    from taskhead.lightning import RecorderCallback

    inputs, labels, backbone, head = task()

    class Model(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.backbone, self.head = copy.deepcopy(backbone), copy.deepcopy(head)

        def training_step(self, batch, _):
            self.backbone.eval()
            return torch.nn.functional.cross_entropy(self.head(self.backbone(batch[0])), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=RATE)

    model = Model()
    recorder = recorder_of(model.backbone, model.head, inputs, labels)
    batches = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(inputs, labels), batch_size=BATCH)
    trainer = lightning.Trainer(
        max_epochs=EPOCHS, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, accumulate_grad_batches=accumulate, callbacks=[RecorderCallback(recorder)],
        default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(model, batches)
    same(recorder.rows, plainly(inputs, labels, backbone, head, accumulate))
    assert [row["time"] for row in recorder.rows] == times
    assert "course" in recording([recorder]).figures


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("accumulate", "times"), [(1, [2, 4, 6, 8, 9]), (2, [2, 4, 6])])
def test_transformers(tmp_path, accumulate, times):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from taskhead.transformers import RecorderCallback

    inputs, labels, backbone, head = task()

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone, self.head = copy.deepcopy(backbone), copy.deepcopy(head)

        def forward(self, inputs, labels):
            self.backbone.eval()
            predictions = self.head(self.backbone(inputs))
            return {"loss": torch.nn.functional.cross_entropy(predictions, labels), "logits": predictions}

    class InOrder(transformers.Trainer):
        def _get_train_sampler(self, *_):
            return torch.utils.data.SequentialSampler(self.train_dataset)

    model = Model()
    recorder = recorder_of(model.backbone, model.head, inputs, labels)
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path), num_train_epochs=EPOCHS, per_device_train_batch_size=BATCH, learning_rate=RATE,
        lr_scheduler_type="constant", max_grad_norm=0.0, report_to=[], save_strategy="no", use_cpu=True,
        logging_strategy="no", disable_tqdm=True, gradient_accumulation_steps=accumulate,
    )  # fmt: skip
    rows = [{"inputs": a, "labels": b} for a, b in zip(inputs, labels)]
    optimiser = torch.optim.SGD(model.parameters(), lr=RATE)
    trainer = InOrder(
        model, arguments, train_dataset=rows, callbacks=[RecorderCallback(recorder)], optimizers=(optimiser, None)
    )
    trainer.train()
    assert [row["time"] for row in recorder.rows] == times
    if accumulate == 1:
        # What the last, shorter round of accumulation weighs is the trainer's.
        same(recorder.rows, plainly(inputs, labels, backbone, head))
    assert np.isfinite(recording([recorder])["euclidean"]).all()
