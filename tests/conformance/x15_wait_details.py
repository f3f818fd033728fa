# pins: wait() yields even if all are done; who is done is judged when the waiter wakes; done and pending together are what was
#       given; a waiter that is timed out leaves the tasks alone
import asyncio

async def job(ms): await asyncio.sleep(ms / 1000); return ms

async def main():
    loop = asyncio.get_running_loop()
    t = asyncio.create_task(job(0))
    await t
    loop.call_soon(print, "the loop ran")
    done, pending = await asyncio.wait([t])
    print("all done", len(done), len(pending))
    a, b, c = (asyncio.create_task(job(ms)) for ms in (0, 0, 20))
    done, pending = await asyncio.wait([a, b, c], return_when=asyncio.FIRST_COMPLETED)
    print("two at once", len(done), len(pending), c in pending)
    done, pending = await asyncio.wait(pending, timeout=0.005)
    print("timeout", len(done), len(pending), c.done())
    done, pending = await asyncio.wait(pending, timeout=0.5)
    print("in time", len(done), len(pending), c.result())
    try:
        await asyncio.wait_for(asyncio.wait([asyncio.create_task(job(50), name="left")]), 0.01)
    except TimeoutError:
        left, = (t for t in asyncio.all_tasks() if t.get_name() == "left")
        print("waiter timed out", left.done(), left.cancelling())
        print(await left)

asyncio.run(main())
