#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/awsbackup src/engine/backup src/reconcile/backup
"""AWS Backup through stock boto3: vaults, plans and selections, jobs of instances and volumes, recovery points, restores, tags, and refusals."""
import copy
import json
import os
import re
import sys
import uuid

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
import waiting  # noqa: E402
from dev import REGION, Dev  # noqa: E402
from faces import holds  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

RULE = {"RuleName": "daily", "TargetBackupVaultName": "Default", "ScheduleExpression": "cron(0 5 ? * * *)", "StartWindowMinutes": 60, "CompletionWindowMinutes": 180,
        "Lifecycle": {"DeleteAfterDays": 35}, "RecoveryPointTags": {"by": "plan"}}
PLAN = {"BackupPlanName": "nightly", "Rules": [RULE]}
MANAGED = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"


class Place:
    """The region's first account, with an instance, a volume and a role."""

    def __init__(self, dev):
        self.dev, self.account = dev, dev.account
        self.backup, self.iam, self.ec2 = (self.account.client(n) for n in ("backup", "iam", "ec2"))
        self.number = self.account.client("sts").get_caller_identity()["Account"]
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "backup.amazonaws.com"}}]}
        self.role = self.iam.create_role(RoleName="backup", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        self.iam.attach_role_policy(RoleName="backup", PolicyArn=MANAGED)
        self.instance = self.ec2.run_instances(ImageId=self.ec2.describe_images()["Images"][0]["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "backup", "Value": "yes"}]}])["Instances"][0]["InstanceId"]
        dev.rest()
        zone = self.ec2.describe_instances(InstanceIds=[self.instance])["Reservations"][0]["Instances"][0]["Placement"]["AvailabilityZone"]
        self.volume = self.ec2.create_volume(Size=1, AvailabilityZone=zone)["VolumeId"]
        dev.rest()

    def arn(self, kind, name):
        return f"arn:aws:{'ec2' if kind in ('instance', 'volume') else 'backup'}:{REGION}:{self.number}:{kind}{'/' if kind in ('instance', 'volume') else ':'}{name}"

    def run(self, resource, vault="Default", **more):
        made = self.backup.start_backup_job(BackupVaultName=vault, ResourceArn=resource, IamRoleArn=self.role, **more)
        self.dev.rest()
        return made

    def ended(self, job):
        def over():
            shown = self.backup.describe_backup_job(BackupJobId=job)
            return shown["State"] not in ("CREATED", "RUNNING") and shown
        return waiting.wait_until(over, "the job is over", of=self.dev)

    def restored(self, job):
        def over():
            shown = self.backup.describe_restore_job(RestoreJobId=job)
            return shown["Status"] != "RUNNING" and shown
        return waiting.wait_until(over, "the restore is over", of=self.dev)


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        yield region


@pytest.fixture(scope="module")
def place(dev):
    return Place(dev)


def refused(call, *words, code="InvalidParameterValueException"):
    with pytest.raises(botocore.exceptions.ClientError) as failed:
        call()
    error = failed.value.response["Error"]
    assert error["Code"] == code, error
    for word in words:
        assert word in (error["Message"] or failed.value.response.get("Message", "")), error


def rule(**more):
    return {**PLAN, "Rules": [{**RULE, **more}]}


@holds("What each face calls it: backup vault")
def test_vaults(place):
    made = place.backup.create_backup_vault(BackupVaultName="prod_1", BackupVaultTags={"a": "1"}, CreatorRequestId="x")
    assert (made["BackupVaultName"], made["BackupVaultArn"]) == ("prod_1", place.arn("backup-vault", "prod_1"))
    refused(lambda: place.backup.create_backup_vault(BackupVaultName="prod_1"), "prod_1", code="AlreadyExistsException")
    shown = place.backup.describe_backup_vault(BackupVaultName="prod_1")
    assert (shown["NumberOfRecoveryPoints"], shown["CreatorRequestId"], shown["Locked"]) == (0, "x", False)
    assert shown["CreationDate"] == made["CreationDate"]
    for k in range(3):
        place.backup.create_backup_vault(BackupVaultName=f"page-{k}")
    names = [v["BackupVaultName"] for page in place.backup.get_paginator("list_backup_vaults").paginate(PaginationConfig={"PageSize": 2}) for v in page["BackupVaultList"]]
    assert {"prod_1", "page-0", "page-1", "page-2"} <= set(names) and len(set(names)) == len(names)
    for k in range(3):
        place.backup.delete_backup_vault(BackupVaultName=f"page-{k}")
    refused(lambda: place.backup.describe_backup_vault(BackupVaultName="page-0"), code="ResourceNotFoundException")
    refused(lambda: place.backup.create_backup_vault(BackupVaultName="x y"), "2 to 50")
    refused(lambda: place.backup.create_backup_vault(BackupVaultName="volumebackups"), "reserved")  # the folder of Default, to which policies about Default would not apply
    refused(lambda: place.backup.create_backup_vault(BackupVaultName="keyed", EncryptionKeyArn="arn:aws:kms:x"), "EncryptionKeyArn")


def test_tags(place):
    arn = place.arn("backup-vault", "prod_1")
    place.backup.tag_resource(ResourceArn=arn, Tags={"a": "2", "b": "3"})
    assert place.backup.list_tags(ResourceArn=arn)["Tags"] == {"a": "2", "b": "3"}
    place.backup.untag_resource(ResourceArn=arn, TagKeyList=["a", "none"])
    assert place.backup.list_tags(ResourceArn=arn)["Tags"] == {"b": "3"}
    refused(lambda: place.backup.tag_resource(ResourceArn=arn, Tags={"aws:x": "y"}), "aws:")
    refused(lambda: place.backup.list_tags(ResourceArn="arn:aws:backup:x"), "ARN")
    refused(lambda: place.backup.list_tags(ResourceArn=arn, MaxResults=1), "maxResults")


def test_plans(place):
    made = place.backup.create_backup_plan(BackupPlan=PLAN, BackupPlanTags={"team": "ops"}, CreatorRequestId="y")
    shown = place.backup.get_backup_plan(BackupPlanId=made["BackupPlanId"])
    (said,) = shown["BackupPlan"]["Rules"]
    assert uuid.UUID(said.pop("RuleId")) and said == RULE and shown["BackupPlan"]["BackupPlanName"] == "nightly"
    assert [shown[k] for k in ("BackupPlanArn", "VersionId", "CreatorRequestId")] == [place.arn("backup-plan", made["BackupPlanId"]), made["VersionId"], "y"]
    assert place.backup.list_tags(ResourceArn=made["BackupPlanArn"])["Tags"] == {"team": "ops"}
    refused(lambda: place.backup.create_backup_plan(BackupPlan=PLAN), code="AlreadyExistsException")
    changed = place.backup.update_backup_plan(BackupPlanId=made["BackupPlanId"], BackupPlan=rule(ScheduleExpression="cron(15 3 * * ? *)"))
    assert changed["VersionId"] != made["VersionId"]
    assert place.backup.get_backup_plan(BackupPlanId=made["BackupPlanId"])["BackupPlan"]["Rules"][0]["ScheduleExpression"] == "cron(15 3 * * ? *)"
    refused(lambda: place.backup.get_backup_plan(BackupPlanId=made["BackupPlanId"], VersionId=made["VersionId"]), "not kept", code="ResourceNotFoundException")
    (version,) = place.backup.list_backup_plan_versions(BackupPlanId=made["BackupPlanId"])["BackupPlanVersionsList"]
    assert version["VersionId"] == changed["VersionId"]
    assert [p["BackupPlanId"] for p in place.backup.list_backup_plans()["BackupPlansList"]] == [made["BackupPlanId"]]
    gone = place.backup.delete_backup_plan(BackupPlanId=made["BackupPlanId"])
    assert (gone["BackupPlanId"], gone["VersionId"]) == (made["BackupPlanId"], changed["VersionId"])
    refused(lambda: place.backup.get_backup_plan(BackupPlanId=made["BackupPlanId"]), code="ResourceNotFoundException")


def test_plan_defaults(place):
    made = place.backup.create_backup_plan(BackupPlan={"BackupPlanName": "least", "Rules": [{"RuleName": "r", "TargetBackupVaultName": "prod_1"}]})["BackupPlanId"]
    (said,) = place.backup.get_backup_plan(BackupPlanId=made)["BackupPlan"]["Rules"]
    assert {k: said[k] for k in ("ScheduleExpression", "StartWindowMinutes", "CompletionWindowMinutes")} == {
        "ScheduleExpression": "cron(0 5 ? * * *)", "StartWindowMinutes": 480, "CompletionWindowMinutes": 10080}
    assert "Lifecycle" not in said and said["TargetBackupVaultName"] == "prod_1"
    place.backup.delete_backup_plan(BackupPlanId=made)


@pytest.mark.parametrize("words, plan", [
    (["ScheduleExpression"], rule(ScheduleExpression="rate(1 day)")), (["ScheduleExpression"], rule(ScheduleExpression="cron(0 5 * * * *)")),
    (["CompletionWindowMinutes"], rule(StartWindowMinutes=120, CompletionWindowMinutes=60)), (["StartWindowMinutes"], rule(StartWindowMinutes=5)),
    (["MoveToColdStorageAfterDays"], rule(Lifecycle={"MoveToColdStorageAfterDays": 1, "DeleteAfterDays": 91})), (["DeleteAfterDays"], rule(Lifecycle={"DeleteAfterDays": 0})),
    (["CopyActions"], rule(CopyActions=[{"DestinationBackupVaultArn": "arn:aws:backup:x"}])), (["EnableContinuousBackup"], rule(EnableContinuousBackup=True)),
    (["BackupPlanName"], {**PLAN, "BackupPlanName": "a\x07"}), (["RuleName"], rule(RuleName="a\x01")),
    (["Rules"], {**PLAN, "Rules": [RULE, RULE]}), (["Rules"], {**PLAN, "Rules": []}), (["AdvancedBackupSettings"], {**PLAN, "AdvancedBackupSettings": [{"ResourceType": "EC2", "BackupOptions": {"WindowsVSS": "enabled"}}]}),
])
def test_refused_plans(place, words, plan):
    refused(lambda: place.backup.create_backup_plan(BackupPlan=plan), *words)
    assert place.backup.list_backup_plans()["BackupPlansList"] == []


def test_absent_vault(place):
    refused(lambda: place.backup.create_backup_plan(BackupPlan=rule(TargetBackupVaultName="nowhere")), "nowhere", code="ResourceNotFoundException")


def test_rules(place):
    """Each rule has an id, which it keeps as long as the plan has a rule of its name."""
    weekly = {**RULE, "RuleName": "weekly", "TargetBackupVaultName": "prod_1", "ScheduleExpression": "cron(0 6 ? * 1 *)", "Lifecycle": {"DeleteAfterDays": 90}}
    made = place.backup.create_backup_plan(BackupPlan={**PLAN, "Rules": [RULE, weekly]})["BackupPlanId"]
    said = place.backup.get_backup_plan(BackupPlanId=made)["BackupPlan"]["Rules"]
    ids = {r["RuleName"]: r.pop("RuleId") for r in said}
    assert said == [RULE, weekly] and len(set(ids.values())) == 2
    monthly = {**RULE, "RuleName": "monthly", "ScheduleExpression": "cron(0 7 1 * ? *)"}
    place.backup.update_backup_plan(BackupPlanId=made, BackupPlan={**PLAN, "Rules": [monthly, {**weekly, "StartWindowMinutes": 90}]})
    said = place.backup.get_backup_plan(BackupPlanId=made)["BackupPlan"]["Rules"]
    assert [r["RuleName"] for r in said] == ["monthly", "weekly"] and said[1]["RuleId"] == ids["weekly"] and said[1]["StartWindowMinutes"] == 90
    refused(lambda: place.backup.update_backup_plan(BackupPlanId=made, BackupPlan={**PLAN, "Rules": [monthly, {**weekly, "TargetBackupVaultName": "nowhere"}]}), "nowhere", code="ResourceNotFoundException")
    assert [r["RuleName"] for r in place.backup.get_backup_plan(BackupPlanId=made)["BackupPlan"]["Rules"]] == ["monthly", "weekly"]
    place.backup.delete_backup_plan(BackupPlanId=made)


def test_selections(place):
    plan = place.backup.create_backup_plan(BackupPlan=PLAN)["BackupPlanId"]
    instance, volume = place.arn("instance", place.instance), place.arn("volume", place.volume)
    of_tag = {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "yes"}
    tag = {"ConditionKey": "aws:ResourceTag/backup", "ConditionValue": "y*"}
    conditions = {"StringEquals": [tag, {**tag, "ConditionValue": "no"}], "StringNotEquals": [tag], "StringLike": [tag], "StringNotLike": [{**tag, "ConditionKey": "aws:ResourceTag/x"}]}
    some = ({"Resources": [instance, volume]}, {"ListOfTags": [of_tag, {**of_tag, "ConditionValue": "no"}]}, {"Resources": [instance], "ListOfTags": [of_tag], "NotResources": [volume]},
            {"Resources": ["arn:aws:ec2:*:*:volume/*"], "Conditions": conditions}, {"Resources": ["*"]}, {})
    ids = {}
    for k, given in enumerate(some):
        selection = {"SelectionName": f"some-{k}", "IamRoleArn": place.role, **given}
        made = place.backup.create_backup_selection(BackupPlanId=plan, BackupSelection=selection, CreatorRequestId=f"r{k}")
        shown = place.backup.get_backup_selection(BackupPlanId=plan, SelectionId=made["SelectionId"])
        said = {name: value for name, value in shown["BackupSelection"].items() if value}
        assert {**said, "Conditions": {n: v for n, v in said["Conditions"].items() if v}} == {"Conditions": {}, **selection}
        assert (shown["CreationDate"], shown["CreatorRequestId"]) == (made["CreationDate"], f"r{k}")
        refused(lambda s=selection: place.backup.create_backup_selection(BackupPlanId=plan, BackupSelection=s), "already", code="AlreadyExistsException")
        ids[made["SelectionId"]] = selection["SelectionName"]
    pages = place.backup.get_paginator("list_backup_selections").paginate(BackupPlanId=plan, PaginationConfig={"PageSize": 4})
    assert {s["SelectionId"]: s["SelectionName"] for page in pages for s in page["BackupSelectionsList"]} == ids
    refused(lambda: place.backup.delete_backup_plan(BackupPlanId=plan), "selections", code="InvalidRequestException")
    other = place.backup.create_backup_plan(BackupPlan={**PLAN, "BackupPlanName": "other"})["BackupPlanId"]
    for made in ids:
        refused(lambda m=made: place.backup.delete_backup_selection(BackupPlanId=other, SelectionId=m), code="ResourceNotFoundException")
        place.backup.delete_backup_selection(BackupPlanId=plan, SelectionId=made)
        refused(lambda m=made: place.backup.get_backup_selection(BackupPlanId=plan, SelectionId=m), code="ResourceNotFoundException")
    for given, word in (({"Resources": ["arn:aws:rds:us-east-1:1:db:x"]}, "Resources"), ({"NotResources": [instance + "x"]}, "NotResources"), ({"Resources": ["arn:aws:ec2:*:*:snapshot/*"]}, "Resources"),
                        ({"ListOfTags": [of_tag] * 31}, "ListOfTags"), ({"Conditions": {"StringLike": [{**tag, "ConditionKey": "backup"}]}}, "Conditions"),
                        ({"Conditions": {"StringEquals": [{**tag, "ConditionValue": ""}]}}, "Conditions"), ({"Conditions": {"StringEquals": [tag] * 16, "StringLike": [tag] * 15}}, "Conditions"),
                        ({"Resources": [instance], "SelectionName": "a\x07"}, "SelectionName"), ({"Resources": [instance], "IamRoleArn": place.role + "-absent"}, "role")):
        refused(lambda g=given: place.backup.create_backup_selection(BackupPlanId=plan, BackupSelection={"SelectionName": "some", "IamRoleArn": place.role, **g}), word)
    for gone in (plan, other):
        place.backup.delete_backup_plan(BackupPlanId=gone)


def test_run_of_rules(place):
    """A run by hand: each rule makes recovery points of an instance and of a volume, in its own vault and with its own lifecycle and tags."""
    second = {**RULE, "RuleName": "second", "TargetBackupVaultName": "prod_1", "Lifecycle": {"DeleteAfterDays": 7}, "RecoveryPointTags": {"by": "second"}}
    plan = place.backup.create_backup_plan(BackupPlan={**PLAN, "Rules": [RULE, second]})["BackupPlanId"]
    rules = {r["RuleId"]: r for r in place.backup.get_backup_plan(BackupPlanId=plan)["BackupPlan"]["Rules"]}
    chosen = [place.arn("instance", place.instance), place.arn("volume", place.volume)]
    selections = [place.backup.create_backup_selection(BackupPlanId=plan, BackupSelection={"SelectionName": f"s{k}", "IamRoleArn": place.role, "Resources": [arn]})["SelectionId"]
                  for k, arn in enumerate(chosen)]
    place.dev.rest()
    native.own(place.dev).api_ok("POST", f"/backup-plans/{plan}/run", {})

    def jobs():
        place.dev.rest()
        of_plan = [j for j in place.backup.list_backup_jobs()["BackupJobs"] if j.get("CreatedBy", {}).get("BackupPlanId") == plan]
        return len(of_plan) == 4 and all(j["State"] == "COMPLETED" for j in of_plan) and of_plan
    made = waiting.wait_until(jobs, "both rules have backed up both", of=place.dev)
    assert sorted((j["CreatedBy"]["BackupRuleId"], j["ResourceArn"]) for j in made) == sorted((r, arn) for r in rules for arn in chosen)
    for job in made:
        of = rules[job["CreatedBy"]["BackupRuleId"]]
        assert job["BackupVaultName"] == of["TargetBackupVaultName"] and job["IamRoleArn"] == place.role and job["CompletionDate"] >= job["CreationDate"]
        point = place.backup.describe_recovery_point(BackupVaultName=job["BackupVaultName"], RecoveryPointArn=job["RecoveryPointArn"])
        assert point["Lifecycle"] == of["Lifecycle"] and place.backup.list_tags(ResourceArn=job["RecoveryPointArn"])["Tags"] == of["RecoveryPointTags"]
    assert place.backup.list_backup_plans()["BackupPlansList"][0]["LastExecutionDate"]
    for selection in selections:
        place.backup.delete_backup_selection(BackupPlanId=plan, SelectionId=selection)
    place.backup.delete_backup_plan(BackupPlanId=plan)
    for job in made:
        place.backup.delete_recovery_point(BackupVaultName=job["BackupVaultName"], RecoveryPointArn=job["RecoveryPointArn"])
    place.dev.rest()


def test_job_of_an_instance(place):
    instance = place.arn("instance", place.instance)
    job = place.run(instance, vault="prod_1", RecoveryPointTags={"k": "v"}, Lifecycle={"DeleteAfterDays": 7})
    assert job["RecoveryPointArn"] == place.arn("recovery-point", job["BackupJobId"])
    shown = place.ended(job["BackupJobId"])
    assert (shown["State"], shown["ResourceArn"], shown["ResourceType"], shown["BackupVaultName"], shown["IamRoleArn"], shown["AccountId"]) == (
        "COMPLETED", instance, "EC2", "prod_1", place.role, place.number), shown
    assert shown["CompletionDate"] >= shown["CreationDate"] and shown["BackupSizeInBytes"] > 0
    for asked, found in (({}, True), ({"ByState": "COMPLETED"}, True), ({"ByState": "FAILED"}, False), ({"ByResourceArn": instance}, True), ({"ByBackupVaultName": "Default"}, False), ({"ByResourceType": "EBS"}, False)):
        assert (job["BackupJobId"] in [j["BackupJobId"] for j in place.backup.list_backup_jobs(**asked)["BackupJobs"]]) == found, asked
    refused(lambda: place.backup.stop_backup_job(BackupJobId=job["BackupJobId"]), "ended", code="InvalidRequestException")
    point = place.backup.describe_recovery_point(BackupVaultName="prod_1", RecoveryPointArn=job["RecoveryPointArn"])
    assert (point["Status"], point["Lifecycle"], point["IsEncrypted"]) == ("COMPLETED", {"DeleteAfterDays": 7}, False)
    assert (point["CalculatedLifecycle"]["DeleteAt"] - point["CreationDate"]).days in (6, 7)
    assert place.backup.list_tags(ResourceArn=job["RecoveryPointArn"])["Tags"] == {"k": "v"}
    assert [p["RecoveryPointArn"] for p in place.backup.list_recovery_points_by_backup_vault(BackupVaultName="prod_1")["RecoveryPoints"]] == [job["RecoveryPointArn"]]
    assert [p["RecoveryPointArn"] for p in place.backup.list_recovery_points_by_resource(ResourceArn=instance)["RecoveryPoints"]] == [job["RecoveryPointArn"]]
    assert place.backup.describe_backup_vault(BackupVaultName="prod_1")["NumberOfRecoveryPoints"] == 1
    assert place.backup.describe_protected_resource(ResourceArn=instance)["ResourceType"] == "EC2"
    assert [r["ResourceArn"] for r in place.backup.list_protected_resources()["Results"]] == [instance]
    refused(lambda: place.backup.delete_backup_vault(BackupVaultName="prod_1"), "recovery points", code="InvalidRequestException")
    metadata = place.backup.get_recovery_point_restore_metadata(BackupVaultName="prod_1", RecoveryPointArn=job["RecoveryPointArn"])["RestoreMetadata"]
    assert metadata["InstanceType"] == "t3.micro" and metadata["SubnetId"].startswith("subnet-")
    refused(lambda: place.backup.start_restore_job(RecoveryPointArn=job["RecoveryPointArn"], Metadata={**metadata, "Monitoring": "x"}), "Monitoring")
    restore = place.backup.start_restore_job(RecoveryPointArn=job["RecoveryPointArn"], Metadata=metadata, IamRoleArn=place.role, ResourceType="EC2")["RestoreJobId"]
    place.dev.rest()
    shown = place.restored(restore)
    assert (shown["Status"], shown["RecoveryPointArn"], shown["ResourceType"]) == ("COMPLETED", job["RecoveryPointArn"], "EC2"), shown
    made = shown["CreatedResourceArn"].rpartition("/")[2]
    described = place.ec2.describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"][0]
    assert described["State"]["Name"] == "running" and described["SubnetId"] == metadata["SubnetId"]
    assert restore in [j["RestoreJobId"] for j in place.backup.list_restore_jobs()["RestoreJobs"]]
    place.ec2.terminate_instances(InstanceIds=[made])
    place.dev.rest()
    place.backup.delete_recovery_point(BackupVaultName="prod_1", RecoveryPointArn=job["RecoveryPointArn"])
    refused(lambda: place.backup.describe_recovery_point(BackupVaultName="prod_1", RecoveryPointArn=job["RecoveryPointArn"]), code="ResourceNotFoundException")
    refused(lambda: place.backup.describe_protected_resource(ResourceArn=instance), code="ResourceNotFoundException")
    place.dev.rest()
    place.backup.delete_backup_vault(BackupVaultName="prod_1")


def test_job_of_a_volume(place):
    """The vault Default is made by the first call that writes to it."""
    volume = place.arn("volume", place.volume)
    job = place.run(volume)
    assert place.ended(job["BackupJobId"])["ResourceType"] == "EBS"
    metadata = place.backup.get_recovery_point_restore_metadata(BackupVaultName="Default", RecoveryPointArn=job["RecoveryPointArn"])["RestoreMetadata"]
    assert metadata["volumeId"] == place.volume and metadata["volumeSize"] == "1"
    restore = place.backup.start_restore_job(RecoveryPointArn=job["RecoveryPointArn"], Metadata=metadata)["RestoreJobId"]
    place.dev.rest()
    shown = place.restored(restore)
    assert shown["Status"] == "COMPLETED" and re.search(":volume/vol-[0-9a-f]{17}$", shown["CreatedResourceArn"])
    made = shown["CreatedResourceArn"].rpartition("/")[2]
    assert place.ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]["Size"] == 1
    brief = place.run(volume, Lifecycle={"DeleteAfterDays": 1}, CompleteWindowMinutes=60)
    assert place.ended(brief["BackupJobId"])["CompletionDate"]
    assert place.backup.describe_recovery_point(BackupVaultName="Default", RecoveryPointArn=brief["RecoveryPointArn"])["Lifecycle"] == {"DeleteAfterDays": 1}
    place.backup.delete_recovery_point(BackupVaultName="Default", RecoveryPointArn=brief["RecoveryPointArn"])
    place.backup.delete_recovery_point(BackupVaultName="Default", RecoveryPointArn=job["RecoveryPointArn"])
    place.ec2.delete_volume(VolumeId=made)
    place.dev.rest()


def test_plan_runs(place, dev):
    """A run of the plan makes recovery points with its tags and age, by the rights of the selection's role."""
    plan = place.backup.create_backup_plan(BackupPlan=PLAN)["BackupPlanId"]
    selection = {"SelectionName": "all", "IamRoleArn": place.role, "ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "yes"}]}
    made = place.backup.create_backup_selection(BackupPlanId=plan, BackupSelection=selection)["SelectionId"]
    own = native.own(dev)
    own.api_ok("POST", f"/backup-plans/{plan}/run", {})
    dev.rest()
    (job,) = [j for j in place.backup.list_backup_jobs()["BackupJobs"] if j.get("CreatedBy", {}).get("BackupPlanId") == plan]
    assert place.ended(job["BackupJobId"])["State"] == "COMPLETED"
    assert place.backup.list_tags(ResourceArn=job["RecoveryPointArn"])["Tags"] == {"by": "plan"}
    point = place.backup.describe_recovery_point(BackupVaultName="Default", RecoveryPointArn=job["RecoveryPointArn"])
    assert point["Lifecycle"] == {"DeleteAfterDays": 35} and point["IamRoleArn"] == place.role
    assert place.backup.get_backup_plan(BackupPlanId=plan)["LastExecutionDate"]
    place.iam.detach_role_policy(RoleName="backup", PolicyArn=MANAGED)
    own.api_ok("POST", f"/backup-plans/{plan}/run", {})
    dev.rest()
    assert len([j for j in place.backup.list_backup_jobs()["BackupJobs"] if j.get("CreatedBy")]) == 1
    for active in (False, True):  # the role goes on acting for a plan that somebody paused
        own.api_ok("PATCH", f"/backup-plans/{plan}", {"is_active": active})
    own.api_ok("POST", f"/backup-plans/{plan}/run", {})
    dev.rest()
    assert len([j for j in place.backup.list_backup_jobs()["BackupJobs"] if j.get("CreatedBy")]) == 1
    assert own.api("PATCH", f"/backup-plans/{plan}", {"schedule": "cron(0 1 ? * * *)"}).status == 409
    place.iam.attach_role_policy(RoleName="backup", PolicyArn=MANAGED)
    place.backup.delete_backup_selection(BackupPlanId=plan, SelectionId=made)
    place.backup.delete_backup_plan(BackupPlanId=plan)
    place.backup.delete_recovery_point(BackupVaultName="Default", RecoveryPointArn=job["RecoveryPointArn"])


def test_plan_without_its_vault(place, dev):
    """A plan makes no backup in the folder of a vault that is gone, where no list would show it."""
    place.backup.create_backup_vault(BackupVaultName="brief")
    plan = place.backup.create_backup_plan(BackupPlan=rule(TargetBackupVaultName="brief"))["BackupPlanId"]
    made = place.backup.create_backup_selection(BackupPlanId=plan, BackupSelection={
        "SelectionName": "one", "IamRoleArn": place.role, "Resources": [place.arn("instance", place.instance)]})["SelectionId"]
    place.backup.delete_backup_vault(BackupVaultName="brief")
    native.own(dev).api_ok("POST", f"/backup-plans/{plan}/run", {})
    dev.rest()
    assert not [j for j in place.backup.list_backup_jobs()["BackupJobs"] if j.get("CreatedBy", {}).get("BackupPlanId") == plan]
    assert "does not exist" in dev.explain(plan)
    place.backup.delete_backup_selection(BackupPlanId=plan, SelectionId=made)
    place.backup.delete_backup_plan(BackupPlanId=plan)


def test_permissions(place, dev):
    """A user needs backup's permissions, by ARN, and that to pass the role."""
    place.iam.create_user(UserName="worker")
    key = place.iam.create_access_key(UserName="worker")["AccessKey"]
    worker = type(place.account)(dev, key["AccessKeyId"], key["SecretAccessKey"]).client("backup")

    def allow(*actions, resource="*"):
        place.iam.put_user_policy(UserName="worker", PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}]}))

    def start():
        return worker.start_backup_job(BackupVaultName="Default", ResourceArn=place.arn("volume", place.volume), IamRoleArn=place.role)

    allow("backup:ListBackupVaults")
    worker.list_backup_vaults()
    refused(lambda: worker.describe_backup_vault(BackupVaultName="Default"), code="AccessDeniedException")
    refused(start, code="AccessDeniedException")
    allow("backup:*", resource=place.arn("backup-vault", "other"))
    refused(lambda: worker.describe_backup_vault(BackupVaultName="Default"), code="AccessDeniedException")
    allow("backup:*", resource=place.arn("backup-vault", "Default"))
    worker.describe_backup_vault(BackupVaultName="Default")
    refused(start, "iam:PassRole", code="AccessDeniedException")
    allow("backup:*", "iam:PassRole")
    start()
    dev.rest()


def new_user(place, dev, name):
    place.iam.create_user(UserName=name)
    key = place.iam.create_access_key(UserName=name)["AccessKey"]

    def says(*statements):
        place.iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": actions, "Resource": "*"} for effect, actions in statements]}))
    return type(place.account)(dev, key["AccessKeyId"], key["SecretAccessKey"]), says


def native_status(account, method, path, body=b""):
    headers = account.sign(method, "", body, "ec2", path)
    return account.send(method, path, {**headers, "Content-Type": "application/json"} if body else headers, body).status


def test_rights_of_restores(place, dev):
    """A restore needs the permission of the same restore in Dari's API, and a Deny of any part of it holds."""
    user, says = new_user(place, dev, "restorer")
    made = [place.run(place.arn("instance", place.instance)), place.run(place.arn("volume", place.volume))]
    assert [place.ended(m["BackupJobId"])["State"] for m in made] == ["COMPLETED"] * 2
    cases = list(zip(made, ({}, {"encrypted": "false"}), ("ec2:RestoreMachineBackup", "ec2:RestoreBackup"), ("ec2:RunInstances", "ec2:CreateVolume")))

    def restore(job, metadata):
        return user.client("backup").start_restore_job(RecoveryPointArn=job["RecoveryPointArn"], Metadata=metadata)["RestoreJobId"]
    for job, metadata, needed, part in cases:
        says(("Allow", ["backup:StartRestoreJob", "ec2:CreateTags"]))
        refused(lambda j=job, m=metadata: restore(j, m), needed, code="AccessDeniedException")
        for denied in (needed, part):
            says(("Allow", "*"), ("Deny", denied))
            refused(lambda j=job, m=metadata: restore(j, m), denied, code="AccessDeniedException")
        says(("Allow", ["backup:StartRestoreJob", "backup:DescribeRestoreJob", "ec2:CreateTags", needed]))
        assert place.restored(restore(job, metadata))["Status"] == "COMPLETED"
    for job in made:
        place.backup.delete_recovery_point(BackupVaultName="Default", RecoveryPointArn=job["RecoveryPointArn"])


def test_denied_deletions(place, dev):
    """A Deny under the name of one face keeps a recovery point, and a plan, in the others."""
    user, says = new_user(place, dev, "cleaner")
    made = [place.run(place.arn("instance", place.instance)), place.run(place.arn("volume", place.volume))]
    assert [place.ended(m["BackupJobId"])["State"] for m in made] == ["COMPLETED"] * 2
    for job, denied in zip(made, ("ec2:DeleteMachineBackup", "ec2:DeleteBackup")):
        says(("Allow", "*"), ("Deny", denied))
        refused(lambda j=job: user.client("backup").delete_recovery_point(BackupVaultName="Default", RecoveryPointArn=j["RecoveryPointArn"]), denied, code="AccessDeniedException")
    paths = [f"/api/v1/{kind}/{job['BackupJobId']}" for kind, job in zip(("machine-backups", "backups"), made)]
    says(("Allow", "*"), ("Deny", "backup:DeleteRecoveryPoint"))
    assert [native_status(user, "DELETE", path) for path in paths] == [403, 403]
    says(("Allow", "*"), ("Deny", "backup:StartRestoreJob"))
    assert [native_status(user, "POST", path + "/restore", b"{}") for path in paths] == [403, 403]
    plan = place.backup.create_backup_plan(BackupPlan=PLAN)["BackupPlanId"]
    says(("Allow", "*"), ("Deny", ["backup:UpdateBackupPlan", "backup:DeleteBackupPlan"]))
    assert native_status(user, "PATCH", f"/api/v1/backup-plans/{plan}", b'{"description": "mine"}') == 403
    assert native_status(user, "DELETE", f"/api/v1/backup-plans/{plan}") == 403
    says(("Allow", "*"))
    assert native_status(user, "DELETE", f"/api/v1/backup-plans/{plan}") < 300
    assert native_status(user, "DELETE", paths[0]) < 300
    place.backup.delete_recovery_point(BackupVaultName="Default", RecoveryPointArn=made[1]["RecoveryPointArn"])


def test_many_protected_resources(place, dev):
    """Each resource is listed once, page by page, with the time of its newest recovery point."""
    made = [place.run(arn) for arn in [place.arn("volume", place.volume)] * 3 + [place.arn("instance", place.instance)] * 2]
    shown = [place.ended(m["BackupJobId"]) for m in made]
    pages = place.backup.get_paginator("list_protected_resources").paginate(PaginationConfig={"PageSize": 1})
    found = [r for page in pages for r in page["Results"]]
    arns = [r["ResourceArn"] for r in found]
    assert len(set(arns)) == len(arns) and {place.arn("volume", place.volume), place.arn("instance", place.instance)} <= set(arns)
    for row in found:
        times = [j["CreationDate"] for j in shown if j["ResourceArn"] == row["ResourceArn"]]
        assert not times or (row["LastBackupTime"] >= max(times) and row == {k: v for k, v in place.backup.describe_protected_resource(
            ResourceArn=row["ResourceArn"]).items() if k in row})
    assert sum(v["NumberOfRecoveryPoints"] for v in place.backup.list_backup_vaults()["BackupVaultList"]) >= 5
    for job in made:
        place.backup.delete_recovery_point(BackupVaultName="Default", RecoveryPointArn=job["RecoveryPointArn"])
        dev.rest()


def test_other_accounts(place, dev):
    theirs = dev.new_account("theirs").client("backup")
    plan = place.backup.create_backup_plan(BackupPlan=PLAN)["BackupPlanId"]
    job = place.run(place.arn("volume", place.volume))
    place.ended(job["BackupJobId"])
    for call in (lambda: theirs.get_backup_plan(BackupPlanId=plan), lambda: theirs.describe_backup_vault(BackupVaultName="Default"),
                 lambda: theirs.describe_backup_job(BackupJobId=job["BackupJobId"]), lambda: theirs.delete_backup_plan(BackupPlanId=plan)):
        refused(call, code="ResourceNotFoundException")
    refused(lambda: theirs.start_restore_job(RecoveryPointArn=job["RecoveryPointArn"], Metadata={"encrypted": "false"}))
    refused(lambda: theirs.list_recovery_points_by_resource(ResourceArn=place.arn("volume", place.volume)))
    assert theirs.list_backup_jobs()["BackupJobs"] == [] and theirs.list_backup_plans()["BackupPlansList"] == []
    changed = copy.deepcopy(PLAN)
    refused(lambda: theirs.update_backup_plan(BackupPlanId=plan, BackupPlan=changed), code="ResourceNotFoundException")
    place.backup.delete_backup_plan(BackupPlanId=plan)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
