"""All benchmarks: `make bench`. One figure a line, `name: value`."""

from tests.bench import answer_to_recording, verify


def main() -> None:
    """Run them one after the other, so that they do not disturb each other."""
    answer_to_recording.main()
    verify.main()


if __name__ == "__main__":
    main()
