"""One chaos trial: run after run on the same processes, each run judged when everything in it has ended."""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - the settings come first
from django.utils import timezone  # noqa: E402

from console.environment import Environment  # noqa: E402
from console.errors import ConsoleError  # noqa: E402
from console.models import Flow, FlowState, IdempotencyKey, Step, StepState  # noqa: E402
from console.services.flows import retry_step  # noqa: E402
from tests.chaos import truth  # noqa: E402
from tests.chaos.people import settle_in  # noqa: E402
from tests.chaos.processes import Console, PlaneProcess  # noqa: E402
from unions.tasks import close_stranded_proposals  # noqa: E402

PATIENCE = 300.0  # seconds until a run must have ended
SPREAD = 3.0  # seconds over which a run's requests and kills are spread
ROUGH = (0.0, 0.03, 0.08, 0.15)  # how many calls in all go wrong; one of these for each run
RETRIES = 4
REQUESTS = 4  # of a run, each with the answers to what it proposed
REQUEST_SECONDS = 0.2  # about as long as a proposal and its first answers take: it is killed somewhere in between
PATIENT_KILLER = 1.0  # seconds that the web server's end waits for a request to be under way


class Trial:
    """The processes, the people, and what has been counted."""

    def __init__(self, seed: str, folder: Path, redis_port: int | None) -> None:
        self.seed, self.chance = seed, random.Random(seed)
        call_command("migrate", verbosity=0)
        self.plane = PlaneProcess(seed, folder)
        self.web = f"http://127.0.0.1:{Environment().port}"
        self.threads = ThreadPoolExecutor(REQUESTS)
        self.acts: list[Future[None]] = []
        self.console = Console(folder, redis_port)
        self.kills: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.judged: set[Any] = set()
        self.left: set[Any] = set()
        self.runs = 0

    def run(self, runs: int) -> int:
        began = time.monotonic()
        wrong: list[str] = []
        try:
            self.plane.start()
            self.people = settle_in(self.plane.addresses, self.seed, self.web)
            self.console.start()
            while self.runs < runs and not wrong:
                wrong = self._one()
                self.runs += 1
                self._say(f"run {self.runs}: {self._figures()} ({time.monotonic() - began:.0f} s)")
            self._table(time.monotonic() - began)
        finally:
            self.console.stop()
            self.plane.kill()
            self.threads.shutdown(cancel_futures=True)
        for text in wrong:
            self._say(f"WRONG in run {self.runs} of SEED={self.seed}: {text}")
        return 1 if wrong else 0

    def _one(self) -> list[str]:
        """Requests and kills at random moments; then everything has to end."""
        before = set(self.left)
        self.plane.told(roughness=self.chance.choice(ROUGH))
        events: list[tuple[float, str]] = [(self.chance.uniform(0, SPREAD), "act") for _ in range(REQUESTS)]
        if not self.runs:
            events.append((SPREAD / 2, "web"))  # in every trial, however short
        victims = self.console.victims()
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            victim = self.chance.choices(list(victims), list(victims.values()))[0]
            events.append((self.chance.uniform(0.3, SPREAD), victim))
        began = time.monotonic()
        for moment, event in sorted(events):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            if event == "act":
                self.acts.append(self.threads.submit(self.people.act()))
            else:
                self._kill(event)
        self._until_ended(began + PATIENCE)
        self._ask_operators()
        self._find_out_what_went_on(before)
        close_stranded_proposals()
        return self._judge()

    def _kill(self, victim: str) -> None:
        """Whoever answers requests is killed in the midst of one: anywhere, or between its promise and its answer."""
        number = self.chance.randrange(1000)
        if victim in self.console.ANSWERING:
            self.people.caller.await_console()
            promised = IdempotencyKey.objects.count()
            self.acts.append(self.threads.submit(self.people.act()))
            self.people.caller.await_request(PATIENT_KILLER)
            if number % 2:
                time.sleep(number / 1000 * REQUEST_SECONDS)
            else:
                self._await_promise(promised)
        self.console.kill(victim, number)
        self.kills[victim] += 1

    @staticmethod
    def _await_promise(before: int) -> None:
        deadline = time.monotonic() + PATIENT_KILLER
        while IdempotencyKey.objects.count() == before and time.monotonic() < deadline:
            time.sleep(0.001)

    def _until_ended(self, deadline: float) -> None:
        """Let no pause between attempts pass, and nobody keep silent."""
        while self._is_under_way() and time.monotonic() < deadline:
            self.ended.update(self.console.revive())
            if not self.acts:
                self.acts.append(self.threads.submit(self.people.answer_all, self.plane.told))
            now = timezone.now()
            paused = Step.objects.filter(state__in=[StepState.LATER, StepState.UNDOING], lease_until=None)
            paused.filter(due_at__gt=now + timedelta(seconds=1)).update(due_at=now)
            time.sleep(0.25)

    def _is_under_way(self) -> bool:
        """Requests that are not answered yet, or flows that have not ended. What broke in a thread is raised here."""
        asking = [act for act in self.acts if not act.done() or act.result()]
        self.acts = asking
        return bool(asking) or Flow.objects.open().exists()

    def _ask_operators(self) -> None:
        """Who was asked tries again, in calm weather: what cannot be taken back at last is wrong.

        A flow that goes forward only and stopped half-way may stay so, or go on.
        """
        self.plane.told(roughness=0.0)
        for _retry in range(RETRIES + 1):
            failed = list(Flow.objects.filter(state=FlowState.FAILED).exclude(pk__in=self.judged | self.left))
            if not failed:
                return
            for flow in failed:
                self._answer_for(flow)
            self._until_ended(time.monotonic() + PATIENCE)

    def _answer_for(self, flow: Flow) -> None:
        half_way = "half-way" if flow.stopped_half_way else "stuck in its undoing"
        self.asked[half_way if truth.words_of(flow) else "without words"] += 1
        if flow.stopped_half_way and self.chance.random() < 0.5:
            self.left.add(flow.pk)
            return
        for step in flow.steps.filter(state=StepState.FAILED):
            if not (step.is_stuck or step.stopped_half_way):
                continue
            try:
                retry_step(actor=self.people.root, flow_id=flow.pk, step_id=step.pk)
            except ConsoleError as problem:
                self._say(f"retry of {step} was refused: {problem.detail}")
            if flow.stopped_half_way:
                return  # the whole flow goes on

    def _find_out_what_went_on(self, before: set[Any]) -> None:
        """What an operator has left half-way may go on at the platform: a comparison has to find that, and people mend
        it. What no such flow explains is not looked for, so that it is found wrong in the end."""
        left = Flow.objects.filter(pk__in=self.left - before)
        unions = {str(flow.arguments["unionid"]) for flow in left}
        if unions:
            self.plane.told(roughness=0.0, settle=True)
            self.people.compare(unions)
            self._until_ended(time.monotonic() + PATIENCE)
            self.people.mend()
            self._until_ended(time.monotonic() + PATIENCE)

    def _judge(self) -> list[str]:
        planes = self.plane.told(roughness=0.0, settle=True)
        wrong = [*truth.faults(planes), *truth.heard(self.people.told), *self.people.caller.broken]
        new = list(Flow.objects.exclude(pk__in=self.judged))
        self.judged |= {flow.pk for flow in new}
        self.ends.update(str(flow.state) for flow in new)
        stuck = [flow for flow in new if flow.state == FlowState.FAILED and not flow.stopped_half_way]
        wrong += [f"{flow} still asks an operator: {truth.words_of(flow)}" for flow in stuck]
        if wrong:
            for flow in new:
                self._say(truth.story_of(flow))
        return wrong

    def _figures(self) -> str:
        flows = {name: count for name, count in self.ends.items() if count}
        return f"{sum(self.kills.values())} kills, {flows}"

    def _table(self, seconds: float) -> None:
        planes = self.plane.told()
        faults, absorbed, effects = Counter[str](), Counter[str](), Counter[str]()
        for plane in planes.values():
            faults.update(plane["faults"])
            absorbed.update(plane["absorbed"])
            effects.update(effect[0] for effect in plane["effects"])
        self._say(f"\n{self.runs} runs, {len(self.judged)} flows, {seconds:.0f} s, SEED={self.seed}")
        tables = {
            "killed with -9": self.kills,
            "ended by themselves, and started again": self.ended,
            "faults of the platform": faults,
            "flows by end": self.ends,
            "operators were asked": self.asked,
            "effects on the platform": effects,
            "repeats that it absorbed": absorbed,
            "requests": self.people.asked,
            "attempts of requests that came to nothing": self.people.caller.cut_off,
        }
        for title, counts in tables.items():
            self._say(f"\n{title} ({sum(counts.values())})")
            for name, count in sorted(counts.items(), key=lambda row: -row[1]):
                self._say(f"  {count:>6}  {name}")

    @staticmethod
    def _say(text: str) -> None:
        print(text, flush=True)
