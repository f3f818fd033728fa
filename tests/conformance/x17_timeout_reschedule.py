# pins: when() is the deadline; reschedule moves it, also to never and to the past; a scope that expired or is over cannot be
#       rescheduled
import asyncio

async def main():
    loop = asyncio.get_running_loop()
    t0 = loop.time()
    async with asyncio.timeout_at(t0 + 10) as cm:
        print("when", round(cm.when() - t0), cm.expired())
        cm.reschedule(t0 + 20)
        print("when", round(cm.when() - t0))
        cm.reschedule(None)
        print("when", cm.when())
        await asyncio.sleep(0.01)
    try:
        cm.reschedule(t0 + 30)
    except RuntimeError as e:
        print("finished ->", type(e).__name__)
    try:
        async with asyncio.timeout(10) as cm:
            cm.reschedule(loop.time() - 1)
            print("not yet", cm.expired())
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                print("cut", cm.expired())
                try:
                    cm.reschedule(loop.time() + 1)
                except RuntimeError as e:
                    print("expired ->", type(e).__name__)
                raise
    except TimeoutError:
        print("Timeout")

asyncio.run(main())
