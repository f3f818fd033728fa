# pins: a cancelled get loses no item, also if it had been woken: the next getter has it; a cancelled put puts nothing, and its
#       place goes to the next putter; a timeout around get is the same
import asyncio

async def main():
    q = asyncio.Queue(1)
    async def get(n): print("getter", n, "got", await q.get())
    a, b = asyncio.create_task(get("a")), asyncio.create_task(get("b"))
    await asyncio.sleep(0)
    q.put_nowait(1)                 # a is woken, and cancelled before it runs
    a.cancel()
    await asyncio.wait([a, b])
    print(a.cancelled(), b.cancelled(), q.qsize())
    c, d = asyncio.create_task(get("c")), asyncio.create_task(get("d"))
    await asyncio.sleep(0)
    c.cancel()
    await asyncio.sleep(0)
    q.put_nowait(2)
    await d
    q.put_nowait(3)
    async def put(n): await q.put(n); print("put", n)
    p, r = asyncio.create_task(put(4)), asyncio.create_task(put(5))
    await asyncio.sleep(0)
    print("get", q.get_nowait())    # p is woken, and cancelled before it runs
    p.cancel()
    await asyncio.wait([p, r])
    print(p.cancelled(), "then", q.get_nowait(), q.empty())
    try:
        async with asyncio.timeout(0.01):
            await q.get()
    except TimeoutError:
        print("Timeout")
    q.put_nowait(6)
    print("nobody took it", q.get_nowait())

asyncio.run(main())
