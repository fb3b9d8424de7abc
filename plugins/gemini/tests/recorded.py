"""Recorded traffic, and what a recording says in plain values."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parents[4] / "shared" / "recorded"


def load(file: str) -> Any:
    return json.loads((RECORDED / file).read_text(encoding="utf-8"))


def files(dialect: str) -> list[str]:
    if not RECORDED.is_dir():
        return []
    lines = (RECORDED / "INDEX.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    return [row[1] for row in rows if row[3] == dialect]


def chunks(body: str) -> list[Any]:
    return [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: {")]


@dataclass
class Said:
    """The only candidate of a recording."""

    text: str = ""
    thoughts: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    finish: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    sources: list[Any] = field(default_factory=list)


def said(recording: Any) -> Said:
    body = recording["body"]
    out = Said()
    for reply in chunks(body) if recording["stream"] else [json.loads(body)]:
        out.usage = reply.get("usageMetadata", out.usage)
        (candidate,) = reply["candidates"]
        out.finish = candidate.get("finishReason", out.finish)
        grounding = candidate.get("groundingMetadata", {})
        for support in grounding.get("groundingSupports", []):
            for number in support["groundingChunkIndices"]:
                out.sources.append((grounding["groundingChunks"][number], support["segment"]))
        for part in candidate.get("content", {}).get("parts", []):
            if "functionCall" in part:
                out.calls.append((part["functionCall"]["name"], part["functionCall"]["args"]))
            elif part.get("thought"):
                out.thoughts += part.get("text", "")
            else:
                out.text += part.get("text", "")
    return out
