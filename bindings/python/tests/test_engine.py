"""What Python adds to the engine: names, types, errors, arrays, threads. Its answers: test_golden.py."""

import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

import tinderbox

FILES = Path(__file__).parents[3] / "format" / "golden"
MAML = FILES / "v2-maml.tbx"
IMPLICIT = FILES / "v2-prototypical.tbx"


@pytest.fixture
def model():
    return tinderbox.Model.open(MAML)


@pytest.fixture
def session(model):
    return model.session()


def test_a_model_says_what_it_is(model):
    assert (model.items, len(model), model.dim, model.rule, model.steps) == (20, 20, 16, "maml", 2)
    assert model.levels == [(1.0, False), (2.0, False), (3.0, False), (4.0, True), (5.0, True)]
    assert model.categories[0] == "category:000"
    assert model.item_features[0] == "genre:000"
    assert model.user_features[0] == "age:000"
    assert model.card == {"items": 20}
    assert set(model.onboarding) <= set(model.ids)
    assert repr(model) == "<tinderbox.Model maml: 20 items, dim 16>"
    model.verify()


def test_ids_numbers_and_titles_belong_together(model):
    for number, (id, title) in enumerate(zip(model.ids, model.titles, strict=True)):
        assert (model.number(id), model.id(number), model.title(id)) == (number, id, title)
        assert id in model
    assert model.numbers(model.ids).tolist() == list(range(20))
    assert model.numbers(["no such", model.ids[3]]).tolist() == [-1, 3]
    assert "no such" not in model
    with pytest.raises(KeyError, match="no such"):
        model.title("no such")
    with pytest.raises(IndexError, match="item 20 of 20"):
        model.id(20)


def test_a_file_mapped_read_and_from_bytes_is_one_model(model):
    data = MAML.read_bytes()
    others = [
        tinderbox.Model.read(MAML),
        tinderbox.Model.from_bytes(data),
        tinderbox.Model.from_bytes(bytearray(data)),
    ]
    others += [pickle.loads(pickle.dumps(other)) for other in [model, *others]]
    for other in others:
        assert other.content_id == model.content_id
        assert other.session().rank(20) == model.session().rank(20)


def test_embeddings_rank_as_the_session_does(model, session):
    session.adapt({model.ids[2]: True, model.ids[7]: False})
    user = session.user / np.linalg.norm(session.user)
    cosines = model.embeddings @ user
    for id, score in session.rank(20):
        assert score == pytest.approx(cosines[model.number(id)], abs=2e-4)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a model file"),
        (b"not a model file at all" * 10, "not a model file"),
        (MAML.read_bytes()[:-1], "bytes, expected"),
        (MAML.read_bytes() + b"\0", "bytes, expected"),
    ],
)
def test_what_is_no_model_file_is_refused_in_the_engines_words(data, words):
    with pytest.raises(tinderbox.OpenError, match=words):
        tinderbox.Model.from_bytes(data)


def test_verify_notices_a_flipped_bit():
    data = bytearray(MAML.read_bytes())
    data[-3] ^= 1
    with pytest.raises((tinderbox.VerifyError, tinderbox.OpenError)):
        tinderbox.Model.from_bytes(bytes(data)).verify()


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    for opening in (tinderbox.Model.open, tinderbox.Model.read):
        with pytest.raises(FileNotFoundError, match=r"no\.tbx"):
            opening(tmp_path / "no.tbx")


def test_pairs_dicts_iterators_and_arrays_are_one_feedback(model, session):
    feedback = {model.ids[1]: 5.0, model.ids[4]: 1.0, model.ids[9]: 4.0}
    session.adapt(feedback)
    expected = session.rank(20)
    for same in (list(feedback.items()), iter(feedback.items()), [list(pair) for pair in feedback.items()]):
        session.adapt([])
        session.adapt(same)
        assert session.rank(20) == expected
    for items in (
        [1, 4, 9],
        np.array([1, 4, 9], np.int32),
        np.array([1, 4, 9], np.uint8),
        np.arange(10)[[1, 4, 9]],
    ):
        for values in (
            [5, 1, 4],
            [5.0, 1, np.float32(4)],
            np.array([5.0, 1.0, 4.0]),
            np.array([5, 0, 1, 0, 4, 0])[::2],
        ):
            session.adapt([])
            session.adapt_numbers(items, values)
            assert session.rank(20) == expected


def test_booleans_are_likes_and_dislikes_and_numbers_are_ratings(model, session):
    one, two = model.ids[:2]
    session.adapt([(one, True), (two, False)])
    expected = session.user.tolist()
    session.adapt([(one, np.True_), (two, np.False_)])
    assert session.user.tolist() == expected
    session.adapt_numbers([0, 1], np.array([True, False]))
    assert session.user.tolist() == expected
    session.adapt([(one, 1), (two, 2)])
    assert session.user.tolist() != expected
    session.adapt_numbers([0, 1])
    likes = session.user.tolist()
    session.adapt({one: True, two: True})
    assert session.user.tolist() == likes


@pytest.mark.parametrize(
    ("feedback", "error", "words"),
    [
        (
            [("no such", True)],
            tinderbox.FeedbackError,
            'item "no such": no item of the catalogue has this id',
        ),
        (
            [("0", 6.0)],
            tinderbox.FeedbackError,
            'item "0": rating 6 is off the model\'s scale: give one from 1 to 5',
        ),
        ([("0", float("nan"))], tinderbox.FeedbackError, "NaN is off"),
        ([(0, True)], TypeError, r"an id must be a str, not int: give str\(id\)"),
        ([("0", "five")], TypeError, "True .like., False .dislike. or a rating"),
        ([("0", None)], TypeError, "True .like."),
        ([("0",)], ValueError, "expected a sequence of length 2"),
        (5, TypeError, "iterable"),
    ],
)
def test_bad_feedback_is_refused_and_leaves_the_session_as_it_was(model, session, feedback, error, words):
    session.adapt({model.ids[3]: True})
    before = session.rank(20)
    with pytest.raises(error, match=words):
        session.adapt(feedback)
    assert session.rank(20) == before


@pytest.mark.parametrize(
    ("items", "values", "error", "words"),
    [
        ([20], [5], tinderbox.SessionError, "item 20 of 20"),
        ([-1], [5], tinderbox.FeedbackError, "item -1: no item of the catalogue"),
        ([1, 2], [5], ValueError, "1 values for 2 items"),
        (np.array([1.0]), [5], TypeError, "items must be whole numbers"),
        (np.array([[1]]), [5], ValueError, "items must have one dimension, not 2"),
        ([1], np.array(["five"]), TypeError, "a rating"),
        ([1], np.array([7.0]), tinderbox.FeedbackError, "item 1: rating 7 is off"),
    ],
)
def test_bad_numbers_are_refused(session, items, values, error, words):
    with pytest.raises(error, match=words):
        session.adapt_numbers(items, values)


def test_an_implicit_model_knows_no_dislikes():
    model = tinderbox.Model.open(IMPLICIT)
    session = model.session()
    session.adapt({model.ids[0]: True})
    with pytest.raises(tinderbox.FeedbackError, match="bare dislike"):
        session.adapt({model.ids[0]: False})


def test_a_session_grows_with_the_support(model):
    small, large = model.session(capacity=1), model.session(capacity=100)
    small.set_features(["age:000"])
    large.set_features(["age:000"])
    support = [(id, 1 + at % 5) for at, id in enumerate(model.ids)]
    small.adapt(support)
    large.adapt(support)
    keep = model.filter(keep_support=True)
    assert small.rank(20, keep) == large.rank(20, keep)
    with pytest.raises(ValueError, match="no memory for"):
        model.session(capacity=2**60)


def test_a_support_that_is_refused_leaves_the_session_also_where_it_would_have_to_grow(model):
    session = model.session(capacity=2)
    session.adapt({model.ids[3]: True})
    before = session.rank(20)
    with pytest.raises(tinderbox.SessionError, match="item 20 of 20"):
        session.adapt_numbers([0, 1, 2, 20])
    assert session.rank(20) == before


def test_lists_are_as_long_as_there_are_items(session):
    assert len(session.rank(10**12)) == 20
    assert session.rank(0) == []
    items, scores = session.rank_numbers(10**12)
    assert (items.dtype, scores.dtype, items.shape, scores.shape) == (np.int32, np.float32, (20,), (20,))


def test_filters_allow_deny_and_choose_categories(model, session):
    ids = set(model.ids)
    some = list(model.ids[3:9])
    listed = lambda filter: {id for id, _ in session.rank(20, filter)}  # noqa: E731
    assert listed(model.filter(allow=some)) == set(some)
    assert listed(model.filter(allow=np.arange(3, 9))) == set(some)
    assert listed(model.filter(allow=reversed(some + some))) == set(some)
    assert listed(model.filter(allow=[])) == set()
    assert listed(model.filter(deny=some)) == ids - set(some)
    assert listed(model.filter(allow=some, deny=some[:2])) == set(some[2:])
    parts = [listed(model.filter(categories=[name])) for name in model.categories]
    assert listed(model.filter(categories=model.categories[:2])) == parts[0] | parts[1] != ids
    session.adapt({some[0]: True})
    assert listed(None) == ids - {some[0]}
    assert listed(model.filter(keep_support=True)) == ids


def test_filters_refuse_what_is_not_there(model, session):
    with pytest.raises(tinderbox.RankError, match='no category "horror"'):
        model.filter(categories=["horror"])
    with pytest.raises(tinderbox.RankError, match='item "no such"'):
        model.filter(deny=["no such"])
    with pytest.raises(tinderbox.RankError, match="item -1: no item"):
        model.filter(deny=model.numbers(["no such"]))
    with pytest.raises(TypeError, match="an id must be a str"):
        model.filter(deny=[3])
    with pytest.raises(tinderbox.RankError, match="of 20"):
        session.rank(5, model.filter(deny=np.array([20])))
    with pytest.raises(tinderbox.RankError, match="made for another model"):
        session.rank(5, tinderbox.Model.open(IMPLICIT).filter())


def test_score_explain_and_similar_speak_of_ids(model, session):
    session.adapt({model.ids[1]: True, model.ids[2]: False})
    for id, score in session.rank(20):
        assert session.score(id) == score
    reasons = session.explain(model.ids[5])
    assert {id for id, _ in reasons} == {model.ids[1], model.ids[2]}
    assert reasons[0][1] >= reasons[1][1]
    assert session.explain(model.ids[5], 1) == reasons[:1]
    assert model.ids[5] not in dict(session.similar(model.ids[5], 20))
    for call in (session.score, session.explain, session.similar):
        with pytest.raises(KeyError, match="no such"):
            call("no such")
        with pytest.raises(TypeError, match="an id must be a str"):
            call(5)


def test_variety_begins_with_the_best_and_is_off_at_zero(session):
    assert session.rank_diverse(8, diversity=0.0) == session.rank(8)
    assert session.rank_diverse(8, diversity=1.0)[0] == session.rank(1)[0]
    assert len(session.rank_diverse(8, candidates=3)) == 3


def test_new_items_are_ranked_under_their_ids(model, session):
    rater = model.session()
    rater.adapt({model.ids[0]: True})
    new = [
        model.embed_item("new", model.item_features[:2]),
        model.embed_item("rated", model.item_features[:2], [(rater.user, True)]),
    ]
    assert new[0].row.shape == (16,) and new[0].row.dtype == np.int8
    assert new[0].row.tobytes() != new[1].row.tobytes()
    session.set_features(["age:000"])
    before = session.user.tolist()
    session.add_items(new)
    assert session.user.tolist() == before
    assert {"new", "rated"} < {id for id, _ in session.rank(22)}
    session.adapt({"new": True})
    assert "new" not in dict(session.rank(22))
    assert session.explain("rated")[0][0] == "new"
    assert list(dict(session.rank(5, session.filter(allow=["rated", "new"])))) == ["rated"]
    session.add_items([])
    assert len(session.rank(30)) == 20


def test_new_items_are_refused_without_a_known_feature_or_an_own_id(model, session):
    with pytest.raises(tinderbox.EmbedError, match='no item feature "x"'):
        model.embed_item("new", ["x"])
    with pytest.raises(tinderbox.EmbedError, match="embedding of rater 0 has 3 floats"):
        model.embed_item("new", model.item_features[:1], [(np.ones(3, np.float32), True)])
    with pytest.raises(tinderbox.FeedbackError, match="rater 0: rating 9"):
        model.embed_item("new", model.item_features[:1], [(session.user, 9.0)])
    item = model.embed_item("new", model.item_features[:1])
    for taken in ([item, item], [model.embed_item(model.ids[0], model.item_features[:1])]):
        with pytest.raises(tinderbox.SessionError, match="the id is taken"):
            session.add_items(taken)
    with pytest.raises(tinderbox.SessionError, match="for another model"):
        tinderbox.Model.open(IMPLICIT).session().add_items([item])


def test_user_features_change_the_prior_and_unknown_ones_are_refused(session):
    before = session.rank(20)
    session.set_features(["age:001"])
    assert session.rank(20) != before
    with pytest.raises(tinderbox.SessionError, match='no user feature "age:9"'):
        session.set_features(["age:9"])
    session.set_features([])
    assert session.rank(20) == before


def supports(users, items, seed=0):
    """Random ratings, some users without any."""
    random = np.random.default_rng(seed)
    dense = random.integers(1, 6, (users, items)) * (random.random((users, items)) < random.random((users, 1)) / 2)
    dense[:: max(users // 3, 1)] = 0
    return scipy.sparse.csr_matrix(dense.astype(np.float32))


@pytest.mark.parametrize("file", ["v2-maml.tbx", "v2-matching.tbx"])
@pytest.mark.parametrize("threads", [1, 3, 1000])
def test_a_batch_is_to_the_bit_what_sessions_say(file, threads):
    model = tinderbox.Model.open(FILES / file)
    matrix = supports(101, model.items)
    filter = model.filter(deny=np.array([0, 5]))
    items, scores = model.rank_batch(matrix, 15, filter, threads=threads)
    assert (items.shape, scores.shape, items.dtype, scores.dtype) == (
        (101, 15),
        (101, 15),
        np.int32,
        np.float32,
    )
    session = model.session()
    for user in range(101):
        row = matrix[user]
        session.adapt_numbers(row.indices, row.data)
        alone, alone_scores = session.rank_numbers(15, filter)
        listed = len(alone)
        assert items[user, :listed].tolist() == alone.tolist()
        assert scores[user, :listed].tobytes() == alone_scores.tobytes()
        assert (items[user, listed:] == -1).all() and np.isnan(scores[user, listed:]).all()


def test_a_batch_takes_matrices_arrays_likes_and_features(model):
    matrix = supports(7, model.items)
    expected = model.rank_batch(matrix)[0].tolist()
    as_arrays = (matrix.indptr.astype(np.int64), matrix.indices.tolist(), matrix.data.astype(np.float64))
    assert model.rank_batch(scipy.sparse.csr_array(matrix))[0].tolist() == expected
    assert model.rank_batch(as_arrays)[0].tolist() == expected
    likes = model.rank_batch((matrix.indptr, matrix.indices, None))[0].tolist()
    assert likes == model.rank_batch(matrix.astype(bool))[0].tolist() != expected
    features = [["age:000"], [], ["age:001", "age:002"], [], [], [], ["age:002"]]
    lists, _ = model.rank_batch(matrix, features=features)
    session = model.session()
    for user, known in enumerate(features):
        session.set_features(known)
        session.adapt_numbers(matrix[user].indices, matrix[user].data)
        assert lists[user].tolist() == session.rank_numbers(10)[0].tolist()


def test_empty_batches_have_empty_answers(model):
    nobody = scipy.sparse.csr_matrix((0, model.items), dtype=np.float32)
    assert [array.shape for array in model.rank_batch(nobody)] == [(0, 10), (0, 10)]
    assert [array.shape for array in model.rank_batch(supports(3, model.items), 0)] == [(3, 0), (3, 0)]
    assert model.rank_batch(supports(3, model.items), 10**12)[0].shape == (3, 20)


@pytest.mark.parametrize(
    ("feedback", "error", "words"),
    [
        (supports(3, 19), ValueError, "19 columns, the model 20 items"),
        (supports(3, 20).tocsc(), ValueError, "not CSR"),
        (np.ones((3, 20)), ValueError, "must be a scipy CSR matrix"),
        (([0, 2], [1], [5.0]), ValueError, "indptr must rise from 0 to the number of indices, 1"),
        (([1, 1], [1], [5.0]), ValueError, "indptr must rise"),
        (([0, 1, 0, 1], [1], [5.0]), ValueError, "indptr must rise"),
        (([], [], []), ValueError, "indptr must rise"),
        (([0, -1, 1], [1], [5.0]), ValueError, "indptr must rise"),
        (([0, 0, 1], [20], [5.0]), tinderbox.SessionError, "user 1: item 20 of 20"),
        (([0, 0, 1], [-1], [5.0]), tinderbox.FeedbackError, "user 1, item -1: no item"),
        (([0, 0, 1], [1], [0.0]), tinderbox.FeedbackError, "user 1, item 1: rating 0 is off"),
        (([0, 1], [1], [5.0, 4.0]), ValueError, "2 values for 1 items"),
    ],
)
def test_bad_batches_are_refused_and_the_user_is_named(model, feedback, error, words):
    with pytest.raises(error, match=words):
        model.rank_batch(feedback)


def test_a_batch_wants_features_that_it_knows_for_each_user(model):
    matrix = supports(2, model.items)
    with pytest.raises(ValueError, match="features of 1 users for 2"):
        model.rank_batch(matrix, features=[[]])
    with pytest.raises(tinderbox.SessionError, match='user 1: no user feature "x"'):
        model.rank_batch(matrix, features=[[], ["x"]])


def test_a_model_serves_many_threads(model):
    matrix = supports(64, model.items)
    expected = model.rank_batch(matrix)[0].tolist()
    found = []

    def work():
        session = model.session()
        lists = []
        for user in range(64):
            session.adapt_numbers(matrix[user].indices, matrix[user].data)
            numbers = session.rank_numbers(10)[0].tolist()
            lists.append(numbers + [-1] * (10 - len(numbers)))
        found.append(lists == expected and model.rank_batch(matrix)[0].tolist() == expected)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8


def test_every_public_name_has_words_and_its_home():
    for name in set(tinderbox.__all__) - {"__version__"}:
        thing = getattr(tinderbox, name)
        assert thing.__doc__, name
        members = vars(thing) if isinstance(thing, type) and thing.__module__ == "tinderbox" else {}
        for member, value in members.items():
            assert member.startswith("__") or value.__doc__, f"{name}.{member}"
