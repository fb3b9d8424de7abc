import asyncio

from gomodel_proxy_sandbox.player import Player


class Played:
    """A player on the running loop, and what came of it."""

    def __init__(self, pieces):
        self.loop = asyncio.get_running_loop()
        self.written = []
        self.over = self.loop.create_future()
        self.player = Player(self.loop, pieces, self.write, self.done)
        self.act = {}
        self.ends = 0

    def write(self, data):
        self.written.append(data)
        self.act.get(data, lambda: None)()

    def done(self):
        self.ends += 1
        if not self.over.done():
            self.over.set_result(self.loop.time())


async def test_pieces_come_in_order_and_on_time():
    start = asyncio.get_running_loop().time()
    played = Played([(0.03, b"a"), (0.03, b"b"), (0, b"c")])
    assert not played.written
    assert await played.over - start >= 0.06
    assert played.written == [b"a", b"b", b"c"]


async def test_others_have_their_turn():
    played = Played([(0, b"%d" % number) for number in range(1000)])
    counted = []
    played.loop.call_soon(lambda: played.loop.call_soon(lambda: counted.append(played.written[:])))
    await played.over
    assert len(played.written) == 1000
    assert 0 < len(counted[0]) < 1000


async def test_a_pause_holds_everything_until_resumed():
    played = Played([(0, b"a"), (0, b"b"), (0.001, b"c")])
    paused = played.loop.create_future()
    played.act[b"a"] = lambda: (played.player.pause(), paused.set_result(None))
    await paused
    later = played.loop.create_future()
    played.loop.call_later(0.02, later.set_result, None)
    await later
    assert played.written == [b"a"]
    played.player.resume()
    played.player.resume()
    await played.over
    assert played.written == [b"a", b"b", b"c"]


async def test_pause_and_resume_within_a_write_play_each_piece_once():
    played = Played([(0, b"a"), (0, b"b"), (0, b"c")])
    played.act[b"a"] = lambda: (played.player.pause(), played.player.resume())
    await played.over
    later = played.loop.create_future()
    played.loop.call_later(0.01, later.set_result, None)
    await later
    assert played.ends == 1
    assert played.written == [b"a", b"b", b"c"]


async def test_a_stop_is_final():
    played = Played([(0, b"a"), (0, b"b")])
    played.act[b"a"] = played.player.stop
    played.loop.call_later(0.02, played.over.cancel)
    await asyncio.wait([played.over])
    played.player.resume()
    assert played.written == [b"a"] and played.over.cancelled()
