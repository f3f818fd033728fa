# pins: a generator with send: next begins it, what is sent is the yield's value, close runs the cleanup at the yield, the end is
#       the end
def averager():
    total, count, average = 0, 0, None
    try:
        while True:
            total += yield average
            count += 1
            average = total // count
    finally:
        print("closed at", average)

g = averager()
print("begun", next(g))
for n in (10, 20, 60):
    print("sent", n, "->", g.send(n))
g.close()
g.close()
def countdown(n):
    while n:
        step = yield n
        n -= step or 1
print(list(countdown(3)))
g = countdown(5)
print(next(g), g.send(2), g.send(2), next(g, "over"), next(g, "over"))

