# SPDX-License-Identifier: Apache-2.0
"""Volumes, snapshots, images, and the tasks that import them."""
from endless import Endless

REQUESTS = {
    "CopyImage": {"SourceImageId": "ami", "SourceRegion": "=us-east-1", "Name": "=fresh"},
    "CopySnapshot": {"SourceSnapshotId": "snap", "SourceRegion": "=us-east-1"},
    "CreateImage": {"InstanceId": "i", "Name": "=fresh", "NoReboot": "=true"},
    "CreateSnapshot": {"VolumeId": "plugged vol"},
    "ImportImage": {"DiskContainer.1.Url": "=http://127.0.0.1:9/disk"},
    ("ImportImage", "DiskContainer.N.SnapshotId"): {},
    "CancelImportTask": {"ImportTaskId": "endless import-snap"},
    "ExportImage": {"ImageId": "own ami", "DiskImageFormat": "=RAW", "S3ExportLocation.S3Bucket": "=moves"},
    "CancelExportTask": {"ExportTaskId": "export-ami"},
    "CreateInstanceExportTask": {"InstanceId": "i", "TargetEnvironment": "=vmware", "ExportToS3.ContainerFormat": "=ova", "ExportToS3.S3Bucket": "=moves"},
    "CreateSnapshots": {"InstanceSpecification.InstanceId": "i"},
    "DeleteSnapshot": {"SnapshotId": "spare snap"},
    "DeregisterImage": {"ImageId": "spare ami"},
    "DescribeSnapshotAttribute": {"SnapshotId": "spare snap", "Attribute": "=createVolumePermission"},
    "ModifySnapshotAttribute": {"SnapshotId": "spare snap", "CreateVolumePermission.Add.1.Group": "=all"},
    ("ModifySnapshotAttribute", "CreateVolumePermission"): {"SnapshotId": "spare snap"},
    ("ModifySnapshotAttribute", "UserId"): {"SnapshotId": "spare snap", "OperationType": "=add"},
    ("ModifySnapshotAttribute", "UserGroup"): {"SnapshotId": "spare snap", "OperationType": "=add"},
    "ResetSnapshotAttribute": {"SnapshotId": "spare snap", "Attribute": "=createVolumePermission"},
    "EnableImageDeprecation": {"ImageId": "spare ami"},
    "DisableImageDeprecation": {"ImageId": "spare ami"},
    "DisableImage": {"ImageId": "spare ami"},
    "EnableImage": {"ImageId": "spare ami"},
    "ModifyEbsDefaultKmsKeyId": {"KmsKeyId": "=alias/aws/ebs"},
    "DescribeImageAttribute": {"ImageId": "spare ami", "Attribute": "=description"},
    "ModifyImageAttribute": {"ImageId": "spare ami", "Description.Value": "=words"},
    ("ModifyImageAttribute", "UserId"): {"ImageId": "spare ami", "OperationType": "=add"},
    ("ModifyImageAttribute", "UserGroup"): {"ImageId": "spare ami", "OperationType": "=add"},
    "RegisterImage": {
        "Name": "=fresh", "BlockDeviceMapping.1.DeviceName": "=/dev/sda1",
        "BlockDeviceMapping.1.Ebs.SnapshotId": "snap",
    },
    "ResetImageAttribute": {"ImageId": "spare ami", "Attribute": "=launchPermission"},
    "AttachVolume": {"VolumeId": "spare vol", "InstanceId": "i", "Device": "=/dev/sdh"},
    "CreateVolume": {"AvailabilityZone": "=us-east-1a", "Size": "=1"},
    ("CreateVolume", "AvailabilityZoneId"): {"Size": "=1"},
    ("CreateVolume", "SnapshotId"): {"AvailabilityZone": "=us-east-1a"},
    "DeleteVolume": {"VolumeId": "spare vol"},
    "DetachVolume": {"VolumeId": "plugged vol"},
    "ModifyVolumeAttribute": {"VolumeId": "spare vol", "AutoEnableIO.Value": "=true"},
    "DescribeVolumeAttribute": {"VolumeId": "spare vol", "Attribute": "=autoEnableIO"},
    "ModifyVolume": {"VolumeId": "spare vol", "Size": "=2"},
}


def fill(w):
    w.make("snap", "CopySnapshot", {"SourceSnapshotId": w.operators_snapshot, "SourceRegion": "us-east-1",
                                    "Description": "words"}, "snapshotId")


def fill_imports(w):
    w.make("import-snap", "ImportSnapshot", {"DiskContainer.Url": "http://127.0.0.1:9/disk"}, "importTaskId")
    w.make("endless import-snap", "ImportSnapshot", {"DiskContainer.Url": Endless().url},
           "importTaskId")  # active as long as the world is
    w.account.dev.endless += 1
    w.make("own ami", "CopyImage", {"SourceImageId": w.image, "SourceRegion": "us-east-1", "Name": "contract away"}, "imageId")
    w.await_word("DescribeImages", {"ImageId.1": w.ids["own ami"]}, ".//imageState", "available")
    w.make("export-ami", "ExportImage", {"ImageId": w.ids["own ami"], "DiskImageFormat": "RAW", "S3ExportLocation.S3Bucket": "moves"}, "exportImageTaskId")
    w.make("import-ami", "ImportImage", {"DiskContainer.1.Url": "http://127.0.0.1:9/disk"}, "importTaskId")


def make_volume(w, label):
    volume = w.make(label, "CreateVolume", {"AvailabilityZone": "us-east-1a", "Size": 1}, "volumeId")
    w.await_word("DescribeVolumes", {"VolumeId.1": volume}, ".//status", "available")
    return volume


def plug_volume(w):
    volume = make_volume(w, "plugged vol")
    w.account.ok("AttachVolume", {"VolumeId": volume, "InstanceId": w.ids["i"], "Device": "/dev/sdg"})


def spare(w):
    make_volume(w, "spare vol")
    w.make("spare snap", "CopySnapshot", {"SourceSnapshotId": w.operators_snapshot, "SourceRegion": "us-east-1"},
           "snapshotId")
    w.images_made += 1
    w.make("spare ami", "RegisterImage", {
        "Name": f"contract {w.images_made}", "BlockDeviceMapping.1.DeviceName": "/dev/sda1",
        "BlockDeviceMapping.1.Ebs.SnapshotId": w.ids["snap"]}, "imageId")
