# SPDX-License-Identifier: Apache-2.0
"""Values that rows of creations share."""
import datetime
import base64
import re

import uefi_data
from world import VALUES

KEY = " ".join(base64.b64decode(VALUES["PublicKeyMaterial"]).decode().split()[:2])
TAGS = [{"Key": "colour", "Value": "red"}, {"Key": "empty", "Value": ""}]


def tags(kind):
    return [{"ResourceType": kind, "Tags": TAGS}]


class Some:
    """Matches any text of that form."""

    def __init__(self, pattern="(?s).+"):
        self.pattern = pattern

    def __eq__(self, other):
        return bool(re.fullmatch(self.pattern, str(other)))

    def __repr__(self):
        return f"Some({self.pattern!r})"


UEFI_DATA = base64.b64encode(uefi_data.write({"Motto": uefi_data.Variable("Motto", b"given", uefi_data.GLOBAL, 7, None, None)})).decode()
KMS_KEY = Some(r"arn:aws:kms:us-east-1:\d{12}:key/[0-9a-f-]{36}")
TEMPLATE = {
    "ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.micro", "KeyName": "a-key", "EbsOptimized": True,
    "IamInstanceProfile": {"Arn": "arn:aws:iam::111122223333:instance-profile/web", "Name": "job"}, "Monitoring": {"Enabled": True},
    "Placement": {"AvailabilityZone": "us-east-1b", "GroupName": "parts", "GroupId": "pg-0123456789abcdef0", "PartitionNumber": 2,
                  "Tenancy": "host", "Affinity": "host", "HostId": "h-0123456789abcdef0"},
    "DisableApiTermination": True, "DisableApiStop": False, "InstanceInitiatedShutdownBehavior": "terminate", "UserData": "IyEvYmluL3NoCg==",
    "SecurityGroupIds": ["sg-0123456789abcdef0"], "SecurityGroups": ["web"], "CreditSpecification": {"CpuCredits": "standard"},
    "MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 3, "InstanceMetadataTags": "disabled", "HttpProtocolIpv6": "enabled"},
    "PrivateDnsNameOptions": {"HostnameType": "resource-name", "EnableResourceNameDnsARecord": True, "EnableResourceNameDnsAAAARecord": True},
    "MaintenanceOptions": {"AutoRecovery": "disabled"},
    "CapacityReservationSpecification": {"CapacityReservationPreference": "capacity-reservations-only",
                                         "CapacityReservationTarget": {"CapacityReservationId": "cr-0123456789abcdef0"}},
    "InstanceMarketOptions": {"MarketType": "spot", "SpotOptions": {"MaxPrice": "0.25", "SpotInstanceType": "persistent", "InstanceInterruptionBehavior": "stop",
                                                                    "ValidUntil": datetime.datetime(2034, 1, 1, tzinfo=datetime.timezone.utc)}},
    "BlockDeviceMappings": [
        {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-0123456789abcdef0", "VolumeSize": 9, "VolumeType": "gp3", "Iops": 3500, "Encrypted": True, "KmsKeyId": "alias/aws/ebs",
                                            "Throughput": 200, "DeleteOnTermination": False}},
        {"DeviceName": "/dev/sdh", "VirtualName": "ephemeral0"}, {"DeviceName": "/dev/sdi", "NoDevice": ""}],
    "NetworkInterfaces": [
        {"DeviceIndex": 0, "NetworkInterfaceId": "eni-0123456789abcdef0", "SubnetId": "subnet-0123456789abcdef0", "Description": "first",
         "Groups": ["sg-0123456789abcdef1"], "PrivateIpAddress": "10.20.1.33", "SecondaryPrivateIpAddressCount": 4,
         "PrivateIpAddresses": [{"PrivateIpAddress": "10.20.1.34", "Primary": True}], "AssociatePublicIpAddress": False,
         "DeleteOnTermination": True, "Ipv6AddressCount": 3, "Ipv6Addresses": [{"Ipv6Address": "2001:db8::9"}],
         "Ipv4PrefixCount": 1, "Ipv4Prefixes": [{"Ipv4Prefix": "10.20.1.48/28"}], "Ipv6PrefixCount": 2, "Ipv6Prefixes": [{"Ipv6Prefix": "2001:db8::/80"}]}],
    "TagSpecifications": [{"ResourceType": "instance", "Tags": TAGS}, {"ResourceType": "volume", "Tags": [{"Key": "of", "Value": "disks"}]}],
}
DEFAULT = [{"Name": "default-for-az", "Values": ["true"]}]
