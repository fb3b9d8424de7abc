"""What plugins import: values, roles, codecs and errors; ``__all__`` lists everything public.

The neutral model has a module of its own, `gomodel_proxy.api.chat`.
"""

from . import codecs, errors, history, roles, stored, values
from .codecs import *  # noqa: F403
from .errors import *  # noqa: F403
from .history import *  # noqa: F403
from .roles import *  # noqa: F403
from .stored import *  # noqa: F403
from .values import *  # noqa: F403

__all__: list[str] = []
__all__ += codecs.__all__
__all__ += errors.__all__
__all__ += history.__all__
__all__ += roles.__all__
__all__ += stored.__all__
__all__ += values.__all__
