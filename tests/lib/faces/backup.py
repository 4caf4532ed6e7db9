# SPDX-License-Identifier: Apache-2.0
"""AWS Backup's adapter for the matrices of tests/contract/cross/."""
import backup_world
import doors
import target_world as lib

from .target import Target


class Backup(Target):
    name, world, denied = "awsbackup", backup_world.Backups, (403, "AccessDeniedException")
    kinds = {"backupPlanId": "backup_plan", "recoveryPointArn": "backup", "RecoveryPointArn": "backup", "resourceArn": "backup", "backupVaultName": "backup_vault", "BackupVaultName": "backup_vault"}
    told_apart = ("IamRoleArn", "backupJobId", "restoreJobId", "ResourceArn")

    def __init__(self):
        super().__init__()
        resources = {n for n, a in self.actions.items() if a["path"].startswith("/resources")}
        self.doors = [(n, p) for n, p in self.doors if n not in resources | {"ListBackupJobs"} and not (n == "ListRecoveryPointsByBackupVault" and p != "backupVaultName")
                      and not (p == "backupVaultName" and "recoveryPointArn" in [q["name"] for q in self.actions[n]["params"]])]

    def asked(self, place, name, wanted):
        self.place = place
        request = place.request(name)
        value, start = lib.get(request, wanted), f"arn:aws:backup:us-east-1:{place.number}:"
        arn = value if value.startswith("arn:") else f"{start}backup-plan:{value}" if wanted == "backupPlanId" else f"{start}backup-vault:{value}"
        yield wanted, request, doors.Row(self.kinds[wanted], arn, arn[:-2] + "00")

    def compare(self, place, name, wanted):
        """Compares the other account's rows with missing ones."""
        theirs = {"backupPlanId": place.theirs.plan, "backupJobId": place.theirs.point, "restoreJobId": place.theirs.restore, "recoveryPointArn": place.mine.arn(place.theirs.point),
                  "RecoveryPointArn": place.mine.arn(place.theirs.point), "resourceArn": place.mine.arn(place.theirs.point), "IamRoleArn": place.theirs.role,
                  "ResourceArn": place.mine.resource("volume", place.theirs.volume)}.get(wanted)
        if not theirs:
            return  # vaults have names, which each account may use
        if wanted == "resourceArn" and self.actions[name]["path"].startswith("/resources"):
            theirs = place.mine.resource("volume", place.theirs.volume)
        told = []
        for value in (theirs, theirs[:-8] + "00000000"):
            answer = place.mine.call(name, lib.put(place.mine.request(name), wanted, value))
            told.append((answer.status, answer.code, answer.text.replace(value.rpartition(":")[2].rpartition("/")[2], "it")))
        yield f"{wanted}={theirs}", *told
