import pytest

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy_sandbox.faults import Faults, parse, separate


def test_a_name_is_separated_from_its_faults():
    assert separate("sandbox-echo") == ("sandbox-echo", "")
    assert separate("sandbox-echo+cut=1+html") == ("sandbox-echo", "cut=1+html")


def test_all_kinds_of_values():
    faults = parse("cut=120+first=500ms+gap=2s+rate=50+malformed+1xx+continue=3+retry_after=2")
    assert faults == Faults(
        cut=120,
        first=0.5,
        gap=2.0,
        rate=50.0,
        malformed=True,
        hints=True,
        processing=3,
        retry_after="2",
    )
    assert faults.pause == 2.0
    assert parse("rate=50").pause == 0.02


def test_the_later_text_wins():
    assert parse("cut=1+html", "", "cut=2") == Faults(cut=2, html=True)


@pytest.mark.parametrize(
    "text",
    [
        "cutt=1",
        "cut",
        "cut=x",
        "cut=-1",
        "first=5min",
        "status=200",
        "size=99999999999",
        "rate=0",
        "chunk=0",
        "retry_after=1\r\nx: y",
        "=",
    ],
)
def test_what_nobody_knows_is_refused(text):
    with pytest.raises(InvalidRequest, match="sandbox fault"):
        parse(text)
