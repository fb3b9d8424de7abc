"""The account: settings, addresses, signatures, refusals, listings."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import botocore.auth
import msgspec
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.session import Session

from gomodel_proxy import hookspecs
from gomodel_proxy.api import Ask, ConfigError, Price, Secret
from gomodel_proxy_bedrock import GOMODEL_API, BedrockConfig, gomodel_providers
from gomodel_proxy_bedrock.data import published_prices, published_traits
from gomodel_proxy_bedrock.signing import Key, Signer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RUNTIME = SimpleNamespace(name="bedrock", base=Path(), log=None)
ARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/otnfa2ysixqd"
TYPED = {"__type": "aws#ResourceNotFoundException", "message": "It is not here."}
ACCESS = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret/canary"}


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def config(**settings: Any) -> BedrockConfig:
    def secret(type_: type, value: Any) -> Any:
        return Secret(value) if type_ is Secret else value

    return msgspec.convert({"type": "bedrock", **settings}, BedrockConfig, dec_hook=secret)


@asynccontextmanager
async def account(**settings: Any) -> AsyncIterator[Any]:
    (kind,) = gomodel_providers()
    async with kind.open(config(**settings), RUNTIME) as opened:
        yield opened


def ask(model: str = "m", **members: Any) -> Ask:
    given = {"operation": "chat", "dialect": "bedrock.converse", "stream": False, "body": b"{}"}
    return Ask(model=model, **(given | members))


def test_the_kind() -> None:
    (kind,) = gomodel_providers()
    assert (kind.name, kind.config) == ("bedrock", BedrockConfig)
    assert hookspecs.API == GOMODEL_API
    assert not config().keyless
    assert config(**ACCESS).keyless
    assert config(aws_credentials=True).keyless


async def test_an_api_key_needs_no_signature() -> None:
    async with account(api_key="key-canary", region="eu-west-1") as one:
        sent = one.request(ask("amazon.nova-pro-v1:0"))
        streamed = one.request(ask(ARN, stream=True))
        invoked = one.request(ask("cohere.embed-v4:0", dialect="bedrock.embed"))
    assert dict(sent.headers) == {
        "content-type": "application/json",
        "authorization": "Bearer key-canary",
    }
    assert sent.extra == ()
    root = "https://bedrock-runtime.eu-west-1.amazonaws.com/model"
    assert sent.url == f"{root}/amazon.nova-pro-v1%3A0/converse"
    profile = "application-inference-profile%2Fotnfa2ysixqd"
    arn = f"arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3A{profile}"
    assert streamed.url == f"{root}/{arn}/converse-stream"
    assert invoked.url == f"{root}/cohere.embed-v4%3A0/invoke"
    assert sent.headers is streamed.headers
    assert "canary" not in repr(one) + repr(sent)
    assert [secret.reveal() for secret in one.secrets] == ["key-canary"]


async def test_a_request_is_signed_when_it_is_made() -> None:
    async with account(**ACCESS, session_token="token", headers={"X-Team": "a"}) as one:
        sent = one.request(ask(headers=(("x-request-id", "r"), ("x-team", "b"))))
    assert dict(sent.headers) == {"content-type": "application/json", "x-team": "a"}
    extra = dict(sent.extra)
    assert extra["x-request-id"] == "r"
    assert extra["x-amz-security-token"] == "token"
    assert extra["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "x-team" not in extra
    assert "secret/canary" not in str(sent.extra)


@pytest.mark.parametrize("operation", ["converse", "converse_stream"])
@pytest.mark.parametrize("model", ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", ARN])
@pytest.mark.parametrize("token", [None, "session-token"])
def test_a_signature_is_the_one_botocore_makes(
    operation: str, model: str, token: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[Any] = []

    def instead(request: Any, **_: Any) -> AWSResponse:
        caught.append(request)
        raw = SimpleNamespace(stream=lambda: iter([b"{}"]), read=lambda *_: b"")
        return AWSResponse(request.url, 200, {}, raw)

    moment = botocore.auth.get_current_datetime()
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: moment)
    client = Session().create_client(
        "bedrock-runtime",
        region_name="us-west-2",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        aws_session_token=token,
        config=Config(signature_version="v4"),
    )
    client.meta.events.register("before-send.*.*", instead)
    getattr(client, operation)(
        modelId=model, messages=[{"role": "user", "content": [{"text": "Hé"}]}]
    )
    (request,) = caught

    def text(value: Any) -> str:
        return value.decode() if isinstance(value, bytes) else str(value)

    theirs = {name.lower(): text(value) for name, value in request.headers.items()}
    signed = theirs["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    own = ("host", "x-amz-date", "x-amz-security-token")
    given = tuple((name, theirs[name]) for name in signed if name not in own)
    signer = Signer("us-west-2", lambda: Key("AKIDEXAMPLE", "secret", token))
    ours = dict(signer.sign(request.method, request.url, given, request.body))
    assert ours == {name: theirs[name] for name in ours}
    assert ("x-amz-security-token" in ours) == (token is not None)


async def test_the_region_of_the_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    async with account(api_key="k") as one:
        assert one.request(ask()).url.startswith("https://bedrock-runtime.us-east-1.")
    monkeypatch.setenv("AWS_REGION", "ap-south-1")
    async with account(api_key="k") as one:
        assert one.request(ask()).url.startswith("https://bedrock-runtime.ap-south-1.")
    async with account(api_key="k", base_url="https://vpce.example/x/") as one:
        assert one.request(ask()).url == "https://vpce.example/x/model/m/converse"


async def test_credentials_of_the_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="No AWS credentials"):
        async with account(aws_credentials=True):
            pass
    with pytest.raises(ConfigError, match="nobody"):
        async with account(aws_credentials=True, profile="nobody"):
            pass
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDFOUND")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "found-canary")
    async with account(aws_credentials=True) as one:
        assert "Credential=AKIDFOUND/" in dict(one.request(ask()).extra)["authorization"]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"access_key_id": "AKID"}, "secret_access_key"),
        ({"api_key": "k", "list_models": "all"}, "list_models"),
        ({"api_key": "k", "base_url": "bedrock"}, "base_url"),
        ({"api_key": "k\n"}, "authorization"),
    ],
)
async def test_settings_that_cannot_be(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        async with account(**settings):
            pass


@pytest.mark.parametrize(
    ("status", "type_", "body", "kind", "message", "retry"),
    [
        (400, "ValidationException:http://x/", {"message": "A"}, "invalid_request_error", "A", 0),
        (403, "AccessDeniedException", {"Message": "No."}, "permission_error", "No.", 0),
        (403, "ExpiredTokenException", {"message": "Old."}, "authentication_error", "Old.", 0),
        (429, "ThrottlingException", {"message": "Slow."}, "rate_limit_error", "Slow.", 1),
        (404, "", TYPED, "not_found_error", "It is not here.", 0),
        (500, "InternalServerException", {"message": None}, "upstream_error", "500", 0),
    ],
)
async def test_refusals(
    status: int, type_: str, body: Any, kind: str, message: str, retry: int
) -> None:
    headers = (("x-amzn-ErrorType", type_),) if type_ else ()
    async with account(api_key="k") as one:
        error = one.failure(status, headers, json.dumps(body).encode())
    named = type_.partition(":")[0] or "ResourceNotFoundException"
    assert (error.status, error.kind, error.code) == (status, kind, named)
    assert message in error.message
    assert error.retry == bool(retry)
    assert error.body == b""


async def test_a_refusal_in_another_shape() -> None:
    async with account(api_key="k") as one:
        error = one.failure(502, (), b"<html><body>Bad gateway</body></html>")
    assert (error.status, error.message, error.code) == (502, "Bad gateway", None)


# ------------------------------------------------------------------------------
# Models
# ------------------------------------------------------------------------------


async def test_models_are_listed_where_that_is_wanted() -> None:
    async with account(api_key="k") as one:
        assert one.models_request() is None
    async with account(**ACCESS, region="eu-west-1", list_models="foundation-models") as one:
        sent = one.models_request()
    assert sent.method == "GET"
    assert sent.url.startswith("https://bedrock.eu-west-1.amazonaws.com/foundation-models?")
    assert "/eu-west-1/bedrock/aws4_request" in dict(sent.extra)["authorization"]


async def test_listings() -> None:
    nova = {"modelId": "amazon.nova-pro-v1:0", "providerName": "Amazon", "modelName": "Nova Pro"}
    embed = {"modelId": "cohere.embed-v4:0", "outputModalities": ["EMBEDDING"]}
    profile = {"inferenceProfileId": "us.amazon.nova-pro-v1:0", "status": "ACTIVE"}
    async with account(api_key="k", models=[ARN]) as one:
        models = one.models_reply(json.dumps({"modelSummaries": [nova, embed, {}]}).encode())
        profiles = one.models_reply(json.dumps({"inferenceProfileSummaries": [profile]}).encode())
        for wrong in (b"[]", b"{}", b"no"):
            with pytest.raises(ValueError, match=r".+"):
                one.models_reply(wrong)
    assert [model.id for model in models] == ["amazon.nova-pro-v1:0", "cohere.embed-v4:0", ARN]
    assert (models[0].owned_by, models[1].operations) == ("Amazon", ("embeddings",))
    assert [model.id for model in profiles] == ["us.amazon.nova-pro-v1:0", ARN]


def price(model: str) -> Price | None:
    """Return a model's price as the gateway finds it: the longest pattern goes first."""
    published, _ = published_prices()
    fitting = [name for name in published if fnmatchcase(model, name)]
    return published[max(fitting, key=len)] if fitting else None


@pytest.mark.parametrize(
    ("model", "member", "amount"),
    [
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "input", "3"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "input", "3.3"),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", "cache_read", "0.11"),
        ("eu.amazon.nova-micro-v1:0", "output", "0.14"),
        ("global.anthropic.claude-opus-5-5-v1", "input", "4"),
    ],
)
def test_prices_are_those_of_the_place(model: str, member: str, amount: str) -> None:
    assert getattr(price(model), member) == amount


def test_an_unknown_model_has_no_price() -> None:
    assert price("nobody.knows-v1:0") is None


def test_traits_are_for_families_in_order() -> None:
    assert list(published_traits()["*anthropic.claude-*"])
    for name, family in published_traits().items():
        assert family, name
