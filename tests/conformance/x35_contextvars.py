# pins: a token takes a variable back; timers, done callbacks and children of gather capture the context when they are made; a
#       context is copied, and run in; each has its own values
import asyncio, contextvars

user = contextvars.ContextVar("user", default="nobody")

async def main():
    loop = asyncio.get_running_loop()
    token = user.set("one")
    loop.call_later(0.01, lambda: print("timer sees", user.get()))
    async def child(n):
        before = user.get()
        user.set(n)
        await asyncio.sleep(0)
        return before, user.get()
    g = asyncio.gather(child("a"), child("b"))
    user.set("two")
    print(await g, user.get())
    user.reset(token)
    print("reset", user.get())
    ctx = contextvars.copy_context()
    def inside():
        user.set("inside")
        return user.get()
    print(ctx.run(inside), ctx[user], user.get())
    t = asyncio.create_task(child("c"))
    t.add_done_callback(lambda t: print("done callback sees", user.get()))
    user.set("later")
    print(await t)
    await asyncio.sleep(0.02)
    print(user.name, user.get())

asyncio.run(main())
