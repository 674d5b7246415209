"""Anchors: texts written once outside the store. A bucket of Cloud Storage, and in local a folder."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from shared.ports import Anchors, AnchorsUnavailable


def anchors_at(place: str | None, project: str) -> Anchors:
    """The anchors of a setting: `gs://bucket`, a folder, or none that can be reached."""
    if place is None:
        return NoAnchors()
    bucket = place.removeprefix("gs://")
    return FolderAnchors(Path(place)) if bucket == place else BucketAnchors(project, bucket)


class NoAnchors(Anchors):
    """Where no place is set: whoever wants to anchor is told so."""

    def put(self, name: str, text: bytes) -> None:
        raise AnchorsUnavailable("AJO_ANCHORS is not set")

    def all(self) -> list[tuple[str, bytes]]:
        raise AnchorsUnavailable("AJO_ANCHORS is not set")


class FolderAnchors(Anchors):
    """A folder on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, text: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with (self._folder / name).open("xb") as file:
                file.write(text)
        except FileExistsError:
            return

    def all(self) -> list[tuple[str, bytes]]:
        return [(file.name, file.read_bytes()) for file in sorted(self._folder.glob("*"))]


class BucketAnchors(Anchors):
    """A bucket with a locked retention policy: Cloud Storage refuses to change or remove what is in it."""

    def __init__(self, project: str, bucket: str) -> None:
        self._project, self._name = project, bucket

    @cached_property
    def _bucket(self) -> Any:
        from google.cloud.storage import Client

        return Client(project=self._project).bucket(self._name)

    def put(self, name: str, text: bytes) -> None:
        from google.api_core.exceptions import GoogleAPIError, PreconditionFailed

        try:
            # Generation 0 means: only if there is none. It also makes the client's own retries harmless.
            self._bucket.blob(name).upload_from_string(
                text, content_type="application/jsonl", if_generation_match=0
            )
        except PreconditionFailed:
            return
        except GoogleAPIError as error:
            raise AnchorsUnavailable(self._name) from error

    def all(self) -> list[tuple[str, bytes]]:
        from google.api_core.exceptions import GoogleAPIError

        try:
            found = self._bucket.client.list_blobs(self._bucket)
            return sorted((blob.name, blob.download_as_bytes()) for blob in found)
        except GoogleAPIError as error:
            raise AnchorsUnavailable(self._name) from error
