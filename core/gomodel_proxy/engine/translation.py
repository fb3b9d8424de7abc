"""From a caller's dialect to the provider's: native where both agree, else a translator.

A pair is looked up once through the hook and then remembered. Losses are reported or, in strict
mode, refused before anything is spent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire.later import later

from .headers import FORWARDED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gomodel_proxy.api import Dialect, Passage, Stepwise, Translator
    from gomodel_proxy.wire import hub

    from .account import Account
    from .assets import Asset, Inliner
else:
    (hub,) = later("gomodel_proxy.wire", "hub")

__all__ = ["LOSSY", "Lane", "Lanes", "lossy_header", "refuse_losses"]

LOSSY = "x-gomodel-lossy"
"""The header that tells a caller what was lost."""

_HEADER_LIMIT = 4096


class Lane:
    """How one account is spoken to by callers of one dialect; ``translator`` None is native.

    ``forwarded`` names the headers that go on to it.
    """

    __slots__ = ("_stepwise", "dialect", "forwarded", "translator")

    def __init__(self, dialect: Dialect, translator: Translator | None) -> None:
        self.dialect = dialect
        self.translator = translator
        self.forwarded = FORWARDED | dialect.headers
        two = hasattr(translator, "read") and hasattr(translator, "write")
        self._stepwise = cast("Stepwise", translator) if two else None

    async def begin(
        self,
        body: bytes,
        model: str,
        traits: Mapping[str, Any],
        assets: Inliner | None,
        fetched: dict[str, Asset],
    ) -> Passage:
        """Translate a request, with the media in it that the provider does not fetch.

        ``fetched`` keeps them from one attempt to the next; see `Inliner.inline`.
        """
        if self.translator is None:
            raise LookupError("there is nothing to translate on a native lane")
        if assets is None or self._stepwise is None:
            return self.translator.begin(body, model, traits)
        request = self._stepwise.read(body)
        await assets.inline(request, self._stepwise.remote, fetched)
        return self._stepwise.write(request, model, traits)


class Lanes:
    """Finds the lane of each account and dialect, once."""

    def __init__(
        self,
        dialects: Mapping[str, Dialect],
        translator: Callable[[str, str], Translator | None],
    ) -> None:
        self._dialects = dialects
        self._translator = translator
        self._pairs: dict[tuple[str, str], Translator | None] = {}
        self._lanes: dict[tuple[str, str], Lane | None] = {}

    def find(self, account: Account, dialect: Dialect) -> Lane | None:
        """Return the way to an account, None where it cannot be reached from this dialect."""
        key = (account.name, dialect.name)
        try:
            return self._lanes[key]
        except KeyError:
            lane = self._lanes[key] = self._choose(account, dialect)
            return lane

    def _choose(self, account: Account, dialect: Dialect) -> Lane | None:
        spoken = account.speaks.get(dialect.operation, ())
        if dialect.name in spoken:
            return Lane(dialect, None)
        for name in spoken:
            translator = self._pair(dialect.name, name)
            if translator is not None and name in self._dialects:
                return Lane(self._dialects[name], translator)
        return None

    def _pair(self, source: str, target: str) -> Translator | None:
        key = (source, target)
        if key not in self._pairs:
            self._pairs[key] = self._translator(source, target) or self._hub(source, target)
        return self._pairs[key]

    def _hub(self, source: str, target: str) -> Translator | None:
        """Join the codecs of both, which is what happens unless a plugin does better."""
        caller, provider = self._dialects[source].codec, self._dialects.get(target)
        if caller is None or provider is None or provider.codec is None:
            return None
        return hub.Hub(caller, provider.codec)


def refuse_losses(losses: Sequence[str]) -> None:
    """Raise `InvalidRequest` that names what a translation would lose."""
    if losses:
        raise InvalidRequest(
            f"This request would lose {', '.join(losses)} on its way to the provider, and strict "
            "mode is on. Leave these out, choose another provider, or switch strict mode off.",
            code="lossy_translation",
            param=losses[0].partition("(")[0],
        )


def lossy_header(losses: Sequence[str]) -> str:
    """Return the value of ``X-GoModel-Lossy``: ASCII, at most 4 KiB, cut between items."""
    text = ",".join(loss.encode("ascii", "backslashreplace").decode() for loss in losses)
    text = "".join(c if " " <= c <= "~" else "?" for c in text)
    if len(text) <= _HEADER_LIMIT:
        return text
    kept = text[: _HEADER_LIMIT - 4]
    return kept[: kept.rfind(",") + 1] + "..."
