# pins: a shield in a timeout, in a gather and around a gather; cancelling the shield itself leaves the inner; a second awaiter of
#       the inner is not disturbed
import asyncio

async def inner(n):
    try:
        await asyncio.sleep(0.03)
    except asyncio.CancelledError:
        print("inner cancelled", n)
        raise
    print("inner done", n)
    return n

async def main():
    i = asyncio.create_task(inner(1))
    try:
        async with asyncio.timeout(0.01):
            await asyncio.shield(i)
    except TimeoutError:
        print("timeout", i.done())
    print("value", await i)
    a, b = asyncio.create_task(inner(2)), asyncio.create_task(inner(3))
    g = asyncio.gather(asyncio.shield(a), b)
    await asyncio.sleep(0.01)
    print("cancel gather", g.cancel())
    try:
        await g
    except asyncio.CancelledError:
        print("gather Cancelled", a.done(), b.done())
    print("value", await a)
    i = asyncio.create_task(inner(4))
    s = asyncio.shield(i)
    await asyncio.sleep(0.01)
    print("cancel shield", s.cancel(), s.cancelled(), i.done(), s.cancel())
    print("value", await i)

asyncio.run(main())
