"""Which task brought which classes, for learners that are told the task of a test sample."""

from __future__ import annotations

from collections.abc import Sequence

from dlm_snn.errors import DlmError


class Tasks:
    """The tasks that have begun.

    Args:
        n_tasks: how many may come.
        learner: its name, for what is refused.
    """

    def __init__(self, n_tasks: int, learner: str) -> None:
        self.n_tasks, self._learner = n_tasks, learner
        self._begun: list[frozenset[int]] = []

    def begin(self, classes: Sequence[int]) -> None:
        """A task with these classes begins.

        Raises:
            DlmError: a task too many, or classes that an earlier task brought.
        """
        if len(self._begun) == self.n_tasks:
            raise DlmError(f"learner '{self._learner}' was made for {self.n_tasks} tasks; one more begins")
        known = frozenset[int]().union(*self._begun)
        if known & set(classes):
            raise DlmError(
                f"learner '{self._learner}' tells tasks by their classes, and {sorted(known & set(classes))} came "
                "before; use a split protocol"
            )
        self._begun.append(frozenset(classes))

    @property
    def present(self) -> int:
        """Index of the task that began last.

        Raises:
            DlmError: none has begun.
        """
        if not self._begun:
            raise DlmError(f"learner '{self._learner}' is told boundaries; call begin_task(classes) first")
        return len(self._begun) - 1

    def of(self, classes: Sequence[int]) -> int:
        """Index of the task that brought these classes.

        Raises:
            DlmError: no such task has begun.
        """
        if frozenset(classes) not in self._begun:
            raise DlmError(f"learner '{self._learner}' has met no task with the classes {sorted(classes)}")
        return self._begun.index(frozenset(classes))
