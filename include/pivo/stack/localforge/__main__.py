"""`python -m pivo.stack.localforge`."""

from pivo.stack.localforge.server import main

if __name__ == "__main__":
    main()
