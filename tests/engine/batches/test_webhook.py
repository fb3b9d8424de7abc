"""What may be told of a batch's end, and how it is signed."""

from __future__ import annotations

import base64

import pytest
import standardwebhooks

from gomodel_proxy.api import ConfigError, InvalidRequest, Secret
from gomodel_proxy.config.settings import Batches
from gomodel_proxy.engine.batches.webhook import check_url, key, signature
from gomodel_proxy.engine.ids import now

SECRET = Secret("whsec_" + base64.b64encode(bytes(range(32))).decode())


def test_the_reference_library_accepts_the_signature() -> None:
    stamp, body = now() // 1_000_000, b'{"type":"batch.completed"}'
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": signature(SECRET, "msg_1", stamp, body),
    }
    webhook = standardwebhooks.Webhook(SECRET.reveal())
    assert webhook.verify(body.decode(), headers) == {"type": "batch.completed"}
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        webhook.verify(body.decode() + " ", headers)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_!!", "whsec_c2hvcnQ="])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ConfigError, match=r"batches\.webhook_secret"):
        key(Secret(secret))


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://hooks.example.com/a?b=c", True),
        ("http://HOOKS.example.com/", True),
        ("http://local.test:8080/x", True),
        ("https://a.wild.example.org/", True),
        ("https://wild.example.org/", False),
        ("https://evilwild.example.org/", False),
        ("https://hooks.example.com.evil.com/", False),
        ("https://other.example.com/", False),
        ("https://user:pw@hooks.example.com/", False),
        ("ftp://hooks.example.com/", False),
        ("hooks.example.com", False),
        ("https:///x", False),
        ("https://[hooks.example.com/", False),
        ("https://hooks.example.com:port/", False),
        ("https://hooks.example.com/a b", False),
    ],
)
def test_only_configured_hosts_are_told(url: str, allowed: bool) -> None:
    settings = Batches(
        webhook_hosts=["hooks.example.com", "local.test:8080", "*.wild.example.org"],
        webhook_secret=SECRET,
    )
    if allowed:
        check_url(url, settings)
        return
    with pytest.raises(InvalidRequest) as caught:
        check_url(url, settings)
    assert caught.value.param == "metadata.gomodel_webhook_url"


def test_without_a_secret_nothing_can_be_told() -> None:
    with pytest.raises(InvalidRequest, match="webhook_secret"):
        check_url("https://x.example.com/", Batches(webhook_hosts=["x.example.com"]))
