# pins: a semaphore lets n in, first come, first served; locked() at 0 or while somebody waits; release beyond the start raises
#       the count; a permit on its way to a cancelled waiter goes to the next
import asyncio

async def main():
    sem = asyncio.Semaphore(2)
    running = most = 0
    async def w(n):
        nonlocal running, most
        async with sem:
            running += 1
            most = max(most, running)
            print("in", n)
            await asyncio.sleep(0)
            running -= 1
    ts = [asyncio.create_task(w(n)) for n in "abcde"]
    await asyncio.sleep(0)
    print("locked", sem.locked())
    await asyncio.gather(*ts)
    print("at most", most, "locked", sem.locked())
    await sem.acquire(); await sem.acquire()
    x, y = asyncio.create_task(w("x must not")), asyncio.create_task(w("y"))
    await asyncio.sleep(0)
    sem.release()                   # for x
    print("reserved", sem.locked())
    x.cancel()
    await asyncio.wait([x, y])
    print(x.cancelled(), y.cancelled())
    sem.release(); sem.release()
    for _ in range(3):
        await sem.acquire()
    print("three permits now", sem.locked())
    empty = asyncio.Semaphore(0)
    print("zero", empty.locked())

asyncio.run(main())
