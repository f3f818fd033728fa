# pins: how many iterations things take from the moment a future is completed: awaiting it one, a chain of n tasks n more;
#       gather, wait and shield one more than their child; a woken event, lock or queue one
import asyncio

ticks = 0
async def ticker():
    global ticks
    while True:
        await asyncio.sleep(0)
        ticks += 1

async def leaf(fut): await fut
async def link(t): await t
def T(c): return asyncio.create_task(c)

async def count(label, make):
    fut = asyncio.get_running_loop().create_future()
    t = T(make(fut))
    for _ in range(10): await asyncio.sleep(0)
    fut.set_result(None)
    start = ticks
    t.add_done_callback(lambda t: print(label, ticks - start))
    for _ in range(12): await asyncio.sleep(0)

async def chain(n, fut):
    t = T(leaf(fut))
    for _ in range(n): t = T(link(t))
    await t
async def gather(fut): await asyncio.gather(leaf(fut), leaf(fut))
async def wait(fut): await asyncio.wait([T(leaf(fut))])
async def shield(fut): await asyncio.shield(leaf(fut))
async def timeout(fut):
    async with asyncio.timeout(100): await fut
async def group(fut):
    async with asyncio.TaskGroup() as tg: tg.create_task(leaf(fut))
async def event(fut):
    ev = asyncio.Event()
    async def setter(): await fut; ev.set()
    T(setter()); await ev.wait()
async def lock(fut):
    lk = asyncio.Lock(); await lk.acquire()
    async def releaser(): await fut; lk.release()
    T(releaser()); await lk.acquire()
async def queue(fut):
    q = asyncio.Queue()
    async def putter(): await fut; q.put_nowait(1)
    T(putter()); await q.get()

async def main():
    T(ticker())
    await count("future", leaf)
    for n in (1, 5): await count(f"chain of {n}", lambda fut: chain(n, fut))
    for f in (gather, wait, shield, timeout, group, event, lock, queue):
        await count(f.__name__, f)

asyncio.run(main())
