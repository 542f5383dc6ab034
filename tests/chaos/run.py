"""One run: calls and faults by a plan, then the accounts."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from tests.chaos import plan
from tests.chaos.account import OUTCOMES, Books, Outcome
from tests.chaos.plan import NETWORKS, RESTARTABLE
from tests.chaos.scene import ChaoticPbx, Scene, WatchedAsterisk, query
from tests.chaos.witness import read_events, talks
from tests.support.postgres import Postgres
from tests.support.processes import run_flask
from tests.support.waiting import wait_until

AT_ONCE = 6


@dataclass(frozen=True)
class Report:
    """Report of a run; in one that passes nothing is lost and nothing wrong."""

    calls: int
    faults: Counter[str]
    outcomes: list[Outcome]
    wrong: list[str]

    @property
    def passes(self) -> bool:
        """Return True if everything is accounted for."""
        return not self.wrong and not any(o.what == "lost" for o in self.outcomes)

    def lines(self) -> list[str]:
        """The figures, one a line."""
        died, became = self.faults, Counter(outcome.what for outcome in self.outcomes)
        kinds = ", ".join(
            f"{name} {died[name]}" for name in (*RESTARTABLE, *NETWORKS) if died[name]
        )
        figures = [f"recordings {OUTCOMES[0]}: {became[OUTCOMES[0]]}"]
        figures += [f"{outcome}: {became[outcome]}" for outcome in OUTCOMES[1:]]
        return [f"calls: {self.calls}", f"faults: {kinds}", *figures]


def run(
    seed: int,
    calls: int,
    faults: int,
    *,
    asterisks: Sequence[WatchedAsterisk],
    postgres: Postgres,
    environment: dict[str, str],
    folder: Path,
    patient: bool = True,
) -> Report:
    """Carry out the plan of `seed`; a diary of all that happened is in `folder`.

    Not `patient`: the files are made older, instead of waiting until they are.
    """
    chance = random.Random(seed)
    planned = plan.draw_calls(chance, calls, len(asterisks))
    trouble = plan.draw_faults(chance, calls, faults, len(asterisks))
    with ExitStack() as stack:
        scene = _set_scene(asterisks, postgres, environment, folder, stack)
        try:
            _act(scene, planned, trouble)
            wait_until(scene.is_settled, "the workers have completed what is over", seconds=180)
            if not patient:
                scene.let_time_pass()
            return _settle(scene, planned, trouble)
        finally:
            lines = [f"{at:.2f} {what}" for at, what in scene.diary]
            (folder / "diary").write_text("\n".join(lines) + "\n")


def _set_scene(
    asterisks: Sequence[WatchedAsterisk],
    postgres: Postgres,
    environment: dict[str, str],
    folder: Path,
    stack: ExitStack,
) -> Scene:
    """Start a worker for each Asterisk; all record to the folder of the installation."""
    pbxs = []
    for number, asterisk in enumerate(asterisks):
        asterisk.use_recordings(Path(environment["RECORDINGS_DIR"]))
        log = folder / f"pbx-{number}"
        log.mkdir()
        pbxs.append(ChaoticPbx(asterisk, environment, log))
        if len(asterisks) > 1:
            pbxs[-1].add_wires(f"pbx-{number}", stack)
    scene = Scene(pbxs, postgres, environment)
    scene.set_up()
    for pbx in pbxs:
        stack.enter_context(pbx.worker)
    return scene


def _act(scene: Scene, planned: list[plan.Call], trouble: list[plan.Fault]) -> None:
    """Place the calls, while in a thread one fault after the other happens."""
    due = {fault.after_call: fault for fault in trouble}
    with ThreadPoolExecutor(max_workers=1) as thread:
        happening: list[Future[None]] = []
        for index, call in enumerate(planned):
            if index in due:
                happening.append(thread.submit(scene.suffer, due[index]))
            time.sleep(call.pause_seconds)
            wait_until(partial(scene.has_room, call, AT_ONCE), "room for a call", seconds=600)
            _raise_early(happening)
            scene.place(call)
        for future in happening:
            future.result()
    wait_until(scene.is_quiet, "all calls are over", seconds=300)


def _raise_early(happening: list[Future[None]]) -> None:
    for future in happening:
        if future.done():
            future.result()


def _settle(scene: Scene, planned: list[plan.Call], trouble: list[plan.Fault]) -> Report:
    scene.note(f"reconcile: {scene.reconcile()}")
    verified = run_flask(scene.environment, "recordings", "verify", check=False)
    wrong = [] if verified.returncode == 0 else [f"verify: {verified.stdout}{verified.stderr}"]
    rows = query(scene.environment, "SELECT * FROM recordings ORDER BY id")
    books = Books(rows, scene.recordings, planned)
    heard = list(
        chain.from_iterable(talks(read_events(p.asterisk.account), p.kills) for p in scene.pbxs)
    )
    return Report(
        calls=len(planned),
        faults=Counter(chain.from_iterable(fault.dies for fault in trouble)),
        outcomes=books.outcomes(heard),
        wrong=wrong + books.wrong(heard),
    )
