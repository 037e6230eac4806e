"""Recording a finetuning with the `Trainer` of Hugging Face's transformers.

    recorder = Recorder(features_of, model.classifier, loader, point=point, every=50)   # before the head is probed
    model.classifier.load_state_dict(probed.state_dict)
    Trainer(model, arguments, train_dataset=data, callbacks=[RecorderCallback(recorder)]).train()
    recording([recorder]).plot("course")

`features_of` is a module from a batch to features, so that it measures in eval mode:

    class Features(torch.nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, batch):
            return self.model.vit(batch).last_hidden_state[:, 0]
"""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from .torch import Recorder

__all__ = ["RecorderCallback"]


class RecorderCallback(TrainerCallback):  # type: ignore[misc]
    """Calls a :class:`taskhead.torch.Recorder` at the start, after each step of the optimiser, and at the end.

    The recorder's ``loader`` has to give its inputs on the device of the model.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def on_train_begin(self, *state: Any, **rest: Any) -> None:
        self.recorder.start()

    def on_step_end(self, *state: Any, **rest: Any) -> None:
        self.recorder.step()

    def on_train_end(self, *state: Any, **rest: Any) -> None:
        self.recorder.finish()
