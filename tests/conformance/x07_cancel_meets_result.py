# pins: if what a task waits for is completed and the task cancelled in one iteration, in either order, the task sees Cancelled
#       and the value is lost to it; cancelling after its end is refused
import asyncio

async def body(fut):
    try:
        print("got", await fut)
    except asyncio.CancelledError:
        print("cancelled | future", fut.cancelled())
        raise

async def main():
    loop = asyncio.get_running_loop()
    for order in ("result first", "cancel first"):
        fut = loop.create_future()
        t = asyncio.create_task(body(fut))
        await asyncio.sleep(0)
        if order == "result first":
            fut.set_result("value")
            print(order, t.cancel())
        else:
            print(order, t.cancel(), fut.cancelled())
        await asyncio.wait([t])
        print(t.cancelled(), t.cancelling(), t.cancel())
    fut = loop.create_future()
    t = asyncio.create_task(body(fut))
    await asyncio.sleep(0)
    fut.set_result("in time")
    await asyncio.sleep(0)
    print("too late", t.cancel(), t.done(), t.cancelled())

asyncio.run(main())
