# SPDX-License-Identifier: Apache-2.0
"""Instances and the resources for their launch: keys, templates, profiles, placement, hosts, maintenance."""
import time

IAM_VERSION = "2010-05-08"
SPOT, SPEC = "SpotFleetRequestConfig.", "LaunchSpecifications.N.NetworkInterfaceSet.N."

REQUESTS = {
    ("AssociateIamInstanceProfile", "IamInstanceProfile.Arn"): {"InstanceId": "lone i"},
    "AssociateIamInstanceProfile": {"InstanceId": "lone i", "IamInstanceProfile.Name": "=contract"},
    ("ReplaceIamInstanceProfileAssociation", "IamInstanceProfile.Arn"): {},
    "ReplaceIamInstanceProfileAssociation": {"IamInstanceProfile.Name": "=contract"},
    "GetInstanceUefiData": {"InstanceId": "event i"},
    "ModifyInstanceEventStartTime": {"InstanceId": "event i", "InstanceEventId": "instance-event"},
    "ModifyInstanceCreditSpecification": {
        "InstanceCreditSpecification.1.InstanceId": "i", "InstanceCreditSpecification.1.CpuCredits": "=standard",
    },
    "ModifyInstanceMetadataDefaults": {"HttpTokens": "=optional"},
    "GetDefaultCreditSpecification": {"InstanceFamily": "=t3"},
    "ModifyDefaultCreditSpecification": {"InstanceFamily": "=t3", "CpuCredits": "=unlimited"},
    "EnableImageBlockPublicAccess": {"ImageBlockPublicAccessState": "=block-new-sharing"},
    "EnableSnapshotBlockPublicAccess": {"State": "=block-new-sharing"},
    "ReportInstanceStatus": {"InstanceId.1": "i", "Status": "=ok", "ReasonCode.1": "=other"},
    "DeleteKeyPair": {"KeyName": "=contract"},
    ("CreateLaunchTemplateVersion", "LaunchTemplateName"): {"LaunchTemplateData.InstanceType": "=t3.nano"},
    "CreateLaunchTemplateVersion": {"LaunchTemplateId": "lt", "LaunchTemplateData.InstanceType": "=t3.nano"},
    "CreateLaunchTemplate": {"LaunchTemplateName": "=fresh", "LaunchTemplateData.InstanceType": "=t3.nano"},
    ("DeleteLaunchTemplate", "LaunchTemplateName"): {},
    "DeleteLaunchTemplate": {"LaunchTemplateId": "spare lt"},
    ("DeleteLaunchTemplateVersions", "LaunchTemplateName"): {"LaunchTemplateVersion.1": "=2"},
    "DeleteLaunchTemplateVersions": {"LaunchTemplateId": "lt", "LaunchTemplateVersion.1": "=2"},
    ("DescribeLaunchTemplateVersions", "LaunchTemplateName"): {},
    "DescribeLaunchTemplateVersions": {"LaunchTemplateId": "lt"},
    ("ModifyLaunchTemplate", "LaunchTemplateName"): {"SetDefaultVersion": "=1"},
    "ModifyLaunchTemplate": {"LaunchTemplateId": "lt", "SetDefaultVersion": "=1"},
    ("RunInstances", "LaunchTemplate.Version"): {"ImageId": "operators ami", "LaunchTemplate.LaunchTemplateId": "lt"},
    "RunInstances": {"ImageId": "operators ami"},
    "CreateFleet": {
        "Type": "=instant", "LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateId": "lt",
        "TargetCapacitySpecification.TotalTargetCapacity": "=1",
        "TargetCapacitySpecification.DefaultTargetCapacityType": "=on-demand",
    },
    ("CreateFleet", "LaunchTemplateConfigs"): {
        "Type": "=instant", "TargetCapacitySpecification.TotalTargetCapacity": "=1",
        "TargetCapacitySpecification.DefaultTargetCapacityType": "=on-demand",
        "LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateId": "lt",
    },
    "DeleteFleets": {"FleetId.1": "spare fleet", "TerminateInstances": "=true"},
    **{("RequestSpotFleet", f"{SPOT}LaunchTemplateConfigs{name}"): {
        SPOT + "IamFleetRole": "fleet role", SPOT + "TargetCapacity": "=1", SPOT + "LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateId": "lt"}
       for name in ("", ".N.LaunchTemplateSpecification.Version", ".N.Overrides", *(f".N.Overrides.N.{name}" for name in (
           "InstanceType", "SubnetId", "AvailabilityZone", "WeightedCapacity", "Priority", "SpotPrice")))},
    "RequestSpotFleet": {
        SPOT + "IamFleetRole": "fleet role", SPOT + "TargetCapacity": "=1", SPOT + "LaunchSpecifications.1.ImageId": "operators ami",
        SPOT + "LaunchSpecifications.1.InstanceType": "=t3.nano"},
    **{("RequestSpotFleet", SPOT + SPEC + name): {
        SPOT + "IamFleetRole": "fleet role", SPOT + "TargetCapacity": "=1", SPOT + "LaunchSpecifications.1.ImageId": "operators ami",
        SPOT + "LaunchSpecifications.1.InstanceType": "=t3.nano", SPOT + "LaunchSpecifications.1.NetworkInterfaceSet.1.DeviceIndex": "=0"}
       for name in ("PrivateIpAddress", "PrivateIpAddresses.N.PrivateIpAddress")},
    "CancelSpotFleetRequests": {"SpotFleetRequestId.1": "spare sfr", "TerminateInstances": "=true"},
    "ModifySpotFleetRequest": {"TargetCapacity": "=1"},
    ("ModifySpotFleetRequest", "OnDemandTargetCapacity"): {},
    ("ModifySpotFleetRequest", "ExcessCapacityTerminationPolicy"): {},
    "DescribeSpotFleetRequestHistory": {"StartTime": "=2024-01-01T00:00:00Z"},
    ("CreateCapacityReservation", "AvailabilityZoneId"): {},
    "CreateCapacityReservation": {"AvailabilityZone": "=us-east-1a"},
    "ModifyCapacityReservation": {"CapacityReservationId": "spare cr"},
    "CancelCapacityReservation": {"CapacityReservationId": "spare cr"},
    ("ModifyInstanceCapacityReservationAttributes", "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId"): {
        "InstanceId": "still i"},
    "ModifyInstanceCapacityReservationAttributes": {
        "InstanceId": "still i", "CapacityReservationSpecification.CapacityReservationPreference": "=none"},
    ("RunInstances", "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId"): {
        "ImageId": "operators ami", "InstanceType": "=t3.nano", "Placement.AvailabilityZone": "=us-east-1a"},
    ("ModifyFleet", "TargetCapacitySpecification.SpotTargetCapacity"): {"TargetCapacitySpecification.TotalTargetCapacity": "=2"},
    ("ModifyFleet", "TargetCapacitySpecification.OnDemandTargetCapacity"): {"TargetCapacitySpecification.TotalTargetCapacity": "=2"},
    ("ModifyFleet", "TargetCapacitySpecification.DefaultTargetCapacityType"): {"TargetCapacitySpecification.TotalTargetCapacity": "=2"},
    "DescribeFleetHistory": {"StartTime": "=2024-01-01T00:00:00Z"},
    "RequestSpotInstances": {"LaunchSpecification.ImageId": "operators ami", "LaunchSpecification.InstanceType": "=t3.nano"},
    ("RequestSpotInstances", "LaunchSpecification.NetworkInterface.N.PrivateIpAddress"): {
        "LaunchSpecification.ImageId": "operators ami", "LaunchSpecification.NetworkInterface.1.DeviceIndex": "=0"},
    ("RequestSpotInstances", "LaunchSpecification.NetworkInterface.N.PrivateIpAddresses.N.PrivateIpAddress"): {
        "LaunchSpecification.ImageId": "operators ami", "LaunchSpecification.NetworkInterface.1.DeviceIndex": "=0"},
    "CancelSpotInstanceRequests": {"SpotInstanceRequestId.1": "spare sir"},
    "DeletePlacementGroup": {"GroupName": "=contract"},
    ("ModifyInstanceAttribute", "Attribute"): {"Value": "=true"},
    ("ModifyInstanceAttribute", "Value"): {"Attribute": "=disableApiTermination"},
    ("ModifyInstanceAttribute", "GroupId"): {"InstanceId": "lone i"},
    ("ModifyInstanceAttribute", "SourceDestCheck"): {"InstanceId": "lone i"},
    ("ModifyInstanceAttribute", "BlockDeviceMapping"): {
        "BlockDeviceMapping.1.DeviceName": "=/dev/xvda", "BlockDeviceMapping.1.Ebs.DeleteOnTermination": "=true",
    },
    ("ModifyInstanceAttribute", "InstanceType"): {},
    ("ModifyInstanceAttribute", "UserData"): {},
    ("ModifyInstanceAttribute", "EbsOptimized"): {},
    "ModifyInstanceAttribute": {"DisableApiTermination.Value": "=true"},
    ("ModifyInstancePlacement", "GroupId"): {"InstanceId": "still i"},
    ("ModifyInstancePlacement", "Tenancy"): {"InstanceId": "still i"},
    ("ModifyInstancePlacement", "HostId"): {"InstanceId": "still i", "Tenancy": "=host"},
    ("ModifyInstancePlacement", "Affinity"): {"InstanceId": "still i", "Tenancy": "=host"},
    ("AllocateHosts", "InstanceFamily"): {"AvailabilityZone": "=us-east-1b", "Quantity": "=1"},
    "AllocateHosts": {"AvailabilityZone": "=us-east-1b", "Quantity": "=1", "InstanceType": "=t3.nano"},
    ("ModifyHosts", "InstanceFamily"): {"HostId.1": "spare h"},
    ("ModifyHosts", "InstanceType"): {"HostId.1": "spare h"},
    "ModifyHosts": {"HostId.1": "spare h", "AutoPlacement": "=on"},
    "ReleaseHosts": {"HostId.1": "spare h"},
    ("RunInstances", "Placement.HostId"): {
        "ImageId": "operators ami", "InstanceType": "=t3.nano", "Placement.Tenancy": "=host",
    },
    ("RunInstances", "Placement.Affinity"): {
        "ImageId": "operators ami", "InstanceType": "=t3.nano", "Placement.Tenancy": "=host",
    },
    "ModifyPrivateDnsNameOptions": {"InstanceId": "still i", "PrivateDnsHostnameType": "=resource-name"},
    "ModifyInstancePlacement": {"InstanceId": "still i", "GroupName": "=contract"},
    "ResetInstanceAttribute": {"InstanceId": "lone i", "Attribute": "=sourceDestCheck"},
}


def run(w, label, **more):
    wish = {"ImageId": w.image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, "SubnetId": w.ids["subnet"]}
    return w.make(label, "RunInstances", {**wish, **more}, "instanceId")


def fleet(w, label):
    made = w.make(label, "CreateFleet", {
        "LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateId": w.ids["lt"],
        "TargetCapacitySpecification.TotalTargetCapacity": 1,
        "TargetCapacitySpecification.DefaultTargetCapacityType": "on-demand"}, "fleetId")
    w.await_word("DescribeFleets", {"FleetId.1": made}, ".//activityStatus", "fulfilled")
    return made


def spot_fleet(w, label):
    number = w.account.call("GetCallerIdentity", {}, service="sts", version="2011-06-15").first(".//Account")
    w.ids["fleet role"] = f"arn:aws:iam::{number}:role/aws-ec2-spot-fleet-tagging-role"
    made = w.make(label, "RequestSpotFleet", {
        SPOT + "IamFleetRole": w.ids["fleet role"], SPOT + "TargetCapacity": 1, SPOT + "OnDemandTargetCapacity": 1,
        SPOT + "LaunchSpecifications.1.ImageId": w.image, SPOT + "LaunchSpecifications.1.InstanceType": "t3.nano",
        SPOT + "LaunchSpecifications.1.SubnetId": w.ids["subnet"]}, "spotFleetRequestId")
    w.await_word("DescribeSpotFleetRequests", {"SpotFleetRequestId.1": made}, ".//activityStatus", "fulfilled")
    return made


def spot(w, label):
    return w.make(label, "RequestSpotInstances", {
        "SpotPrice": "0.05", "LaunchSpecification.ImageId": w.image, "LaunchSpecification.InstanceType": "t3.nano",
        "LaunchSpecification.SubnetId": w.ids["subnet"], "LaunchSpecification.KeyName": "contract",
        "LaunchSpecification.BlockDeviceMapping.1.DeviceName": "/dev/sdb",
        "LaunchSpecification.BlockDeviceMapping.1.Ebs.VolumeSize": 1}, "spotInstanceRequestId")


def capacity(w, label):
    """Reserves capacity that only instances which name the reservation use."""
    w.make(label, "CreateCapacityReservation", {
        "InstanceType": "t3.nano", "InstancePlatform": "Linux/UNIX", "InstanceCount": 1, "AvailabilityZone": "us-east-1a",
        "InstanceMatchCriteria": "targeted", "EndDate": "2033-01-01T00:00:00Z"}, "capacityReservationId")


def fill(w):
    """Instances, each with an address of its own."""
    w.make("h", "AllocateHosts", {"AvailabilityZone": "us-east-1b", "Quantity": 1, "InstanceType": "t3.nano",
                                  "ClientToken": "contract"}, "hostIdSet/item")
    w.make("key", "CreateKeyPair", {"KeyName": "contract"}, "keyPairId")
    w.make("lt", "CreateLaunchTemplate", {
        "LaunchTemplateName": "contract", "LaunchTemplateData.InstanceType": "t3.nano",
        "LaunchTemplateData.ImageId": w.image, "LaunchTemplateData.EbsOptimized": "true",
        "LaunchTemplateData.MetadataOptions.HttpTokens": "optional",
        "LaunchTemplateData.MetadataOptions.HttpEndpoint": "enabled"}, "launchTemplateId")
    fleet(w, "fleet")
    spot_fleet(w, "sfr")
    capacity(w, "cr")
    spot(w, "sir")
    w.make("pg", "CreatePlacementGroup", {"GroupName": "contract"}, "groupId")
    run(w, "i", **{"InstanceType": "t3.xlarge", "KeyName": "contract", "PrivateIpAddress": "10.1.1.10",
                   "SecurityGroupId.1": w.ids["sg"], "ClientToken": "contract"})
    profile = w.account.ok("CreateInstanceProfile", {"InstanceProfileName": "contract"},
                           version=IAM_VERSION, service="iam")
    w.profile_arn = profile.first(".//Arn")
    w.make("iip-assoc", "AssociateIamInstanceProfile",
           {"InstanceId": w.ids["i"], "IamInstanceProfile.Name": "contract"}, "associationId")
    run(w, "lone i", PrivateIpAddress="10.1.1.11")
    run(w, "still i", **{"PrivateIpAddress": "10.1.1.15", "Placement.Tenancy": "dedicated"})


def fill_for_events(w):
    """An instance with a UEFI image that has been deleted; its host gets maintenance."""
    uefi = w.account.ok("RegisterImage", {
        "Name": "contract uefi", "BootMode": "uefi", "BlockDeviceMapping.1.DeviceName": "/dev/sda1",
        "BlockDeviceMapping.1.Ebs.SnapshotId": w.ids["snap"]}).first(".//imageId")
    run(w, "event i", ImageId=uefi, PrivateIpAddress="10.1.1.16")
    w.account.ok("DeregisterImage", {"ImageId": uefi})


def note_parts(w):
    """Records the parts that were created with the first instance."""
    found = w.account.ok("DescribeInstances", {"InstanceId.1": w.ids["i"]})
    w.ids["r"], w.ids["eni"] = found.first(".//reservationId"), found.first(".//networkInterfaceId")
    w.account.ok("ModifyNetworkInterfaceAttribute",
                 {"NetworkInterfaceId": w.ids["eni"], "Description.Value": "first"})
    w.ids["vol"] = found.first(".//volumeId")


def settle(w):
    """Waits until the first instance runs and another is stopped; the host of a third has a maintenance planned, for the second time."""
    w.await_state(w.ids["i"], "running")
    w.await_state(w.ids["still i"], "running")
    w.account.ok("StopInstances", {"InstanceId.1": w.ids["still i"]})
    w.await_state(w.ids["still i"], "stopped")
    w.deleted["instance-event"] = plan_maintenance(w)
    w.account.dev.command("host", "maintenance", w.host_of("event i"), "--end")
    w.ids["instance-event"] = plan_maintenance(w)


def plan_maintenance(w):
    """Plans a maintenance of its host in a month; returns the instance's event."""
    begin, latest, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))
                          for days in (30, 60, 90))
    w.account.dev.command("host", "maintenance", w.host_of("event i"), "--from", begin, "--deadline", latest,
                          "--to", end, "--kind", "reboot")
    shown = w.account.ok("DescribeInstanceStatus", {"InstanceId.1": w.ids["event i"], "IncludeAllInstances": "true"})
    return shown.first(".//instanceEventId")


def spare(w, name):
    w.make("spare h", "AllocateHosts", {"AvailabilityZone": "us-east-1b", "Quantity": 1, "InstanceFamily": "t3"},
           "hostIdSet/item")
    w.make("spare key", "CreateKeyPair", {"KeyName": name}, "keyPairId")
    fleet(w, "spare fleet")
    spot_fleet(w, "spare sfr")
    capacity(w, "spare cr")
    spot(w, "spare sir")
    w.make("spare lt", "CreateLaunchTemplate",
           {"LaunchTemplateName": name, "LaunchTemplateData.InstanceType": "t3.nano"}, "launchTemplateId")
    w.make("spare pg", "CreatePlacementGroup", {"GroupName": name}, "groupId")
