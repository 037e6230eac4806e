"""Features that follow a slow head: the distances in `a_slow_head_is_followed_where_it_cannot_fit` of tests/edges.rs.

Sample 0 does not move (its row of the kernel is 0), sample 1 with kernel entry K does. In the slow time s = γt, with
the residual of sample 1 written as γp so that nothing cancels:

    z' = K V p,   V' = z₀ᵀr₀ + γ zᵀp,   γp' = −(z·z₀) r₀ − p (K VᵀV + γ|z|²),   r₀ = y − z₀V.

SciPy's Radau; two tolerances agree to 1e-11.
"""

import numpy as np
from scipy.integrate import solve_ivp

K, GAMMA = 1.197635300771204, 1e-14
Z0, Z1, TARGET = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0])
HEAD = np.array([[-1.0, -1.0], [-0.2911771453433196, 0.0], [0.0, 0.0]])


def velocity(_, state):
    z, head, p = state[:3], state[3:9].reshape(3, 2), state[9:]
    left = TARGET - Z0 @ head
    pull = -(z @ Z0) * left - p @ (K * head.T @ head + GAMMA * (z @ z) * np.eye(2))
    return np.concatenate([K * head @ p, (np.outer(Z0, left) + GAMMA * np.outer(z, p)).ravel(), pull / GAMMA])


start = np.concatenate([Z1, HEAD.ravel(), (TARGET - Z1 @ HEAD) / GAMMA])
for rtol in (1e-9, 1e-11):
    found = solve_ivp(velocity, [0, 1], start, method="Radau", rtol=rtol, atol=1e-14, t_eval=[0.6931, 0.7, 1.0])
    for time, state in zip(found.t, found.y.T):
        # The mean over both samples, of which one stays.
        print(rtol, time, np.linalg.norm(state[:3] - Z1) / 2)
