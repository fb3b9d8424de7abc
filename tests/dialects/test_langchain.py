"""LangChain's suite for chat models, through its two clients, over two upstream dialects.

The upstream is the sandbox, which speaks OpenAI's chat. A second gateway before it makes an
upstream of Anthropic's dialect, so those cells cross two gateways and Anthropic's codec both ways.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

from gomodel_proxy.testing.processes import GatewayProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gomodel_proxy.testing.processes import SandboxProcess

pytestmark = [
    # LangChain keeps one HTTP client for all tests, so they share a loop.
    pytest.mark.asyncio(loop_scope="session"),
    # The suite has tests of both kinds, and the mark above is for one of them.
    pytest.mark.filterwarnings("ignore:The test .* is marked with '@pytest.mark.asyncio'"),
    # LangChain's own: how it keeps what it parsed, what it thinks of pydantic's first version, of
    # files without a name (the suite's), and of fetching without saying who one is (we do not).
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema"),
    pytest.mark.filterwarnings("ignore:OpenAI may require a filename"),
    pytest.mark.filterwarnings("ignore:LANGCHAIN_TESTS_USER_AGENT"),
]

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
FILES = {"png": PIXEL, "pdf": b"%PDF-1.4\n%%EOF\n", "wav": b"RIFF\x24\0\0\0WAVEfmt "}
CONFIG = """
[server]
port = 0
[accounting]
journal = "{folder}/journal"
[store]
type = "sqlite"
path = "{folder}/gomodel.db"
[plugins]
enabled = ["anthropic"]
[providers.up]
type = "{type}"
base_url = "{url}/v1"
api_key = "sk-up-canary"
models = ["sandbox-tools", "sandbox-text"]
models_mode = "allowlist"
"""


@pytest.fixture(scope="module")
def gateways(
    sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Return the address of a gateway before an upstream of each dialect."""

    def start(type_: str, url: str, more: str = "") -> GatewayProcess:
        folder = tmp_path_factory.mktemp("gateway")
        file = folder / "config.toml"
        file.write_text(CONFIG.format(folder=folder, type=type_, url=url) + more)
        return GatewayProcess(file)

    with (
        start("openai_compatible", sandbox.url, 'speaks = ["openai.chat"]') as near,
        start("anthropic", near.url) as far,
    ):
        yield {"openai.chat": near.url, "anthropic.messages": far.url}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the files that the suite would fetch from the internet."""

    def get(url: str, **options: Any) -> httpx.Response:
        return httpx.Response(200, content=FILES[url.rpartition(".")[2]])

    monkeypatch.setattr(httpx, "get", get)


class Cell(ChatModelIntegrationTests):
    """Skipped in every cell: JSON mode, where the sandbox would have to read from the prompt which
    members are wanted, and the suite's time of a stream, which needs a cassette."""

    upstream: str

    @pytest.fixture(autouse=True)
    def _gateway(self, gateways: dict[str, str]) -> None:
        self.url = gateways[self.upstream]

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "sandbox-tools", "api_key": "any", "max_retries": 0}

    @property
    def model_override_value(self) -> str:
        return "sandbox-text"

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True


class OpenAICell(Cell):
    """OpenAI's client."""

    @property
    def chat_model_class(self) -> type[ChatOpenAI]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        # LangChain asks for a stream's usage by itself only where no base URL is set.
        given = {"base_url": f"{self.url}/v1", "stream_usage": True}
        return {**super().chat_model_params, **given}


class AnthropicCell(Cell):
    """Anthropic's client."""

    @property
    def chat_model_class(self) -> type[ChatAnthropic]:
        return ChatAnthropic

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {**super().chat_model_params, "base_url": self.url}

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True


class TestOpenAIOverOpenAI(OpenAICell):
    upstream = "openai.chat"

    @property
    def supports_audio_inputs(self) -> bool:
        return True


class TestOpenAIOverAnthropic(OpenAICell):
    """Anthropic's dialect has no sound, which is a 400."""

    upstream = "anthropic.messages"


class TestAnthropicOverOpenAI(AnthropicCell):
    """Anthropic's client cannot send sound."""

    upstream = "openai.chat"


class TestAnthropicOverAnthropic(AnthropicCell):
    """Likewise."""

    upstream = "anthropic.messages"
