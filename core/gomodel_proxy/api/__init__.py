"""What plugins import: values, roles and errors. Everything public is listed in ``__all__``."""

from . import errors, roles, values
from .errors import *  # noqa: F403
from .roles import *  # noqa: F403
from .values import *  # noqa: F403

__all__: list[str] = []
__all__ += errors.__all__
__all__ += roles.__all__
__all__ += values.__all__
