# SPDX-License-Identifier: Apache-2.0
"""`python -m lockgate` comes in; the command line goes out."""

from lockgate.cli.main import main

if __name__ == "__main__":
    main()
