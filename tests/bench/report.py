"""The lines that bench.py prints."""


def short(value):
    if value == 0 or abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.4g}"


def row(name, value, unit, at_least=None, at_most=None):
    """One figure beside its goal."""
    goal, met = (f">={short(at_least)}", value >= at_least) if at_least is not None else (f"<={short(at_most)}", value <= at_most)
    print(f"bench {name} {short(value)} {unit} goal={goal} {'met' if met else 'short'}", flush=True)


def note(name, **figures):
    """What stands beside the figures, without a goal."""
    print(f"note {name} " + " ".join(f"{k}={short(v) if isinstance(v, (int, float)) else v}" for k, v in figures.items()), flush=True)
