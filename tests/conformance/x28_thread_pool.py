# pins: map gives results in input order, its error at its turn; a pool of one thread is FIFO; queued calls run before a shutdown
#       is over, unless cancelled; after shutdown submit is refused; a call's error is its future's
import concurrent.futures as cf, threading

with cf.ThreadPoolExecutor(max_workers=3) as pool:
    print(list(pool.map(lambda n: n * n, [3, 1, 2])))
    print(list(pool.map(lambda a, b: a + b, [1, 2, 3], [10, 20])))
    def inverse(n): return 6 // n
    try:
        for r in pool.map(inverse, [1, 2, 0, 3]): print("map", r)
    except ZeroDivisionError: print("map error")
    f = pool.submit(inverse, 0)
    print("exception", type(f.exception()).__name__, f.done(), f.cancelled())
log, go = [], threading.Event()
pool = cf.ThreadPoolExecutor(max_workers=1)
pool.submit(go.wait)
for n in range(3): pool.submit(log.append, n)
go.set()
pool.shutdown()
print("fifo", log)
try: pool.submit(print, "must not run")
except RuntimeError as e: print("RuntimeError")
started, go = threading.Event(), threading.Event()
pool = cf.ThreadPoolExecutor(max_workers=1)
running = pool.submit(lambda: (started.set(), go.wait(), "finished")[-1])
queued = [pool.submit(log.append, "must not run") for _ in range(2)]
started.wait()
pool.shutdown(wait=False, cancel_futures=True)
print("cancelled", running.cancelled(), [f.cancelled() for f in queued])
go.set()
print(running.result(), log)
pool.shutdown(); pool.shutdown()
