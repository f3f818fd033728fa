# pins: an async generator runs only when it is asked; its end is seen once and stays; aclose() of one that never ran runs nothing,
#       and twice is once; an error leaves it over
import asyncio

async def gen(tag, fail=False):
    print(tag, "begins")
    try:
        yield 1
        if fail:
            raise ValueError(tag)
        yield 2
    finally:
        print(tag, "cleans up")

async def main():
    g = gen("lazy")
    await asyncio.sleep(0)
    print("not begun")
    print("next", await anext(g))
    await asyncio.sleep(0)
    print("rest", [x async for x in g])
    print("after the end", await anext(g, "over"))
    g = gen("never asked")
    await g.aclose()
    print("closed", await anext(g, "over"))
    g = gen("failing", fail=True)
    print("next", await anext(g))
    try:
        await anext(g)
    except ValueError as e:
        print("ValueError", e)
    print("after the error", await anext(g, "over"))
    g = gen("closed twice")
    await anext(g)
    await g.aclose()
    await g.aclose()
    async def squares(n):
        for i in range(n):
            await asyncio.sleep(0)
            yield i * i
    print([x async for x in squares(4)])

asyncio.run(main())
