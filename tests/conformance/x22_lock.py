# pins: a lock is first come, first served, and nobody overtakes a waiter that was woken; a cancelled waiter is passed over, also
#       if it had been woken; anybody may release; releasing a free lock is an error
import asyncio

async def main():
    lock = asyncio.Lock()
    async def w(n):
        async with lock:
            print("holds", n)
            await asyncio.sleep(0)
    await lock.acquire()
    ts = [asyncio.create_task(w(n)) for n in "abc"]
    await asyncio.sleep(0)
    ts[1].cancel()
    await asyncio.sleep(0)
    lock.release()
    late = asyncio.create_task(w("late"))
    async with lock:
        print("main had to queue", ts[0].done(), ts[2].done())
    await asyncio.gather(*ts, late, return_exceptions=True)
    print("b", ts[1].cancelled(), lock.locked())

    await lock.acquire()
    x, y = asyncio.create_task(w("x must not")), asyncio.create_task(w("y"))
    await asyncio.sleep(0)
    lock.release()                  # x is woken, and cancelled before it runs
    x.cancel()
    await asyncio.wait([x, y])
    print(x.cancelled(), y.cancelled())
    await lock.acquire()
    async def release(): lock.release()
    await asyncio.create_task(release())
    print("released by another", lock.locked())
    try:
        lock.release()
    except RuntimeError as e:
        print("RuntimeError", e)

asyncio.run(main())
