#!/usr/bin/env python3
"""The same work by Tinderbox and by its peers, side by side: one core, interleaved, answers compared first.

    python3 -m venv venv && venv/bin/pip install -r benches/peers/requirements.txt
    venv/bin/python benches/peers/peers.py                  # everything; some minutes
    venv/bin/python benches/peers/peers.py --quick          # numpy and faiss, one small catalogue

Tinderbox is called through its C library by ctypes; what it takes without Python's calls stands beside it. Peers work on
the f32 rows that the model file's int8 rows and scales stand for. A peer that is not installed is left out and named.

Times are the process's CPU time, all threads: what other programs on the machine take is nobody's. They and the ratios
are medians over the rounds; a ratio is a peer's time by ours in the same round. A peer is *exact* if it looks at
every row; others are marked with their recall and do not count as the best exact peer.
"""

import os

for variable in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):
    os.environ[variable + "_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import argparse
import ctypes
import importlib.util
import itertools
import statistics
import subprocess
import sys
import time
import warnings
from ctypes import byref, c_char_p, c_double, c_float, c_int, c_int32, c_size_t, c_uint8, c_uint32, c_void_p
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOP, SUPPORT, USERS, BATCH = 10, 10, 64, 32
GOALS = {1682: 8, 10_000: 6, 100_000: 5, 1_000_000: 1.5}
GOAL_BATCH, GOAL_ADAPT = 3, 15
# A query is quantised to 15 bits: scores of two items that differ by less may change places.
TOLERANCE = 5e-4


# ---------------------------------------------------------------- the engine, by ctypes


class Interaction(ctypes.Structure):
    _fields_ = [("item", c_uint32), ("level", c_uint8)]


class Request(ctypes.Structure):
    _fields_ = [("session", c_void_p), ("filter", c_void_p), ("out", c_void_p), ("capacity", c_size_t), ("len", c_size_t)]


class Loop(ctypes.Structure):
    _fields_ = [("session", c_void_p), ("supports", c_void_p), ("users", c_size_t), ("len", c_size_t), ("out", c_void_p), ("top", c_size_t)]


RANKED = np.dtype([("item", np.uint32), ("score", np.float32)])


def build(target: Path) -> tuple[ctypes.CDLL, ctypes.CDLL]:
    """The C library as it is shipped, and the loops in C."""
    cargo = ["cargo", "build", "--quiet", "-p", "tinderbox-c", "--no-default-features", "--features", "vnni", "--profile", "small", "--target-dir", str(target)]
    subprocess.run(cargo, cwd=ROOT, check=True)
    library = target / "small"
    loops = library / "libpeers_loop.so"
    cc = ["cc", "-O2", "-shared", "-fPIC", str(HERE / "loop.c"), "-I", str(ROOT / "bindings/c/include"), "-o", str(loops)]
    subprocess.run([*cc, f"-L{library}", "-ltinderbox_c", f"-Wl,-rpath,{library}"], check=True)
    tbx, loop = ctypes.CDLL(str(library / "libtinderbox_c.so")), ctypes.CDLL(str(loops))
    for function in ("tbx_model_size", "tbx_session_size", "tbx_rank_batch_size"):
        getattr(tbx, function).restype = c_size_t
    tbx.tbx_status_text.restype = c_char_p
    loop.loop_run.restype = c_double
    return tbx, loop


def sample(items: int, dim: int, kind: list[str], target: Path) -> Path:
    """A made model file: random directions, so that no peer is helped by structure; or few directions and sketches."""
    path = target / f"{'-'.join([f'{items}x{dim}', *kind])}.tbx"
    if not path.exists():
        cargo = ["cargo", "run", "--quiet", "--release", "-p", "tinderbox-benches", "--example", "sample", "--target-dir", str(target)]
        subprocess.run([*cargo, "--", str(items), str(dim), str(path), *kind], cwd=ROOT, check=True)
    return path


class Engine:
    def __init__(self, tbx, loop, path: Path):
        self.tbx, self.loop = tbx, loop
        self.file = np.memmap(path, np.uint64, mode="r")  # as an app has it: from the start of a page
        self.memory = np.zeros(tbx.tbx_model_size() // 8, np.uint64)
        self.model = c_void_p()
        self.check(tbx.tbx_open(c_void_p(self.file.ctypes.data), c_size_t(path.stat().st_size), c_void_p(self.memory.ctypes.data), c_size_t(self.memory.nbytes), byref(self.model)))
        self.check(tbx.tbx_verify(self.model))
        self.kept = []
        self.session = self.new_session()
        self.out = np.zeros(TOP, RANKED)
        self.len = c_size_t()

    def check(self, status: int):
        if status:
            sys.exit(f"peers.py: tinderbox: {self.tbx.tbx_status_text(c_int32(status)).decode()}")

    def new_session(self):
        size = self.tbx.tbx_session_size(self.model, c_size_t(SUPPORT))
        memory = np.zeros(size // 8, np.uint64)
        session = c_void_p()
        self.check(self.tbx.tbx_session_new(self.model, c_void_p(memory.ctypes.data), c_size_t(size), byref(session)))
        self.kept.append(memory)
        return session

    def interactions(self, items, levels):
        return (Interaction * len(items))(*map(Interaction, items.tolist(), levels.tolist()))

    def user(self) -> np.ndarray:
        user, dim = ctypes.POINTER(c_float)(), c_size_t()
        self.check(self.tbx.tbx_user(self.session, byref(user), byref(dim)))
        return np.ctypeslib.as_array(user, (dim.value,)).copy()


def sections(path: Path) -> dict[int, bytes]:
    """The sections of a model file by their kind, and its header: format/SPEC.md."""
    data = np.fromfile(path, np.uint8)
    header = data[:128].view(np.uint32)
    table = data[128 : 128 + 24 * int(header[16])]
    found = {}
    for entry in table.reshape(-1, 24):
        (kind,), (offset, length) = entry[:4].view(np.uint32), entry[8:].view(np.uint64)
        found[int(kind)] = data[int(offset) : int(offset) + int(length)]
    return found


@dataclass
class Model:
    """What the file says, as f32: what peers work with."""

    rows: np.ndarray  # items x dim
    prior: np.ndarray
    pull: float
    steps: np.ndarray  # steps x dim
    preconditioner: np.ndarray  # column after column
    targets: np.ndarray
    weights: np.ndarray

    @classmethod
    def read(cls, path: Path):
        found = sections(path)
        floats = lambda kind: found[kind].view(np.float32)
        prior, scales = floats(1), floats(11)
        dim = len(prior)
        blocks = found[10].view(np.int8).reshape(-1, dim // 4, 4, 4)  # block, part, item, component
        rows = blocks.swapaxes(1, 2).reshape(-1, dim)[: len(scales)].astype(np.float32) * scales[:, None]
        return cls(rows, prior, float(floats(2)[0]), floats(3).reshape(-1, dim), floats(5).reshape(dim, dim), floats(7), floats(8))

    def adapt(self, items, targets, weights, rows=None) -> np.ndarray:
        """The inner steps in numpy: engine/src/adapt/maml.rs."""
        rows, user = self.rows if rows is None else rows, self.prior
        support = rows[items]
        for sizes in self.steps:
            residual = (support @ user - targets) * weights
            gradient = residual @ support + self.pull * (user - self.prior)
            user = user - sizes * (gradient @ self.preconditioner)
        return user


@dataclass
class User:
    items: np.ndarray
    levels: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    support: object  # of Interaction
    said: set
    row: object = None  # scipy CSR, for implicit
    adapted: np.ndarray = field(default=None)


def make_users(engine: Engine, model: Model) -> list[User]:
    random = np.random.default_rng(1)
    users = []
    for _ in range(USERS):
        items = random.choice(len(model.rows), SUPPORT, replace=False).astype(np.int64)
        levels = random.integers(0, len(model.targets), SUPPORT)
        user = User(items, levels, model.targets[levels], model.weights[levels], engine.interactions(items, levels), set(items.tolist()))
        user.adapted = model.adapt(items, user.targets, user.weights)
        users.append(user)
    return users


# ---------------------------------------------------------------- contenders and measuring


@dataclass
class Contender:
    name: str
    call: Callable[[User], np.ndarray]  # what is timed; items, best first, or a user embedding
    exact: bool = True
    note: str = ""
    timed: Callable[[int], float] = None  # nanoseconds for so many calls, where the loop is not Python's


@dataclass
class Result:
    contender: Contender
    nanoseconds: float
    ratio: float


def nanoseconds_of(contender: Contender, users: list[User], times: int) -> float:
    if contender.timed:
        return contender.timed(times)
    call, turn = contender.call, list(itertools.islice(itertools.cycle(users), times))
    start = time.process_time_ns()
    for user in turn:
        call(user)
    return time.process_time_ns() - start


def measure(contenders: list[Contender], users: list[User], rounds: int, budget: float) -> list[Result]:
    """The first contender is ours. Each round gives everybody about `budget` milliseconds, one after the other."""
    times = []
    for contender in contenders:
        nanoseconds_of(contender, users, 3)
        one = nanoseconds_of(contender, users, 3) / 3
        times.append(max(1, min(20_000, int(budget * 1e6 / one))))
    spent = [[nanoseconds_of(contender, users, count) / count for contender, count in zip(contenders, times)] for _ in range(rounds)]
    return [
        Result(contender, statistics.median(row[at] for row in spent), statistics.median(row[at] / row[0] for row in spent))
        for at, contender in enumerate(contenders)
    ]


def has(module: str, quick: bool) -> bool:
    if quick and module != "faiss":
        return False
    if importlib.util.find_spec(module):
        return True
    missing.add(module)
    return False


missing: set[str] = set()


# ---------------------------------------------------------------- what agrees


def check_lists(contenders: list[Contender], users: list[User], model: Model):
    """Every exact list is the reference's, up to items that differ by less than the tolerance; others get their recall."""
    for contender in contenders:
        hits = 0
        for user in users[:16]:
            scores = model.rows @ user.adapted
            scores[user.items] = -np.inf
            reference = np.argsort(-scores, kind="stable")[:TOP]
            found = np.asarray(contender.call(user))[:TOP].astype(np.int64)
            hits += len(set(found.tolist()) & set(reference.tolist()))
            slack = TOLERANCE * np.linalg.norm(user.adapted)
            if contender.exact and not np.all(np.abs(scores[found] - scores[reference]) <= slack):
                sys.exit(f"peers.py: {contender.name} disagrees: {found} for {reference}")
        if not contender.exact:
            contender.note += f"recall {hits / 16 / TOP:.2f}"


def check_users(contenders: list[Contender], users: list[User], unit: set[str]):
    for contender in contenders:
        for user in users[:16]:
            found, expected = np.asarray(contender.call(user)).ravel(), user.adapted
            if contender.name in unit:
                found, expected = found / np.linalg.norm(found), expected / np.linalg.norm(expected)
            if not np.allclose(found, expected, rtol=1e-3, atol=1e-4):
                sys.exit(f"peers.py: {contender.name} adapts differently: {found} for {expected}")


# ---------------------------------------------------------------- the peers


def onnx_session(model: Model, rank: bool, columns: bool):
    """The inner steps, and with `rank` the scores, the exclusion and the best, as one graph."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants = [], {"rows": model.rows, "prior": model.prior[None], "pre": model.preconditioner}
    constants["pull"] = np.float32(model.pull)

    def node(kind, *inputs, **attributes):
        name = f"{kind}{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    support = node("Gather", "rows", "items")
    across, user = node("Transpose", support, perm=[1, 0]), "prior"
    for step, sizes in enumerate(model.steps):
        constants[f"sizes{step}"] = sizes[None]
        residual = node("Mul", node("Sub", node("MatMul", user, across), "targets"), "weights")
        gradient = node("Add", node("MatMul", residual, support), node("Mul", node("Sub", user, "prior"), "pull"))
        user = node("Sub", user, node("Mul", node("MatMul", gradient, "pre"), f"sizes{step}"))
    output = user
    if rank:
        flat = np.array([-1], np.int64)
        constants.update(flat=flat, top=np.array([TOP], np.int64), out=np.full(SUPPORT, -np.inf, np.float32))
        if columns:
            constants["columns"] = np.ascontiguousarray(model.rows.T)
            scores = node("MatMul", user, "columns")
        else:
            scores = node("MatMul", "rows", node("Transpose", user, perm=[1, 0]))
        scores = node("ScatterElements", node("Reshape", scores, "flat"), "items", "out")
        nodes.append(helper.make_node("TopK", [scores, "top"], ["scores", "best"]))
        output = "best"
    inputs = [helper.make_tensor_value_info("items", TensorProto.INT64, [SUPPORT])]
    inputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, SUPPORT]) for name in ("targets", "weights")]
    kind = TensorProto.INT64 if rank else TensorProto.FLOAT
    graph = helper.make_graph(nodes, "request", inputs, [helper.make_tensor_value_info(output, kind, None)], [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda user: session.run(None, {"items": user.items, "targets": user.targets[None], "weights": user.weights[None]})[0]


def faster(calls: list[Callable], users: list[User]) -> Callable:
    spent = [min(nanoseconds_of(Contender("", call), users, 8) for _ in range(4)) for call in calls]
    return calls[spent.index(min(spent))]


def faiss_index(rows: np.ndarray):
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    return index


def scann_searcher(rows: np.ndarray, **options):
    import scann

    return scann.scann_ops_pybind.builder(rows, TOP + SUPPORT, "dot_product").score_brute_force(**options).build()


def best_unsaid(items, said: set) -> list[int]:
    """Exclusion in the way that is fastest from Python: ask for more, drop what was said."""
    return [item for item in items.tolist() if item not in said][:TOP]


def ours(engine: Engine) -> Contender:
    tbx, session, out, length = engine.tbx, engine.session, c_void_p(engine.out.ctypes.data), byref(engine.len)
    adapt, rank, top, support, items = tbx.tbx_adapt, tbx.tbx_rank, c_size_t(TOP), c_size_t(SUPPORT), engine.out["item"]

    def request(user: User):
        adapt(session, user.support, support)
        rank(session, None, out, top, length)
        return items

    return Contender("**tinderbox**", request)


def ours_in_c(engine: Engine, users: list[User], rank: bool, name: str) -> Contender:
    supports = (Interaction * (USERS * SUPPORT))(*[one for user in users for one in user.support])
    loop = Loop(engine.session, ctypes.addressof(supports), USERS, SUPPORT, engine.out.ctypes.data, TOP)
    engine.kept.append(supports)
    run, with_, flag = engine.loop.loop_run, byref(loop), c_int(rank)
    return Contender(name, None, timed=lambda times, loop=loop: run(with_, c_size_t(times), flag))


def request_peers(model: Model, users: list[User], quick: bool) -> list[Contender]:
    peers, rows = [], model.rows
    adapt = lambda user: model.adapt(user.items, user.targets, user.weights)

    def with_numpy(user: User):
        scores = rows @ adapt(user)
        scores[user.items] = -np.inf
        best = np.argpartition(scores, -TOP)[-TOP:]
        return best[np.argsort(-scores[best])]

    peers.append(Contender("numpy", with_numpy))
    if has("faiss", quick):
        index = faiss_index(rows)
        peers.append(Contender("faiss IndexFlatIP + numpy", lambda user: best_unsaid(index.search(adapt(user)[None], TOP + SUPPORT)[1][0], user.said)))
    if has("onnxruntime", quick):
        peers.append(Contender("onnxruntime, one graph", faster([onnx_session(model, True, False), onnx_session(model, True, True)], users)))
    if has("scann", quick):
        searcher = scann_searcher(rows)
        peers.append(Contender("scann brute force + numpy", lambda user: best_unsaid(searcher.search(adapt(user))[0], user.said)))
    if has("usearch", quick):
        from usearch.index import MetricKind, search

        peers.append(Contender("usearch exact + numpy", lambda user: best_unsaid(search(rows, adapt(user), TOP + SUPPORT, MetricKind.IP, exact=True, threads=1).keys, user.said)))
    return peers


def implicit_peer(model: Model, users: list[User]) -> Contender:
    """implicit adapts by its own rule, a least-squares fold-in: its list is compared with its own scores."""
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    als = AlternatingLeastSquares(factors=model.rows.shape[1], num_threads=1)
    als.item_factors, als.user_factors = model.rows, np.zeros((1, model.rows.shape[1]), np.float32)
    for user in users:
        user.row = csr_matrix((np.abs(user.targets) + 0.1, (np.zeros(SUPPORT, int), user.items)), shape=(1, len(model.rows)), dtype=np.float32)
    call = lambda user: als.recommend(0, user.row, N=TOP, recalculate_user=True)[0]
    for user in users[:4]:
        scores = model.rows @ als.recalculate_user(0, user.row)
        scores[user.items] = -np.inf
        reference, found = np.argsort(-scores)[:TOP], call(user)
        if not np.allclose(scores[found], scores[reference], atol=1e-5):
            sys.exit(f"peers.py: implicit disagrees with its own scores: {found} for {reference}")
    return Contender("implicit `recommend(recalculate_user=True)`", call, note="its own fold-in")


def scan_group(engine: Engine, model: Model, users: list[User], quick: bool, ann: bool) -> list[Contender]:
    """Rankings of adapted users; what they said is left out."""
    tbx, rows, items = engine.tbx, model.rows, engine.out["item"]
    sessions = {}
    for user in users:
        session = engine.new_session()
        engine.check(tbx.tbx_adapt(session, user.support, c_size_t(SUPPORT)))
        sessions[id(user)] = session
    rank, out, length, top = tbx.tbx_rank, c_void_p(engine.out.ctypes.data), byref(engine.len), c_size_t(TOP)

    def scan(user: User):
        rank(sessions[id(user)], None, out, top, length)
        return items

    group = [Contender("**tinderbox**", scan)]
    drop = lambda found, user: best_unsaid(found, user.said)
    if has("faiss", quick):
        index = faiss_index(rows)
        group.append(Contender("faiss IndexFlatIP", lambda user: drop(index.search(user.adapted[None], TOP + SUPPORT)[1][0], user)))
    if has("scann", quick):
        searcher, int8 = scann_searcher(rows), scann_searcher(rows, quantize=True)
        group.append(Contender("scann brute force", lambda user: drop(searcher.search(user.adapted)[0], user)))
        group.append(Contender("scann brute force, int8", lambda user: drop(int8.search(user.adapted)[0], user), exact=False))
    if has("usearch", quick):
        from usearch.index import MetricKind, search

        group.append(Contender("usearch exact", lambda user: drop(search(rows, user.adapted, TOP + SUPPORT, MetricKind.IP, exact=True, threads=1).keys, user)))
    if ann and has("hnswlib", quick):
        import hnswlib

        index_hnsw = hnswlib.Index("ip", rows.shape[1])
        index_hnsw.init_index(len(rows), ef_construction=100, M=16)
        index_hnsw.add_items(rows, num_threads=1)
        index_hnsw.set_ef(100)
        index_hnsw.set_num_threads(1)
        group.append(Contender("hnswlib (approximate, ef 100)", lambda user: drop(index_hnsw.knn_query(user.adapted, TOP + SUPPORT, num_threads=1)[0][0].astype(np.int64), user), exact=False))
    return group


def adapt_group(engine: Engine, model: Model, users: list[User], quick: bool) -> list[Contender]:
    adapt, session, len_ = engine.tbx.tbx_adapt, engine.session, c_size_t(SUPPORT)

    def from_python(user: User):
        adapt(session, user.support, len_)

    def checked(user: User):
        from_python(user)
        return engine.user()

    check_users([Contender("tinderbox", checked)], users, {"tinderbox"})
    in_c = ours_in_c(engine, users, False, "**tinderbox**, from C")
    group = [in_c, Contender("tinderbox, by ctypes", from_python, note="not a peer")]
    peers = [Contender("numpy", lambda user: model.adapt(user.items, user.targets, user.weights))]
    if has("onnxruntime", quick):
        peers.append(Contender("onnxruntime", onnx_session(model, False, False)))
    if has("jax", quick):
        import jax

        rows = jax.numpy.asarray(model.rows)
        compiled = jax.jit(lambda items, targets, weights: model.adapt(items, targets, weights, rows))
        peers.append(Contender("jax.jit", lambda user: compiled(user.items, user.targets, user.weights).block_until_ready()))
    check_users(peers, users, set())
    return group + peers


def batch_group(engine: Engine, model: Model, users: list[User], quick: bool) -> list[Contender]:
    """Rankings of many adapted users at once; the time is that of the whole batch."""
    tbx, rows, batch = engine.tbx, model.rows, users[:BATCH]
    lists = np.zeros((BATCH, TOP), RANKED)
    requests = (Request * BATCH)()
    for at, user in enumerate(batch):
        session = engine.new_session()
        engine.check(tbx.tbx_adapt(session, user.support, c_size_t(SUPPORT)))
        requests[at] = Request(session, None, lists[at].ctypes.data, TOP, 0)
    size = tbx.tbx_rank_batch_size(c_size_t(BATCH))
    memory = np.zeros(size // 8, np.uint64)
    queries = np.stack([user.adapted for user in batch])
    where = (np.repeat(np.arange(BATCH), SUPPORT), np.concatenate([user.items for user in batch]))

    def ours_(_):
        engine.check(tbx.tbx_rank_batch(requests, c_size_t(BATCH), c_void_p(memory.ctypes.data), c_size_t(size)))
        return lists["item"]

    def with_numpy(_):
        scores = queries @ rows.T
        scores[where] = -np.inf
        best = np.argpartition(scores, -TOP, axis=1)[:, -TOP:]
        order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1)
        return np.take_along_axis(best, order, 1)

    unsaid = lambda found: [best_unsaid(row, user.said) for row, user in zip(found, batch)]
    group = [Contender("**tinderbox**", ours_), Contender("numpy", with_numpy)]
    if has("faiss", quick):
        index = faiss_index(rows)
        group.append(Contender("faiss IndexFlatIP", lambda _: unsaid(index.search(queries, TOP + SUPPORT)[1])))
    if has("scann", quick):
        searcher = scann_searcher(rows)
        group.append(Contender("scann brute force", lambda _: unsaid(searcher.search_batched(queries)[0])))
    if has("usearch", quick):
        from usearch.index import MetricKind, search

        group.append(Contender("usearch exact", lambda _: unsaid(search(rows, queries, TOP + SUPPORT, MetricKind.IP, exact=True, threads=1).keys)))
    for contender in group:
        for at, user in enumerate(batch[:4]):
            check_lists([Contender(contender.name, lambda user: contender.call(user)[at])], [user], model)
    return group


# ---------------------------------------------------------------- the report


def show(title: str, results: list[Result], goal: float | None) -> str:
    lines = [f"### {title}", "", "| | µs | by ours | |", "|---|---|---|---|"]
    for result in results:
        note = result.contender.note if result.contender.exact else f"approximate, {result.contender.note}"
        ratio = "1" if result is results[0] else f"{result.ratio:.1f}"
        lines.append(f"| {result.contender.name} | {result.nanoseconds / 1e3:.2f} | {ratio} | {note} |")
    rivals = [result for result in results[1:] if result.contender.exact and "tinderbox" not in result.contender.name]
    if rivals:
        best = min(rivals, key=lambda result: result.ratio)
        verdict = "" if goal is None else f"; goal {goal:g}: {'reached' if best.ratio >= goal else 'missed'}"
        lines += ["", f"Best exact peer: {best.contender.name}, {best.ratio:.1f} times ours{verdict}."]
    text = "\n".join(lines) + "\n"
    print(text, flush=True)
    return text


def cpu() -> str:
    names = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else "unknown CPU"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--items", default="1682,10000,100000,1000000", help="sizes of the catalogue")
    parser.add_argument("--dims", default="32,64")
    parser.add_argument("--groups", default="request,scan,adapt,batch", help="what to compare")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--cpu", type=int, help="the core to run on; default: the last one allowed")
    parser.add_argument("--target", type=Path, default=ROOT / "target/peers", help="where to build and to keep model files")
    parser.add_argument("--markdown", type=Path, help="write the tables there, too")
    parser.add_argument("--sketched", action="store_true", help="rows and users along the same few directions, and sketches in the file")
    parser.add_argument("--quick", action="store_true", help="numpy and faiss on one small catalogue")
    options = parser.parse_args()
    if options.quick:
        options.items, options.dims, options.rounds = "1682", "32", 5
    warnings.filterwarnings("ignore")
    options.target.mkdir(parents=True, exist_ok=True)
    tbx, loop = build(options.target)
    cells = [(int(items), int(dim)) for dim in options.dims.split(",") for items in options.items.split(",")]
    kind = ["sketched"] if options.sketched else []
    paths = {cell: sample(*cell, kind, options.target) for cell in cells}
    os.sched_setaffinity(0, {options.cpu if options.cpu is not None else max(os.sched_getaffinity(0))})

    class Text(ctypes.Structure):
        _fields_ = [("data", ctypes.POINTER(ctypes.c_char)), ("len", c_size_t)]

    tbx.tbx_kernel.restype = Text
    kernel = tbx.tbx_kernel()
    text = f"One core of a {cpu()}, kernel {kernel.data[: kernel.len].decode()}, {options.rounds} rounds; top {TOP}, support of {SUPPORT}, 5 inner steps.\n\n"
    print(text, flush=True)
    for items, dim in cells:
        engine, model = Engine(tbx, loop, paths[items, dim]), Model.read(paths[items, dim])
        users = make_users(engine, model)
        name, quick = ", ".join([f"{items:,} items", f"dim {dim}", *kind]), options.quick
        budget = 3.0 if items < 100_000 else 20.0
        if "request" in options.groups:
            group = [ours(engine), *request_peers(model, users, quick)]
            check_lists(group, users, model)
            if has("implicit", quick):
                group.append(implicit_peer(model, users))
            group.insert(1, ours_in_c(engine, users, True, "tinderbox, from C"))
            text += show(f"Whole request: {name}", measure(group, users, options.rounds, budget), GOALS.get(items)) + "\n"
            del group
        if "scan" in options.groups:
            group = scan_group(engine, model, users, quick, ann=items <= 100_000)
            check_lists(group, users, model)
            text += show(f"Scan only: {name}", measure(group, users, options.rounds, budget), None) + "\n"
            del group
        if "adapt" in options.groups and items == 1682:
            text += show(f"Adapt only: {name}", measure(adapt_group(engine, model, users, quick), users, options.rounds, budget), GOAL_ADAPT) + "\n"
        if "batch" in options.groups and (items == 100_000 or quick):
            text += show(f"{BATCH} users at once, scan only: {name}", measure(batch_group(engine, model, users, quick), users, options.rounds, budget), None if quick else GOAL_BATCH) + "\n"
    if missing:
        line = f"Not installed and left out: {', '.join(sorted(missing))}.\n"
        print(line)
        text += line
    if options.markdown:
        options.markdown.write_text(text)


if __name__ == "__main__":
    main()
