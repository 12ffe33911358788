"""``python -m srlib.compare``."""

from .command import main

if __name__ == "__main__":
    main()
