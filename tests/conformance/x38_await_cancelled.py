# pins: whoever awaits what somebody else cancelled is cancelled, unless it catches that, with no request of its own; so through a
#       gather, a shield and a wait_for; a chain of tasks ends so from its end on
import asyncio

async def main():
    loop = asyncio.get_running_loop()
    async def plain(fut): return await fut
    async def gathered(fut): return await asyncio.gather(fut, asyncio.sleep(0))
    async def shielded(fut): return await asyncio.shield(fut)
    async def limited(fut): return await asyncio.wait_for(fut, 10)
    async def catches(fut):
        try:
            await fut
        except asyncio.CancelledError:
            return "caught"
    for f in (plain, gathered, shielded, limited, catches):
        fut = loop.create_future()
        t = asyncio.create_task(f(fut))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        fut.cancel()
        await asyncio.wait([t])
        print(f.__name__, t.cancelled(), t.cancelling(), "" if t.cancelled() else t.result())
    async def link(t): await t
    fut = loop.create_future()
    chain = [asyncio.create_task(plain(fut))]
    for _ in range(3):
        chain.append(asyncio.create_task(link(chain[-1])))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    chain[1].cancel()
    await asyncio.wait(chain[-1:])
    print([t.cancelled() for t in chain], [t.cancelling() for t in chain], fut.cancelled())

asyncio.run(main())
