"""Of embeddings of a manifold."""

from latax.evaluate.diagnose import Finding, judge
from latax.evaluate.rules.wording import percent, quotient


def energy_against_lowest(energy: float, lowest: float, *, standard_error: float = 0.0) -> Finding:
    """The energy of an embedding, with the standard error of a mean over pairs, against the lowest that any map of this
    manifold can have, which is that of the best multiple of the classical embedding.

    Good up to 5 % above it, bad above 50 %: a circle that winds twice around has 3.8 times the lowest energy for λ =
    0.1.
    """
    ratio = quotient(energy, lowest)
    return judge(
        "energy / lowest possible energy",
        ratio,
        good=1.05,
        bad=1.5,
        meaning=f"The embedding is {percent(max(ratio - 1, 0))} above the best multiple of the classical one, which "
        "no map can beat for near pairs; two standard errors of the pairs are "
        f"{percent(quotient(2 * standard_error, lowest))}.",
        cure="Train longer, or give more latent coordinates; start='stress' avoids embeddings that wind around twice.",
    )


def covered_twice(ratio: float) -> Finding:
    """One over the least latent distance of a far pair for its distance on the manifold, in latent lengths of near
    pairs: large where far points share a place.

    1.6 on round circles and spheres. Good up to 4, bad above 10: points a manifold apart are then nearly one.
    """
    squeezed = 1 / max(ratio, 1e-6)
    return judge(
        "far points drawn together",
        squeezed,
        good=4.0,
        bad=10.0,
        meaning=f"Of far pairs, the closest is {squeezed:.1f} times nearer in latent space than on the manifold.",
        cure="The embedding winds around several times or crosses itself. Use start='stress', train longer, or give "
        "more latent coordinates; images that look alike for different points cannot be told apart.",
    )
