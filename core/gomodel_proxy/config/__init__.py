"""Configuration: a TOML file, a mapping or the environment, to checked and frozen settings."""

from .configuration import Configuration, Notice, Opener
from .loading import load

__all__ = ["Configuration", "Notice", "Opener", "load"]
