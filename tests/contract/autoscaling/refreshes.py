#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/autoscaling src/engine/scaling src/reconcile/scaling
"""Instance refreshes through stock boto3: to another template version, rolled back, cancelled, refused changes, skip matching."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402
from faces import holds  # noqa: E402
from groups import Place, code  # noqa: E402
from waiting import soon  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
GROUP = {"AutoScalingGroupName": "web"}
QUICK = {"InstanceWarmup": 0, "MinHealthyPercentage": 100}


@pytest.fixture
def place():
    with ec2.Dev() as region:
        made = Place(region, "refreshed")
        made.ec2.create_launch_template_version(LaunchTemplateId=made.template, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"})
        made.create("web", LaunchTemplate={"LaunchTemplateId": made.template, "Version": "1"})
        made.has("web", 2)
        yield made


def desired(place, version="2"):
    return {"LaunchTemplate": {"LaunchTemplateId": place.template, "Version": version}}


def start(place, **more):
    return place.asg.start_instance_refresh(**{**GROUP, "Preferences": QUICK, **more})["InstanceRefreshId"]


def raw(place, action, **more):
    """A call that the packaged boto3 does not know yet."""
    return place.account.call(action, {**GROUP, **more}, service="autoscaling", version="2011-01-01")


def refresh(place, which=0):
    return place.asg.describe_instance_refreshes(**GROUP)["InstanceRefreshes"][which]


def ends(place, status):
    assert soon(lambda: refresh(place)["Status"] == status), refresh(place)
    return refresh(place)


def types(place):
    return sorted(i["InstanceType"] for i in place.group("web")["Instances"] if i["LifecycleState"] == "InService")


@holds("Instances: Instance refreshes")
def test_to_another_version(place):
    """Each instance is replaced once, the group takes the version over, and the activities say why."""
    before = place.instances("web")
    made = start(place, DesiredConfiguration=desired(place), Preferences={**QUICK, "SkipMatching": True})
    shown = ends(place, "Successful")
    assert (shown["InstanceRefreshId"], shown["PercentageComplete"], shown["InstancesToUpdate"]) == (made, 100, 0), shown
    assert shown["DesiredConfiguration"]["LaunchTemplate"]["Version"] == "2" and shown["EndTime"] >= shown["StartTime"], shown
    assert shown["Preferences"]["MinHealthyPercentage"] == 100, shown
    assert not set(place.has("web", 2)) & set(before)
    assert types(place) == ["t3.small"] * 2 and place.group("web")["LaunchTemplate"]["Version"] == "2"
    causes = [a["Cause"] for a in place.activities("web")]
    assert sum("an instance was taken out of service in response to an instance refresh." in c for c in causes) == 2, causes
    assert sum("an instance was launched in response to an instance refresh." in c for c in causes) == 2, causes
    kept = place.instances("web")
    start(place, Preferences={**QUICK, "SkipMatching": True})
    assert ends(place, "Successful")["PercentageComplete"] == 100 and place.instances("web") == kept, "all of them match"


def test_rolled_back(place):
    """A checkpoint holds the refresh; the rollback replaces what it launched, and the group launches as before."""
    assert raw(place, "RollbackInstanceRefresh").code == "ActiveInstanceRefreshNotFound"
    start(place, DesiredConfiguration=desired(place), Preferences={**QUICK, "CheckpointPercentages": [50, 100], "CheckpointDelay": 3600})
    assert soon(lambda: refresh(place).get("StatusReason") == "Waiting for the checkpoint delay before continuing."), refresh(place)
    assert (refresh(place)["PercentageComplete"], refresh(place)["InstancesToUpdate"]) == (50, 1), refresh(place)
    assert types(place) == ["t3.micro", "t3.small"]
    assert code(place.asg.start_instance_refresh, **GROUP) == "InstanceRefreshInProgress"
    assert code(place.asg.update_auto_scaling_group, **GROUP, LaunchTemplate={"LaunchTemplateId": place.template, "Version": "2"}) == "ValidationError"
    place.asg.update_auto_scaling_group(**GROUP, MaxSize=5)
    assert raw(place, "RollbackInstanceRefresh").first(".//InstanceRefreshId") == refresh(place)["InstanceRefreshId"]
    assert ends(place, "RollbackSuccessful")["PercentageComplete"] == 0
    shown = raw(place, "DescribeInstanceRefreshes")
    details = [shown.first(f".//RollbackDetails/{name}") for name in ("PercentageCompleteOnRollback", "InstancesToUpdateOnRollback", "RollbackReason")]
    assert details == ["50", "1", "Rollback due to user request."], shown
    place.has("web", 2)
    assert types(place) == ["t3.micro"] * 2 and place.group("web")["LaunchTemplate"]["Version"] == "1"


def test_cancelled(place):
    """A cancelled refresh leaves what it replaced, and the group's own configuration."""
    assert code(place.asg.cancel_instance_refresh, **GROUP) == "ActiveInstanceRefreshNotFound"
    made = start(place, DesiredConfiguration=desired(place), Preferences={**QUICK, "CheckpointPercentages": [50, 100], "CheckpointDelay": 3600})
    assert soon(lambda: refresh(place)["PercentageComplete"] == 50), refresh(place)
    assert place.asg.cancel_instance_refresh(**GROUP)["InstanceRefreshId"] == made
    assert ends(place, "Cancelled")["StatusReason"] == "Cancelled due to user request."
    place.has("web", 2)
    assert types(place) == ["t3.micro", "t3.small"] and place.group("web")["LaunchTemplate"]["Version"] == "1"
    start(place)
    assert raw(place, "RollbackInstanceRefresh").code == "IrreversibleInstanceRefresh"
    ends(place, "Successful")
    listed = place.asg.describe_instance_refreshes(**GROUP, MaxRecords=1)
    assert listed["InstanceRefreshes"][0]["Status"] == "Successful" and listed["NextToken"]
    rest = place.asg.describe_instance_refreshes(**GROUP, NextToken=listed["NextToken"])["InstanceRefreshes"]
    assert [r["InstanceRefreshId"] for r in rest] == [made]
    assert place.asg.describe_instance_refreshes(**GROUP, InstanceRefreshIds=[made])["InstanceRefreshes"] == rest


def test_mixed(place):
    """The desired configuration may be a mixed instances policy; a scale-out during the refresh launches by it."""
    template = {"LaunchTemplateSpecification": {"LaunchTemplateId": place.template, "Version": "1"}, "Overrides": [{"InstanceType": "t3.medium"}]}
    start(place, DesiredConfiguration={"MixedInstancesPolicy": {"LaunchTemplate": template}},
          Preferences={**QUICK, "CheckpointPercentages": [50, 100], "CheckpointDelay": 3600})
    assert soon(lambda: refresh(place)["PercentageComplete"] == 50), refresh(place)
    place.asg.set_desired_capacity(**GROUP, DesiredCapacity=3)
    place.has("web", 3)
    assert types(place) == ["t3.medium"] * 2 + ["t3.micro"]
    assert raw(place, "CancelInstanceRefresh", WaitForTransitioningInstances="false").status == 200
    assert refresh(place)["Status"] == "Cancelled"
    assert "MixedInstancesPolicy" not in place.group("web")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-x", *sys.argv[1:]]))
