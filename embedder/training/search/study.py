"""A study by Optuna, kept in a folder: whatever ends it, the same study goes on where it was."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from embedder.errors import TrainingError, TrainingStopped
from embedder.training.search.space import Choice, Range, Space, Value, rounded
from embedder.training.search.trials import Trial, ranking

_log = logging.getLogger(__name__)

JOURNAL = "study.log"

LEAST_FOR_IMPORTANCE = 8
"""Trials with a score, from which on it is said how much each setting counts; of fewer it would be chance."""

_TOP = 0.25
"""A setting counts as far as the best trials' values of it, this share of all, differ from the others'."""

Measure = Callable[[int, Mapping[str, Value], Path], Mapping[str, float]]
"""Trains with a trial's values in a folder of the trial's own; figures by name, "score" among them."""


class Study:
    """Trials in a folder, which the caller holds against others.

    What a trial draws follows from the seed and the trials before it, so a study that was interrupted draws the same.
    """

    def __init__(self, folder: Path, space: Space, seed: int, first: Mapping[str, Value]) -> None:
        """Open the folder's study, or begin one.

        Args:
            folder: an existing one.
            space: what is searched; the same as before.
            seed: of the draws.
            first: values that the first trial has; it draws the others.

        Raises:
            TrainingError: the study cannot be read or written.
        """
        self._folder = folder
        self._space = space
        self._seed = seed
        journal = folder / JOURNAL
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with _written(folder):
            _drop_torn_record(journal)
            try:
                self._study = optuna.create_study(
                    storage=JournalStorage(JournalFileBackend(str(journal))),
                    study_name="search",
                    direction="maximize",
                    load_if_exists=True,
                )
            except (ValueError, KeyError) as error:
                raise TrainingError(
                    f"study {journal} cannot be read ({error}); next step: delete {folder}, and the search begins anew"
                ) from error
            if not self._study.get_trials(deepcopy=False):
                self._study.enqueue_trial(dict(first))

    def run(self, trials: int, measure: Measure) -> None:
        """Go on until so many trials have ended, those of before among them.

        A trial that was cut off goes on first, with its own values, in its own folder. One that ends in a
        `TrainingError` has failed, and the study goes on.

        Raises:
            TrainingStopped: a signal stopped a trial.
            TrainingError: the study cannot be written.
        """
        for trial in self._ended():
            shutil.rmtree(self._folder_of(trial.number), ignore_errors=True)
        while (done := len(self._ended())) < trials:
            with _written(self._folder):
                number, values = self._next(done)
            folder = self._folder_of(number)
            folder.mkdir(exist_ok=True)
            shown = ", ".join(f"{name} {value}" for name, value in values.items())
            _log.info("trial %d (%d of %d): %s", number, done + 1, trials, shown)
            figures: Mapping[str, float] = {}
            reason = ""
            try:
                figures = measure(number, values, folder)
            except TrainingStopped:
                raise
            except TrainingError as error:
                reason = str(error)
            with _written(self._folder):
                self._note(number, figures, reason)
                if reason:
                    # Not as "failed", which the sampler would forget: it keeps away from where pruned ones were.
                    self._study.tell(number, state=TrialState.PRUNED)
                else:
                    self._study.tell(number, figures["score"])
            shutil.rmtree(folder, ignore_errors=True)
            best = self.best()
            _log.info(
                "trial %d (%d of %d): %s; best score %s",
                number,
                done + 1,
                trials,
                f"failed: {reason}" if reason else f"score {figures['score']:.4f}",
                "none yet" if best is None else f"{best.score:.4f}, of trial {best.number}",
            )

    def trials(self) -> list[Trial]:
        """All that have ended, in order."""
        found = []
        for trial in self._ended():
            noted = self._noted(trial.number)
            score = trial.value if trial.state == TrialState.COMPLETE else None
            found.append(Trial(trial.number, self._values(trial.params), score, noted["figures"], noted["reason"]))
        return found

    def best(self) -> Trial | None:
        """The one with the highest score, of equals the first; None where none has a score."""
        ranked = ranking(self.trials())
        return ranked[0] if ranked else None

    def importances(self) -> dict[str, float]:
        """How much each setting counts for being among the best, adding up to 1; empty where that is not known.

        PED-ANOVA (Watanabe et al., 2023), which needs no forest of trees.
        """
        scored = {trial.score for trial in self.trials() if trial.score is not None}
        if len(ranking(self.trials())) < LEAST_FOR_IMPORTANCE or len(scored) < 2:
            return {}
        evaluator = PedAnovaImportanceEvaluator(target_quantile=_TOP)
        return {
            str(name): float(share) for name, share in get_param_importances(self._study, evaluator=evaluator).items()
        }

    def _next(self, done: int) -> tuple[int, dict[str, Value]]:
        """The trial that was cut off, else a new one."""
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if trial.params.keys() == self._space.keys():
                return trial.number, self._values(trial.params)
            # Cut off while it was being drawn: it is drawn again, and this one never counts.
            self._study.tell(trial.number, state=TrialState.FAIL)
        seed = int(np.random.SeedSequence((self._seed, done)).generate_state(1)[0])
        self._study.sampler = TPESampler(seed=seed)
        asked = self._study.ask({name: _distribution(item) for name, item in self._space.items()})
        return asked.number, self._values(asked.params)

    def _ended(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))

    def _values(self, drawn: Mapping[str, Any]) -> dict[str, Value]:
        return rounded({name: drawn[name] for name in self._space})

    def _folder_of(self, number: int) -> Path:
        return self._folder / f"trial-{number:04d}"

    def _note(self, number: int, figures: Mapping[str, float], reason: str) -> None:
        path = self._folder_of(number).with_suffix(".json")
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps({"figures": dict(figures), "reason": reason}), encoding="utf-8")
        temporary.replace(path)

    def _noted(self, number: int) -> dict[str, Any]:
        try:
            noted: dict[str, Any] = json.loads(self._folder_of(number).with_suffix(".json").read_text("utf-8"))
        except (OSError, ValueError):
            # Lost with the power; the score is in the journal.
            return {"figures": {}, "reason": "not known"}
        return noted


def _distribution(item: Range | Choice) -> BaseDistribution:
    if isinstance(item, Choice):
        return CategoricalDistribution(item.values)
    return FloatDistribution(item.least, item.most, log=item.by_factor)


def _drop_torn_record(journal: Path) -> None:
    """Cut off a last record that a full disk or a power failure left without its end; the next would be glued to it."""
    if not journal.exists():
        return
    text = journal.read_bytes()
    whole = text.rfind(b"\n") + 1
    if whole < len(text):
        os.truncate(journal, whole)


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"the study in {folder} cannot be read or written ({error.strerror or error}); next step: free space "
            "there, and the same command goes on"
        ) from error
