# pins: the end of run(): tasks left over are cancelled and waited for, their cleanup may await; their errors go to the handler;
#       main's result, error or cancellation comes after that
import asyncio

async def left(n, how):
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        await asyncio.sleep(0.01 * (n + 1))
        print("  cleaned", n)
        if how == "fail":
            raise ValueError(n)
        if how == "swallow":
            return
        raise

async def main(how):
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda l, c: print("  handler:", c["message"].replace("asyncio.run()", "run()"), "|", c["exception"]))
    for n, h in enumerate(("raise", "fail", "swallow")):
        main.kept.append(loop.create_task(left(n, h)))
    await asyncio.sleep(0)
    if how == "error":
        raise KeyError("main")
    if how == "cancel":
        asyncio.current_task().cancel()
        await asyncio.sleep(0)
    print("main ends")
    return how

for how in ("value", "error", "cancel"):
    main.kept = []
    try:
        print("run ->", asyncio.run(main(how)))
    except KeyError:
        print("run -> KeyError")
    except asyncio.CancelledError:
        print("run -> Cancelled")
    print([t.cancelled() for t in main.kept])
