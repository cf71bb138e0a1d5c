"""One process or several that tune together, each on a device of its own, by Accelerate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs

from embedder.errors import ModelError


class Processes:
    """What the processes of one run do together. One that runs alone needs no network, and waits for nobody.

    Attributes:
        device: of this process.
        index: of this process, from 0; the first writes what is written.
        count: how many there are.
    """

    def __init__(self, device: str) -> None:
        """Join the others, where `torchrun` or `accelerate launch` started several.

        Args:
            device: "auto" (CUDA where there is one), "cpu", "cuda", "cuda:1"; with several processes on GPUs each takes
                its own.

        Raises:
            ModelError: there is no such device.
        """
        on_cpu = device == "cpu" or not torch.cuda.is_available()
        if on_cpu and device not in ("auto", "cpu"):
            raise ModelError(f"device {device!r} cannot be used: torch sees no CUDA device; permitted: auto, cpu")
        # The others wait while the first gathers features and, at the end, measures and exports.
        patience = InitProcessGroupKwargs(timeout=timedelta(days=7))
        self._accelerator = Accelerator(cpu=on_cpu, kwargs_handlers=[patience])
        self.index = self._accelerator.process_index
        self.count = self._accelerator.num_processes
        chosen = device if self.count == 1 and device.startswith("cuda:") else self._accelerator.device
        self.device = torch.device(chosen)

    @property
    def is_first(self) -> bool:
        """Whether this process writes what is written."""
        return bool(self.index == 0)

    def own(self, count: int) -> slice:
        """Which of `count` rows this process computes; all processes' together are all of them, in order."""
        bounds = [count * number // self.count for number in (self.index, self.index + 1)]
        return slice(*bounds)

    def gather(self, rows: torch.Tensor) -> torch.Tensor:
        """The rows of all processes, in order; each may have another number of them."""
        if self.count == 1:
            return rows
        lengths = self._accelerator.gather(torch.tensor([len(rows)], device=self.device)).tolist()
        longest = max(lengths)
        padded = torch.zeros((longest, *rows.shape[1:]), dtype=rows.dtype, device=rows.device)
        padded[: len(rows)] = rows
        everything = self._accelerator.gather(padded)
        parts = [everything[number * longest : number * longest + length] for number, length in enumerate(lengths)]
        return torch.cat(parts)

    def add_up(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Add each parameter's gradient over all processes, in place."""
        if self.count == 1:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad = self._accelerator.reduce(parameter.grad, reduction="sum")

    def any(self, flag: bool) -> bool:
        """Whether it is set in any process."""
        if self.count == 1:
            return flag
        return bool(self._accelerator.gather(torch.tensor([int(flag)], device=self.device)).max())

    def wait(self) -> None:
        """Until all processes are here."""
        self._accelerator.wait_for_everyone()
