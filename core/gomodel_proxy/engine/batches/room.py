"""How many lines a provider may have executed here at once, and how many in a minute."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gomodel_proxy.config.settings import Batches as Settings
    from gomodel_proxy.engine.account import Account

__all__ = ["Room", "pause"]


def pause(said: float | None, times: int, settings: Settings) -> float:
    """Return the seconds until a line is tried again that was put off so many times before.

    What the provider has ``said`` counts, unless it would be asked all the time or as good as
    never again.
    """
    if said is not None:
        return min(max(said, settings.retry_wait), settings.poll_max)
    wait = min(settings.retry_wait * 2.0 ** min(times, 20), settings.retry_max_wait)
    return wait * random.uniform(0.8, 1.2)  # noqa: S311


class Room:
    """One provider's. Times are seconds of the loop's clock.

    ``width`` lines are executed at once. As many again are held ready, so that nobody waits for
    the store between two of them.
    """

    def __init__(self, account: Account) -> None:
        self.width = account.config.batch_concurrency
        self._rate = account.config.batch_rate / 60
        self._begun = float(max(1, account.config.batch_rate // 60))
        self._burst = self._begun
        self._seen = 0.0
        self._closed_until = 0.0
        self._refusals = 0
        self.running = 0
        self.held = 0

    def wanted(self, now: float) -> int:
        """Return how many more lines to lease."""
        if now < self._closed_until:
            return 0
        free = 2 * self.width - self.running - self.held
        if self._rate:
            self._refill(now)
            free = min(free, int(self._begun) - self.held)
        return max(0, free)

    def enter(self, now: float) -> bool:
        """Return whether one more line may begin now, and count it if so."""
        if self.running >= self.width or now < self._closed_until:
            return False
        if self._rate:
            self._refill(now)
            if self._begun < 1:
                return False
            self._begun -= 1
        self.running += 1
        return True

    def leave(self) -> None:
        """Count a line that is over."""
        self.running -= 1

    def close(self, until: float) -> None:
        """Begin no line before then: the provider has asked for patience."""
        self._closed_until = max(self._closed_until, until)

    def refused(self) -> int:
        """Count a refusal and return how many there were before it, since a line was served."""
        self._refusals += 1
        return self._refusals - 1

    def calm(self) -> None:
        """Forget refusals: a line was served."""
        self._refusals = 0

    def opens(self, now: float) -> float:
        """Return in how many seconds a line may begin, as far as time alone decides."""
        wait = max(0.0, self._closed_until - now)
        if self._rate and self._begun < 1:
            wait = max(wait, (1 - self._begun) / self._rate)
        return wait

    def _refill(self, now: float) -> None:
        if self._seen:
            self._begun = min(self._burst, self._begun + (now - self._seen) * self._rate)
        self._seen = now
