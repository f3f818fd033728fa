# pins: an inner group's errors are one error of the outer group, a group in a group; except* takes out what it names and lets
#       the rest go on
import asyncio

async def bad(e):
    await asyncio.sleep(0)
    raise e

def show(eg, depth=0):
    for e in eg.exceptions:
        print("  " * depth + type(e).__name__, "" if isinstance(e, BaseExceptionGroup) else e)
        if isinstance(e, BaseExceptionGroup):
            show(e, depth + 1)

async def main():
    try:
        async with asyncio.TaskGroup() as outer:
            outer.create_task(bad(ValueError("outer")))
            async with asyncio.TaskGroup() as inner:
                inner.create_task(bad(RuntimeError("inner")))
                inner.create_task(bad(OSError("inner too")))
                await asyncio.sleep(1)
    except ExceptionGroup as eg:
        show(eg)
    try:
        try:
            async with asyncio.TaskGroup() as tg:
                tg.create_task(bad(ValueError("named")))
                tg.create_task(bad(OSError("left")))
        except* ValueError as eg:
            print("taken out", len(eg.exceptions))
    except ExceptionGroup as eg:
        print("left", [type(e).__name__ for e in eg.exceptions])

asyncio.run(main())
