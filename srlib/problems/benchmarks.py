"""The synthetic suites: GMEQL's b1-b8, the equation learner's functions, Nguyen's twelve, and those of document 000.

A line is: name, form over the columns, free constants (those that a search has to fit), ranges of the columns. The
data are drawn from the formula, noise-free unless a line says otherwise, and are the same at each load.
"""

from .build import generated, parameters, variables

GMEQL = {
    "b1": ("k1*x1**3 + k2*x2**2 + k3*x3", "k1=0.8 k2=0.9 k3=1.2", "x1 x2 x3 0..2"),
    "b2": ("k1*x3**4 + k2*x1**3 + k3*x2**2 + k4*x3", "k1=0.8 k2=0.8 k3=1.2 k4=1.4", "x1 x2 x3 0..2"),
    "b3": (
        "k1*x3**5 + k2*x2**4 + k3*x1**3 + k4*x2**2 + k5*x3",
        "k1=0.8 k2=1.2 k3=1.2 k4=0.9 k5=1.1", "x1 x2 x3 0..2",
    ),
    "b4": (
        "k1*x1**6 + k2*x2**5 + k3*x3**4 + k4*x1**3 + k5*x2**2 + k6*x3",
        "k1=1.1 k2=0.8 k3=0.9 k4=1.3 k5=1.2 k6=0.9", "x1 x2 x3 0..2",
    ),
    "b5": ("k1*sin(x1) + k2*sin(x2)", "k1=1.5 k2=1.3", "x1 x2 0..10"),
    "b6": ("k1*sin(k2*x1)*cos(k3*x2)", "k1=1.2 k2=1.1 k3=0.9", "x1 x2 0..10"),
    "b7": ("k1*x1 + k2*x2 + k3*x1*x2*cos(k4*x3)", "k1=1.1 k2=0.9 k3=2.1 k4=1.2", "x1 x2 x3 0..10"),
    "b8": ("sqrt(k1 + k2*x2/x1)", "k1=1.3 k2=1.2", "x1 x2 x3 1..20"),
}  # fmt: skip

EQL = {
    "eql-1": ("k*x", "k=1", "x -1..1"),
    "eql-2": ("k*x**2", "k=1", "x -1..1"),
    "eql-3": ("k*x**3", "k=1", "x -1..1"),
    "eql-4": ("k1*sin(k2*x)", "k1=1 k2=2*pi", "x -1..1"),
    "eql-5": ("k1*exp(k2*x)", "k1=1 k2=1", "x -1..1"),
    "eql-6": ("k*x*y", "k=1", "x y -1..1"),
    "eql-7": ("k1*sin(k2*x) + k3*sin(k4*y)", "k1=1 k2=2*pi k3=1 k4=4*pi", "x y -1..1"),
    "eql-8": ("k1*x*y + k2*z", "k1=0.5 k2=0.5", "x y z -1..1"),
    "eql-9": ("k1*x**2 + k2*y + k3*z", "k1=1 k2=1 k3=-2", "x y z -1..1"),
    "eql-10": ("k1*exp(k2*x**2)", "k1=1 k2=-1", "x -1..1"),
    "eql-11": ("k1/(1 + exp(k2*x))", "k1=1 k2=-10", "x -1..1"),
    "eql-12": ("k1*x**2 + k2*sin(k3*y)", "k1=1 k2=1 k3=2*pi", "x y -1..1"),
}

EQLDIV = {
    "eqldiv-division": ("k1*sin(k2*x1)/(x2**2 + k3)", "k1=1 k2=pi k3=1", "x1 x2 -1..1"),
    "eqldiv-f1": (
        "k1*sin(k2*x1) + k3*sin(k4*x2 + k5) + k6*x2 + k7*x3*x4",
        "k1=1/3 k2=pi k3=1/3 k4=2*pi k5=pi/8 k6=1/3 k7=-1/3", "x1 x2 x3 x4 -1..1",
    ),
    "eqldiv-f2": (
        "k1*sin(k2*x1) + k3*x2*cos(k4*x1 + k5) + k6*x3 + k7*x4**2",
        "k1=1/3 k2=pi k3=1/3 k4=2*pi k5=pi/4 k6=1/3 k7=-1/3", "x1 x2 x3 x4 -1..1",
    ),
    "eqldiv-f3": ("(k1 + k2*x2)*sin(k3*x1) + k4*x2*x3*x4", "k1=1/3 k2=1/3 k3=pi k4=1/3", "x1 x2 x3 x4 -1..1"),
    "eqldiv-f4": (
        "k1*sin(k2*x1) + k3*cos(k4*x2*sin(k2*x1)) + k5*x2*x3*x4",
        "k1=1/2 k2=pi k3=1/2 k4=2 k5=1/2", "x1 x2 x3 x4 -1..1",
    ),
}  # fmt: skip

NGUYEN = {
    "nguyen-1": ("k1*x**3 + k2*x**2 + k3*x", "k1=1 k2=1 k3=1", "x -1..1"),
    "nguyen-2": ("k1*x**4 + k2*x**3 + k3*x**2 + k4*x", "k1=1 k2=1 k3=1 k4=1", "x -1..1"),
    "nguyen-3": ("k1*x**5 + k2*x**4 + k3*x**3 + k4*x**2 + k5*x", "k1=1 k2=1 k3=1 k4=1 k5=1", "x -1..1"),
    "nguyen-4": (
        "k1*x**6 + k2*x**5 + k3*x**4 + k4*x**3 + k5*x**2 + k6*x", "k1=1 k2=1 k3=1 k4=1 k5=1 k6=1", "x -1..1",
    ),
    "nguyen-5": ("k1*sin(k2*x**2)*cos(k3*x) + k4", "k1=1 k2=1 k3=1 k4=-1", "x -1..1"),
    "nguyen-6": ("k1*sin(k2*x) + k3*sin(k4*x + k5*x**2)", "k1=1 k2=1 k3=1 k4=1 k5=1", "x -1..1"),
    "nguyen-7": ("k1*log(x + k2) + k3*log(x**2 + k4)", "k1=1 k2=1 k3=1 k4=1", "x 0..2"),
    "nguyen-8": ("k*sqrt(x)", "k=1", "x 0..4"),
    "nguyen-9": ("k1*sin(k2*x) + k3*sin(k4*y**2)", "k1=1 k2=1 k3=1 k4=1", "x y 0..1"),
    "nguyen-10": ("k1*sin(k2*x)*cos(k3*y)", "k1=2 k2=1 k3=1", "x y 0..1"),
    "nguyen-11": ("k*x**y", "k=1", "x y 0..1"),
    "nguyen-12": ("k1*x**4 + k2*x**3 + k3*y**2 + k4*y", "k1=1 k2=-1 k3=0.5 k4=-1", "x y 0..1"),
}  # fmt: skip

META = {
    "id": ("k*x", "k=1", "x -1..1"),
    "gaussian1": ("k1*exp(k2*x**2)", "k1=1/sqrt(2*pi) k2=-0.5", "x -1..1"),
    "exp": ("k1*exp(k2*x)", "k1=1 k2=1", "x -1..1"),
    "sin": ("k1*sin(k2*x)", "k1=1 k2=1", "x -1..1"),
    "f1": ("k1*x*sin(k2*x) + k3", "k1=1 k2=1 k3=-3", "x -1..1"),
    "f2": ("k1*x**2 + k2*x + k3", "k1=1 k2=3 k3=1", "x -1..1"),
    "wave1": ("k1*sin(k2*x)", "k1=1 k2=2*pi", "x -1..1"),
    "wave2": ("k1*sin(k2*x + k3)", "k1=1 k2=pi k3=pi/2", "x -1..1"),
    "wave3": ("k1*exp(k2*x)*sin(k3*x + k4)", "k1=0.5 k2=-1 k3=0.5*pi k4=0.35*pi", "x -1..1"),
    "wave4": ("k1*sin(k2*x + k3)", "k1=1 k2=1.4*pi k3=0.1", "x -1..1"),
    "wave5": ("k1*exp(k2*x)", "k1=0.7 k2=-1", "x -1..1"),
    "wave6": ("k1*exp(k2*x)", "k1=-0.4 k2=-1", "x -1..1"),
    "wave7": ("k1*exp(k2*x)*sin(k3*x)", "k1=0.3 k2=-1 k3=pi", "x -1..1"),
    "motion1": ("k*x", "k=1", "x -1..1"),
    "motion2": ("k", "k=0.5", "x -1..1"),
    "motion3": ("k1 + k2*x", "k1=0.3 k2=-1.2", "x -1..1"),
    "motion4": ("k1 + k2*x**2", "k1=1 k2=-1", "x -1..1"),
    "motion5": ("k1*x**2 + k2*x + k3", "k1=2 k2=3 k3=-1.5", "x -1..1"),
    "motion6": ("k1*x**3 + k2*x**2 + k3*x", "k1=1 k2=0.7 k3=-0.6", "x -1..1"),
    "motion7": ("k1*x**2 + k2*x", "k1=1 k2=-1", "x -1..1"),
    "opening": (  # the expression on the first slide of document 000
        "k1*exp(k2*x)*x**3*cos(x)*sin(x)*(k3*cos(x)*sin(x)**2 - 1)", "k1=1 k2=-1 k3=1", "x 0..5",
    ),
}  # fmt: skip


def _twice(low, high):
    """Extrapolate to twice the distance from the middle of the range."""
    middle, half = (low + high) / 2, high - low
    return middle - half, middle + half


def _twice_upwards(low, high):
    """Extrapolate to twice the width, upwards only: below zero these laws have no value or mean something else."""
    return low / 2, high + (high - low)


# suite: (table, rows, noise, extrapolation, where the data are said to be from)
SUITES = {
    "gmeql": (GMEQL, 300, 0, _twice, "G. Chen 2020, Learning Symbolic Expressions via Gumbel-Max Equation Learner "
              "Networks, table 1"),
    "eql": (EQL, 256, 0, _twice, "S. Kim et al. 2020, Integration of Neural Network-Based Symbolic Regression in Deep "
            "Learning for Scientific Discovery, arXiv 1912.04825: the 12 benchmark functions"),
    "eqldiv": (EQLDIV, 10_000, 0.01, _twice, "S. Sahoo, C. Lampert, G. Martius 2018, Learning Equations for "
               "Extrapolation and Control, ICML"),
    "nguyen": (NGUYEN, 20, 0, _twice, "N. Uy et al. 2011, Semantically-based crossover in genetic programming, with "
               "the ranges of B. Petersen et al. 2021, Deep symbolic regression"),
    "meta": (META, 20, 0, _twice, "S. Kim and I. Rugina 2020, Meta-learning for Multi-task Symbolic Regression"),
}  # fmt: skip
TITLES = {"gmeql": "GMEQL", "eql": "Equation learner", "eqldiv": "EQL-div", "nguyen": "Nguyen", "meta": "Meta-learning"}
ONLY_UPWARDS = ("b8", "nguyen-7", "nguyen-8", "nguyen-11")  # square roots, logarithms and real powers


def build(suite, name):
    """Return the Problem of a line of one of the tables."""
    table, rows, noise, widen, source = SUITES[suite]
    form, constants, columns = table[name]
    constants = parameters(constants)
    columns = variables(columns, _twice_upwards if name in ONLY_UPWARDS else widen)
    title = f"{TITLES[suite]} {name.rpartition('-')[2]}"
    return generated(name, title, suite, columns, form, constants, rows, noise_sd=noise, source=source)
