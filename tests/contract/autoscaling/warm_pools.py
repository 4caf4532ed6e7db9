#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/autoscaling src/engine/scaling src/reconcile/scaling
"""Warm pools through stock boto3: filled, drawn from, returned to, with hooks, refreshed, deleted."""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402
from faces import holds  # noqa: E402
from groups import Place, client, code, make_queue, receive_all  # noqa: E402
from waiting import soon  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
GROUP = {"AutoScalingGroupName": "web"}


@pytest.fixture
def place():
    with ec2.Dev() as region:
        made = Place(region, "pooled")
        made.create("web", MaxSize=4, DesiredCapacity=1, LaunchTemplate={"LaunchTemplateId": made.template, "Version": "1"})
        made.has("web", 1)
        yield made


def pool(place):
    """Ids of the pool's instances by their states."""
    return {i["InstanceId"]: i["LifecycleState"] for i in place.asg.describe_warm_pool(**GROUP)["Instances"]}


def holds_states(place, *states):
    assert soon(lambda: sorted(pool(place).values()) == sorted(states)), pool(place)
    return pool(place)


def serving(place):
    return {i["InstanceId"] for i in place.group("web")["Instances"] if i["LifecycleState"] == "InService"}


def serves(place, count):
    assert soon(lambda: len(serving(place)) == count), place.group("web")["Instances"]
    return serving(place)


def power(place, instance):
    return place.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["State"]["Name"]


@holds("Instances: Warm pools")
def test_grows_from_the_pool_and_shrinks_into_it(place):
    """The pool fills to the group's maximum, the group takes its instance, and gives it back: no instance is launched for either."""
    place.asg.put_warm_pool(**GROUP, InstanceReusePolicy={"ReuseOnScaleIn": True})
    warm = holds_states(place, *["Warmed:Stopped"] * 3)
    assert {power(place, i) for i in warm} == {"stopped"}
    shown = place.group("web")
    assert shown["WarmPoolSize"] == 3 and len(shown["Instances"]) == 1
    assert shown["WarmPoolConfiguration"] == {"MinSize": 0, "PoolState": "Stopped", "InstanceReusePolicy": {"ReuseOnScaleIn": True}}
    place.asg.set_desired_capacity(**GROUP, DesiredCapacity=2)
    drawn = serves(place, 2) & set(warm)
    assert len(drawn) == 1 and power(place, *drawn) == "running"
    assert set(holds_states(place, *["Warmed:Stopped"] * 2)) == set(warm) - drawn
    everything = serving(place) | set(pool(place))
    place.asg.set_desired_capacity(**GROUP, DesiredCapacity=1)
    assert set(holds_states(place, *["Warmed:Stopped"] * 3)) | serves(place, 1) == everything
    words = [a["Description"] for a in place.asg.describe_scaling_activities(**GROUP)["Activities"]]
    assert sum("into warm pool" in w for w in words) == 3 and sum("from warm pool" in w for w in words) == 1 and sum("Returning" in w for w in words) == 1


@holds("Instances: Warm pools")
def test_hooks_hold_twice(place):
    """A launch hook holds an instance before the pool, and again before service, and says so; calls about instances in service take none of the pool."""
    sqs, url, queue_arn = make_queue(place, "hooks")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "autoscaling.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = client(place.region, place.account, "iam").create_role(RoleName="hooks", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    place.asg.put_lifecycle_hook(**GROUP, LifecycleHookName="ready", LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING", NotificationTargetARN=queue_arn,
                                 RoleARN=role)
    place.asg.put_warm_pool(**GROUP, MinSize=1, MaxGroupPreparedCapacity=0, PoolState="Running")
    one = next(iter(holds_states(place, "Warmed:Pending:Wait")))
    done = {**GROUP, "LifecycleHookName": "ready", "InstanceId": one, "LifecycleActionResult": "CONTINUE"}
    place.asg.complete_lifecycle_action(**done)
    holds_states(place, "Warmed:Running")
    assert code(place.asg.terminate_instance_in_auto_scaling_group, InstanceId=one, ShouldDecrementDesiredCapacity=False) == "ValidationError"
    assert code(place.asg.set_instance_protection, **GROUP, InstanceIds=[one], ProtectedFromScaleIn=True) == "ValidationError"
    place.asg.set_desired_capacity(**GROUP, DesiredCapacity=2)
    states = lambda: {i["InstanceId"]: i["LifecycleState"] for i in place.group("web")["Instances"]}  # noqa: E731
    assert soon(lambda: states().get(one) == "Pending:Wait"), states()
    place.asg.complete_lifecycle_action(**done)
    assert soon(lambda: states().get(one) == "InService"), states()
    told = receive_all(sqs, url, lambda m: m.get("Origin") == "WarmPool")
    ways = {(m["EC2InstanceId"] == one, m["Origin"], m["Destination"]) for m in told if "Origin" in m}
    assert {(True, "EC2", "WarmPool"), (True, "WarmPool", "AutoScalingGroup")} <= ways <= {
        (True, "EC2", "WarmPool"), (True, "WarmPool", "AutoScalingGroup"), (False, "EC2", "WarmPool")}
    holds_states(place, "Warmed:Pending:Wait")


@holds("Instances: Warm pools")
def test_is_refreshed_and_deleted(place):
    """A refresh replaces the instances of the pool. A deleted pool shows PendingDelete as long as a hook holds an instance."""
    place.asg.put_warm_pool(**GROUP, MinSize=1, MaxGroupPreparedCapacity=0)
    old = holds_states(place, "Warmed:Stopped")
    place.asg.start_instance_refresh(**GROUP, Preferences={"InstanceWarmup": 0, "MinHealthyPercentage": 100})
    assert soon(lambda: not set(old) & set(pool(place)) and list(pool(place).values()) == ["Warmed:Stopped"]), pool(place)
    assert soon(lambda: place.asg.describe_instance_refreshes(**GROUP)["InstanceRefreshes"][0]["Status"] == "Successful")
    place.asg.put_lifecycle_hook(**GROUP, LifecycleHookName="bye", LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING")
    place.asg.delete_warm_pool(**GROUP)
    one = next(iter(holds_states(place, "Warmed:Terminating:Wait")))
    assert place.group("web")["WarmPoolConfiguration"]["Status"] == "PendingDelete"
    assert code(place.asg.put_warm_pool, **GROUP) == "ValidationError"
    place.asg.complete_lifecycle_action(**GROUP, LifecycleHookName="bye", InstanceId=one, LifecycleActionResult="CONTINUE")
    assert soon(lambda: "WarmPoolConfiguration" not in place.group("web"))
    assert pool(place) == {} and power(place, one) == "terminated"
    assert code(place.asg.delete_warm_pool, **GROUP) == "ValidationError"


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
