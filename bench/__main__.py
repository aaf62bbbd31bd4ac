"""`python -m bench` is `bench`."""

from bench.cli import main

if __name__ == "__main__":  # processes that it starts import it under another name
    main()
