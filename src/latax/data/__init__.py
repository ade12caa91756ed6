"""From a user's file, or a built-in set, to `Samples`: rows of numbers with names, context and origin."""

from latax.data.lazy import LazyRows as LazyRows
from latax.data.pairs import Pairs as Pairs
from latax.data.read import read as read
from latax.data.samples import Samples as Samples
from latax.data.samples import check_finite as check_finite
from latax.data.samples import row_blocks as row_blocks
from latax.data.samples import stacked as stacked
from latax.data.series import fold as fold
from latax.data.split import check_disjoint as check_disjoint
from latax.data.split import split as split
from latax.data.triples import from_triples as from_triples
from latax.data.write import write as write
