"""What every definition asks of its arguments, checked in one place so that the definitions can read as equations.

Each check returns the argument as an array of float64, int64 or bool with the same values, or raises an error that
names the first bad value and where it stands. V is the number of tokens in the vocabulary.
"""

import numpy as np

SUM_TOLERANCE = 1e-6  # wide enough for a distribution that was computed in float32

# A number too small for a float64 becomes zero without an error, even where np.seterr asks for one.
tiny_is_zero = np.errstate(under="ignore")


def reject(bad, values, name, expected):
    """Raises ValueError for the first entry of `values` where `bad` is True, if there is one."""
    if np.any(bad):
        index = np.argwhere(bad)[0].tolist()
        place = f"{name}{index}" if index else name
        raise ValueError(f"{place} is {values[tuple(index)]}: {expected}")


def real_array(values, name):
    """Integers or floats of any shape, as float64."""
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {array.dtype}: expected real numbers, as an integer or float array")
    return array.astype(np.float64, copy=False)


def integer_array(values, name):
    """Integers of any shape, as int64."""
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":  # NumPy gives an empty list the dtype float64
        raise TypeError(f"{name} has dtype {array.dtype}: expected integer token ids, such as int64")
    return array.astype(np.int64, copy=False)


def bool_array(values, name):
    """Booleans of any shape."""
    array = np.asarray(values)
    if array.size and array.dtype != bool:
        raise TypeError(f"{name} has dtype {array.dtype}: expected bool; convert 0 and 1 with .astype(bool)")
    return array.astype(bool, copy=False)


def checked_number(value, name):
    """One real number, as a float."""
    number = real_array(value, name)
    if number.ndim:
        raise TypeError(f"{name} has shape {number.shape}: expected one number")
    return float(number)


def checked_rng(rng):
    """A NumPy Generator."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is {rng!r}: expected a Generator; make one with np.random.default_rng(seed)")
    return rng


def check_tokens(array, name, axis):
    """Raises ValueError unless `axis` exists and holds at least one token."""
    if array.shape[np.lib.array_utils.normalize_axis_index(axis, array.ndim, name)] == 0:
        raise ValueError(f"{name} has shape {array.shape}: expected at least one token along axis {axis}")


def checked_logits(logits, axis=-1):
    """Logits as float64: each finite or -inf, with at least one finite logit along `axis`."""
    logits = real_array(logits, "logits")
    check_tokens(logits, "logits", axis)
    bad = np.isnan(logits) | np.isposinf(logits)
    reject(bad, logits, "logits", "expected a finite logit, or -inf for a token that is excluded")
    largest = logits.max(axis)
    reject(np.isneginf(largest), largest, f"logits.max({axis})", "every token is excluded; leave at least one")
    return logits


def checked_distribution(p, name, axis=-1):
    """Probabilities as float64: none negative, and summing to one along `axis`."""
    p = real_array(p, name)
    check_tokens(p, name, axis)
    reject(~(p >= 0), p, name, "expected a probability, zero or more")  # ~(p >= 0) is True for NaN as well
    total = p.sum(axis)
    off = np.abs(total - 1) > SUM_TOLERANCE
    reject(off, total, f"{name}.sum({axis})", f"expected 1 within {SUM_TOLERANCE}, as for any distribution")
    return p


def checked_pair(p, q, axis):
    """Two distributions of the same shape."""
    p, q = checked_distribution(p, "p", axis), checked_distribution(q, "q", axis)
    if p.shape != q.shape:
        raise ValueError(f"p has shape {p.shape} and q {q.shape}: expected equal shapes; np.broadcast_to repeats one")
    return p, q


def checked_targets(targets, name, logits, ignore_index=None):
    """Token ids, one for each row of `logits` (..., V): from 0 to V - 1, or equal to `ignore_index` if there is one."""
    *rows, V = logits.shape
    targets = integer_array(targets, name)
    if targets.shape != tuple(rows):
        raise ValueError(f"{name} has shape {targets.shape}: expected {tuple(rows)}, one id per row of logits")
    expected = f"expected a token id from 0 to {V - 1}"
    outside = (targets < 0) | (targets >= V)
    if ignore_index is not None:
        expected += f", or {ignore_index} where nothing is predicted"
        outside &= targets != ignore_index
    reject(outside, targets, name, expected)
    return targets


def checked_ids(ids, name, V=None):
    """Token ids of any shape: zero or more, and below V where V is given."""
    ids = integer_array(ids, name)
    if V is None:
        reject(ids < 0, ids, name, "expected a token id, zero or more")
    else:
        reject((ids < 0) | (ids >= V), ids, name, f"expected a token id from 0 to {V - 1}")
    return ids


def checked_id(token_id, name):
    """One token id, as an int."""
    ids = checked_ids(token_id, name)
    if ids.ndim:
        raise TypeError(f"{name} has shape {ids.shape}: expected one token id")
    return int(ids)


def checked_mask(mask, name, ids):
    """Booleans, one for each of `ids`."""
    mask = bool_array(mask, name)
    if mask.shape != ids.shape:
        raise ValueError(f"{name} has shape {mask.shape}: expected {ids.shape}, the shape of ids")
    return mask


def flat_array(values, name):
    """Any iterable (a list, a set, a range, an array) as an array of one dimension."""
    if not np.iterable(values):
        raise TypeError(f"{name} is {values!r}: expected several token ids; write [{values!r}] for one")
    array = values if isinstance(values, np.ndarray) else np.asarray(list(values))
    if array.ndim != 1:
        raise ValueError(f"{name} has shape {array.shape}: expected a flat collection of token ids")
    return array


def checked_id_set(ids, name, V=None):
    """Distinct token ids in increasing order, from any iterable."""
    ids = checked_ids(flat_array(ids, name), name, V)
    # A vocabulary's are in order already; to sort them anew took as long as all else that hides the words of a batch.
    return ids if (ids[1:] > ids[:-1]).all() else np.unique(ids)
