# pins: a bounded semaphore refuses a release above its start, and stays as it was; a plain one does not; acquire at once does not
#       yield
import asyncio

async def main():
    loop = asyncio.get_running_loop()
    sem = asyncio.BoundedSemaphore(2)
    loop.call_soon(print, "the loop ran")
    await sem.acquire()
    await sem.acquire()
    print("two without a yield", sem.locked())
    sem.release()
    sem.release()
    try:
        sem.release()
    except ValueError as e:
        print("ValueError", e)
    print("still two", sem.locked())
    await sem.acquire()
    await sem.acquire()
    waiter = asyncio.create_task(sem.acquire())
    await asyncio.sleep(0)
    print("third waits", not waiter.done())
    sem.release()
    await waiter
    print("third has it", sem.locked())
    plain = asyncio.Semaphore(0)
    plain.release()
    print("plain", plain.locked())

asyncio.run(main())
