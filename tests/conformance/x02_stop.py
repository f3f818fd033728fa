# pins: stop() finishes the batch and leaves what that scheduled for the next run; stop() before run_forever makes exactly one
#       iteration; a stopped run_until_complete is an error, and its task goes on in the next run
import asyncio

loop = asyncio.new_event_loop()
def first():
    print("first")
    loop.call_soon(print, "scheduled while stopping")
    loop.stop()
loop.call_soon(first)
loop.call_soon(print, "second, same batch")
loop.run_forever()
print("stopped", loop.is_running(), loop.is_closed())
loop.run_until_complete(asyncio.sleep(0))
loop.call_soon(lambda: (print("one iteration"), loop.call_soon(print, "the next one")))
loop.stop()
loop.run_forever()
print("stopped again")
async def forever():
    loop.call_soon(loop.stop)
    await asyncio.sleep(3600)
try:
    loop.run_until_complete(forever())
except RuntimeError as e:
    print("RuntimeError", e)
for t in asyncio.all_tasks(loop):
    t.cancel()
loop.run_until_complete(asyncio.sleep(0))
loop.close()
print("closed", loop.is_closed())
