# pins: the default pool runs calls beside each other; to_thread gives values and errors; a call that is cancelled while it runs goes
#       on; when the default pool was shut down, it takes no more
import asyncio, threading

async def main():
    loop = asyncio.get_running_loop()
    meet = threading.Barrier(2)
    both = await asyncio.gather(asyncio.to_thread(meet.wait), loop.run_in_executor(None, meet.wait))
    print("met", sorted(both))
    def fails(): raise ValueError("in a thread")
    try:
        await asyncio.to_thread(fails)
    except ValueError as e:
        print("ValueError", e)
    started, go, ended = threading.Event(), threading.Event(), threading.Event()
    def job(): started.set(); go.wait(); ended.set()
    t = asyncio.create_task(asyncio.to_thread(job))
    await asyncio.to_thread(started.wait)
    t.cancel()
    await asyncio.wait([t])
    print("waiter", t.cancelled(), "job ended", ended.is_set())
    go.set()
    print("goes on", await asyncio.to_thread(ended.wait))
    await loop.shutdown_default_executor()
    try:
        await asyncio.to_thread(print, "must not run")
    except RuntimeError:
        print("RuntimeError")

asyncio.run(main())
