"""``python -m proofsheet`` is the ``proofsheet`` command."""

from proofsheet.cli import main

if __name__ == "__main__":
    main()
