"""Whether settings were chosen on held-out data: on videos that a task does not test on."""

from __future__ import annotations

from bench.catalogue.lookup import Session
from bench.errors import DataError
from bench.study.study_file import Study


def blind_tasks(session: Session, study: Study) -> frozenset[str]:
    """Returns the tasks that test on none of the videos on which a study chooses; none where it chooses on no task.

    Videos are compared, not names of splits: the two validation files of ActivityNet Captions hold the same videos.
    """
    if not study.choose_on:
        return frozenset()
    others = [task for task in study.asked.tasks if task != study.choose_on]
    return frozenset(task for task in others if not _share_videos(session, task, study.choose_on))


def _share_videos(session: Session, one: str, other: str) -> bool:
    first, second = session.catalogue.task(one), session.catalogue.task(other)
    try:
        datasets = session.dataset(first.dataset), session.dataset(second.dataset)
        if datasets[0].declaration.root != datasets[1].declaration.root:
            return False
        ids = [
            set(dataset.columns(task.split)["video_id"])
            for dataset, task in zip(datasets, (first, second), strict=True)
        ]
    except DataError:  # the data are elsewhere: names are all there is
        return (first.dataset, first.split) == (second.dataset, second.split)
    return bool(ids[0] & ids[1])
