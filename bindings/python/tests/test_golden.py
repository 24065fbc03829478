"""The golden requests (engine/golden/README.md): what every binding must answer, to the bit."""

import struct
from pathlib import Path

import numpy as np
import pytest

import tinderbox

GOLDEN = Path(__file__).parents[3] / "engine" / "golden"


def requests():
    """Each request: where it begins, its lines, and the answer after each question."""
    request = []
    for number, line in enumerate((GOLDEN / "requests.txt").read_text("utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if line.startswith("="):
            request[-1][2] = line
            continue
        if line.startswith("model ") and request:
            yield request
            request = []
        request.append([number, line, None])
    yield request


def bits(value):
    return struct.pack(">f", value).hex()


def feedback(word):
    return {"+": True, "-": False}[word] if word in "+-" else float(word)


class Player:
    """One request, played: a session by item numbers, as the requests have them."""

    def __init__(self, name):
        self.model = tinderbox.Model.open(GOLDEN / f"{name}.tbx")
        self.session = self.model.session()
        self.ids = list(self.model.ids)
        self.new, self.raters = [], []

    def interactions(self, words):
        pairs = (word.split(":") for word in words)
        return [(self.ids[int(item)], feedback(said)) for item, said in pairs]

    def filter(self, words):
        options = {}
        for word in words:
            name, _, items = word.partition("=")
            numbers = [int(item) for item in items.split(",") if item]
            match name:
                case "keep":
                    options["keep_support"] = True
                case "categories":
                    options["categories"] = [self.model.categories[number] for number in numbers]
                case _:
                    options[name] = np.array(numbers, dtype=np.int64)
        return self.session.filter(**options)

    def listed(self, pairs):
        return " ".join(f"{self.ids.index(id)}:{bits(score)}" for id, score in pairs)

    def play(self, line):
        verb, _, rest = line.partition(" ")
        return getattr(self, verb)(rest.split(" ") if rest else [])

    def rater(self, words):
        session = self.model.session()
        session.adapt(self.interactions(words[1:]))
        self.raters.append((session.user, feedback(words[0])))

    def new_item(self, words):
        features = [self.model.item_features[int(word)] for word in words]
        item = self.model.embed_item(f"new {len(self.new)}", features, self.raters)
        self.new.append(item)
        self.ids.append(item.id)
        self.raters = []
        self.session.add_items(self.new)
        return f"{bits(item.scale)} {item.row.tobytes().hex()}"

    def user(self, words):
        self.session.set_features([self.model.user_features[int(word)] for word in words])

    def feedback(self, words):
        self.session.adapt(self.interactions(words))

    def rank(self, words):
        top, filter = int(words[0]), self.filter(words[1:])
        ranked = self.session.rank(top, filter)
        items, scores = self.session.rank_numbers(top, filter)
        assert [self.ids[item] for item in items] == [id for id, _ in ranked]
        assert scores.tolist() == [score for _, score in ranked]
        return self.listed(ranked)

    def diverse(self, words):
        top, candidates, percent = map(int, words[:3])
        ranked = self.session.rank_diverse(top, percent / 100, candidates, self.filter(words[3:]))
        return self.listed(ranked)

    def similar(self, words):
        ranked = self.session.similar(self.ids[int(words[0])], int(words[1]), self.filter(words[2:]))
        return self.listed(ranked)

    def batch(self, words):
        users = [user.split() for user in " ".join(words).split("|")[1:]]
        pairs = [word.split(":") for user in users for word in user]
        ends = np.cumsum([0] + [len(user) for user in users])
        arrays = (ends, [int(item) for item, _ in pairs], [feedback(said) for _, said in pairs])
        items, scores = self.model.rank_batch(arrays, int(words[0]))
        lists = [
            " ".join(f"{i}:{bits(s)}" for i, s in zip(*row, strict=True) if i >= 0)
            for row in zip(items, scores, strict=True)
        ]
        return " | ".join(lists)

    def score(self, words):
        return bits(self.session.score(self.ids[int(words[0])]))

    def explain(self, words):
        return self.listed(self.session.explain(self.ids[int(words[0])], int(words[1])))

    def onboarding(self, _):
        return " ".join(str(self.model.number(id)) for id in self.model.onboarding)

    def find(self, words):
        id = " ".join(words)
        return str(self.model.number(id)) if id in self.model else ""

    def id(self, words):
        return self.model.id(int(words[0]))

    def title(self, words):
        return self.model.titles[int(words[0])] or ""


@pytest.mark.parametrize("request_", list(requests()), ids=lambda request: f"line {request[0][0]}")
def test_every_golden_request_has_its_bits(request_):
    (_, opening, _), *lines = request_
    player = Player(opening.removeprefix("model "))
    for number, line, golden in lines:
        answer = player.play(line.replace("new ", "new_item ", 1) if line.startswith("new ") else line)
        if golden is not None:
            assert f"= {answer}".rstrip(" ") == golden.rstrip(" "), f"requests.txt, line {number}: {line}"
        else:
            assert answer is None, f"line {number} has no golden answer"
