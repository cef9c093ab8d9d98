"""``python -m primeur``."""

from primeur.cli import main

if __name__ == "__main__":
    main()
