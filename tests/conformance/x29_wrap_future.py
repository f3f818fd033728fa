# pins: a wrapped thread future gives its value, error or cancellation to the loop; cancelling the wrapper cancels a pending thread
#       future and not a running one, whose late value is dropped
import asyncio, concurrent.futures as cf, threading

async def main():
    def in_thread(f, *a):
        t = threading.Thread(target=f, args=a); t.start(); t.join()
    c = cf.Future(); w = asyncio.wrap_future(c)
    in_thread(c.set_result, "from a thread")
    print("at once", w.done()); print(await w)
    c = cf.Future(); w = asyncio.wrap_future(c)
    in_thread(c.set_exception, ValueError("thread error"))
    try: await w
    except ValueError as e: print("ValueError", e)
    c = cf.Future(); w = asyncio.wrap_future(c)
    in_thread(c.cancel)
    try: await w
    except asyncio.CancelledError: print("Cancelled", w.cancelled(), asyncio.current_task().cancelling())
    c = cf.Future(); w = asyncio.wrap_future(c)
    print("cancel pending", w.cancel()); await asyncio.sleep(0)
    print("thread future", c.cancelled(), c.set_running_or_notify_cancel())
    c = cf.Future(); w = asyncio.wrap_future(c)
    c.set_running_or_notify_cancel()
    print("cancel running", w.cancel(), w.cancelled()); await asyncio.sleep(0)
    print("thread future", c.cancelled(), c.running())
    c.set_result("late"); await asyncio.sleep(0)
    print("dropped", w.cancelled(), c.result())
    async def waits(w): await w
    c = cf.Future(); t = asyncio.create_task(waits(asyncio.wrap_future(c)))
    await asyncio.sleep(0); t.cancel(); await asyncio.wait([t])
    print("through a task", t.cancelled(), c.cancelled())

asyncio.run(main())
