# pins: the classic program: a producer, three workers, a bounded queue, join, and the workers cancelled at the end
import asyncio

async def main():
    q, done = asyncio.Queue(2), {}
    async def worker(name):
        while True:
            n = await q.get()
            try:
                await asyncio.sleep(n / 1000)
                if n == 30:
                    raise ValueError(n)
                done.setdefault(name, []).append(n)
            except ValueError as e:
                print(name, "failed on", e)
            finally:
                q.task_done()
    workers = [asyncio.create_task(worker(n), name=n) for n in ("w1", "w2", "w3")]
    t0 = asyncio.get_running_loop().time()
    for n in (50, 10, 30, 45, 20):
        await q.put(n)
    print("all put", q.qsize())
    await q.join()
    print("joined", q.empty(), int((asyncio.get_running_loop().time() - t0) * 100))
    for w in workers:
        w.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    print([w.cancelled() for w in workers], sorted(done.items()))

asyncio.run(main())
