# pins: the first error in time completes a gather; the other children go on, their later errors are nobody's business; a gather
#       that is over cannot be cancelled, and cancels nobody
import asyncio

async def job(n, ms, fail):
    try:
        await asyncio.sleep(ms / 1000)
    except asyncio.CancelledError:
        print("cancelled", n)
        raise
    if fail:
        raise ValueError(n)
    print("done", n)
    return n

async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda l, c: print("handler must not hear", c["message"]))
    g = asyncio.gather(job("a", 30, False), job("b", 20, True), job("c", 10, False), job("d", 40, True))
    try:
        await g
    except ValueError as e:
        print("error", e, g.done(), g.cancelled(), "cancel ->", g.cancel())
    await asyncio.sleep(0.05)
    print("errors in one iteration")
    try:
        await asyncio.gather(job("e", 0, False), job("f", 0, True), job("g", 0, True))
    except ValueError as e:
        print("error", e)

asyncio.run(main())
