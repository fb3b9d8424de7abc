"""``python -m gomodel_proxy``."""

import sys

from .cli import main

sys.exit(main())
