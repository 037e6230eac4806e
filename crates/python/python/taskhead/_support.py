"""What the compiled module asks of Python: arrays by their bytes, progress bars, tables for notebooks."""

from __future__ import annotations

import html
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ._taskhead import Advice, Certificate, Report, Run, Sweep


def describe(value: Any, name: str) -> tuple[str, tuple[int, ...], bool, np.ndarray[Any, Any]]:
    """Type, shape, whether the first index runs fastest, and the bytes of an array, copied only where it has gaps."""
    array = value if type(value) is np.ndarray else _array(value, name)
    if array.dtype.hasobject or array.dtype.kind == "T":
        array = _values(array)
        if array.dtype.hasobject:
            raise ValueError(_of_objects(array, name))
    dtype = array.dtype.str
    if dtype[1] == "V" and array.dtype.name == "bfloat16":
        dtype = "bfloat16"
    shape = array.shape
    fortran = array.flags.fnc
    if fortran:
        array = array.T
    elif not array.flags.c_contiguous:
        array = np.ascontiguousarray(array)
    return dtype, shape, fortran, array.reshape(-1).view(np.uint8)


def _array(value: Any, name: str) -> np.ndarray[Any, Any]:
    if isinstance(value, np.ma.MaskedArray):
        raise ValueError(f"`{name}` is a masked array; accepted: arrays without a mask")
    if hasattr(value, "detach"):  # a tensor of PyTorch, on any device
        value = value.detach().cpu()
        if str(value.dtype) == "torch.bfloat16":
            value = value.float()
    try:
        if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
            return np.from_dlpack(value)
        array = np.asarray(value)
        if array.dtype.kind == "U" and isinstance(value, (list, tuple)):
            # NumPy has turned numbers beside texts into texts.
            array = _values(np.array(value, dtype=object))
        return array
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        raise ValueError(f"`{name}` is not an array: {error}") from error


def _values(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Texts or numbers that are objects, as of pandas, in an array of them; other objects stay what they are."""
    values = array.ravel().tolist()
    if not values:
        return np.empty(array.shape)
    if all(isinstance(value, str) for value in values):
        return np.array(values, dtype=np.str_).reshape(array.shape)
    if all(isinstance(value, (bool, int, float, np.number, np.bool_)) for value in values):
        plain = np.array(values)
        if plain.dtype.kind in "biuf":
            return plain.reshape(array.shape)
    return array.astype(object)


def progress(total: int | None, unit: str) -> Any:
    """A bar of tqdm on a terminal, after half a second; ``None`` where nobody looks."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    plain = "{desc} {elapsed}" if total is None else None
    return tqdm(total=total, unit=unit, delay=0.5, leave=False, file=sys.stderr, bar_format=plain)


def _of_objects(array: np.ndarray[Any, Any], name: str) -> str:
    """What is wrong with an array of objects that are neither all texts nor all numbers."""
    values = array.ravel().tolist()
    plain = (bool, int, float, np.number, np.bool_)
    odd = next((value for value in values if not isinstance(value, (str, *plain))), None)
    kind = type(odd).__name__
    if odd is None and not any(value is None for value in values):
        found = "texts beside numbers"
    elif odd is not None and hasattr(odd, "toarray"):
        found = f"a {kind}, which is sparse: pass its .toarray()"
    else:
        found = "None" if odd is None else f"a {kind}"
    return f"`{name}` holds {found}; accepted: numbers, or texts as labels, all of one kind and none missing"


def columns(table: Any) -> dict[str, list[Any]]:
    """The columns of a mapping or of a data frame (pandas, polars, pyarrow), each as a list."""
    names = getattr(table, "column_names", None)  # pyarrow
    if names is None:
        names = table.keys() if hasattr(table, "keys") else getattr(table, "columns", None)
    if names is None or isinstance(names, str):
        found = type(table).__name__
        raise ValueError(f"`columns` is a {found}; accepted: a mapping of names to sequences, or a data frame")
    return {_name(name): _list(table[name], name) for name in names}


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise ValueError(f"`columns` has the name {name!r}; accepted: texts")
    return name


def _list(values: Any, name: str) -> list[Any]:
    for method in ("tolist", "to_list", "to_pylist"):
        if hasattr(values, method):
            values = getattr(values, method)()
            break
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise ValueError(f"`{name}` is {values!r}; accepted: a sequence with a value for each row")
    return [None if value is None or type(value).__name__ in ("NAType", "NaTType") else value for value in values]


def to_pandas(sweep: Sweep) -> Any:
    """All columns as a ``DataFrame``."""
    import pandas

    return pandas.DataFrame({name: sweep[name] for name in sweep.columns})


def run_html(run: Run) -> str:
    """What a notebook shows of a run."""
    rows: list[tuple[str, object]] = [
        ("method", f"{run.method} ({run.status})"),
        ("probing time", f"{run.tau:.6g}"),
        ("energy (AIE)", f"{run.energy:.6g}"),
        ("finetuning time", f"{run.time:.6g}"),
        ("residual", f"{run.residual:.6g}"),
        ("training loss", f"{run.loss:.6g}"),
    ]
    for name, adaptation in (("", run.adaptation), ("held-out ", run.probe_adaptation)):
        if adaptation is not None:
            titles = ("distance", "cosine distance", "dot product", "norm")
            rows += [(name + title, f"{value:.6g}") for title, value in zip(titles, adaptation)]
            rows.append((name + "Frobenius distance", f"{adaptation.frobenius_distance:.6g}"))
    changes = (("accuracy", run.accuracy), ("held-out accuracy", run.probe_accuracy), ("held-out risk", run.risk))
    rows += [(name, f"{change[0]:.6g} → {change[1]:.6g}") for name, change in changes if change is not None]
    if run.reason is not None:
        rows.append(("stopped early", run.reason))
    return _table(("", "finetuned"), rows)


def advice_html(advice: Advice) -> str:
    """What a notebook shows of advice: its reason, its table with the recommended row marked, and what it assumes."""
    table = {name: values for name, values in advice.table.items() if not all(_empty(value) for value in values)}
    body = [
        ("→" if row == advice.best else "", *(_cell(float(values[row])) for values in table.values()))
        for row in range(len(table["share"]))
    ]
    assumptions = "".join(f"<li>{html.escape(text)}</li>" for text in advice.assumptions)
    return f"<p>{html.escape(advice.reason)}</p>{_table(('', *table), body)}<ul>{assumptions}</ul>"


def report_html(report: Report) -> str:
    """What a notebook shows of a theorem that was checked: its statement, a row for each check or count."""
    theorem = report.theorem
    head = f"<p><b>{theorem.id}</b> {html.escape(theorem.name)}: {report.verdict}<br>{html.escape(theorem.statement)}</p>"
    parts = [head]
    if report.checks:
        body = [
            (
                check.claim,
                check.verdict,
                check.cases,
                check.failed,
                "" if check.worst is None else f"{check.measure} {check.worst[1]:.2e} ({check.worst[0]})",
                f"{len(check.violations) - len(check.unseen)} of {len(check.violations)}",
            )
            for check in report.checks
        ]
        parts.append(_table(("check", "verdict", "cases", "failed", "worst", "violations seen"), body))
    if report.counts:
        counts = [
            (what, seen, of, f"{100 * low:.1f} to {100 * high:.1f} %") for what, seen, of, (low, high) in report.counts
        ]
        parts.append(_table(("counted", "seen", "of", "95 % interval"), counts))
    return "".join(parts)


def certificate_html(certificate: Certificate) -> str:
    """What a notebook shows of a certificate."""
    (proved, open_, refuted), shares = certificate.boxes, certificate.shares
    rows: list[tuple[str, object]] = [
        (name, f"{low:.6g} to {high:.6g}")
        for name, (low, high) in zip(("target y", "head norm w", "energy E/y"), certificate.region)
    ]
    rows += [
        (name, f"{boxes} boxes, {100 * share:.4g} % of the region")
        for name, boxes, share in zip(("proved", "undecided", "refuted"), (proved, open_, refuted), shares)
    ]
    return f"<p><b>{certificate.theorem}</b> {html.escape(certificate.statement)}</p>{_table(('', certificate.verdict), rows)}"


def sweep_html(sweep: Sweep, most: int = 20) -> str:
    """What a notebook shows of a sweep: its first rows, without columns that are empty there."""
    rows = min(most, len(sweep))
    columns = {name: sweep[name][:rows] for name in sweep.columns}
    shown = {name: values for name, values in columns.items() if not all(_empty(value) for value in values)}
    body = [tuple(_cell(values[row]) for values in shown.values()) for row in range(rows)]
    counts = f"<p>{len(sweep)} cells, {sweep.failed} failed, {sweep.stopped} stopped early</p>"
    return _table(tuple(shown), body) + counts


def _empty(value: object) -> bool:
    return value is None or value != value


def _cell(value: object) -> str:
    if _empty(value):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    top = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    lines = ("".join(f"<td>{html.escape(str(value))}</td>" for value in row) for row in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
