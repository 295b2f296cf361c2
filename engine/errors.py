"""What can go wrong, as people should read it.

Every failure that a person can cause or meet is an :class:`EngineError` whose text names
the thing, the cause and, where there is one, the remedy. :class:`Cancelled` is not an error.
"""

from __future__ import annotations

from pathlib import Path


class EngineError(Exception):
    """A failure with a message fit for people: one plain line, no traceback needed.

    `message` says what is wrong, `path` names the file concerned, `hint` says what to do.
    """

    def __init__(self, message: str, *, path: str | Path | None = None, hint: str = "") -> None:
        super().__init__(message, str(path) if path is not None else None, hint)
        self.message = message
        self.path = Path(path) if path is not None else None
        self.hint = hint

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path is not None else ""
        return f"{where}{self.plain}"

    def __reduce__(self) -> tuple:
        return (_rebuild, (type(self), self.message, self.path, self.hint))

    @property
    def plain(self) -> str:
        """The text without the file's name, for where that stands beside it."""
        return self.message + (f" ({self.hint})" if self.hint else "")

    def at(self, path: str | Path) -> EngineError:
        """The same error naming `path`, if it named no file yet."""
        return self if self.path is not None else _rebuild(type(self), self.message, Path(path), self.hint)


def _rebuild(kind: type[EngineError], message: str, path: Path | None, hint: str) -> EngineError:
    return kind(message, path=path, hint=hint)


class UsageError(EngineError):
    """What was asked for makes no sense: an unknown codec, a setting out of range."""


class UnknownFormat(EngineError):
    """No reader recognises this content."""


class CorruptStream(EngineError):
    """The content is of a known format, but truncated, altered or inconsistent."""


class Unsupported(EngineError):
    """Valid, but beyond what this codec or reader carries."""


class LimitExceeded(EngineError):
    """The work would need more memory or pixels than the limit that is set."""


class CodecUnavailable(EngineError):
    """The codec cannot run here; the message says what is missing."""


class CodecFailed(EngineError):
    """A codec library or program failed on valid input."""


class TargetUnreachable(EngineError):
    """No setting of the codec meets the target; the message gives the nearest point."""


class Cancelled(Exception):
    """Work was given up because somebody asked for it; never shown as an error."""
