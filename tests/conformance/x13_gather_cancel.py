# pins: cancelling a gather cancels its unfinished children, and it ends with the first of them that ends cancelled; with
#       return_exceptions it waits for all and is cancelled still, and so it is if all children
#       swallow the request
import asyncio

async def job(n, cleanup):
    try:
        await asyncio.sleep(1 if n != "quick" else 0)
        return n
    except asyncio.CancelledError:
        await asyncio.sleep(cleanup / 1000)
        print("  cleaned", n)
        raise

async def show(label, cancel, **kw):
    async def body():
        return await asyncio.gather(job("quick", 0), job("a", 20), job("b", 10), **kw)
    t = asyncio.create_task(body())
    await asyncio.sleep(0.001)
    print(label, t.cancel())
    try:
        print("  result", await t)
    except asyncio.CancelledError:
        print("  Cancelled", t.cancelling())
    await asyncio.sleep(0.05)

async def main():
    await show("plain", True)
    await show("settled", True, return_exceptions=True)
    async def swallow():
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            return "swallowed"
    g = asyncio.gather(swallow(), swallow())
    await asyncio.sleep(0.001)
    print("direct", g.cancel())
    try:
        await g
    except asyncio.CancelledError:
        print("  Cancelled though all swallowed")

asyncio.run(main())
