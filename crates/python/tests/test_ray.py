"""Sweeps on a Ray cluster of two nodes, one of which is lost."""

import time

import pytest

import taskhead as th

ray = pytest.importorskip("ray")

OPTIONS = {"samples": 40, "width": 64, "inputs": 48, "outputs": 4, "seeds": 40, "points": 6}

# What Ray itself warns of, and leaves open.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def cluster():
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.other = cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def same(folder, one, other):
    for suffix in ("csv", "parquet"):
        assert (folder / f"{one}.{suffix}").read_bytes() == (folder / f"{other}.{suffix}").read_bytes()


def test_a_node_that_is_lost_changes_nothing(cluster, tmp_path, monkeypatch):
    from ray._private.state import available_resources_per_node

    from taskhead import _ray, _taskhead

    kept, free = [], []

    class Gathering:
        """Takes the second node away when ten curves have come."""

        def __init__(self, asked):
            self.own = _taskhead.Gathering(asked)

        def missing(self):
            return self.own.missing()

        def keep(self, part):
            self.own.keep(part)
            kept.append(int(part["cell"][0]))
            if len(kept) == 10:
                free.append(available_resources_per_node()[cluster.other.node_id].get("CPU", 0))
                cluster.remove_node(cluster.other, allow_graceful=False)

        def store(self):
            self.own.store()

        def finish(self):
            return self.own.finish()

    monkeypatch.setattr(_ray, "Gathering", Gathering)
    th.sweep(**OPTIONS, out=tmp_path / "alone")
    th.sweep(**OPTIONS, out=tmp_path / "ray", on="ray")
    same(tmp_path, "alone", "ray")
    # Each curve came once.
    assert sorted(kept) == [6 * curve for curve in range(40)]
    # The lost node was at work, and was lost.
    assert free == [0]
    for _ in range(600):
        if sum(node["Alive"] for node in ray.nodes()) == 1:
            break
        time.sleep(0.1)
    else:
        raise AssertionError(ray.nodes())


def test_what_is_known_is_not_computed_again(cluster, tmp_path):
    from taskhead import _ray

    whole = th.sweep(**OPTIONS, out=tmp_path / "alone")
    counted = []
    own = _ray.Gathering

    class Stopped(Exception):
        pass

    class Gathering:
        def __init__(self, asked):
            self.own, self.left = own(asked), 15

        def __getattr__(self, name):
            return getattr(self.own, name)

        def keep(self, part):
            self.own.keep(part)
            counted.append(part)
            self.left -= 1
            if self.left == 0:
                raise Stopped

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_ray, "Gathering", Gathering)
        with pytest.raises(Stopped):
            th.sweep(**OPTIONS, out=tmp_path / "ray", on="ray")
        assert (tmp_path / "ray.partial.parquet").exists()
        counted.clear()
        patch.setattr(Gathering, "keep", lambda self, part: (self.own.keep(part), counted.append(part))[0])
        resumed = th.sweep(**OPTIONS, out=tmp_path / "ray", on="ray")
    assert len(counted) == 25 and len(resumed) == len(whole)
    same(tmp_path, "alone", "ray")


def test_a_problem_in_a_file(cluster, arrays, tmp_path, monkeypatch):
    import numpy as np

    np.savez(tmp_path / "p.npz", **{name: array for name, array in arrays.items() if name != "head"})
    monkeypatch.chdir(tmp_path)
    th.sweep(problem="p.npz", seeds=3, points=3, out="alone")
    th.sweep(problem="p.npz", seeds=3, points=3, out="ray", on="ray")
    same(tmp_path, "alone", "ray")
    with pytest.raises(ValueError, match="a problem in memory is not sent to other nodes"):
        th.sweep(problem=th.Problem(**arrays), on="ray")
    with pytest.raises(ValueError, match="`shard` has no effect with on='ray'"):
        th.sweep(seeds=3, shard="1/2", on="ray")
