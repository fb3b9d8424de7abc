import pytest

from gomodel_proxy_sandbox.delivery import Delivery
from gomodel_proxy_sandbox.faults import parse
from gomodel_proxy_sandbox.replies import Reply

EVENTS = (b"data: one\n\n", b"data: two\n\n", b"data: three\n\n")
ALL = b"".join(EVENTS)


def delivered(faults):
    delivery = Delivery(Reply(body=EVENTS, faults=parse(faults)))
    return list(delivery), delivery


def test_times():
    assert [wait for wait, _ in delivered("first=500ms+gap=20ms")[0]] == [0.5, 0.02, 0.02]
    assert [wait for wait, _ in delivered("rate=50")[0]] == [0, 0.02, 0.02]


@pytest.mark.parametrize("size", [1, 7, 11, 12, 30, 1000])
def test_chunks_are_the_same_bytes_in_other_pieces(size):
    pieces, delivery = delivered(f"chunk={size}")
    assert b"".join(data for _, data in pieces) == ALL
    assert {len(data) for _, data in pieces[:-1]} <= {size}
    assert 0 < len(pieces[-1][1]) <= size
    assert delivery.whole and delivery.framed


def test_chunks_keep_the_total_time():
    assert sum(wait for wait, _ in delivered("chunk=5+gap=1s+first=3s")[0]) == 5


@pytest.mark.parametrize("size", range(len(ALL) + 2))
@pytest.mark.parametrize("fault", ["cut", "cutframed"])
@pytest.mark.parametrize("chunk", ["", "+chunk=5"])
def test_a_cut_passes_exactly_its_bytes(size, fault, chunk):
    pieces, delivery = delivered(f"{fault}={size}{chunk}")
    assert b"".join(data for _, data in pieces) == ALL[:size]
    assert all(data for _, data in pieces)
    assert delivery.whole == (size > len(ALL))
    assert delivery.framed == (fault == "cutframed" or size > len(ALL))
