# pins: current_task is None in a callback, the task inside it; all_tasks has the unfinished ones; names are given, changed,
#       and numbered if not
import asyncio

async def child(tasks):
    me = asyncio.current_task()
    print("child is", me is tasks[0], me.get_name(), len(asyncio.all_tasks()))
    await asyncio.sleep(0)
    print("still", asyncio.current_task() is me, me.get_name())

async def main():
    loop, tasks = asyncio.get_running_loop(), []
    loop.call_soon(lambda: print("callback has", asyncio.current_task()))
    me = asyncio.current_task()
    tasks.append(asyncio.create_task(child(tasks), name="kid"))
    print("main is current", asyncio.current_task() is me, "all", len(asyncio.all_tasks()))
    await asyncio.sleep(0)
    tasks[0].set_name("renamed")
    await tasks[0]
    print("ended", tasks[0].get_name(), tasks[0] in asyncio.all_tasks(), me in asyncio.all_tasks())
    t1, t2 = asyncio.create_task(asyncio.sleep(0)), asyncio.create_task(asyncio.sleep(0))
    n1, n2 = (int(t.get_name().removeprefix("Task-")) for t in (t1, t2))
    print("numbered", n2 - n1)
    await asyncio.gather(t1, t2)

asyncio.run(main())
