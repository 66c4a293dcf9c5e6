"""`python -m kaisoumail` is `kaisoumail`."""

from kaisoumail.cli.main import main

if __name__ == "__main__":
    main()
