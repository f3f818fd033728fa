# pins: a queue wakes, and does not hand over: a getter that was woken can be robbed, and waits again behind the others; a putter
#       likewise
import asyncio

async def main():
    q = asyncio.Queue(1)
    async def get(n): print("getter", n, "got", await q.get())
    ts = [asyncio.create_task(get(n)) for n in "ab"]
    await asyncio.sleep(0)
    q.put_nowait(1)
    print("robbed", q.get_nowait())
    await asyncio.sleep(0)
    await q.put(2)
    await asyncio.sleep(0)
    await q.put(3)
    await asyncio.gather(*ts)
    await q.put(4)
    async def put(n): await q.put(n); print("put", n)
    ts = [asyncio.create_task(put(n)) for n in (5, 6)]
    await asyncio.sleep(0)
    print("get", q.get_nowait())
    q.put_nowait("robber")
    await asyncio.sleep(0)
    for _ in range(3):
        print("get", await q.get())
        await asyncio.sleep(0)
    await asyncio.gather(*ts)
    print("empty", q.empty())

asyncio.run(main())
