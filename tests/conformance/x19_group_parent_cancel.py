# pins: cancelling the parent of a group cancels body and children once, waits for their cleanup, and then the parent is
#       cancelled; also while it waits in the exit; a request in that wait is not passed on a second time
import asyncio

async def child(n, ms):
    try:
        await asyncio.sleep(1)
    except asyncio.CancelledError:
        try:
            await asyncio.sleep(ms / 1000)
        except asyncio.CancelledError:
            print("  cancelled twice, which must not be")
        print("  cleaned", n)
        raise

async def parent(in_body):
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(child("a", 20))
            tg.create_task(child("b", 10))
            if in_body:
                try:
                    await asyncio.sleep(1)
                except asyncio.CancelledError:
                    print("  body cancelled")
                    raise
        print("unreachable")
    except asyncio.CancelledError:
        print("  parent", asyncio.current_task().cancelling())
        raise

async def main():
    for in_body in (True, False):
        p = asyncio.create_task(parent(in_body))
        await asyncio.sleep(0.01)
        print("cancel", "in body" if in_body else "in exit", p.cancel())
        await asyncio.sleep(0.005)
        print("  waits", not p.done())
        await asyncio.wait([p])
        print("  ended", p.cancelled())

asyncio.run(main())
