"""Meta-learns recommenders for new users from interaction logs, and exports them as Tinderbox model files.

>>> import tinderbox_trainer
>>> run = tinderbox_trainer.fit(ratings, items=movies, learner="maml", progress=print)
>>> model = run.export("movies.tbx")  # a tinderbox.Model
>>> evaluation = tinderbox_trainer.evaluate(ratings, methods=["maml", "ease", "popularity"], folds=1)
>>> evaluation.frame()

Logs are a pandas DataFrame with the columns user, item and, optionally, rating and timestamp; a scipy sparse
matrix, users x items; or a path: a file, or a directory in a layout that the trainer knows. Ids are text: the
item 50 of a DataFrame has the id "50".

The work is done by the executable `trainer`, which the package installs too: each function is one command, its
options are those of the command line (`trainer fit --help`), with `_` for `-`.
"""

from tinderbox_trainer.command import Progress, TrainerError
from tinderbox_trainer.evaluation import Evaluation, evaluate
from tinderbox_trainer.run import Run, fit

__all__ = ["Evaluation", "Progress", "Run", "TrainerError", "evaluate", "fit"]
