# pins: a callback sent from another thread is run once, by the loop; one cancelled before is not; its error goes to the handler; a
#       closed loop refuses; a coroutine's cancellation reaches the thread
import asyncio, concurrent.futures as cf, threading

loop = asyncio.new_event_loop()
def in_thread(f):
    t = threading.Thread(target=f); t.start(); t.join()

async def main():
    loop.set_exception_handler(lambda l, c: print("handler:", c["message"][:21], "|", c["exception"]))
    def bad(): raise ValueError("from a thread")
    def send():
        loop.call_soon_threadsafe(print, "once")
        loop.call_soon_threadsafe(print, "must not run").cancel()
        loop.call_soon_threadsafe(bad)
    in_thread(send)
    print("sent")
    await asyncio.sleep(0.01)
    print("ran")
    async def gives_up():
        await asyncio.sleep(0)
        raise asyncio.CancelledError
    def thread():
        try:
            asyncio.run_coroutine_threadsafe(gives_up(), loop).result()
        except cf.CancelledError:
            return "Cancelled in the thread"
    print(await asyncio.to_thread(thread))

loop.run_until_complete(main())
loop.close()
def refused():
    try:
        loop.call_soon_threadsafe(print, "must not run")
    except RuntimeError as e:
        print("RuntimeError", e)
refused()
