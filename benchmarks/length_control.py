"""How fast length control refits, beside the usual ways, and how fast a whole analysis is.

    python benchmarks/length_control.py [--refits 1000]

23 languages x 500 prompts x 1,000 refits of a model with three coefficients, the same data for all; loops are timed on
`--timed` fits and extrapolated. Compare the ratios: seconds belong to the machine.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import numpy as np
import statsmodels.api as sm
from _support import LANGUAGES, parser
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from evalkit.calls import Message
from evalkit.records import Generation, LanguageCheck, LanguageStatus, Outcome, Prompt
from evalkit.settings import StatisticsSettings
from evalkit.statistics import logistic
from evalkit.statistics.analysis import analyze
from evalkit.statistics.figures import Floats, prompt_weights

PROMPTS = 500
RIDGE = np.array([0.16, 0.0, 0.0])


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Median time of `work`."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def refits(count: int, *, timed: int) -> None:
    rng = np.random.default_rng(0)
    weights = prompt_weights(PROMPTS, n_resamples=count, rng=rng)
    data = []
    for _ in LANGUAGES:
        design = np.column_stack([np.tanh(rng.normal(size=PROMPTS)), rng.normal(size=PROMPTS), np.ones(PROMPTS)])
        data.append((design, np.round(4 * expit(design @ [-1.5, 0.7, 0.3] + rng.normal(size=PROMPTS))) / 4))
    start = [logistic.fit(design, y, ridge=RIDGE) for design, y in data]

    def together() -> None:
        for (design, y), beta in zip(data, start, strict=True):
            logistic.refit(design, y, weights, start=beta, ridge=RIDGE)

    design, y = data[0]
    total = len(LANGUAGES) * count
    rows = [("evalkit, all resamples together", seconds(together))]
    for name, one, fits in loops(design, y, weights, start[0], timed):
        rows.append(
            (
                f"{name}, one by one",
                seconds(lambda one=one, fits=fits: [one(b) for b in range(fits)]) / fits * total,
            )
        )
    print(f"\n{total:,} refits of {PROMPTS} prompts\n\n| | s | times |\n|---|---|---|")
    for name, taken in rows:
        print(f"| {name} | {taken:.2f} | {taken / rows[0][1]:,.0f} |")


def loops(
    design: Floats, y: Floats, weights: Floats, beta: Floats, timed: int
) -> list[tuple[str, Callable[[int], object], int]]:
    """The usual ways: name, one refit, how many to time."""
    twice, labels = np.vstack([design, design]), np.repeat([1, 0], len(y))

    def with_sklearn(b: int) -> object:
        w = weights[:, b].astype(float)
        model = LogisticRegression(C=1e4, solver="newton-cholesky", fit_intercept=False)
        return model.fit(twice, labels, sample_weight=np.concatenate([w * y, w * (1 - y)]) + 1e-12)

    def with_statsmodels(b: int) -> object:
        family = sm.families.Binomial()
        return sm.GLM(y, design, family=family, freq_weights=weights[:, b].astype(float) + 1e-12).fit()

    def with_scipy(b: int) -> object:
        w = weights[:, b].astype(float)

        def loss(coefficients: Floats) -> tuple[float, Floats]:
            eta = design @ coefficients
            value = w @ (np.logaddexp(0, eta) - y * eta) + RIDGE @ coefficients**2 / 2
            return float(value), design.T @ (w * (expit(eta) - y)) + RIDGE * coefficients

        return minimize(loss, beta, jac=True, method="BFGS")

    return [
        ("scikit-learn", with_sklearn, timed),
        ("statsmodels", with_statsmodels, timed),
        ("scipy BFGS", with_scipy, timed),
        (
            "evalkit's single fit",
            lambda b: logistic.fit(design, y, weights=weights[:, b].astype(float), ridge=RIDGE),
            2 * timed,
        ),
    ]


def whole_run(languages: tuple[str, ...], prompts: int, judges: int) -> None:
    rng = np.random.default_rng(0)
    keys = [(language, str(index)) for language in languages for index in range(prompts)]
    ease = rng.normal(size=prompts)
    lengths = rng.integers(200, 3000, (2, len(keys)))
    sides = [
        [
            Generation(model=name, prompt_id=number, language=language, text="word " * (int(length) // 5))
            for (language, number), length in zip(keys, row, strict=True)
        ]
        for name, row in zip(("candidate", "baseline"), lengths, strict=True)
    ]
    outcomes = []
    for judge in range(judges):
        for language, number in keys:
            forward, swapped = np.clip(np.round(ease[int(number)] + rng.normal(size=2)) / 2 + 0.5, 0, 1).tolist()
            outcomes.append(
                Outcome(
                    judge=f"judge {judge}",
                    prompt_id=number,
                    language=language,
                    score=(forward + swapped) / 2,
                    forward=forward,
                    swapped=swapped,
                )
            )
    fine = LanguageCheck(status=LanguageStatus.OK, share=1.0, identified="")
    inputs = {
        "prompts": [
            Prompt(id=number, language=language, messages=(Message("user", f"{language} {number} " * 20),))
            for language, number in keys
        ],
        "candidate_answers": sides[0],
        "baseline_answers": sides[1],
        "candidate_checks": dict.fromkeys(keys, fine),
        "baseline_checks": dict.fromkeys(keys, fine),
        "verdicts": (),
        "outcomes": outcomes,
        "settings": StatisticsSettings(),
        "candidate": "candidate",
        "baseline": "baseline",
    }
    busy = time.process_time()
    taken = seconds(lambda: analyze(**inputs))
    busy = (time.process_time() - busy) / 3
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {len(languages)} x {prompts} x {judges} | {taken:.2f} | {busy:.2f} | {memory:.0f} |")


def main() -> None:
    args = parser(__doc__, refits=(1000, 20), timed=(40, 2), prompts=(500, 50)).parse_args()
    refits(args.refits, timed=args.timed)
    print(
        "\nWhole analysis, 2,000 resamples\n\n"
        "| languages x prompts x judges | s | processor s | MB, peak of the process |\n|---|---|---|---|"
    )
    whole_run(LANGUAGES[:4], args.prompts * 805 // 500, 1)
    whole_run(LANGUAGES, args.prompts, 1)
    whole_run(LANGUAGES, args.prompts, 3)


if __name__ == "__main__":
    main()
