# pins: the reason given to cancel() arrives at the await, also through a task that is awaited and a future; without a reason
#       there is none
import asyncio

async def leaf():
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError as e:
        print("  leaf", e.args)
        raise

async def outer(inner):
    try:
        await inner
    except asyncio.CancelledError as e:
        print("  outer", e.args)
        raise

async def main():
    for reason in ((), ("enough",)):
        t = asyncio.create_task(outer(asyncio.create_task(leaf())))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        t.cancel(*reason)
        try:
            await t
        except asyncio.CancelledError as e:
            print("main", e.args)
    fut = asyncio.get_running_loop().create_future()
    fut.cancel("no more")
    try:
        await fut
    except asyncio.CancelledError as e:
        print("future", e.args)

asyncio.run(main())
