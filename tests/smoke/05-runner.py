#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
"""The test runner: its choice after a change, that every folder of src/ is the subject of some script, and the counting of results."""
import os
import subprocess
import sys
import types

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/runner"))
import choice  # noqa: E402
import entries  # noqa: E402
import kept  # noqa: E402
import results  # noqa: E402
import watch  # noqa: E402

SCRIPTS = entries.add_record(list(entries.list_scripts()))


def chosen_after(*changes, turn=0, scripts=None):
    return [c.entry.id for c in choice.choose(scripts or SCRIPTS, turn, lambda _: dict.fromkeys(changes, 10))]


# ---- the map of subjects

def test_every_folder_is_a_subject():
    """A layer with folders is named by itself and by each of its folders: naming only the layer would be too coarse."""
    tracked = subprocess.run(["git", "ls-files", "src"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    folders = {os.path.dirname(path) for path in tracked if path.endswith((".c", ".h", ".def"))}
    subjects = {subject for script in SCRIPTS for subject in script.subjects}

    def is_named(folder):
        inside = any(subject.startswith(folder + "/") and os.path.dirname(subject) == folder for subject in subjects)
        above = [folder[:k] for k, letter in enumerate(folder + "/") if letter == "/" and folder[:k].count("/") >= 2]
        return inside or folder in subjects or any(path in subjects for path in above)
    assert sorted(folder for folder in folders if not is_named(folder)) == []


def test_subjects_are_there():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    index = choice.index_subjects(SCRIPTS)
    found = {subject for path in tracked for subject in choice.find_subjects(index, path)}
    assert sorted(set(index) - found) == []


def test_every_long_script_has_subjects_or_repeats_another():
    assert [s.id for s in SCRIPTS if s.when == "chosen" and not s.subjects] == []
    names = {s.id for s in SCRIPTS}
    assert [s.id for s in SCRIPTS if s.covers and f"{s.level}/{s.covers}" not in names] == []


# ---- choosing

def test_a_driver_chooses_its_real_scripts():
    """Scripts of OVN are chosen, of which the last costs decide how many fit into the budget."""
    chosen = chosen_after("src/drivers/ovn/nb_acl.c")
    of_ovn = {s.id for s in SCRIPTS if s.level == "real" and any(subject.startswith("src/drivers/ovn") for subject in s.subjects)}
    assert len(of_ovn & set(chosen)) >= 3
    assert {name.split("/")[0] for name in chosen} <= {"real", "fault", "contract", "fuzz"}
    assert all("src/drivers/ovn" in next(s for s in SCRIPTS if s.id == name).subjects for name in chosen)


def test_the_console_chooses_the_browser():
    chosen = chosen_after("web/pages/volumes.js")
    assert chosen and all("web" in next(s for s in SCRIPTS if s.id == name).subjects for name in chosen)


@pytest.mark.parametrize("path", ["docs/start.md", "README.md", "tests/unit/base/test_ip.c", "tests/golden/ec2/CreateVpc/01.req"])
def test_pages_and_unit_tests_choose_nothing(path):
    assert chosen_after(path) == []


def test_a_changed_script_runs():
    assert chosen_after("tests/contract/ec2/imports.py") == ["contract/ec2/imports.py"]


def test_a_changed_library_chooses_its_users():
    chosen = chosen_after("tests/lib/issuer.py")
    assert "contract/iam/web_identity.py" in chosen and "contract/ec2/in_use.py" not in chosen


def test_everything_runs_within_some_turns_and_none_costs_more():
    changed = {path: 1 for path in subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()}
    candidates, seen, dearest = [s for s in SCRIPTS if s.when == "chosen"], set(), max(s.cpu_s for s in SCRIPTS if s.when == "chosen")
    weights = choice.weigh(candidates, lambda _: changed)
    for turn in range(60):
        chosen = choice.pick(weights, turn)
        assert choice.cost(c.entry for c in chosen) <= max(choice.BUDGET_S, dearest)
        assert len({c.entry for c in chosen}) == len(chosen)
        seen.update(c.entry for c in chosen)
    assert {s.id for s in candidates} - {s.id for s in seen} == set()


def test_what_changed_holds_every_turn():
    """`tests/run changed` runs beforehand each script that `ci` chooses at some commit."""
    weighed = {entry.id for entry in choice.weigh(SCRIPTS, lambda _: dict.fromkeys(["src/engine/core/op.c", "web/app.js"], 10))}
    for turn in range(40):
        assert weighed >= set(chosen_after("src/engine/core/op.c", "web/app.js", turn=turn))


def test_narrow_subjects_weigh_more():
    wide = entries.Entry("real", "wide.py", [], 1, "chosen", subjects=("src/drivers",))
    narrow = entries.Entry("real", "narrow.py", [], 1, "chosen", subjects=("src/drivers/ovn",))
    weights = choice.weigh([wide, narrow], lambda _: {"src/drivers/ovn/nb_acl.c": 3})
    assert weights[narrow][0] > weights[wide][0]


def test_a_script_must_be_executable(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("#!/usr/bin/python3\n", encoding="ascii")
    with pytest.raises(ValueError, match="a.py is not executable"):
        entries.is_script(path)
    path.chmod(0o755)
    assert entries.is_script(path)
    path.write_text("MODULE = 1\n", encoding="ascii")
    assert not entries.is_script(path)


def test_each_script_is_compared_with_its_own_last_pass():
    before = entries.Entry("real", "before.py", [], 1, "chosen", subjects=("src/drivers",), passed_at="a" * 12)
    after = entries.Entry("real", "after.py", [], 1, "chosen", subjects=("src/drivers",), passed_at="b" * 12)
    changes = {"a" * 12: {"src/drivers/ovn/nb_acl.c": 3}, "b" * 12: {}}
    assert [c.entry.name for c in choice.choose([before, after], 0, changes.get)] == ["before.py"]


def test_what_passed_is_recorded(tmp_path, monkeypatch):
    """A run of some entries changes only their lines; a deleted script loses its line; a complete run also changes the first line."""
    monkeypatch.setattr(entries, "RECORD", str(tmp_path / "record"))
    there = {"real/a.py", "real/b.py", "unit/quick"}
    entries.write_record("a" * 40, {"real/a.py": (3, 5), "real/b.py": (4, 6), "real/gone.py": (1, 1), "unit/quick": (0.1, 0)},
                         there | {"real/gone.py"}, "took 8 s")
    entries.write_record("b" * 40, {"real/b.py": (2, 6)}, there)
    assert entries.read_record() == {"real/a.py": (3, 5, "a" * 12), "real/b.py": (2, 6, "b" * 12)}
    assert entries.read_last_pass() == "a" * 40 + " took 8 s"


# ---- counting

@pytest.mark.parametrize("output,status,counted", [
    ("ok 1 - a\nnot ok 2 - b\n", 1, (1, 1)),
    ("3 passed, 0 failed\n", 0, (3, 0)),
    ("3 passed, 0 failed\n", 3, (3, 1)),
    ("== 2 failed, 5 passed, 1 skipped in 3.20s ==\n", 1, (5, 3)),
    ("1 skipped in 0.10s\n", 0, (0, 1)),
    ("", 0, (1, 0)),
    ("", 139, (0, 1)),
])
def test_results_are_counted(output, status, counted):
    assert results.count(output, status) == counted


def test_what_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(watch, "GRACE_S", 5)
    monkeypatch.setattr(watch, "LOOK_S", 0.05)
    endless = entries.Entry("unit", "endless", ["/bin/sh", "-c", "trap 'echo interrupted; exit 1' INT; while :; do sleep 0.05; done"], 1)
    output, status, _, _ = watch.run(endless, {}, 0.2)
    assert status == 124 and "interrupted" in output and "ended at its limit" in output


def test_stale_programs_are_seen(tmp_path):
    source, made = tmp_path / "source", tmp_path / "made"
    source.write_text("1")
    (tmp_path / "build.ninja").write_text(f"rule copy\n command = cp $in $out\nbuild {made}: copy {source}\n")
    assert not kept.is_built(str(tmp_path)), "nothing is built"
    subprocess.run(["ninja", "-C", tmp_path, "--quiet"], check=True)
    assert kept.is_built(str(tmp_path))
    os.utime(source, ns=(made.stat().st_mtime_ns + 10**9,) * 2)
    assert not kept.is_built(str(tmp_path)), "the source is newer"
    assert not kept.is_built(str(tmp_path / "absent"))


def test_what_passed_is_kept(tmp_path):
    """A killed long run can be continued: each entry that passed is in the file at once."""
    path = str(tmp_path / "passed/commit")
    assert kept.read(path) == {}
    for script in SCRIPTS[:2]:
        kept.add(path, types.SimpleNamespace(entry=script, passed=3, cpu_s=1.25, wall_s=2.0))
    assert kept.read(path) == {script.id: [3, 1.2, 2.0] for script in SCRIPTS[:2]}


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
