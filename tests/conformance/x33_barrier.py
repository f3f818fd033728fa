# pins: who comes while a round leaves waits for the next one; a cancelled waiter just leaves; reset of an empty barrier does nothing;
#       a reset repairs an aborted one; parties and n_waiting
import asyncio

async def main():
    bar, rounds = asyncio.Barrier(2), []
    async def walker(n):
        for i in range(3):
            await bar.wait()
            rounds.append((i, n))
    await asyncio.gather(walker("a"), walker("b"))
    print([i for i, _ in rounds], sorted(rounds)[-1])
    async def wait(n):
        try:
            await bar.wait()
            print("through", n)
        except asyncio.BrokenBarrierError:
            print("broken", n)
    t = asyncio.create_task(wait("x must not"))
    await asyncio.sleep(0)
    print("waiting", bar.n_waiting, "of", bar.parties)
    t.cancel()
    await asyncio.wait([t])
    print("waiting", bar.n_waiting, bar.broken)
    await bar.reset()
    print("reset", bar.broken)
    t = asyncio.create_task(wait("y"))
    await asyncio.sleep(0)
    await wait("z")
    await t
    await bar.abort()
    print("aborted", bar.broken)
    await wait("k")
    await bar.reset()
    print("repaired", bar.broken)
    await asyncio.gather(wait("l"), wait("m"))
    try:
        asyncio.Barrier(0)
    except ValueError:
        print("ValueError")

asyncio.run(main())
