# pins: as_completed starts all at once and gives results in order of completion; an error comes at its turn and the iteration
#       goes on; on timeout each turn left raises Timeout and nothing is cancelled
import asyncio

async def job(n, ms, fail=False):
    await asyncio.sleep(ms / 1000)
    if fail:
        raise ValueError(n)
    return n

async def main():
    for turn in asyncio.as_completed([job("a", 30), job("b", 10), job("c", 20, True), job("d", 15)]):
        try:
            print("result", await turn)
        except ValueError as e:
            print("error", e)
    slow = asyncio.create_task(job("slow", 50))
    quick = asyncio.create_task(job("quick", 10))
    for turn in asyncio.as_completed([slow, quick], timeout=0.03):
        try:
            print("result", await turn)
        except TimeoutError:
            print("Timeout", slow.done())
    print("still running", await slow)
    print("empty", [await t for t in asyncio.as_completed([])])

asyncio.run(main())
