import math
import sys
import textwrap

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latax._errors import ConfigError, FileError
from latax.physics import ODE, PDE, ClosedForm, Grid, Parameter, catalogue, load

RATE = [Parameter("rate", 0.0, 1.0)]
GRID = Grid({"x": (0.0, 1.0, 4)}, {"x": "periodic"})


def solve(physics):
    params = physics.parameters.from_normal(jnp.zeros(physics.parameters.size))
    return physics.simulate(params, jnp.zeros(physics.state_shape), np.array([0.0, 1.0]))


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda t, y, p: (y.a,), r"gave 1 rates of change; expected 2, those of a, b\."),
        (lambda t, y, p: jnp.zeros(3), r"gave 3 rates of change; expected 2"),
        (lambda t, y, p: {"a": y.b}, r"gave dict; expected the rates of change of a, b, as a tuple or an array"),
        (lambda t, y, p: None, r"gave NoneType; expected the rates of change"),
        (lambda t, y, p: -p.rate * y.a, r"gave one number; expected the rates of change .* return \(rate,\)\."),
        (lambda t, y, p: (y.b, np.sin(y.a)), r"cannot be compiled: .* jax\.numpy instead of numpy and math"),
        (lambda t, y, p: (y.b, math.sin(y.a)), r"cannot be compiled: .* jax\.numpy instead of numpy and math"),
        (lambda t, y, p: (y.b, 1.0 if y.a > 0 else 0.0), r"cannot be compiled: .* jax\.numpy\.where instead of if"),
        (lambda t, y, p: (y.a, jnp.zeros(2)), r"change of 'b', gave an array of shape \(2,\); expected \(\)"),
    ],
)
def test_a_function_with_the_wrong_result(function, said):
    with pytest.raises(ConfigError, match=r"the function '<lambda>' .*" + said):
        solve(ODE(function, RATE, ["a", "b"]))


def misspelled(t, y, p):
    return y.velocity, -p.stifness * y.position


def of_two(t, y):
    return y.velocity, -y.position


def undefined(t, y, p):
    return y.velocity, -stiffness * y.position


WRONG = [
    (
        misspelled,
        r"fails: AttributeError: 'Params' object has no attribute 'stifness' \(line \d+ of \S*test_user_errors\.py: "
        r"`return y\.velocity, -p\.stifness \* y\.position`\)\. Did you mean 'stiffness'\? It is called with "
        r"\(t, y, p\), where y has position, velocity and p has stiffness\.",
    ),
    (
        of_two,
        rf"fails: TypeError: of_two\(\) takes 2 .* were given \(line {of_two.__code__.co_firstlineno} of "
        r"\S*test_user_errors\.py\)\. It is called with \(t, y, p\), where",
    ),
    (
        undefined,
        r"fails: NameError: name 'stiffness' is not defined \(line .*`return .*`\)\. Write p\.stiffness\. It is",
    ),
    (lambda t, y, p: (y.velocity, jnp.sine(y.position)), r"has no attribute 'sine' .* Did you mean 'sin'"),
    (lambda t, y, p: (y.velocity, jpn.sin(y.position)), r"name 'jpn' .*\. Did you mean 'jnp'\?"),
    (lambda when, y, p: (y.velocity, jnp.ones(3) + jnp.ones(2)), r"TypeError: add got .* called with \(when, y, p\)"),
    (jax.jit(misspelled), r"the function 'misspelled' .* fails: .*`return y\.velocity.* Did you mean 'stiffness'"),
    (lambda t, y, p: (y.velocity, None), r"change of 'velocity', gave NoneType; expected one number\. Return what"),
    (lambda t, y, p: (y.velocity, "a"), r"gave str; expected one number\. Compute it with jax\.numpy\."),
]


@pytest.mark.parametrize(("function", "said"), WRONG)
def test_a_mistake_in_an_ode_is_told_with_its_line(function, said):
    spring = ODE(function, [Parameter("stiffness", 1.0, 9.0)], ["position", "velocity"])
    with pytest.raises(ConfigError, match=said) as raised:
        spring.check()
    if "fails: " in said:
        assert raised.value.__cause__ is not None


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (
            lambda t, u, p, grid: p.rat * u,
            r"no attribute 'rat' .* Did you mean 'rate'\? It .* \(t, u, p, grid\), where p",
        ),
        (lambda t, u, p, g: p.rate * g.laplacain(u), r"no attribute 'laplacain' .* Did you mean 'laplacian'"),
        (lambda t, u, p: u, r"TypeError: .* 4 were given \(line \d+ of .* It is called with \(t, u, p, grid\)"),
        (lambda t, u, p, grid: rate * u, r"NameError: .*`\)\. Write p\.rate\."),
        (lambda t, u, p, grid: None, r"gave NoneType; expected an array of shape \(4,\)\. Return what it computes"),
        (lambda t, u, p, grid: u[u > 0], r"cannot be compiled: .*`\)\. Write it with"),
        (lambda t, u, p, grid: grid.derivative(u, "y"), r"^the grid has no dimension 'y'"),
    ],
)
def test_a_mistake_in_a_pde_is_told_with_its_line(function, said):
    with pytest.raises(ConfigError, match=said):
        PDE(function, RATE, GRID).check()


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (
            lambda x, p: p.rat * x,
            r"no attribute 'rat' .* Did you mean 'rate'\? It is called with \(x, p\), where p has rate",
        ),
        (lambda x: x, r"TypeError: .* 2 were given \(line \d+ of .* It is called with \(coordinates, p\)"),
        (lambda x, p: rate * x, r"NameError: .*`\)\. Write p\.rate\."),
    ],
)
def test_a_mistake_in_a_formula_is_told_with_its_line(function, said):
    with pytest.raises(ConfigError, match=said):
        ClosedForm(function, RATE, np.arange(3.0))


def test_python_numbers_and_arrays_are_rates_of_change_too():
    for rates in [(1, 2.0), jnp.array([1.0, 2.0]), np.array([1.0, 2.0])]:
        np.testing.assert_allclose(solve(ODE(lambda t, y, p, r=rates: r, RATE, ["a", "b"]))[-1], [1, 2], rtol=1e-6)


def test_a_field_of_the_wrong_shape():
    with pytest.raises(ConfigError, match=r"of the physics gave an array of shape \(3,\); expected \(4,\)"):
        solve(PDE(lambda t, u, p, grid: u[1:], RATE, GRID))


def test_a_formula_that_gives_no_array():
    with pytest.raises(ConfigError, match=r"of the physics gave tuple; expected one array"):
        ClosedForm(lambda x, p: (x, x), RATE, np.arange(3.0))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"states": []}, r"an ODE needs at least one state"),
        ({"states": ["a", "a"]}, r"there are two states with the name 'a'"),
        ({"states": ["d/dt"]}, r"'d/dt' cannot be the name of a state"),
        ({"observed": ["c"]}, r"observed: there is no state 'c'; the states are a, b"),
        ({"observed": []}, r"observed is empty; at least one state has to be seen"),
        ({"corrected": ["b", "b"]}, r"corrected: the state 'b' is given twice"),
        ({"rest": {"angle": 1.0}}, r"rest: there is no state 'angle'"),
        ({"states": "velocity"}, r"states='velocity' is a text; expected a list of names: states=\['velocity'\]\."),
        ({"observed": "a"}, r"observed='a' is a text"),
        ({"parameters": [*RATE, *RATE]}, r"there are two parameters with the name 'rate'"),
    ],
)
def test_an_ode_that_cannot_be(arguments, said):
    with pytest.raises(ConfigError, match=said):
        ODE(lambda t, y, p: y, **{"parameters": RATE, "states": ["a", "b"], **arguments})


@pytest.mark.parametrize(
    ("bound_and_prior", "said"),
    [
        (("low", 1.0), r"the bound 'low' of a parameter is no number"),
        ((0.0, 1.0, "", None), r"None is no prior; give 'uniform'"),
        ((0.0, 1.0, "", 3), r"3 is no prior; give 'uniform'"),
        ((0.0, 1.0, "", ()), r"\(\) is no prior; give 'uniform'"),
    ],
)
def test_a_parameter_that_cannot_be(bound_and_prior, said):
    with pytest.raises(ConfigError, match=said):
        Parameter("rate", *bound_and_prior)


def test_a_formula_without_jax():
    with pytest.raises(ConfigError, match=r"cannot be compiled: .* Write it with jax\.numpy"):
        ClosedForm(lambda x, p: np.exp(-p.rate) * x, RATE, np.arange(3.0))


class TestCatalogue:
    def test_get(self):
        assert list(catalogue.ENTRIES) == ["pendulum", "advection-diffusion", "exponential-disc"]
        assert catalogue.get("pendulum", damping=True).parameters.names == ("omega", "gamma")
        assert load("advection-diffusion").sample_shape == (20,)

    def test_unknown(self):
        with pytest.raises(ConfigError, match=r"no built-in physics 'pendulm'\. Did you mean 'pendulum'\? There are"):
            catalogue.get("pendulm")


class TestLoad:
    @pytest.fixture
    def spring(self, tmp_path):
        path = tmp_path / "spring.py"
        path.write_text(
            textwrap.dedent(
                """
                from latax.physics import ODE, Parameter

                def move(t, y, p):
                    return y.velocity, -p.stiffness * y.position

                def make():
                    return ODE(move, [Parameter("stiffness", 0.1, 10.0)], ["position", "velocity"])

                spring = make()
                """
            )
        )
        return path

    @pytest.mark.parametrize("name", ["spring", "make"])
    def test_from_a_file(self, spring, name):
        physics = load(f"{spring}:{name}")
        assert physics.parameters.names == ("stiffness",)
        assert jax.tree.leaves(solve(physics))[0].shape == (2, 2)

    def test_a_file_is_run_once_until_it_changes(self, spring):
        assert load(f"{spring}:spring") is load(f"{spring}:spring")
        spring.write_text(spring.read_text().replace("10.0", "20.0"))
        assert load(f"{spring}:spring").parameters["stiffness"].upper == 20

    def test_a_file_may_import_what_lies_beside_it(self, spring):
        (spring.parent / "beside_the_physics.py").write_text("STIFFEST = 30.0")
        spring.write_text("from beside_the_physics import STIFFEST\n" + spring.read_text().replace("10.0", "STIFFEST"))
        assert load(f"{spring}:spring").parameters["stiffness"].upper == 30
        assert str(spring.parent) not in sys.path

    def test_the_description_of_an_object(self):
        with pytest.raises(ConfigError, match=r"given as an object.* latax\.load\(path, physics=\.\.\.\)"):
            load(repr(catalogue.get("pendulum")))

    def test_from_a_module(self, spring, monkeypatch):
        monkeypatch.syspath_prepend(spring.parent)
        assert load("spring:spring").states == ("position", "velocity")

    def test_a_module_that_cannot_be_run(self, tmp_path, monkeypatch):
        (tmp_path / "failing_physics.py").write_text("undefined_name")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ConfigError, match=r"the module 'failing_physics' cannot be run: NameError: .* \(line 1 of"):
            load("failing_physics:spring")

    def test_refusals(self, spring, monkeypatch):
        with pytest.raises(ConfigError, match=r"has nothing by the name 'sprnig'\. It holds the physics spring\."):
            load(f"{spring}:sprnig")
        with pytest.raises(ConfigError, match=r":move' is no physics, and cannot be called without arguments"):
            load(f"{spring}:move")
        with pytest.raises(ConfigError, match=r":__name__' is a str; expected a physics: an ODE, PDE or ClosedForm"):
            load(f"{spring}:__name__")
        with pytest.raises(FileError, match=r"there is no file .*absent\.py in .* to take a physics from"):
            load("absent.py:name")
        with pytest.raises(ConfigError, match=r"the module 'absent_package' cannot be imported: No module"):
            load("absent_package:name")
        with pytest.raises(ConfigError, match=r"'spring\.py:' does not say where a physics is"):
            load("spring.py:")
        spring.write_text("import jax\nundefined_name")
        said = (
            r"spring\.py cannot be run: NameError: name 'undefined_name' is not defined \(line 2 of .*`undefined_name`"
        )
        with pytest.raises(ConfigError, match=said):
            load(f"{spring}:spring")
        spring.write_text("def spring():\n    return undefined_name")
        with pytest.raises(ConfigError, match=r"spring' makes no physics: NameError: .* \(line 2 of .*`return undef"):
            load(f"{spring}:spring")
        spring.write_text("from latax.physics import Parameter\nParameter('a', 2, 1)")
        with pytest.raises(ConfigError, match=r"spring\.py cannot be run: parameter 'a': .* Exchange them\?$"):
            load(f"{spring}:spring")
