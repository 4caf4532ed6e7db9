#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/store src/reconcile src/daemon/serve.c
"""kill -9 of dari at random moments while a script launches, stops, starts and terminates. Afterwards every answered request must have taken effect,
no kill may have stopped a guest (the boot ID inside it is the same), and `dari audit` must be clean."""
# limit: 1200 s
import os
import random
import sys
import threading
import time

import botocore.exceptions

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import Region, instance, launch, state, wait_state, wait_until  # noqa: E402

KILLS = int(os.environ.get("KILLS", "5"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 30))))
GONE = (botocore.exceptions.EndpointConnectionError, botocore.exceptions.ConnectionClosedError,
        botocore.exceptions.ReadTimeoutError, botocore.exceptions.HTTPClientError, ConnectionError)


class Script(threading.Thread):
    """Launches, stops, starts and terminates instances; records the answers."""

    def __init__(self, ec2):
        super().__init__(daemon=True)
        self.ec2, self.ending = ec2, False
        self.wanted = {}  # instance id → running, stopped or terminated, as last answered
        self.unsure = set()  # instances with an unanswered request
        self.refusals = []
        self.dice = random.Random(SEED + 1)

    def run(self):
        while not self.ending:
            try:
                self.step()
            except GONE:
                time.sleep(0.05)
            except botocore.exceptions.ClientError as error:
                if error.response["Error"]["Code"] != "InsufficientInstanceCapacity":  # stopped instances occupy room
                    self.refusals.append(str(error))
                time.sleep(0.1)

    def step(self):
        alive = [i for i, w in self.wanted.items() if w != "terminated"]
        if len(alive) < 3:
            self.wanted.update((i, "running") for i in launch(self.ec2))
            return
        target = self.dice.choice(alive)
        what, then = self.dice.choice([("stop_instances", "stopped"), ("start_instances", "running"),
                                       ("terminate_instances", "terminated")])
        if what == "stop_instances":
            then_call = lambda: self.ec2.stop_instances(InstanceIds=[target], Force=self.dice.random() < 0.7)  # noqa: E731
        else:
            then_call = lambda: getattr(self.ec2, what)(InstanceIds=[target])  # noqa: E731
        was_unsure = target in self.unsure  # a refusal may mean that the unanswered termination took effect
        self.unsure.add(target)
        try:
            then_call()
        except botocore.exceptions.ClientError as error:
            if not was_unsure:
                self.unsure.discard(target)
            if error.response["Error"]["Code"] != "IncorrectInstanceState":
                raise
            return
        self.unsure.discard(target)
        self.wanted[target] = then
        time.sleep(self.dice.random() * 0.3)


def kill_loop(region, dice):
    slowest = 0.0
    for _ in range(KILLS):
        time.sleep(dice.random() * 1.5)
        region.kill_dari()
        start = time.monotonic()
        region.start_dari()
        slowest = max(slowest, time.monotonic() - start)
    return slowest


def holds(ec2, script):
    """Lists differences from the answers, after everything has settled."""
    wrong = []
    for identifier, wanted in script.wanted.items():
        try:
            wait_state(ec2, [identifier], wanted)
        except TimeoutError:
            if identifier not in script.unsure:
                wrong.append(f"{identifier} is {state(ec2, identifier)}, answered was {wanted}")
    return wrong


def main():
    print(f"SEED={SEED} KILLS={KILLS}")
    dice = random.Random(SEED)
    with Region("fk") as region:
        ec2, witness, address = region.witness("fault")
        before = region.boot_id(address)
        script = Script(ec2)
        script.start()
        slowest = kill_loop(region, dice)
        script.ending = True
        wait_until(lambda: not script.is_alive(), "the script's last request is answered")
        region.check(f"{KILLS} kills; slowest to serve again {slowest:.1f} s", True)
        region.check(f"the script did something: {len(script.wanted)} launched", len(script.wanted) > 3)
        wrong = holds(ec2, script)
        region.check(f"every answered request holds {wrong}", not wrong)
        region.check(f"nothing was refused {script.refusals[:3]}", not script.refusals)
        region.check("no guest was stopped by it", region.boot_id(address) == before)
        region.check_clean()
        region.check("the witness still runs", instance(ec2, witness)["State"]["Name"] == "running")


if __name__ == "__main__":
    main()
