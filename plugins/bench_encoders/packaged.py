"""Weights that lie inside installed packages, each pinned by its SHA-256: of one author, and taken as they were."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bench.api import VerificationError


@dataclass(frozen=True)
class PackagedFile:
    """A file of a package.

    Attributes:
        package: the package's module, which is not imported: one of them prints when it is.
        name: the file's path in it; `archive.zip!member` for one inside a zip file.
        sha256: of the file, as it was when its vectors were compared.
        requirement: what pip calls the release that has it.
    """

    package: str
    name: str
    sha256: str
    requirement: str

    def read(self) -> bytes:
        """Returns the file's bytes.

        Raises: ImportError where the package is not installed; VerificationError for other bytes than expected.
        """
        spec = find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError(f"the package {self.requirement} is not installed", name=self.package)
        file, _, member = self.name.partition("!")
        path = Path(next(iter(spec.submodule_search_locations))) / file
        try:
            data = zipfile.ZipFile(path).read(member) if member else path.read_bytes()
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise self._other(f"cannot be read: {error}") from error
        digest = hashlib.sha256(data).hexdigest()
        if digest != self.sha256:
            raise self._other(f"has the SHA-256 {digest[:16]}…, expected {self.sha256[:16]}…")
        return data

    def _other(self, what: str) -> VerificationError:
        again = f"pip install --force-reinstall --no-deps '{self.requirement}'"
        return VerificationError(f"{self.name} of the package {self.package} {what}. Install it again: {again}")
