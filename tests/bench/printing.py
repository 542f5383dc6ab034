"""One figure a line, as soon as it is known."""


def figure(name: str, value: float, digits: int = 2) -> None:
    """Print `name: value`."""
    print(f"{name}: {value:.{digits}f}", flush=True)
