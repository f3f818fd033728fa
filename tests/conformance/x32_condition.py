# pins: notify_all wakes everybody in the order of their waits, one at a time through the lock; notify with nobody there is lost;
#       a waiter cancelled before the notification takes none; two conditions may share a lock; wait_for asks first
import asyncio

async def main():
    lock = asyncio.Lock()
    not_empty, not_full = asyncio.Condition(lock), asyncio.Condition(lock)
    items = []
    async def consumer(n):
        async with not_empty:
            await not_empty.wait_for(lambda: items)
            print("consumer", n, "takes", items.pop(0))
            not_full.notify()
    async def producer(n):
        async with not_full:
            await not_full.wait_for(lambda: len(items) < 1)
            items.append(n)
            print("made", n)
            not_empty.notify()
    async with not_empty:
        not_empty.notify()          # nobody is there
    await asyncio.gather(*(consumer(n) for n in "ab"), *(producer(n) for n in (1, 2)))
    cond, woken = asyncio.Condition(), 0
    async def waiter(n):
        nonlocal woken
        async with cond:
            await cond.wait()
            woken += 1
            print("woke", n, "as number", woken)
            await asyncio.sleep(0)
    ts = [asyncio.create_task(waiter(n)) for n in "abcd"]
    await asyncio.sleep(0)
    ts[0].cancel()
    await asyncio.wait(ts[:1])
    async with cond:
        cond.notify()
    await ts[1]
    async with cond:
        cond.notify_all()
        print("notified", woken, cond.locked())
    await asyncio.gather(*ts[2:])
    print("cancelled", ts[0].cancelled(), cond.locked())

asyncio.run(main())
