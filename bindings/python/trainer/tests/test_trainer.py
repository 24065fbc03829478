"""From logs in Python to model files: every kind of log, progress, errors; the executable does the work."""

import filecmp
import logging

import numpy as np
import pandas
import pytest
import scipy.sparse

import tinderbox
import tinderbox_trainer
from tinderbox_trainer import command

QUICK = {"learner": "prototypical", "dim": 16, "epochs": 2, "seed": 3}


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """A synthetic data set, as files."""
    directory = tmp_path_factory.mktemp("world")
    command.run(["synth", "--users=120", "--items=150", "--interactions=30", f"--out={directory}"])
    return directory


@pytest.fixture(scope="session")
def tables(world):
    """The same as tables."""
    return {name: pandas.read_csv(world / f"{name}.csv") for name in ("ratings", "items", "users")}


def test_a_fit_of_tables_is_the_fit_of_their_files(world, tables, tmp_path):
    of_files = tinderbox_trainer.fit(world, **QUICK)
    of_tables = tinderbox_trainer.fit(tables["ratings"], items=tables["items"], users=tables["users"], **QUICK)
    of_files.export(tmp_path / "files.tbx")
    model = of_tables.export(tmp_path / "tables.tbx")
    assert filecmp.cmp(tmp_path / "files.tbx", tmp_path / "tables.tbx", shallow=False)
    assert model.rule == "prototypical"
    assert model.dim == 16
    assert set(model.ids) == set(tables["items"]["item"]) | set(tables["ratings"]["item"])
    assert model.titles[0] is not None
    assert of_tables.card["learner"] == "Prototypical" or of_tables.card["tried"]
    session = model.session()
    session.adapt({model.ids[0]: 5.0})
    assert len(session.rank(10)) == 10


def test_a_run_stays_where_it_was_wanted_and_titles_can_be_left_out(world, tmp_path):
    run = tinderbox_trainer.fit(world, out=tmp_path / "run", **QUICK)
    assert run.directory == tmp_path / "run"
    again = tinderbox_trainer.Run(tmp_path / "run")
    assert again.card == run.card
    assert set(again.export(tmp_path / "model.tbx", titles=False).titles) == {None}


def test_a_matrix_of_ratings_or_of_likes_is_a_log(tmp_path):
    random = np.random.default_rng(1)
    mask = random.random((60, 40)) < 0.4
    ratings = scipy.sparse.csr_array((random.integers(1, 6, (60, 40)) * mask).astype(np.float32))
    ids = [f"item {column}" for column in range(40)]
    model = tinderbox_trainer.fit(ratings, item_ids=ids, **QUICK).export(tmp_path / "ratings.tbx")
    assert set(model.ids) <= set(ids)
    assert [rating for rating, _ in model.levels] == [1, 2, 3, 4, 5]
    likes = scipy.sparse.csr_array(mask)
    model = tinderbox_trainer.fit(likes, **QUICK).export(tmp_path / "likes.tbx")
    assert set(model.ids) <= {str(column) for column in range(40)}
    assert [liked for _, liked in model.levels] == [True]
    with pytest.raises(ValueError, match="1 item ids for 40 columns"):
        tinderbox_trainer.fit(likes, item_ids=["one"])


def test_cells_may_hold_several_values(tables, tmp_path):
    items = tables["items"].assign(mood=[["calm", "warm"] if at % 2 else ["calm"] for at in range(150)])
    run = tinderbox_trainer.fit(tables["ratings"], items=items, **QUICK)
    assert "mood:warm" in run.export(tmp_path / "model.tbx").item_features


def test_progress_tells_stages_and_epochs(world):
    seen = []
    tinderbox_trainer.fit(world, progress=seen.append, **QUICK)
    stages = [progress.stage for progress in seen]
    assert stages[0] == "teacher"
    epochs = [progress for progress in seen if progress.stage == "prototypical"]
    assert [progress.epoch for progress in epochs] == [1, 2]
    assert all(progress.epochs == 2 and progress.loss > 0 for progress in epochs)
    assert any(progress.validation is not None for progress in epochs)


def test_an_exception_in_progress_stops_the_trainer(world):
    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tinderbox_trainer.fit(world, progress=stop, **(QUICK | {"epochs": 100_000}))


def test_what_the_trainer_notes_goes_to_the_log(world, caplog):
    with caplog.at_level(logging.INFO, logger="tinderbox_trainer"):
        tinderbox_trainer.fit(world, **QUICK)
    assert "120 users" in caplog.text


def test_errors_are_the_trainers_words(world, tables, tmp_path):
    with pytest.raises(tinderbox_trainer.TrainerError, match=r"no\.csv"):
        tinderbox_trainer.fit(tmp_path / "no.csv")
    with pytest.raises(tinderbox_trainer.TrainerError, match="unexpected argument '--colour'"):
        tinderbox_trainer.fit(world, colour="red")
    bad = tables["ratings"].assign(rating=9)
    with pytest.raises(tinderbox_trainer.TrainerError, match="9"):
        tinderbox_trainer.fit(bad)
    with pytest.raises(tinderbox_trainer.TrainerError, match=r"learned\.postcard"):
        tinderbox_trainer.Run(tmp_path).export(tmp_path / "model.tbx")
    with pytest.raises(ValueError, match="a directory has its own files"):
        tinderbox_trainer.fit(world, items=tables["items"])
    with pytest.raises(ValueError, match="item_ids name the columns of a matrix"):
        tinderbox_trainer.fit(tables["ratings"], item_ids=["one"])


def test_an_evaluation_is_figures_and_a_frame(tables):
    seen = []
    evaluation = tinderbox_trainer.evaluate(
        tables["ratings"],
        methods=["prototypical", "popularity", "item-knn"],
        folds=1,
        progress=seen.append,
        dim=16,
        epochs=2,
        min_user=10,
    )
    assert evaluation["protocol"] == "p1"
    frame = evaluation.frame()
    accuracy = frame[frame["measure"] == "ndcg@10"].pivot(index="method", columns="k", values="mean")
    assert list(accuracy.columns) == [1, 2, 5, 10, 20]
    assert set(accuracy.index) == {"prototypical", "popularity", "item-knn"}
    assert accuracy.gt(0).all(axis=None)
    learned = frame[(frame["method"] == "prototypical") & (frame["measure"] == "ndcg@10")]
    assert learned["difference mean"].notna().all()
    assert any("popularity" in progress.stage for progress in seen)


def test_options_are_those_of_the_command_line():
    assert command.options({"time_order": True, "dim": 32, "titles": False, "like_at": None}) == [
        "--time-order",
        "--dim=32",
    ]
    assert command.options({"scale": (1, 10)}) == ["--scale=1..10"]


def test_the_engine_opens_what_the_trainer_exports(world, tmp_path):
    model = tinderbox_trainer.fit(world, **QUICK).export(tmp_path / "model.tbx")
    model.verify()
    assert tinderbox.Model.read(tmp_path / "model.tbx").content_id == model.content_id
