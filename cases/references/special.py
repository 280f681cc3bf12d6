"""SciPy's special functions by their names. Each imports SciPy when it is first called, not when a row names it.

Importing `scipy.special` takes about 0.2 s of CPU, which `tfparity list` need not spend.
"""

from tfparity import lazy

scipy_special = lazy("scipy.special")


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)

    def function(*inputs, **options):
        return getattr(scipy_special, name)(*inputs, **options)

    function.__name__ = name
    return function
