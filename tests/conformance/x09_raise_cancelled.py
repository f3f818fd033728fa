# pins: a task that ends with Cancelled is cancelled, whether or not anybody asked; an error raised instead of it is the task's
#       error; a callback hears of both; who awaits it sees Cancelled with no request of its own
import asyncio

async def by_itself():
    await asyncio.sleep(0)
    raise asyncio.CancelledError

async def replaced():
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        raise ValueError("instead") from None

async def main():
    me = asyncio.current_task()
    t = asyncio.create_task(by_itself())
    t.add_done_callback(lambda t: print("callback", t.cancelled()))
    try:
        await t
    except asyncio.CancelledError:
        print("by itself", t.cancelled(), t.cancelling(), "| me", me.cancelling())
    await asyncio.sleep(0)
    t = asyncio.create_task(replaced())
    t.add_done_callback(lambda t: print("callback", t.cancelled(), t.exception()))
    await asyncio.sleep(0)
    t.cancel()
    await asyncio.wait([t])
    await asyncio.sleep(0)
    print("replaced", t.cancelled(), t.cancelling(), repr(t.exception()))

asyncio.run(main())
