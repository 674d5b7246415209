"""The same documents read and committed by Google's client alone: what our use cases stand beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from google.cloud import firestore

from shared.ports import Create, Delete, Increment, Put, Update, Write


def reads_and_commits(
    client: firestore.Client, paths: Sequence[str], batches: Sequence[Sequence[Write]]
) -> Callable[[], None]:
    """One get_all of these documents, then each batch, made ready beforehand but for the update times."""
    references = [client.document(path) for path in paths]
    ready = [[(write, client.document(write.path), _data(write)) for write in batch] for batch in batches]

    def run() -> None:
        times = {one.reference.path: one.update_time for one in client.get_all(references)}
        for batch in ready:
            commit = client.batch()
            for write, reference, data in batch:
                _add(client, commit, write, reference, data, times)
            commit.commit()

    return run


def _data(write: Write) -> Any:
    if not isinstance(write, Increment):
        return None if isinstance(write, Delete) else dict(write.data)
    data: dict[str, Any] = {}
    for names, amount in write.amounts.items():
        holder = data
        for name in names[:-1]:
            holder = holder.setdefault(name, {})
        holder[names[-1]] = firestore.Increment(amount)
    return data


def _add(
    client: firestore.Client, commit: Any, write: Write, reference: Any, data: Any, times: dict[str, Any]
) -> None:
    match write:
        case Create():
            commit.create(reference, data)
        case Update():
            commit.update(reference, data, option=client.write_option(last_update_time=times[write.path]))
        case Increment():
            commit.set(reference, data, merge=True)
        case Put():
            commit.set(reference, data)
        case Delete():
            commit.delete(reference)
