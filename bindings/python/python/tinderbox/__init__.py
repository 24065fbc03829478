"""Adapts a recommender to a new user from a few likes and dislikes, and ranks the whole catalogue.

>>> import tinderbox
>>> model = tinderbox.Model.open("movies.tbx")
>>> session = model.session()
>>> session.adapt([("50", True), ("181", True), ("313", False)])  # like, like, dislike; or ratings
>>> for id, score in session.rank(10):
...     print(f"{score:6.3f} {model.title(id)}")

The same file and the same feedback give the same list, to the bit, here and on every device. An item is
named by its id, a str. Functions with `numbers` in their name, and `rank_batch`, take and return item
numbers in numpy arrays: places in `Model.ids`, most popular first.
"""

from tinderbox._engine import (
    EmbedError,
    FeedbackError,
    Filter,
    Model,
    NewItem,
    OpenError,
    RankError,
    Session,
    SessionError,
    VerifyError,
    __version__,
    kernel,
)

__all__ = [
    "EmbedError",
    "FeedbackError",
    "Filter",
    "Model",
    "NewItem",
    "OpenError",
    "RankError",
    "Session",
    "SessionError",
    "VerifyError",
    "__version__",
    "kernel",
]
