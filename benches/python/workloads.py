"""asyncio's figures for the workloads that compare.rs names: JSON on standard output, nanoseconds an operation.

usage: workloads.py asyncio|uvloop NAME...
"""

import asyncio
import json
import sys
import time

RUNS = 3


async def spawn_one(n):
    async def child(i):
        return i

    for i in range(n):
        assert await asyncio.create_task(child(i)) == i


async def spawn_many(n):
    async def child(i):
        return i

    for _ in range(n // 1000):
        tasks = [asyncio.create_task(child(i)) for i in range(1000)]
        total = 0
        for task in tasks:
            total += await task
        assert total == 499_500


async def yield_alone(n):
    for _ in range(n):
        await asyncio.sleep(0)


def yield_many(count):
    async def work(n):
        async def child():
            for _ in range(n // count):
                await asyncio.sleep(0)

        await asyncio.gather(*(child() for _ in range(count)))

    return work


async def promise(n):
    loop = asyncio.get_running_loop()
    for i in range(n):
        future = loop.create_future()
        future.set_result(i)
        assert await future == i


async def promise_through_task(n):
    loop = asyncio.get_running_loop()

    async def child(future, i):
        future.set_result(i)

    for i in range(n):
        future = loop.create_future()
        task = asyncio.create_task(child(future, i))
        assert await future == i
        await task


def chain(length):
    async def work(n):
        async def first():
            return 0

        async def link(before):
            return await before + 1

        for _ in range(n // length):
            last = asyncio.create_task(first())
            for _ in range(1, length):
                last = asyncio.create_task(link(last))
            assert await last == length - 1

    return work


def gather(count):
    async def work(n):
        async def child(i):
            return i

        for _ in range(n // count):
            assert len(await asyncio.gather(*(asyncio.create_task(child(i)) for i in range(count)))) == count

    return work


def as_completed(count):
    async def work(n):
        async def child(i):
            return i

        for _ in range(n // count):
            for each in asyncio.as_completed([asyncio.create_task(child(i)) for i in range(count)]):
                await each

    return work


def queue(capacity):
    async def work(n):
        items = asyncio.Queue(capacity)

        async def produce():
            for i in range(n):
                await items.put(i)

        task = asyncio.create_task(produce())
        for i in range(n):
            assert await items.get() == i
        await task

    return work


async def timeout_armed(n):
    for _ in range(n):
        async with asyncio.timeout(60):
            await asyncio.sleep(0)


async def call_soon(n):
    loop = asyncio.get_running_loop()
    called = 0

    def callback():
        nonlocal called
        called += 1

    for _ in range(n // 100):
        for _ in range(100):
            loop.call_soon(callback)
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert called == n


WORKLOADS = {
    "spawn one and await it": (20_000, spawn_one),
    "spawn 1,000 and await all": (50_000, spawn_many),
    "yield, 1 task": (100_000, yield_alone),
    "yield, 100 tasks": (100_000, yield_many(100)),
    "yield, 1,000 tasks": (100_000, yield_many(1000)),
    "promise made, set, awaited": (50_000, promise),
    "promise through a task": (20_000, promise_through_task),
    "chain of 100 tasks, a hop": (20_000, chain(100)),
    "gather 10 tasks, a task": (20_000, gather(10)),
    "gather 1,000 tasks, a task": (50_000, gather(1000)),
    "as completed, 10 tasks, a task": (20_000, as_completed(10)),
    "as completed, 1,000 tasks, a task": (50_000, as_completed(1000)),
    "queue of 1, an item": (20_000, queue(1)),
    "queue of 64, an item": (50_000, queue(64)),
    "queue of 1,024, an item": (50_000, queue(1024)),
    "queue without bound, an item": (50_000, queue(0)),
    "a callback a turn later": (50_000, call_soon),
}
if hasattr(asyncio, "timeout"):
    WORKLOADS["timeout armed and dropped"] = (20_000, timeout_armed)


def loop_of(runtime):
    if runtime == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def measure(runtime, n, work):
    async def timed():
        start = time.perf_counter_ns()
        await work(n)
        return (time.perf_counter_ns() - start) / n

    best = float("inf")
    for _ in range(RUNS):
        loop = loop_of(runtime)
        asyncio.set_event_loop(loop)
        best = min(best, loop.run_until_complete(timed()))
        loop.close()
    return best


def main():
    runtime, names = sys.argv[1], sys.argv[2:]
    chosen = {name: WORKLOADS[name] for name in names if name in WORKLOADS}
    json.dump({name: measure(runtime, *work) for name, work in chosen.items()}, sys.stdout)


main()
