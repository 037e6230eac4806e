"""Recording a finetuning with Lightning.

    recorder = Recorder(model.backbone, model.head, loader, point=point, every=50)   # before the head is probed
    model.head.load_state_dict(probed.state_dict)
    lightning.Trainer(callbacks=[RecorderCallback(recorder)]).fit(model, batches)
    recording([recorder]).plot("course")
"""

from __future__ import annotations

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from .torch import Recorder

__all__ = ["RecorderCallback"]


class RecorderCallback(Callback):
    """Calls a :class:`taskhead.torch.Recorder` at the start, after each step of the optimiser, and at the end.

    The recorder's ``loader`` has to give its inputs on the device of the model.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self._steps = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._steps = trainer.global_step
        self.recorder.start()

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *rest: Any) -> None:
        # With accumulated gradients not every batch is a step.
        if trainer.global_step > self._steps:
            self._steps = trainer.global_step
            self.recorder.step()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.recorder.finish()
