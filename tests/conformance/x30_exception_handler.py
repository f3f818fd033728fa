# pins: the handler is none at first, is set, got and unset; call_exception_handler calls it at once; a timer's and a done callback's
#       errors go there too, and the others go on; an error that is awaited later is not reported
import asyncio, logging

async def main():
    logging.disable(logging.CRITICAL)
    loop = asyncio.get_running_loop()
    print("none", loop.get_exception_handler())
    def handler(loop, ctx): print("handler:", ctx["message"].split(" <")[0].split(" main")[0], "|", ctx.get("exception"))
    loop.set_exception_handler(handler)
    print("set", loop.get_exception_handler() is not None)
    loop.call_exception_handler({"message": "called by hand"})
    def bad(*a): raise ValueError("bad")
    loop.call_later(0.01, bad)
    fut = loop.create_future()
    fut.add_done_callback(bad)
    fut.add_done_callback(lambda f: print("next callback", f.result()))
    fut.set_result(1)
    await asyncio.sleep(0.02)
    async def fails(): raise KeyError("kept")
    t = asyncio.create_task(fails())
    await asyncio.sleep(0)
    try:
        await t
    except KeyError:
        print("awaited")
    del t
    loop.set_exception_handler(None)
    loop.call_soon(bad)
    await asyncio.sleep(0)
    print("silenced", loop.get_exception_handler())

asyncio.run(main())
