"""How long a request takes through the package: adapt to ten interactions, rank all, exclude them, best ten.

    python time_requests.py movies.tbx

Each call is timed alone, and the clock with it (about 0.05 us).
"""

import sys
import time

import numpy as np

import tinderbox

model = tinderbox.Model.open(sys.argv[1])
session = model.session()
numbers = np.arange(3, 53, 5, dtype=np.int32)
values = np.resize([rating for rating, _ in model.levels], 10).astype(np.float32)
feedback = [(model.id(number), value) for number, value in zip(numbers.tolist(), values.tolist(), strict=True)]


def by_ids():
    session.adapt(feedback)
    return session.rank(10)


def by_numbers():
    session.adapt_numbers(numbers, values)
    return session.rank_numbers(10)


def percentiles(call, calls=20_000):
    taken = np.empty(calls)
    for at in range(calls):
        start = time.perf_counter_ns()
        call()
        taken[at] = time.perf_counter_ns() - start
    return np.percentile(taken, [10, 50, 90]) / 1e3


items, scores = by_numbers()
assert [(model.id(item), score) for item, score in zip(items, scores, strict=True)] == by_ids()
print(f"{model}, {tinderbox.kernel()}; us at the 10th, 50th and 90th percentile")
for name, call in {
    "request, by ids": by_ids,
    "request, by numbers": by_numbers,
    "adapt": lambda: session.adapt(feedback),
    "rank": lambda: session.rank(10),
}.items():
    print(f"{name:>20}" + "".join(f"{time:8.2f}" for time in percentiles(call)))
