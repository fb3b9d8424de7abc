"""What a store must do with responses and conversations, as tests to inherit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import (
    ItemPage,
    Page,
    StoredConversation,
    StoredItem,
    StoredResponse,
)

from .store_case import StoreCase

if TYPE_CHECKING:
    from pathlib import Path

    from gomodel_proxy.api import Responses, Store

NOW = time.time_ns() // 1000
"""Stores forget what is old, so these are not."""


def response(id_: str, **members: Any) -> StoredResponse:
    """Return a response; name only the members that matter."""
    given: dict[str, Any] = {
        "owner": "key_a",
        "user_path": "/",
        "provider": "acme",
        "model": "large",
        "created": NOW,
        "input": b'[{"type":"message"}]',
        "response": b'{"object":"response"}',
    }
    return StoredResponse(id=id_, **{**given, **members})


def conversation(id_: str, **members: Any) -> StoredConversation:
    """Return a conversation; name only the members that matter."""
    given: dict[str, Any] = {"owner": "key_a", "user_path": "/", "created": NOW}
    return StoredConversation(id=id_, **{**given, **members})


def items(*numbers: int) -> list[StoredItem]:
    """Return numbered items."""
    return [StoredItem(f"msg_{n}", b'{"n":%d}' % n) for n in numbers]


def responses_of(store: Store) -> Responses:
    """Return the store's responses; the suite needs them."""
    assert store.responses is not None
    return store.responses


def names(page: ItemPage | None) -> list[str]:
    """Return the ids on a page."""
    assert page is not None
    return [item.id for item in page.items]


@pytest.mark.asyncio
class ResponsesSuite(StoreCase):
    """Responses, the chains they make, and conversations."""

    async def test_a_response_is_its_owners(self, tmp_path: Path) -> None:
        """The owner and admins find it, whole; to others it does not exist."""
        kept = response("resp_1", user_path="/a", previous=None, conversation=None)
        async with self.open_store(tmp_path) as store:
            responses = responses_of(store)
            await responses.save(kept)
            assert await responses.find("resp_1", "key_a") == kept
            assert await responses.find("resp_1", None) == kept
            assert await responses.find("resp_1", "key_b") is None
            assert await responses.find("resp_2", "key_a") is None
            assert not await responses.delete("resp_1", "key_b")
            assert await responses.chain("resp_1", "key_b") == []
            assert await responses.find("resp_\udce9", None) is None
        async with self.open_store(tmp_path) as store:
            assert await responses_of(store).find("resp_1", "key_a") == kept

    async def test_a_chain_is_read_from_its_beginning(self, tmp_path: Path) -> None:
        """Each turn goes on from the one before; two may go on from the same."""
        async with self.open_store(tmp_path) as store:
            responses = responses_of(store)
            first, second = response("resp_1"), response("resp_2", previous="resp_1")
            third, other = (response(f"resp_{n}", previous="resp_2") for n in (3, 4))
            for one in (first, second, third, other):
                await responses.save(one)
            assert await responses.chain("resp_3", "key_a") == [first, second, third]
            assert await responses.chain("resp_4", None) == [first, second, other]
            assert await responses.chain("resp_1", "key_a") == [first]

    async def test_a_deleted_response_stays_part_of_what_came_after(self, tmp_path: Path) -> None:
        """It cannot be found or gone on from, until the last that goes on from it goes too."""
        async with self.open_store(tmp_path) as store:
            responses = responses_of(store)
            first, second = response("resp_1"), response("resp_2", previous="resp_1")
            await responses.save(first)
            await responses.save(second)
            assert await responses.delete("resp_1", "key_a")
            assert not await responses.delete("resp_1", "key_a")
            assert await responses.find("resp_1", None) is None
            assert await responses.chain("resp_1", "key_a") == []
            assert await responses.chain("resp_2", "key_a") == [first, second]
            assert await responses.delete("resp_2", None)
            await responses.save(second)  # its ids are free, and nothing is left before it
            assert await responses.chain("resp_2", "key_a") == [second]

    async def test_a_turn_joins_its_conversation(self, tmp_path: Path) -> None:
        """A response and its items are kept together; a conversation that has gone is no error."""
        async with self.open_store(tmp_path) as store:
            responses = responses_of(store)
            talks = responses.conversations
            await talks.create(conversation("conv_1"), items(1))
            await responses.save(response("resp_1", conversation="conv_1"), items(2, 3))
            assert names(await talks.items("conv_1", "key_a")) == ["msg_1", "msg_2", "msg_3"]
            await talks.delete("conv_1", "key_a")
            await responses.save(response("resp_2", conversation="conv_1"), items(4))
            assert await responses.find("resp_2", "key_a") is not None
            assert await talks.items("conv_1", "key_a") is None

    async def test_a_conversation_is_its_owners(self, tmp_path: Path) -> None:
        """Others can neither read nor change it."""
        kept = conversation("conv_1", metadata=b'{"a":"b"}')
        async with self.open_store(tmp_path) as store:
            talks = responses_of(store).conversations
            assert await talks.create(kept, items(1)) == kept
            for owner, found in (("key_a", True), (None, True), ("key_b", False)):
                assert (await talks.find("conv_1", owner) == kept) is found
                assert (await talks.items("conv_1", owner) is not None) is found
                assert (await talks.item("conv_1", owner, "msg_1") is not None) is found
            assert await talks.update("conv_1", "key_b", b"{}") is None
            assert await talks.add("conv_1", "key_b", items(2)) is None
            assert not await talks.remove("conv_1", "key_b", "msg_1")
            assert not await talks.delete("conv_1", "key_b")
            assert await talks.find("conv_1", "key_a") == kept
            assert names(await talks.items("conv_1", "key_a")) == ["msg_1"]

    async def test_a_conversation_lives(self, tmp_path: Path) -> None:
        """It is made once, changed, and deleted with its items."""
        kept = conversation("conv_1", metadata=b'{"a":"b"}')
        async with self.open_store(tmp_path) as store:
            talks = responses_of(store).conversations
            await talks.create(kept, items(1, 2))
            assert await talks.create(conversation("conv_1"), items(3)) == kept
            changed = await talks.update("conv_1", "key_a", b'{"c":"d"}')
            assert changed == conversation("conv_1", metadata=b'{"c":"d"}')
            assert await talks.add("conv_1", "key_a", items(3)) == items(3)
            assert await talks.remove("conv_1", "key_a", "msg_2")
            assert not await talks.remove("conv_1", "key_a", "msg_2")
            assert await talks.item("conv_1", "key_a", "msg_2") is None
            assert await talks.item("conv_1", "key_a", "msg_3") == items(3)[0]
        async with self.open_store(tmp_path) as store:
            talks = responses_of(store).conversations
            assert names(await talks.items("conv_1", "key_a")) == ["msg_1", "msg_3"]
            assert await talks.delete("conv_1", "key_a")
            assert not await talks.delete("conv_1", "key_a")
            await talks.create(kept)
            assert names(await talks.items("conv_1", "key_a")) == []

    async def test_items_come_in_pages(self, tmp_path: Path) -> None:
        """From either end, each page behind the last item of the one before."""
        async with self.open_store(tmp_path) as store:
            talks = responses_of(store).conversations
            await talks.create(conversation("conv_1"), items(1, 2, 3, 4, 5))
            for ascending, order in ((False, [5, 4, 3, 2, 1]), (True, [1, 2, 3, 4, 5])):
                seen: list[StoredItem] = []
                after, more = None, True
                while more:
                    page = Page(limit=2, after=after, ascending=ascending)
                    found = await talks.items("conv_1", "key_a", page)
                    assert found is not None
                    seen, more, after = [*seen, *found.items], found.more, found.items[-1].id
                assert seen == items(*order)
            exact = await talks.items("conv_1", "key_a", Page(limit=5))
            assert exact is not None
            assert not exact.more
            with pytest.raises(LookupError):
                await talks.items("conv_1", "key_a", Page(after="msg_9"))

    async def test_an_item_keeps_its_id_unless_another_has_it(self, tmp_path: Path) -> None:
        """The same item again is no second one; another of that id is kept under a new id."""
        async with self.open_store(tmp_path) as store:
            talks = responses_of(store).conversations
            await talks.create(conversation("conv_1"), items(1))
            await talks.create(conversation("conv_2"), items(1))
            assert await talks.add("conv_1", "key_a", items(1, 2)) == items(1, 2)
            other = StoredItem("msg_1", b'{"n":9}')
            added = await talks.add("conv_1", "key_a", [other, other])
            assert added is not None
            assert len({item.id for item in added} | {"msg_1", "msg_2"}) == 4
            assert {item.body for item in added} == {other.body}
            assert len(names(await talks.items("conv_1", "key_a"))) == 4
