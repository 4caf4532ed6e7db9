# SPDX-License-Identifier: Apache-2.0
"""Histories of tests/simulation/writers, and their replay: writers.pml has to be able to take each of a history's steps. Spin makes a
program of the model once; it reads a history and follows it."""
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILD = os.environ.get("DARI_BUILD") or os.path.join(ROOT, "build/main")
WRITERS = os.path.join(BUILD, "tests/simulation/writers/writers")
MODEL = os.path.join(ROOT, "tests/simulation/writers.pml")
LATE = ".late"  # ends the names of histories whose hosts carry calls out at any time


def build_models(folder):
    """The model's two programs: for hosts that carry calls out in time, and late."""
    models = {}
    for name, defines in (("", []), (LATE, ["-DLATE_CALLS"])):
        place = os.path.join(folder, f"model{name}")
        os.makedirs(place)
        subprocess.run(["spin", "-a", "-DREPLAY", "-DEPOCHS=250", *defines, MODEL], cwd=place, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["gcc", "-O1", "-w", "-DSAFETY", "-DNOREDUCE", "-DVECTORSZ=32768", "-o", "pan", "pan.c"], cwd=place, check=True)
        models[name] = os.path.join(place, "pan")
    return models


def replay(models, path):
    """Lets the model follow a history. Returns None, or the model's words about a step that it cannot take."""
    model = models[LATE if path.endswith(LATE) else ""]
    said = subprocess.run([model, "-m200000", "-w16"], env={**os.environ, "HISTORY": path}, cwd=os.path.dirname(model),
                          capture_output=True, text=True).stdout
    if re.search(r"^all \d+ steps$", said, re.M):
        return None
    why = re.findall(r"^(?:pan:1: (assertion violated .*?) \(at depth|(stopped at .*))", said, re.M)
    return "; ".join(a or b for a, b in why) or said[-300:]


def run(seed, count, folder=None, without=None):
    """Runs histories. The seeds that failed, and all that was said."""
    options = [*(["--steps", folder] if folder else []), *(["--without", without] if without else [])]
    done = subprocess.run([WRITERS, "--seed", str(seed), "--histories", str(count), *options], capture_output=True, text=True)
    return [int(found) for found in re.findall(r"^seed (\d+) failed$", done.stdout, re.M)], done.stdout


def replay_all(models, folder):
    """The names of histories, and what the model says about each that it cannot follow."""
    names = sorted(os.listdir(folder))
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda name: replay(models, os.path.join(folder, name)), names))
    return names, {name: why for name, why in zip(names, said) if why}
