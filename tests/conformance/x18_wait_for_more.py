# pins: wait_for gives the inner error; a cancelled inner task is Cancelled and no Timeout; a task done in time is not
#       cancelled; of a gather that is waited for, all children are cancelled in time
import asyncio

async def main():
    async def bad(): await asyncio.sleep(0.01); raise ValueError("inner")
    try:
        await asyncio.wait_for(bad(), 1)
    except ValueError as e:
        print("ValueError", e)
    t = asyncio.create_task(asyncio.sleep(1))
    asyncio.get_running_loop().call_later(0.01, t.cancel)
    try:
        await asyncio.wait_for(t, 0.5)
    except asyncio.CancelledError:
        print("inner cancelled", t.cancelled(), asyncio.current_task().cancelling())
    t = asyncio.create_task(asyncio.sleep(0.01, "in time"))
    print(await asyncio.wait_for(t, 0.02))
    await asyncio.sleep(0.03)
    print(t.cancelled(), t.cancelling())
    async def slow(n):
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            print("cancelled", n)
            raise
    try:
        await asyncio.wait_for(asyncio.gather(slow("a"), slow("b")), 0.01)
    except TimeoutError:
        print("gather timed out")

asyncio.run(main())
