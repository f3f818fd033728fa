# pins: a task that cancels itself is hit at its next await that suspends, not at one of something done; the task it awaits
#       there is cancelled with it; a cancel that is never delivered cancels it at its return, and loses to an error
import asyncio

async def value(): return 1

async def at_next_await():
    done = asyncio.create_task(value())
    await done
    asyncio.current_task().cancel()
    print("  done still gives", await done)
    try:
        await asyncio.sleep(0)
        print("  unreachable")
    except asyncio.CancelledError:
        print("  hit at the sleep")
        raise

async def nested():
    inner = asyncio.create_task(asyncio.sleep(3600))
    asyncio.current_task().cancel()
    try:
        await inner
    except asyncio.CancelledError:
        print("  inner cancelled too", inner.cancelled())
        raise

async def at_return():
    asyncio.current_task().cancel()
    return "value is lost"

async def at_error():
    asyncio.current_task().cancel()
    raise ValueError("wins")

async def main():
    for f in (at_next_await, nested, at_return, at_error):
        t = asyncio.create_task(f())
        await asyncio.wait([t])
        print(f.__name__, t.cancelled(), t.cancelling(), "no error" if t.cancelled() else t.exception())

asyncio.run(main())
