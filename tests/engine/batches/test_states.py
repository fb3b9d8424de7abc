"""The life of a batch."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gomodel_proxy.api import Batch, BatchError, Outcome, Shipment, Spent, Webhook
from gomodel_proxy.engine.batches import states

LATE = 10_000  # later than all batches expire


def batch(**members: object) -> Batch:
    given = {
        "id": "batch_1",
        "owner": "a",
        "user_path": "/",
        "created": 1,
        "expires": 1000,
        "input_file": "file-1",
        "taken": 3,
    }
    return Batch(**{**given, **members})  # type: ignore[arg-type]


def outcome(index: int, *, failed: bool = False, **members: object) -> Outcome:
    given = {"result": b"12345", "status_code": 400 if failed else 200, "token": 1}
    return Outcome(batch="batch_1", index=index, failed=failed, **{**given, **members})  # type: ignore[arg-type]


def test_it_is_complete_when_every_line_has_a_result() -> None:
    it = states.begun(batch(), 10, LATE)
    assert (it.status, it.total, it.in_progress_at, it.due) == ("in_progress", 3, 10, 1000)
    it = states.counted(it, [outcome(0), outcome(1, failed=True)], 20)
    assert (it.status, it.completed, it.failed, it.due) == ("in_progress", 1, 1, 1000)
    assert (it.output_size, it.error_size) == (6, 6)
    it = states.counted(it, [outcome(2)], 30)
    assert (it.status, it.finalizing_at, it.due) == ("finalizing", 30, 30)
    it = states.finished(it, it, 6, ("file-o", "file-e"), 40)
    assert (it.status, it.completed_at, it.due) == ("completed", 40, None)
    assert (it.output_file, it.error_file) == ("file-o", "file-e")
    assert states.finished(it, it, 0, (None, None), 50) is it


def test_it_expires_with_what_it_has() -> None:
    it = states.counted(states.begun(batch(), 10, LATE), [outcome(0)], 20)
    it = states.ending(it, 1001)
    assert (it.status, it.finalizing_at, it.due) == ("finalizing", 1001, 1001)
    it = states.counted(it, [outcome(1)], 1002)  # was under way
    assert (it.status, it.completed) == ("finalizing", 2)
    assert states.finished(it, it, 9, ("o", "e"), 1003).status == "expired"


def test_it_is_cancelled_with_what_it_has_even_if_all_came_in() -> None:
    it = states.cancelling(states.begun(batch(), 10, LATE), 20)
    assert (it.status, it.cancelling_at, it.due) == ("cancelling", 20, 20)
    assert states.cancelling(it, 25) is it
    it = states.counted(it, [outcome(0), outcome(1), outcome(2)], 30)
    assert (it.status, it.due) == ("cancelling", 30)
    it = states.finished(it, it, 0, ("o", None), 40)
    assert (it.status, it.cancelled_at) == ("cancelled", 40)
    assert states.cancelling(it, 50) is it


def test_cancelled_before_it_was_read_whole_it_has_the_lines_that_were() -> None:
    it = states.cancelling(batch(), 20)
    assert states.begun(it, 25, LATE) is it
    assert states.finished(it, it, 9, (None, "e"), 40).total == 3


def test_it_is_not_ended_on_counts_that_have_changed() -> None:
    it = states.cancelling(states.begun(batch(), 10, LATE), 20)
    later = states.counted(it, [outcome(0)], 30)
    again = states.finished(later, it, 0, (None, None), 40)
    assert (again.status, again.due) == ("cancelling", 40)


def test_a_fault_fails_it_and_nothing_is_left_to_send() -> None:
    shipment = Shipment(number=0, provider="p", model="", dialect="d", mark="m")
    it = batch(shipments=(shipment,), webhook=Webhook(url="https://x"))
    it = states.refused(it, [BatchError(code="c", message="m", line=2)], 10)
    assert (it.status, it.failed_at, it.total, it.shipments) == ("failed", 10, 0, ())
    assert it.due == 10  # somebody is to be told


def test_a_shipment_that_is_not_settled_keeps_it_open() -> None:
    shipment = Shipment(number=0, provider="p", model="", dialect="d", mark="m", state="ended")
    it = states.begun(batch(shipments=(shipment,), taken=1), 10, LATE)
    assert it.due == 10
    it = states.counted(it, [outcome(0, shipment=0)], 20)
    assert (it.status, it.due, it.shipments[0].settled) == ("in_progress", 20, 1)
    it = states.shipped(it, replace(it.shipments[0], state="settled"), 30)
    assert not states.unshipped(it)
    assert states.ending(it, 30).status == "finalizing"


def test_costs_add_up_and_one_unknown_makes_the_sum_unknown() -> None:
    known = Spent(input_tokens=1, output_tokens=2, input_cost=3, output_cost=4, total_cost=7)
    it = states.counted(
        states.begun(batch(), 1, LATE), [outcome(0, spent=known), outcome(1, spent=known)], 2
    )
    assert it.spent == Spent(
        input_tokens=2, output_tokens=4, input_cost=6, output_cost=8, total_cost=14
    )
    unknown = Spent(input_tokens=1, output_tokens=2, input_cost=3, output_cost=None)
    it = states.counted(it, [outcome(2, spent=unknown)], 3)
    assert (it.spent.input_cost, it.spent.output_cost) == (9, None)


def test_models_and_providers_are_named_once() -> None:
    it = states.begun(batch(), 1, LATE)
    it = states.counted(it, [outcome(0, model="m", provider="p"), outcome(1, model="m")], 2)
    assert (it.models, it.providers) == (("m",), ("p",))


@pytest.mark.parametrize(("error", "delivered"), [(None, 5), ("status 500", None)])
def test_a_try_to_tell_is_noted(error: str | None, delivered: int | None) -> None:
    it = states.told(batch(webhook=Webhook(url="https://x")), 5, 9, error)
    assert it.webhook is not None
    assert (it.webhook.tries, it.webhook.delivered, it.webhook.error) == (1, delivered, error)
    assert it.due == 9


def test_long_results_are_read_by_the_few() -> None:
    ended = {"status": "completed", "total": 100, "completed": 100}
    assert states.at_once(batch(**ended, output_size=50_000)) == 1000
    assert states.at_once(batch(**ended, output_size=100 << 20)) == 4
    assert states.at_once(batch(**ended, output_size=100 << 30)) == 1
    mixed = batch(total=4, completed=2, failed=2, output_size=2_000, error_size=16 << 20)
    assert states.at_once(mixed) == 1
    assert states.at_once(mixed, failed=False) == 1000
    assert states.at_once(mixed, failed=True) == 1


def test_a_line_that_came_to_nothing_makes_its_errors_no_longer() -> None:
    cancelled = batch(status="cancelled", total=1_000_000, failed=1, error_size=200_000_000)
    assert states.at_once(cancelled, failed=True) == 1000


def test_who_is_gone_is_told_of_until_he_is_back_or_not_needed() -> None:
    it = states.begun(batch(), 10, 100)
    assert it.due == 100
    it = states.awaiting(it, ["acme"], 200)
    assert [(error.code, error.param) for error in it.errors] == [("provider_gone", "acme")]
    assert it.due == 200
    assert states.awaiting(it, ["acme"], 300).errors == it.errors
    assert states.awaiting(it, [], LATE).errors == ()
    assert states.awaiting(it, [], LATE).due == 1000
    assert states.ending(it, 1001).errors == it.errors
    assert states.counted(it, [outcome(n) for n in range(3)], 50).errors == ()
