"""Which vendors take batches, and what each does its own way.

* groq: console.groq.com/docs/batch (22 November 2026). Chat only.
* azure: learn.microsoft.com/azure/foundry/openai/how-to/batch (22 November 2026). The model is the
  name of a deployment of the type global batch or data zone batch, one in each file.
* mistral: docs.mistral.ai/capabilities/batch (22 November 2026); see `MistralShipping`.
* xai: docs.x.ai/developers/advanced-api-usage/batch-api (22 November 2026); see `XaiShipping`.
"""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from gomodel_proxy.wire.openai_shipping import URLS, OpenAIBatches, OpenAIShipping

from .mistral import MistralShipping
from .xai import XaiShipping

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gomodel_proxy.api import Shipping
    from gomodel_proxy.wire.openai_shipping import Errands

__all__ = ["KINDS"]

_GROQ: Final = OpenAIBatches(urls={"openai.chat": URLS["openai.chat"]}, by_model=False)
_AZURE: Final = OpenAIBatches(
    urls={dialect: URLS[dialect] for dialect in ("openai.chat", "openai.responses")}, lines=100_000
)

KINDS: Final[Mapping[str, Callable[[Errands], Shipping]]] = MappingProxyType(
    {
        "openai": OpenAIShipping,
        "azure": partial(OpenAIShipping, batches=_AZURE),
        "groq": partial(OpenAIShipping, batches=_GROQ),
        "mistral": MistralShipping,
        "xai": XaiShipping,
    }
)
"""By the setting ``batches``: what hands lines over."""
