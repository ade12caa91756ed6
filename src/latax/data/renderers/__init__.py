"""Pictures that encode a manifold whose geometry is known exactly, one file each; all take a `size` in pixels."""

from latax.data.renderers.check import check_circle as check_circle
from latax.data.renderers.check import check_rotations as check_rotations
from latax.data.renderers.check import check_sphere as check_sphere
from latax.data.renderers.check import check_torus as check_torus
from latax.data.renderers.ellipses import ellipses as ellipses
from latax.data.renderers.rotated_digit import rotated_digit as rotated_digit
from latax.data.renderers.rotated_digits import rotated_digits as rotated_digits
from latax.data.renderers.rotating_object import rotating_object as rotating_object
from latax.data.renderers.sundial import sundial as sundial
from latax.data.renderers.translations import translations as translations
