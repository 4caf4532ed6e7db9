# SPDX-License-Identifier: Apache-2.0
"""AWS Backup: an account with vaults, plans, selections, recovery points of an instance and of volumes, a restore job, and a valid request of each action."""
import json

import dev as lib
import rest_world
import target_world

ABSENT = "00000000-0000-4000-8000-000000000000"
RULE = {"RuleName": "daily", "TargetBackupVaultName": "main", "ScheduleExpression": "cron(0 5 ? * * *)", "StartWindowMinutes": 60, "CompletionWindowMinutes": 180,
        "Lifecycle": {"DeleteAfterDays": 35}, "RecoveryPointTags": {"by": "plan"}}
TAG = {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "yes"}


class Backups(rest_world.World):
    """Vaults `main` and `spare`; plans `plan`, with a selection, `spare_plan`, with one to delete, and `bare`, without; recovery points `point`, of a volume, and `spare_point`."""
    actions = target_world.actions("awsbackup")
    service = "backup"

    def __init__(self, dev, account):
        self.dev, self.account = dev, account
        self.mark = account.key_id[-8:].lower()
        self.number = account.call("GetCallerIdentity", {}, service="sts", version="2011-06-15").first(".//Account")
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "backup.amazonaws.com"}}]}
        iam = {"service": "iam", "version": target_world.IAM_VERSION}
        self.role = account.ok("CreateRole", {"RoleName": f"backup-{self.mark}", "AssumeRolePolicyDocument": json.dumps(trust)}, **iam).first(".//Arn")
        account.ok("AttachRolePolicy", {"RoleName": f"backup-{self.mark}", "PolicyArn": "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"}, **iam)
        image = account.ok("DescribeImages", {}).first(".//imageId")
        self.instance = account.ok("RunInstances", {"ImageId": image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}).first(".//instanceId")
        dev.rest()
        zone = account.ok("DescribeAvailabilityZones", {}).first(".//zoneName")
        self.volume = account.ok("CreateVolume", {"Size": 1, "AvailabilityZone": zone}).first(".//volumeId")
        dev.rest()
        for vault in ("main", "spare"):
            self.ok("CreateBackupVault", {"backupVaultName": vault, "BackupVaultTags": {"k": self.mark}})
        self.plan, self.spare_plan, self.bare, self.doomed = (self.ok("CreateBackupPlan", {"BackupPlan": self.document(name)}).json["BackupPlanId"] for name in ("a", "b", "c", "d"))
        chosen = {"SelectionName": "some", "IamRoleArn": self.role, "Resources": [self.resource("instance", self.instance)], "ListOfTags": [TAG]}
        self.selection, self.spare_selection = (self.ok("CreateBackupSelection", {"backupPlanId": p, "BackupSelection": chosen}).json["SelectionId"] for p in (self.plan, self.spare_plan))
        self.started = {"BackupVaultName": "main", "ResourceArn": self.resource("volume", self.volume), "IamRoleArn": self.role, "RecoveryPointTags": {"k": self.mark}}
        self.point, self.spare_point = (self.ok("StartBackupJob", self.started).json["BackupJobId"] for _ in range(2))
        self.machine_point = self.ok("StartBackupJob", {**self.started, "ResourceArn": self.resource("instance", self.instance)}).json["BackupJobId"]
        dev.rest()
        self.restore = self.ok("StartRestoreJob", {"RecoveryPointArn": self.arn(self.point), "Metadata": {"encrypted": "false"}}).json["RestoreJobId"]
        dev.rest()
        plan, vault, point, tagged = {"backupPlanId": self.plan}, {"backupVaultName": "main"}, {"backupVaultName": "main", "recoveryPointArn": self.arn(self.point)}, {"resourceArn": self.arn(self.point)}
        resource = {"resourceArn": self.resource("volume", self.volume)}
        self.requests = {
            "CreateBackupVault": {"backupVaultName": "more", "BackupVaultTags": {"k": "v"}}, "DescribeBackupVault": vault, "ListBackupVaults": {}, "DeleteBackupVault": {"backupVaultName": "spare"},
            "CreateBackupPlan": {"BackupPlan": self.document("more"), "BackupPlanTags": {"k": "v"}}, "GetBackupPlan": plan, "ListBackupPlans": {}, "ListBackupPlanVersions": plan,
            "UpdateBackupPlan": {**plan, "BackupPlan": self.document("a")}, "DeleteBackupPlan": {"backupPlanId": self.doomed},
            "CreateBackupSelection": {"backupPlanId": self.bare, "BackupSelection": chosen}, "GetBackupSelection": {**plan, "selectionId": self.selection}, "ListBackupSelections": plan,
            "DeleteBackupSelection": {"backupPlanId": self.spare_plan, "selectionId": self.spare_selection},
            "StartBackupJob": self.started, "DescribeBackupJob": {"backupJobId": self.point}, "ListBackupJobs": {}, "StopBackupJob": {"backupJobId": self.machine_point},
            "ListRecoveryPointsByBackupVault": vault, "ListRecoveryPointsByResource": resource, "DescribeRecoveryPoint": point, "GetRecoveryPointRestoreMetadata": point,
            "DeleteRecoveryPoint": {**point, "recoveryPointArn": self.arn(self.spare_point)}, "ListProtectedResources": {}, "DescribeProtectedResource": resource,
            "StartRestoreJob": {"RecoveryPointArn": self.arn(self.point), "Metadata": {"encrypted": "false"}}, "DescribeRestoreJob": {"restoreJobId": self.restore}, "ListRestoreJobs": {},
            "TagResource": {**tagged, "Tags": {"k": self.mark}}, "UntagResource": {**tagged, "TagKeyList": ["none"]}, "ListTags": tagged}

    def document(self, name):
        return {"BackupPlanName": f"{name}-{self.mark}", "Rules": [RULE]}

    def arn(self, point):
        return f"arn:aws:backup:{lib.REGION}:{self.number}:recovery-point:{point}"

    def resource(self, kind, name):
        return f"arn:aws:ec2:{lib.REGION}:{self.number}:{kind}/{name}"

    def state(self):
        self.dev.rest()
        return [self.ok(name, {}).json for name in ("ListBackupVaults", "ListBackupPlans", "ListBackupJobs")] + [
            self.ok("GetBackupPlan", {"backupPlanId": p}).json for p in (self.plan, self.bare)]
