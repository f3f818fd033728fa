# pins: an outer timeout that expires cancels through the inner one, which is not expired; of two that are due together only the
#       outer one raises; an inner Timeout is an ordinary error to the outer one; a scope inside a cleanup works
import asyncio

async def both(outer_ms, inner_ms):
    t0 = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout_at(t0 + outer_ms / 1000) as outer:
            try:
                async with asyncio.timeout_at(t0 + inner_ms / 1000) as inner:
                    await asyncio.sleep(1)
            except TimeoutError:
                print("  inner Timeout")
                raise
            except asyncio.CancelledError:
                print("  inner Cancelled")
                raise
    except TimeoutError:
        print("  outer Timeout")
    print(f"{outer_ms} {inner_ms}", outer.expired(), inner.expired(), asyncio.current_task().cancelling())

async def main():
    await both(10, 20)
    await both(20, 10)
    await both(10, 10)
    try:
        async with asyncio.timeout(0.01):
            try:
                await asyncio.sleep(1)
            finally:
                try:
                    async with asyncio.timeout(0.02):
                        await asyncio.sleep(1)
                except TimeoutError:
                    print("cleanup timed out")
    except TimeoutError:
        print("and so did the body")

asyncio.run(main())
