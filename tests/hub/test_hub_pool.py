"""Password checks: in turns by address, bounded, spared where nobody waits, and alike for every id."""

import asyncio
import threading

import pytest

from packwire.hub import credentials
from packwire.hub.credentials import PasswordHash, decoy
from packwire.hub.pool import BusyError, Pool
from tests.hub.hubs import DEVICE, cheap_hash, device, running_hub, write_credentials
from tests.sim.raw import PATIENCE, eventually, raw


class Gate:
    """Work that waits until it is let go on; `done` says in which order it was done."""

    def __init__(self):
        self.open = threading.Event()
        self.done = []

    def work(self, name):
        def wait():
            assert self.open.wait(PATIENCE)
            self.done.append(name)
            return name

        return wait


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.open.set()


async def test_addresses_take_turns(gate):
    jobs = Pool(100, threads=1)
    many = [jobs.submit("10.0.0.1", gate.work(f"many {number}")) for number in range(50)]
    two = [jobs.submit("10.0.0.2", gate.work(f"two {number}")) for number in range(2)]
    gate.open.set()
    assert await two[1].outcome() == "two 1"
    assert gate.done[:5] == ["many 0", "many 1", "two 0", "many 2", "two 1"]
    await asyncio.gather(*(job.outcome() for job in many))
    assert jobs.waiting == 0
    jobs.close()


async def test_what_nobody_waits_for_any_more_is_never_begun(gate):
    jobs = Pool(100, threads=1)
    first = jobs.submit("10.0.0.1", gate.work("begun"))
    second = jobs.submit("10.0.0.1", gate.work("gone"))
    third = jobs.submit("10.0.0.1", gate.work("shared"))
    waiters = [asyncio.ensure_future(job.outcome()) for job in (first, second, third, third)]
    await asyncio.sleep(0)
    for waiter in waiters[:3]:
        waiter.cancel()
    await asyncio.wait(waiters[:3])
    assert jobs.waiting == 2
    gate.open.set()
    assert await waiters[3] == "shared"
    assert gate.done == ["begun", "shared"]
    assert jobs.begun == 2
    jobs.close()


async def test_an_address_has_so_many_at_most_and_all_have(gate):
    jobs = Pool(3, threads=1, most=4)
    for _ in range(3):
        jobs.submit("10.0.0.1", gate.work("first"))
    with pytest.raises(BusyError, match="of this address"):
        jobs.submit("10.0.0.1", gate.work("first"))
    last = jobs.submit("10.0.0.2", gate.work("second"))
    jobs.submit("10.0.0.2", gate.work("second"))
    await asyncio.sleep(0)
    crowded = asyncio.ensure_future(last.outcome())
    # All is full: a newcomer has the place of the last of the address that has most, not of any other.
    jobs.submit("10.0.0.3", gate.work("third"))
    assert jobs.waiting == 5
    with pytest.raises(BusyError, match="too many"):
        for number in range(4, 10):
            jobs.submit(f"10.0.0.{number}", gate.work("later"))
    assert jobs.waiting == 5
    gate.open.set()
    assert await crowded == "second"
    jobs.close()


async def test_one_that_made_room_hears_that_it_is_busy(gate):
    jobs = Pool(10, threads=1, most=3)
    waiting = [asyncio.ensure_future(jobs.submit("10.0.0.1", gate.work("a")).outcome()) for _ in range(4)]
    await asyncio.sleep(0)
    jobs.submit("10.0.0.2", gate.work("b"))
    with pytest.raises(BusyError):
        await waiting[3]
    gate.open.set()
    assert await asyncio.gather(*waiting[:3]) == ["a", "a", "a"]
    jobs.close()


async def test_what_goes_wrong_in_a_thread_reaches_who_waits():
    jobs = Pool(10)

    def fail():
        raise ValueError("scrypt")

    with pytest.raises(ValueError, match="scrypt"):
        await jobs.submit("10.0.0.1", fail).outcome()
    assert jobs.waiting == 0
    jobs.close()


async def test_logins_that_hung_up_hold_up_nobody(tmp_path, gate, monkeypatch):
    ids = {f"PACK{number}": "secret42" for number in range(14)}
    path = write_credentials(tmp_path / "c", TESTPACK="secret42", **ids)
    check = PasswordHash.check

    def slowly(self, password):
        assert gate.open.wait(PATIENCE)
        return check(self, password)

    monkeypatch.setattr(PasswordHash, "check", slowly)
    async with running_hub(tmp_path, credentials=path) as hub:
        checks = hub.authenticator.pool = Pool(16, threads=2)
        for number, name in enumerate(ids):
            async with raw(hub.port, b"VESC:%b:wrong\n\0and more" % name.encode()) as stranger:
                await eventually(lambda number=number: checks.waiting == min(number, 2) + 1)
                stranger.writer.transport.abort()
            await eventually(lambda: hub.admission.total == 0)
        assert checks.waiting == checks.begun == 2
        async with raw(hub.port, DEVICE):
            await eventually(lambda: checks.waiting == 3)
            gate.open.set()
            await eventually(lambda: hub.registry.connected("TESTPACK") is not None)
        assert checks.begun == 3
        # Those that were never begun count as no guess.
        async with device(hub, b"VESC:PACK13:secret42\n\0"):
            pass


async def test_one_address_that_waits_for_many_checks_holds_nobody_up_for_more_than_a_turn(
    tmp_path, gate, monkeypatch
):
    ids = {f"PACK{number}": "secret42" for number in range(12)}
    path = write_credentials(tmp_path / "c", TESTPACK="secret42", **ids)
    order = []

    def slowly(self, password):
        assert gate.open.wait(PATIENCE)
        order.append(password)
        return password == "secret42"

    monkeypatch.setattr(PasswordHash, "check", slowly)
    async with running_hub(tmp_path, credentials=path) as hub:
        hub.authenticator.pool = Pool(100, threads=1)
        strangers = []
        for name in ids:
            _, writer = await asyncio.open_connection("127.0.0.1", hub.port)
            writer.write(b"VESC:%b:wrong\n\0" % name.encode())
            strangers.append(writer)
        await eventually(lambda: hub.authenticator.pool.waiting == len(ids))
        _, owner = await asyncio.open_connection("127.0.0.1", hub.port, local_addr=("127.0.0.2", 0))
        owner.write(DEVICE)
        await eventually(lambda: hub.authenticator.pool.waiting == len(ids) + 1)
        gate.open.set()
        await eventually(lambda: hub.registry.connected("TESTPACK") is not None)
        assert order.index("secret42") <= 2
        for writer in (*strangers, owner):
            writer.transport.abort()


async def test_an_id_that_is_not_known_costs_as_much_as_one_that_is(tmp_path, monkeypatch):
    path = tmp_path / "c"
    path.write_text(f"TESTPACK:{PasswordHash.of('secret42', log_n=2, parallel=3).text}\n")
    done = []
    scrypt = credentials._scrypt

    def counting(password, salt, log_n, block_size, parallel, size):
        if parallel == 3:  # a thread of another hub may just end its work
            done.append((log_n, block_size, parallel, size))
        return scrypt(password, salt, log_n, block_size, parallel, size)

    monkeypatch.setattr(credentials, "_scrypt", counting)
    async with running_hub(tmp_path, credentials=path, limits={"wrong_logins": 3}) as hub:
        work = {}
        for name in ("TESTPACK", "NOBODY"):
            before = len(done)
            for number in range(5):
                for _ in range(2):
                    async with raw(hub.port, f"VESC:{name}:guess{number}\n\0".encode()) as guess:
                        assert await guess.until_closed() == b""
            work[name] = done[before:]
        assert work["TESTPACK"] == work["NOBODY"] == [(2, 8, 3, 32)] * 3
        assert hub.counters.refusals["unknown-id"] == hub.counters.refusals["wrong-password"] == 6
        assert hub.counters.refusals["back-off"] == 8


def test_a_decoy_is_the_same_for_an_id_and_can_be_checked():
    costs = (cheap_hash().cost,)
    found = decoy("NOBODY", b"key", costs)
    assert found == decoy("NOBODY", b"key", costs) != decoy("NOBODY", b"another", costs)
    assert found.problem() is None
    assert not found.check("")
    assert decoy("NOBODY", b"key", ()).cost == "$scrypt$ln=14,r=8,p=5"
