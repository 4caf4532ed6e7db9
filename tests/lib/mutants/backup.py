# SPDX-License-Identifier: Apache-2.0
"""Requests of AWS Backup that must be refused."""
import backup_world

from .rest import Rest
from .target import ROLES


class Backup(Rest):
    name, world, denied = "awsbackup", backup_world.Backups, (403, "AccessDeniedException")
    codes = {"InvalidParameterValueException", "MissingParameterValueException", "ResourceNotFoundException", "SerializationException", "InvalidRequestException", "AlreadyExistsException",
             "LimitExceededException"}
    strange = (("POST", "/backup-vaults/x"), ("PUT", "/resources"), ("POST", "/backup/plans"), ("GET", "/untag/x"), ("GET", "/x"), ("GET", "/backup-vaults/x/y"))
    junk = {"backupVaultName": ["x"], "backupPlanId": ["x"], "selectionId": ["x", backup_world.ABSENT], "backupJobId": ["x", backup_world.ABSENT],
            "restoreJobId": ["x", backup_world.ABSENT], "IamRoleArn": ROLES, "BackupSelection.IamRoleArn": ROLES, "recoveryPointArn": ["x"], "resourceArn": ["x"], "ResourceArn": ["x"],
            "RecoveryPointArn": ["x"], "nextToken": ["x"], "BackupPlan.Rules.N.ScheduleExpression": ["x", "rate(1 day)"], "BackupPlan.Rules.N.TargetBackupVaultName": ["nowhere"],
            "BackupVaultName": ["nowhere"]}
    spoken = {"SelectionId": ["selection"], "selectionId": ["selection"], "backupPlanId": ["backup plan"], "restoreJobId": ["restore job"], "TargetBackupVaultName": ["vault"], "BackupVaultName": ["vault"],
              "backupVaultName": ["vault"], "IamRoleArn": ["role"]}

    def refused(self, place, name):
        body = place.request(name)
        if self.actions[name]["writes"]:
            for p in self.path_members(name):
                body[p] = "x" if p == "backupVaultName" else backup_world.ABSENT
            for p in ("IamRoleArn", "RecoveryPointArn"):
                if p in body:
                    body[p] = "x"
            if name == "CreateBackupPlan":
                body["BackupPlan"]["Rules"][0] = {**backup_world.RULE, "TargetBackupVaultName": "nowhere"}
        return body
