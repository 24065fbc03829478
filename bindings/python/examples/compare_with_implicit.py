"""From a DataFrame to a model file, and beside it implicit's ALS: what new users are shown, and how fast.

    pip install tinderbox tinderbox-trainer implicit pandas
    python compare_with_implicit.py ml-100k

The cells run in any editor that knows `# %%`. MovieLens 100K comes with `trainer fetch ml-100k`.
"""

# %% The log and the items as DataFrames, with the columns that the trainer knows
import argparse
import statistics
import time
from pathlib import Path

import implicit
import numpy as np
import pandas
import scipy.sparse
import threadpoolctl

import tinderbox_trainer

arguments = argparse.ArgumentParser(description="tinderbox beside implicit's ALS, on MovieLens 100K")
arguments.add_argument("data", type=Path, help="the directory ml-100k")
arguments.add_argument("--learner", default="maml", help="maml, prototypical, matching or auto")
arguments = arguments.parse_args()


def read(ending):
    """A RecBole file: its header is `name:type`."""
    table = pandas.read_csv(arguments.data / f"ml-100k.{ending}", sep="\t", dtype=str)
    return table.rename(columns=lambda name: name.split(":")[0])


log = read("inter").astype({"rating": float, "timestamp": float})
movies = read("item").assign(**{"class": lambda table: table["class"].str.split()})  # genres: several in a cell
log = log.rename(columns={"user_id": "user", "item_id": "item"})

# %% A tenth of the users is new: training does not see them
random = np.random.default_rng(1)
users = log["user"].unique()
is_new = log["user"].isin(random.choice(users, len(users) // 10, replace=False))
known, new = log[~is_new], log[is_new]

# %% Learn, and write the model file
run = tinderbox_trainer.fit(
    known,
    items=movies,
    learner=arguments.learner,
    progress=lambda now: now.epoch or print(f"  {now.stage}"),
)
model = run.export("movies.tbx")
print(model, f"{Path('movies.tbx').stat().st_size / 1024:.0f} KB")

# %% implicit on the same users' likes, with the settings that suit it best here, chosen by the new users themselves:
# factors 16, 32, 64; regularization 0.05 to 60; alpha 1 to 40
liked = known[known["rating"] >= 4]
rows, columns = liked["user"].factorize()[0], model.numbers(liked["item"])
likes = scipy.sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(rows.max() + 1, model.items))
als = implicit.als.AlternatingLeastSquares(factors=16, regularization=20, alpha=1, random_state=1, num_threads=1)
with threadpoolctl.threadpool_limits(1, "blas"):
    als.fit(likes, show_progress=False)


# %% What each new user is shown after k interactions, judged on the likes of the other half: NDCG@10
def ndcg(lists, wanted):
    """Mean over the users; an empty place in a list is -1."""
    discounts = 1 / np.log2(np.arange(2, 12))
    gains = [np.isin(shown, list(items)) @ discounts for shown, items in zip(lists, wanted, strict=True)]
    ideals = [discounts[: len(items)].sum() for items in wanted]
    return np.mean(np.array(gains) / ideals)


pools, wanted = [], []
for _, history in new.groupby("user"):
    history = history.sample(frac=1, random_state=1)
    half = len(history) // 2
    query = history[half:]
    pools.append(history[:half])
    wanted.append(set(model.numbers(query["item"][query["rating"] >= 4]).tolist()) - {-1})
pools, wanted = zip(*[(pool, items) for pool, items in zip(pools, wanted, strict=True) if items], strict=True)


def matrix(histories):
    """A CSR matrix of ratings, users x items of the model."""
    ends = np.cumsum([0] + [len(history) for history in histories])
    items = np.concatenate([model.numbers(history["item"]) for history in histories])
    ratings = np.concatenate([history["rating"].to_numpy(np.float32) for history in histories])
    return scipy.sparse.csr_matrix((ratings, items, ends), shape=(len(histories), model.items))


def only_likes(ratings):
    ratings = ratings.copy()
    ratings.data = (ratings.data >= 4).astype(np.float32)
    ratings.eliminate_zeros()
    return ratings


def recommend(ratings):
    """implicit's lists for users that it has not seen. It cannot use dislikes; those are left out afterwards."""
    support = only_likes(ratings)
    longest = int(np.diff(ratings.indptr).max())
    lists, _ = als.recommend(np.arange(ratings.shape[0]), support, N=10 + longest, recalculate_user=True)
    unseen = [shown[~np.isin(shown, row.indices)][:10] for shown, row in zip(lists, ratings, strict=True)]
    return [np.pad(shown, (0, 10 - len(shown)), constant_values=-1) for shown in unseen]


print(f"\nNDCG@10 of {len(wanted)} new users\n   k  tinderbox  implicit")
for shots in (1, 2, 5, 10, 20):
    ratings = matrix([pool[pool["item"].isin(model.ids)][:shots] for pool in pools])
    ours, _ = model.rank_batch(ratings)
    print(f"{shots:4} {ndcg(ours, wanted):10.3f} {ndcg(recommend(ratings), wanted):9.3f}")

# %% How long 1,000 users take, ten interactions each, one thread each: medians of alternating calls
columns = np.concatenate([random.choice(model.items, 10, replace=False) for _ in range(1000)])
batch = scipy.sparse.csr_matrix((random.integers(1, 6, 10_000).astype(np.float32), columns, np.arange(0, 10_001, 10)))
batch.resize(1000, model.items)
everyone, support = np.arange(1000), only_likes(batch)
calls = {
    "tinderbox": lambda: model.rank_batch(batch, 10),
    "implicit": lambda: als.recommend(everyone, support, N=10, recalculate_user=True),
}
taken = {name: [] for name in calls}
with threadpoolctl.threadpool_limits(1, "blas"):
    for _ in range(21):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - start)
medians = {name: statistics.median(times) for name, times in taken.items()}
print("\n1,000 users, 10 interactions each, on one thread")
for name, seconds in medians.items():
    print(f"{name:>10} {seconds * 1e3:8.1f} ms")
print(f"{'ratio':>10} {medians['implicit'] / medians['tinderbox']:8.1f}")

# %% One new user: a like, a dislike, and why
session = model.session()
session.adapt([("50", True), ("313", False)])
print(f"\nafter a like of {model.title('50')} and a dislike of {model.title('313')}")
for id, score in session.rank(5):
    (reason, effect), *_ = session.explain(id)
    print(f"{score:6.3f} {model.title(id)}  (because of {model.title(reason)}, {effect:+.3f})")
