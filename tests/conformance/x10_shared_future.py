# pins: awaiters and callbacks of a future are told in the order in which they asked; cancelling one awaiter cancels the future,
#       and so the other awaiter, who was not asked
import asyncio

async def waiter(n, fut):
    try:
        print("waiter", n, "got", await fut)
    except asyncio.CancelledError:
        print("waiter", n, "cancelled", asyncio.current_task().cancelling())

async def main():
    loop = asyncio.get_running_loop()
    fut = loop.create_future()
    a = asyncio.create_task(waiter("a", fut))
    await asyncio.sleep(0)
    fut.add_done_callback(lambda f: print("callback 1", f.cancelled()))
    b = asyncio.create_task(waiter("b", fut))
    await asyncio.sleep(0)
    fut.add_done_callback(lambda f: print("callback 2", f.cancelled()))
    fut.set_result("value")
    await asyncio.wait([a, b])
    fut = loop.create_future()
    a, b = asyncio.create_task(waiter("a", fut)), asyncio.create_task(waiter("b", fut))
    fut.add_done_callback(lambda f: print("callback 3", f.cancelled()))
    await asyncio.sleep(0)
    a.cancel()
    print("future", fut.cancelled())
    await asyncio.wait([a, b])
    print(a.cancelled(), b.cancelled(), "| requests", a.cancelling(), b.cancelling())

asyncio.run(main())
