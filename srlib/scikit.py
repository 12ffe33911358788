"""What srlib takes from scikit-learn, imported without what takes longest and is not needed.

Importing ``sklearn.base`` loads pandas and scipy.stats, for one function each; that is half of the time which it takes.
Here both are loaded when something asks for one of their names.
"""

from .lazy import postponed

with postponed("pandas", "scipy.stats"):
    from sklearn.base import BaseEstimator, RegressorMixin, clone
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = ["BaseEstimator", "RegressorMixin", "check_is_fitted", "check_random_state", "clone", "validate_data"]
