# pins: a handle's cancel is idempotent; a callback can cancel a later one of its own batch; a timer's when() is its deadline;
#       a timer cancelled early never fires, and does not keep the loop
import asyncio

async def main():
    loop = asyncio.get_running_loop()
    handles = []
    loop.call_soon(lambda: (print("first"), handles[0].cancel(), handles[0].cancel()))
    handles.append(loop.call_soon(print, "second must not run"))
    loop.call_soon(print, "third")
    await asyncio.sleep(0)
    print("cancelled", handles[0].cancelled())
    t0 = loop.time()
    timer = loop.call_at(t0 + 5, print, "timer must not run")
    print("when", round(timer.when() - t0), timer.cancelled())
    loop.call_later(0.01, timer.cancel)
    await asyncio.sleep(0.02)
    print("cancelled", timer.cancelled())
    late = loop.call_later(0.01, print, "late")
    loop.call_later(0.02, print, "later")
    await asyncio.sleep(0.03)
    print("ran", late.cancelled())

asyncio.run(main())
