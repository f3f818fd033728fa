"""The workloads of the comparison on asyncio, or on uvloop: one run, as JSON on standard output.

usage: workloads.py asyncio|uvloop --list
       workloads.py asyncio|uvloop WORKLOAD OPERATIONS BATCH SECONDS [pinned]

A run makes a whole number of batches, at most OPERATIONS and about as many as fit into SECONDS, after as few to warm up.
"""

import asyncio
import concurrent.futures
import json
import os
import socket
import sys
import threading
import time

LONG = 60.0
BURST = 1_000
SEVERAL = 4
MESSAGE = b"\7" * 64


def sum_to(n):
    return n * (n - 1) // 2


class Measured(Exception):
    """What a workload measured by itself: nanoseconds of all operations, or a figure."""


async def value(i):
    return i


# Tasks


async def spawn_one(n):
    total = 0
    for i in range(n):
        total += await asyncio.create_task(value(i))
    assert total == sum_to(n)


async def spawn_yielding(n):
    async def child(i):
        await asyncio.sleep(0)
        return i

    total = 0
    for i in range(n):
        total += await asyncio.create_task(child(i))
    assert total == sum_to(n)


def spawn_many(count):
    async def work(n):
        for _ in range(n // count):
            tasks = [asyncio.create_task(value(i)) for i in range(count)]
            total = 0
            for task in tasks:
                total += await task
            assert total == sum_to(count)

    return work


async def yield_alone(n):
    for _ in range(n):
        await asyncio.sleep(0)


def yield_many(count):
    async def work(n):
        tasks = [asyncio.create_task(yield_alone(n // count)) for _ in range(count)]
        for task in tasks:
            await task

    return work


def chain(length):
    async def link(before):
        return await before + 1

    async def work(n):
        for _ in range(n // length):
            last = asyncio.create_task(value(0))
            for _ in range(1, length):
                last = asyncio.create_task(link(last))
            assert await last == length - 1

    return work


def gather(count):
    async def work(n):
        for _ in range(n // count):
            tasks = [asyncio.create_task(value(i)) for i in range(count)]
            assert sum(await asyncio.gather(*tasks)) == sum_to(count)

    return work


def as_completed(count):
    async def work(n):
        for _ in range(n // count):
            total = 0
            for each in asyncio.as_completed([asyncio.create_task(value(i)) for i in range(count)]):
                total += await each
            assert total == sum_to(count)

    return work


# Cells


async def promise(n):
    loop = asyncio.get_running_loop()
    total = 0
    for i in range(n):
        future = loop.create_future()
        future.set_result(i)
        total += await future
    assert total == sum_to(n)


async def through_task(n):
    loop = asyncio.get_running_loop()

    async def child(future, i):
        future.set_result(i)

    for i in range(n):
        future = loop.create_future()
        task = asyncio.create_task(child(future, i))
        assert await future == i
        await task


async def ping_pong(n):
    loop = asyncio.get_running_loop()
    table = [None, None]

    async def side(me):
        total = 0
        for i in range(n):
            ball = table[me] = loop.create_future()
            theirs, table[1 - me] = table[1 - me], None
            if (me == 1 or i > 0) and theirs is not None:
                theirs.set_result(i)
            else:
                table[1 - me] = theirs
            total += await ball
        if table[1 - me] is not None:
            table[1 - me].set_result(n)
        return total

    ping, pong = asyncio.create_task(side(0)), asyncio.create_task(side(1))
    assert await ping > 0
    assert await pong > 0


async def call_soon(n):
    loop = asyncio.get_running_loop()
    called = 0

    def callback():
        nonlocal called
        called += 1

    for burst in range(1, n // 100 + 1):
        for _ in range(100):
            loop.call_soon(callback)
        while called < burst * 100:
            await asyncio.sleep(0)


async def done_callback(n):
    loop = asyncio.get_running_loop()
    called = 0

    def callback(_):
        nonlocal called
        called += 1

    for i in range(n):
        future = loop.create_future()
        future.add_done_callback(callback)
        future.set_result(i)
        await asyncio.sleep(0)
    assert called == n


# Queues


def queue(capacity, several=1):
    async def work(n):
        items = asyncio.Queue(capacity)
        each = n // several

        async def put_all():
            for i in range(each):
                await items.put(i)
            return 0

        async def get_all():
            total = 0
            for _ in range(each):
                total += await items.get()
            return total

        tasks = [asyncio.create_task(put_all()) for _ in range(several)]
        tasks += [asyncio.create_task(get_all()) for _ in range(several - 1)]
        total = await get_all()
        for task in tasks:
            total += await task
        assert total == several * sum_to(each)

    return work


# Timers


async def timeout_ready(n):
    for i in range(n):
        async with asyncio.timeout(LONG):
            assert await value(i) == i


async def timeout_armed(n):
    for _ in range(n):
        async with asyncio.timeout(LONG):
            await asyncio.sleep(0)


async def timeout_slow(n):
    loop = asyncio.get_running_loop()
    start = time.process_time_ns()
    for _ in range(n):
        try:
            async with asyncio.timeout(0.0001):
                await loop.create_future()
            raise AssertionError("it was not cut off")
        except TimeoutError:
            pass
    raise Measured((time.process_time_ns() - start) / n)


async def made_and_dropped(n):
    loop = asyncio.get_running_loop()
    for _ in range(n):
        loop.call_later(LONG, print).cancel()


async def armed(n):
    start = time.process_time_ns()
    tasks = [asyncio.create_task(asyncio.sleep(i * 7919 % 100_000 / 1e6)) for i in range(n)]
    for task in tasks:
        await task
    raise Measured((time.process_time_ns() - start) / n)


def lateness(percentile):
    async def work(n):
        late = []
        for i in range(n):
            seconds = (1_000 + i * 7919 % 1_000) / 1e6
            due = time.perf_counter() + seconds
            await asyncio.sleep(seconds)
            late.append(time.perf_counter() - due)
        late.sort()
        # The clock's resolution is what a loop's own reckoning may be off by.
        assert late[0] >= -time.get_clock_info("monotonic").resolution, f"a timer fired {-late[0] * 1e6:.0f} us early"
        raise Measured(late[len(late) * percentile // 100] * 1e6)

    return work


# Threads


async def one_at_a_time(n):
    loop = asyncio.get_running_loop()
    asked, ready = [], threading.Semaphore(0)

    def answer():
        for i in range(n):
            ready.acquire()
            loop.call_soon_threadsafe(asked.pop().set_result, i)

    thread = threading.Thread(target=answer)
    thread.start()
    total = 0
    for _ in range(n):
        future = loop.create_future()
        asked.append(future)
        ready.release()
        total += await future
    thread.join()
    assert total == sum_to(n)


async def in_bursts(n):
    loop = asyncio.get_running_loop()

    async def wait(future):
        return await future

    def set_all(futures):
        for i, future in enumerate(futures):
            loop.call_soon_threadsafe(future.set_result, i)

    for _ in range(n // BURST):
        futures = [loop.create_future() for _ in range(BURST)]
        tasks = [asyncio.create_task(wait(future)) for future in futures]
        await asyncio.sleep(0)
        thread = threading.Thread(target=set_all, args=(futures,))
        thread.start()
        total = 0
        for task in tasks:
            total += await task
        thread.join()
        assert total == sum_to(BURST)


def spin(seconds, i):
    if seconds:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            pass
    return i


async def one_call(n):
    loop = asyncio.get_running_loop()
    total = 0
    for i in range(n):
        total += await loop.run_in_executor(None, spin, 0, i)
    assert total == sum_to(n)


def many_calls(seconds):
    async def work(n):
        loop = asyncio.get_running_loop()
        results = await asyncio.gather(*(loop.run_in_executor(None, spin, seconds, i) for i in range(n)))
        assert sum(results) == sum_to(n)

    return work


# TCP


class Server(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class Client(asyncio.Protocol):
    def __init__(self, done):
        self.done = done
        self.left = 0

    def connection_made(self, transport):
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.transport = transport

    def start(self, rounds):
        self.left = rounds
        self.transport.write(MESSAGE)

    def data_received(self, data):
        assert data == MESSAGE
        self.left -= 1
        if self.left:
            self.transport.write(MESSAGE)
        else:
            self.done()


def echo(connections):
    async def work(n):
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Server, "127.0.0.1", 0, backlog=4096)
        address = server.sockets[0].getsockname()
        finished = loop.create_future()
        left = connections

        def done():
            nonlocal left
            left -= 1
            if not left:
                finished.set_result(None)

        clients = [(await loop.create_connection(lambda: Client(done), *address))[1] for _ in range(connections)]
        start = time.process_time_ns()
        for client in clients:
            client.start(n // connections)
        await finished
        took = time.process_time_ns() - start
        for client in clients:
            client.transport.close()
        server.close()
        raise Measured(took / (n // connections * connections))

    return work


# Memory


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth(wait):
    async def work(n):
        tasks = [asyncio.create_task(wait())]
        await asyncio.sleep(0)
        before = resident()
        tasks += [asyncio.create_task(wait()) for _ in range(1, n)]
        for _ in range(3):
            await asyncio.sleep(0)
        sys.stdout.write(json.dumps({"figure": (resident() - before) / n}))
        sys.stdout.flush()
        os._exit(0)  # As the others do, without ending tasks that never end.

    return work


async def idle():
    state = list(range(8))
    await asyncio.get_running_loop().create_future()
    return state


async def asleep():
    await asyncio.sleep(3600)


WORKLOADS = {
    "spawn one and await it": spawn_one,
    "spawn one that yields, and await it": spawn_yielding,
    "spawn 1,000 and await all": spawn_many(1000),
    "spawn 1,000,000 at once": spawn_many(1_000_000),
    "yield, 1 task": yield_alone,
    "yield, 100 tasks": yield_many(100),
    "yield, 1,000 tasks": yield_many(1000),
    "chain of 100 tasks, a hop": chain(100),
    "chain of 100,000 tasks, a hop": chain(100_000),
    "gather 10 tasks, a task": gather(10),
    "gather 1,000 tasks, a task": gather(1000),
    "gather 100,000 tasks, a task": gather(100_000),
    "as completed, 10 tasks, a task": as_completed(10),
    "as completed, 1,000 tasks, a task": as_completed(1000),
    "as completed, 100,000 tasks, a task": as_completed(100_000),
    "promise made, set, awaited": promise,
    "promise through a task": through_task,
    "ping-pong of two tasks, a round trip": ping_pong,
    "a callback a turn later": call_soon,
    "done callback": done_callback,
    "queue of 1, an item": queue(1),
    "queue of 64, an item": queue(64),
    "queue of 1,024, an item": queue(1024),
    "queue without bound, an item": queue(0),
    "queue of 1, four to four, an item": queue(1, SEVERAL),
    "queue of 64, four to four, an item": queue(64, SEVERAL),
    "queue of 1,024, four to four, an item": queue(1024, SEVERAL),
    "queue without bound, four to four, an item": queue(0, SEVERAL),
    "timer made, polled, dropped": made_and_dropped,
    "100,000 armed timers, CPU, a timer": armed,
    "1,000,000 armed timers, CPU, a timer": armed,
    "lateness of a timer, p50": lateness(50),
    "lateness of a timer, p99": lateness(99),
    "woken by a thread, one at a time": one_at_a_time,
    "woken by a thread, in bursts": in_bursts,
    "thread pool, one call at a time": one_call,
    "thread pool, 10,000 calls of 0 us": many_calls(0),
    "thread pool, 10,000 calls of 10 us": many_calls(1e-5),
    "TCP echo, 1 connection, CPU a round trip": echo(1),
    "TCP echo, 100 connections, CPU a round trip": echo(100),
    "TCP echo, 1,000 connections, CPU a round trip": echo(1000),
    "TCP echo, 10,000 connections, CPU a round trip": echo(10_000),
    "memory of an idle task with 64 bytes of state": growth(idle),
    "memory of a task that sleeps": growth(asleep),
}
if hasattr(asyncio, "timeout"):
    WORKLOADS["timeout around a ready future"] = timeout_ready
    WORKLOADS["timeout armed and dropped"] = timeout_armed
    WORKLOADS["timeout around a slow future, CPU"] = timeout_slow

# Those whose figure is of all their operations, however many fit.
WHOLE = ("lateness", "memory", "thread pool, 10,000", "timeout around a slow")


def loop_of(runtime):
    if runtime == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def measure(runtime, work, n):
    async def timed():
        start = time.perf_counter_ns()
        try:
            await work(n)
        except Measured as measured:
            return measured.args[0]
        return (time.perf_counter_ns() - start) / n

    async def in_task():
        return await asyncio.create_task(timed())

    loop = loop_of(runtime)
    loop.set_default_executor(concurrent.futures.ThreadPoolExecutor())
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(in_task())
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def allow_many_descriptors():
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main():
    runtime, name = sys.argv[1], sys.argv[2]
    loop_of(runtime).close()
    if name == "--list":
        print("\n".join(WORKLOADS))
        return
    operations, batch, seconds = int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
    allow_many_descriptors()
    if "pinned" in sys.argv[6:]:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    work = WORKLOADS[name]
    n = operations
    if name.startswith(WHOLE):
        n = max(n // 5, batch) if seconds < 0.1 else n
    elif n > batch:
        few = max(operations // 100 // batch, 1) * batch
        start = time.perf_counter()
        measure(runtime, work, few)
        fit = int(seconds / (time.perf_counter() - start) * few)
        n = max(min(fit, operations) // batch, 1) * batch
    json.dump({"figure": measure(runtime, work, n)}, sys.stdout)


main()
