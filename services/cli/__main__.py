"""`python -m services.cli` is `factoryai`."""

from services.cli.main import main

if __name__ == "__main__":
    main()
