# SPDX-License-Identifier: Apache-2.0
"""Network interfaces and addresses."""

REQUESTS = {
    ("AssignPrivateIpAddresses", "SecondaryPrivateIpAddressCount"): {"NetworkInterfaceId": "spare eni"},
    ("AssignPrivateIpAddresses", "Ipv4PrefixCount"): {"NetworkInterfaceId": "spare eni"},
    ("AssignPrivateIpAddresses", "Ipv4Prefix"): {"NetworkInterfaceId": "spare eni"},
    ("AssignIpv6Addresses", "Ipv6PrefixCount"): {"NetworkInterfaceId": "spare eni"},
    ("AssignIpv6Addresses", "Ipv6Prefix"): {"NetworkInterfaceId": "spare eni"},
    ("UnassignPrivateIpAddresses", "Ipv4Prefix"): {"NetworkInterfaceId": "loose eni", "Ipv4Prefix.1": "=10.1.1.48/28"},
    ("UnassignIpv6Addresses", "Ipv6Prefix"): {"NetworkInterfaceId": "loose eni", "Ipv6Prefix.1": "taken prefix"},
    "AssignPrivateIpAddresses": {"NetworkInterfaceId": "spare eni", "PrivateIpAddress.1": "=10.1.1.45"},
    "AssociateAddress": {"AllocationId": "spare eipalloc", "NetworkInterfaceId": "spare eni"},
    ("AssociateAddress", "PublicIp"): {"NetworkInterfaceId": "spare eni"},
    ("AssociateAddress", "InstanceId"): {"AllocationId": "spare eipalloc"},
    "AssignIpv6Addresses": {"NetworkInterfaceId": "spare eni", "Ipv6AddressCount": "=1"},
    ("AssignIpv6Addresses", "Ipv6Addresses"): {"NetworkInterfaceId": "spare eni"},
    "UnassignIpv6Addresses": {"NetworkInterfaceId": "loose eni", "Ipv6Addresses.1": "taken ipv6"},
    "AttachNetworkInterface": {"NetworkInterfaceId": "spare eni", "InstanceId": "i", "DeviceIndex": "=2"},
    "DeleteNetworkInterface": {"NetworkInterfaceId": "spare eni"},
    ("DisassociateAddress", "PublicIp"): {},
    "DisassociateAddress": {"AssociationId": "eipassoc"},
    ("ModifyNetworkInterfaceAttribute", "SecurityGroupId"): {"NetworkInterfaceId": "spare eni"},
    ("ModifyNetworkInterfaceAttribute", "Attachment"): {
        "NetworkInterfaceId": "loose eni", "Attachment.DeleteOnTermination": "=true",
    },
    "ModifyNetworkInterfaceAttribute": {"NetworkInterfaceId": "spare eni", "Description.Value": "=words"},
    ("ReleaseAddress", "PublicIp"): {},
    "ReleaseAddress": {"AllocationId": "spare eipalloc"},
    "UnassignPrivateIpAddresses": {"NetworkInterfaceId": "loose eni", "PrivateIpAddress.1": "=10.1.1.44"},
}


def fill(w):
    """An unattached interface. Its addresses are fixed, because a random one might be one that a test needs."""
    w.make("loose eni", "CreateNetworkInterface", {
        "SubnetId": w.ids["subnet"], "PrivateIpAddress": "10.1.1.14",
        "PrivateIpAddresses.1.PrivateIpAddress": "10.1.1.44",
        "Ipv6Addresses.1.Ipv6Address": w.ids["taken ipv6"]}, "networkInterfaceId")
    w.account.ok("AssignPrivateIpAddresses", {"NetworkInterfaceId": w.ids["loose eni"], "Ipv4Prefix.1": "10.1.1.48/28"})
    w.account.ok("AssignIpv6Addresses", {"NetworkInterfaceId": w.ids["loose eni"], "Ipv6Prefix.1": w.ids["taken prefix"]})


def fill_of_instance(w):
    """Parts that the first instance has in addition to its own."""
    address = w.make("eipalloc", "AllocateAddress", {}, "allocationId")
    w.make("eipassoc", "AssociateAddress", {"AllocationId": address, "InstanceId": w.ids["i"]}, "associationId")
    w.make("eni-attach", "AttachNetworkInterface",
           {"NetworkInterfaceId": w.ids["loose eni"], "InstanceId": w.ids["i"], "DeviceIndex": 1}, "attachmentId")


def spare(w):
    w.make("spare eni", "CreateNetworkInterface", {"SubnetId": w.ids["subnet"], "PrivateIpAddress": "10.1.1.12"},
           "networkInterfaceId")
    w.make("spare eipalloc", "AllocateAddress", {}, "allocationId")
