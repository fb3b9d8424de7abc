"""What plugins import: values, roles, codecs and errors; ``__all__`` lists everything public.

The neutral model has a module of its own, `gomodel_proxy.api.chat`.
"""

from . import batches, codecs, errors, files, history, roles, shipping, stored, values, views
from .batches import *  # noqa: F403
from .codecs import *  # noqa: F403
from .errors import *  # noqa: F403
from .files import *  # noqa: F403
from .history import *  # noqa: F403
from .roles import *  # noqa: F403
from .shipping import *  # noqa: F403
from .stored import *  # noqa: F403
from .values import *  # noqa: F403
from .views import *  # noqa: F403

__all__: list[str] = []
__all__ += batches.__all__
__all__ += codecs.__all__
__all__ += errors.__all__
__all__ += files.__all__
__all__ += history.__all__
__all__ += roles.__all__
__all__ += shipping.__all__
__all__ += stored.__all__
__all__ += values.__all__
__all__ += views.__all__
