# pins: a task's result and exception before its end, after a value, after an error, after a cancel; its callbacks, one removed;
#       done() is true before they run
import asyncio

def attempt(label, fn):
    try: print(label, "->", fn())
    except asyncio.InvalidStateError: print(label, "-> InvalidState")
    except asyncio.CancelledError: print(label, "-> Cancelled")
    except ValueError as e: print(label, "-> ValueError", e)

async def value(): return 1
async def error(): raise ValueError("boom")
async def forever(): await asyncio.sleep(3600)

async def main():
    for f in (value, error, forever):
        t = asyncio.create_task(f())
        print(f.__name__, t.done(), t.cancelled())
        attempt("  result", t.result)
        attempt("  exception", t.exception)
        def removed(t): print("  removed must not run")
        t.add_done_callback(lambda t: print("  callback 1", t.done()))
        t.add_done_callback(removed)
        t.add_done_callback(lambda t: print("  callback 2", t.cancelled()))
        print("  remove", t.remove_done_callback(removed), t.remove_done_callback(removed))
        await asyncio.sleep(0)
        t.cancel()
        await asyncio.wait([t])
        attempt("  result", t.result)
        attempt("  exception", lambda: repr(t.exception()))

asyncio.run(main())
