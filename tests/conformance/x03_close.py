# pins: close() drops what is scheduled and is idempotent; a closed loop refuses callbacks, timers and runs
import asyncio

loop = asyncio.new_event_loop()
loop.call_soon(print, "must not run")
loop.call_later(0, print, "must not run either")
print(loop.is_running(), loop.is_closed())
loop.close()
loop.close()
print(loop.is_running(), loop.is_closed())
def attempt(label, fn):
    try:
        fn()
        print(label, "ok")
    except RuntimeError as e:
        print(label, "->", e)
attempt("call_soon", lambda: loop.call_soon(print))
attempt("call_later", lambda: loop.call_later(1, print))
attempt("call_soon_threadsafe", lambda: loop.call_soon_threadsafe(print))
attempt("run_forever", loop.run_forever)
