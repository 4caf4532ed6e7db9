#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack/alarming src/api/openstack/metric src/engine/alarm src/reconcile/alarm src/reconcile/figures
"""Aodh's alarms and Gnocchi's metrics through the stock openstack command with their plug-ins, and through requests. Measures are posted for minutes that
have passed, so an alarm decides as soon as it is made."""
import datetime
import http.server
import json
import os
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
import dev as ec2  # noqa: E402
import warm  # noqa: E402
from faces import holds  # noqa: E402
from waiting import wait_until  # noqa: E402

ALARMS, METRIC = "/alarming/v2/alarms", "/metric/v1"
MINUTE = datetime.timedelta(minutes=1)


class Server(http.server.ThreadingHTTPServer):
    """A receiver of alarms. It keeps each request, and answers with `status`."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.server.seen.append((self.path, dict(self.headers), json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
                self.send_response(self.server.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.seen, self.status = [], 200
        super().__init__((ec2.WEB_ADDRESS, 0), Handler)
        self.url = f"http://{ec2.WEB_ADDRESS}:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def next(self, path, count=1):
        wait_until(lambda: len(self.of(path)) >= count, f"{path} is posted to")
        return self.of(path)[count - 1]

    def of(self, path):
        return [(headers, body) for at, headers, body in self.seen if at == path]


class Region:
    def __init__(self, dev):
        self.dev, self.own, self.server = dev, lib.own(dev), Server()

    def say(self, *argv, fails=False):
        return self.own.openstack(*argv, *([] if fails or "delete" in argv or argv[-2:-1] == ("add",) else ["-f", "json"]), fails=fails)

    def metric(self, **body):
        return self.own.ok("POST", f"{METRIC}/metric", body)["id"]

    def post(self, metric, *values):
        """The values of the minutes that have passed, the newest last."""
        at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=80)  # an alarm looks at a period 20 s after its end
        measures = [{"timestamp": (at - k * MINUTE).isoformat(), "value": value} for k, value in enumerate(reversed(values))]
        assert self.own.call("POST", f"{METRIC}/metric/{metric}/measures", measures).status == 202

    def rule(self, metrics, **more):
        return {"metrics": metrics, "threshold": 10, "comparison_operator": "gt", "aggregation_method": "mean", "granularity": 60, "evaluation_periods": 1, **more}

    def alarm(self, name, rule, **more):
        return self.own.ok("POST", ALARMS, {"name": name, "type": "gnocchi_aggregation_by_metrics_threshold",
                                            "gnocchi_aggregation_by_metrics_threshold_rule": rule, **more})

    def state(self, alarm):
        return self.own.ok("GET", f"{ALARMS}/{alarm['alarm_id']}")["state"]

    def reaches(self, alarm, state):
        wait_until(lambda: self.state(alarm) == state, f"{alarm['name']} is {state}")

    def instance(self):
        flavor = self.own.ok("GET", "/compute/v2.1/flavors")["flavors"][0]["id"]
        image = self.own.ok("GET", "/image/v2/images")["images"][0]["id"]
        body = {"name": "web", "flavorRef": flavor, "imageRef": image, "networks": "auto", "metadata": {"metering.server_group": "stack"}}
        made = self.own.ok("POST", "/compute/v2.1/servers", {"server": body}, version="compute 2.37")["server"]["id"]
        wait_until(lambda: self.own.ok("GET", f"/compute/v2.1/servers/{made}")["server"]["status"] == "ACTIVE", "the server is active")
        return made


@pytest.fixture(scope="module")
def r():
    with ec2.Dev() as dev:
        yield Region(dev)


# ---- Aodh

def test_an_alarm_is_posted_to_a_server(r):
    metric = r.metric(name="queue")
    r.post(metric, 20)
    made = r.alarm("queue", r.rule([metric]), alarm_actions=[r.server.url + "/up"], ok_actions=[r.server.url + "/down"], severity="critical")
    assert (made["state"], made["state_reason"], made["enabled"], made["severity"]) == ("insufficient data", "Not evaluated yet", True, "critical")
    r.reaches(made, "alarm")
    headers, body = r.server.next("/up")
    assert headers["Content-Type"] == "application/json" and headers["x-openstack-request-id"].startswith("req-")
    reason = "Transition to alarm due to 1 samples outside threshold, most recent: 20.0"
    assert body == {"alarm_name": "queue", "alarm_id": made["alarm_id"], "severity": "critical", "previous": "insufficient data", "current": "alarm",
                    "reason": reason, "reason_data": {"type": "threshold", "disposition": "outside", "count": 1, "most_recent": 20.0}}
    changed = r.own.ok("GET", f"{ALARMS}/{made['alarm_id']}")
    assert changed["state_reason"] == reason
    changed["gnocchi_aggregation_by_metrics_threshold_rule"]["threshold"] = 30
    r.own.ok("PUT", f"{ALARMS}/{made['alarm_id']}", changed)
    r.reaches(made, "ok")
    assert r.server.next("/down")[1]["previous"] == "alarm"


def test_the_stock_command(r):
    assert {"alarming", "metric"} <= {s["Type"] for s in r.say("catalog", "list")}
    metric = r.metric(name="depth")
    made = r.say("alarm", "create", "--name", "deep", "--type", "gnocchi_aggregation_by_metrics_threshold", "--metric", metric, "--threshold", "5",
                 "--aggregation-method", "max", "--comparison-operator", "ge", "--granularity", "300", "--evaluation-periods", "2", "--alarm-action", r.server.url)
    assert (made["metrics"], made["granularity"], made["evaluation_periods"], made["threshold"]) == ([metric], 300, 2, 5.0)
    assert [a["name"] for a in r.say("alarm", "list", "--filter", "name=deep")] == ["deep"]
    assert [a["name"] for a in r.say("alarm", "list", "--query", "name=deep and severity=low")] == ["deep"]
    assert r.say("alarm", "show", "--name", "deep")["alarm_id"] == made["alarm_id"]
    assert r.say("alarm", "update", "--name", "deep", "--threshold", "7")["threshold"] == 7.0
    assert r.say("alarm", "state", "set", "--name", "deep", "--state", "ok") == r.say("alarm", "state", "get", "--name", "deep") == {"state": "ok"}
    history = r.say("alarm-history", "show", made["alarm_id"])
    assert [h["type"] for h in history] == ["state transition", "rule change", "creation"]
    assert json.loads(history[0]["detail"]) == {"state": "ok", "transition_reason": "Manually set via API"}
    assert [h["type"] for h in r.say("alarm-history", "search", "--query", f"alarm_id={made['alarm_id']} and type=creation")] == ["creation"]
    assert r.say("alarm", "quota", "show")
    assert "alarms:query:simple" in str(r.say("alarming", "capabilities", "list"))
    r.say("alarm", "delete", "--name", "deep")
    assert "not found" in str(r.say("alarm", "show", "--name", "deep", fails=True))


@holds("Instances: Alarms of Aodh")
def test_states_follow_aodhs_rules(r):
    """All of the newest points outside make an alarm, none makes it ok; a mixture changes no known state."""
    metric = r.metric()
    r.post(metric, 20, 5)
    rule = r.rule([metric], evaluation_periods=2)
    trending = r.alarm("trending", rule)  # unknown: the newest point decides
    stays = r.alarm("stays", rule, state="alarm")
    r.reaches(trending, "ok")
    equal = r.alarm("equal", r.rule([metric], threshold=5, comparison_operator="eq"))
    r.reaches(equal, "alarm")
    off = r.alarm("off", rule, enabled=False)
    r.dev.rest()
    assert r.state(stays) == "alarm" and r.state(off) == "insufficient data"


def test_a_composite_alarm_joins_rules(r):
    high, low = r.metric(), r.metric()
    r.post(high, 20)
    r.post(low, 5)
    kind = "gnocchi_aggregation_by_metrics_threshold"
    part = [{"type": kind, **r.rule([metric])} for metric in (high, low)]
    both, any_of = {"and": part}, {"or": [part[0], {"and": [part[1], part[0]]}]}
    made = {name: r.own.ok("POST", ALARMS, {"name": name, "type": "composite", "composite_rule": rule, "alarm_actions": [f"{r.server.url}/{name}"]})
            for name, rule in (("both", both), ("any", any_of))}
    r.reaches(made["both"], "ok")
    r.reaches(made["any"], "alarm")
    body = r.server.next("/any")[1]
    form = "(rule1 or (rule2 and rule3))"
    assert body["reason_data"]["composition_form"] == form and "rule1" in body["reason_data"]["causative_rules"]
    assert body["reason"].startswith(f"Composite rule alarm with composition form: {form} transition to alarm, due to rules: rule1")
    shown = r.own.ok("GET", f"{ALARMS}/{made['both']['alarm_id']}")
    assert [p["metrics"] for p in shown["composite_rule"]["and"]] == [[high], [low]] and shown["type"] == "composite"
    assert not [a for a in r.own.ok("GET", ALARMS) if "/" in a["name"]]  # parts are not shown
    r.own.ok("PUT", f"{ALARMS}/{shown['alarm_id']}", {**shown, "composite_rule": {"or": part}})
    r.reaches(made["both"], "alarm")
    for alarm in made.values():
        assert r.own.call("DELETE", f"{ALARMS}/{alarm['alarm_id']}").status == 204
    parts = r.own.ok("GET", "/api/v1/alarms")
    assert made["any"]["alarm_id"] not in str(parts)


def test_a_refused_post_is_an_event(r):
    metric = r.metric()
    r.post(metric, 20)
    gone = Server()
    gone.status = 410
    made = r.alarm("refused", r.rule([metric]), alarm_actions=[gone.url + "/gone"])
    gone.next("/gone")
    wait_until(lambda: "The server answers 410." in str(r.own.ok("GET", "/api/v1/alarm-events")), "the history names the answer")


# ---- Gnocchi

def test_the_stock_command_of_metrics(r):
    made = r.say("metric", "create", "--archive-policy-name", "medium", "--unit", "jobs", "jobs")
    assert (made["name"], made["unit"], made["archive_policy/name"], made["resource_id"]) == ("jobs", "jobs", "medium", None)
    at = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0) - 5 * MINUTE
    for k, value in enumerate((1, 3)):
        r.own.openstack("metric", "measures", "add", "-m", f"{(at + k * datetime.timedelta(seconds=10)).isoformat()}@{value}", made["id"])
    for method, value in (("mean", 2.0), ("sum", 4.0), ("max", 3.0), ("min", 1.0), ("count", 2.0)):
        read = r.say("metric", "measures", "show", "--aggregation", method, "--granularity", "60", made["id"])
        assert [(row["granularity"], row["value"]) for row in read] == [(60.0, value)], method
    assert {row["granularity"] for row in r.say("metric", "measures", "show", made["id"])} == {60.0, 300.0, 3600.0}
    assert "does not exist" in str(r.say("metric", "measures", "show", "--aggregation", "rate:mean", made["id"], fails=True))
    assert made["id"] in [row["id"] for row in r.say("metric", "list")]
    assert {row["name"] for row in r.say("metric", "archive-policy", "list")} >= {"low", "ceilometer-low-rate"}
    assert "mean" in str(r.say("metric", "capabilities", "list")) and r.say("metric", "status")
    r.say("metric", "delete", made["id"])
    assert "does not exist" in str(r.say("metric", "show", made["id"], fails=True))


@holds("Instances: Resources and metrics of Gnocchi")
def test_resources_are_instances_and_their_parts(r):
    server = r.instance()
    shown = r.say("metric", "resource", "show", server)
    assert (shown["id"], shown["type"]) == (server, "instance") and "cpu" in str(shown["metrics"])
    found = r.say("metric", "resource", "search", "--type", "instance", "server_group=stack")
    assert [row["id"] for row in found] == [server] and found[0]["display_name"] == "web"
    parts = r.own.ok("POST", f"{METRIC}/search/resource/instance_disk", {"=": {"instance_id": server}})
    assert [row["original_resource_id"] for row in parts] == [server + "-disks"]
    assert r.own.ok("GET", f"{METRIC}/resource/instance_disk/{server}-disks")["id"] == parts[0]["id"]
    assert r.own.ok("POST", f"{METRIC}/search/resource/generic", {"and": [{"=": {"ended_at": None}}, {"=": {"id": server}}]})[0]["id"] == server
    assert [row["name"] for row in r.say("metric", "resource-type", "list")][:1]
    cpu = r.own.ok("GET", f"{METRIC}/resource/instance/{server}")["metrics"]["cpu"]
    assert r.own.ok("GET", f"{METRIC}/metric/{cpu}")["resource"]["id"] == server
    for method, path in (("DELETE", f"metric/{cpu}"), ("POST", f"metric/{cpu}/measures")):
        assert r.own.call(method, f"{METRIC}/{path}", [] if method == "POST" else None).status == 403
    named = r.say("metric", "create", "--resource-id", server, "requests")
    assert named["resource_id"] == server
    shown = r.say("metric", "show", "--resource-id", server, "requests")
    assert shown["id"] == named["id"] and shown["resource/id"] == server
    assert "already exists" in str(r.say("metric", "create", "--resource-id", server, "requests", fails=True))
    r.post(named["id"], 50)
    rule = {"metric": "requests", "resource_id": server, "resource_type": "instance", "threshold": 10, "comparison_operator": "gt",
            "aggregation_method": "mean", "granularity": 60}
    made = r.own.ok("POST", ALARMS, {"name": "busy", "type": "gnocchi_resources_threshold", "gnocchi_resources_threshold_rule": rule})
    r.reaches(made, "alarm")


def test_a_guests_processor_raises_an_alarm(r):
    """The guest is simulated: its processor is never idle. Minutes pass."""
    server = r.own.ok("GET", "/compute/v2.1/servers")["servers"][0]["id"]
    common = {"metric": "cpu", "resource_type": "instance", "threshold": 1000, "comparison_operator": "gt", "aggregation_method": "rate:mean", "granularity": 60}
    one = {"resource_id": server, **common}
    group = {"query": json.dumps({"=": {"server_group": "stack"}}), **common}
    made = [r.own.ok("POST", ALARMS, {"name": kind, "type": kind, kind + "_rule": rule, "alarm_actions": [f"{r.server.url}/{kind}"]})
            for kind, rule in (("gnocchi_resources_threshold", one), ("gnocchi_aggregation_by_resources_threshold", group))]
    for alarm in made:
        assert r.server.next("/" + alarm["name"])[1]["current"] == "alarm"
    cpu = r.say("metric", "measures", "show", "--aggregation", "rate:mean", "--granularity", "60", "--resource-id", server, "cpu")
    aggregate = r.say("metric", "aggregates", "--granularity", "60", "--resource-type", "instance", "(aggregate mean (metric cpu rate:mean))", "server_group=stack")
    assert cpu[0]["value"] == aggregate[0]["value"] > 0  # of a minute that has ended


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
