# SPDX-License-Identifier: Apache-2.0
"""Security groups, their rules, and prefix lists."""

CHANGED_RULE = {
    "GroupId": "sg", "SecurityGroupRule.1.SecurityGroupRuleId": "sgr",
    "SecurityGroupRule.1.SecurityGroupRule.IpProtocol": "=tcp", "SecurityGroupRule.1.SecurityGroupRule.FromPort": "=81",
    "SecurityGroupRule.1.SecurityGroupRule.ToPort": "=81",
}

REQUESTS = {
    "AssociateSecurityGroupVpc": {"GroupId": "sg", "VpcId": "loose vpc"},
    "DisassociateSecurityGroupVpc": {"GroupId": "sg", "VpcId": "peer vpc"},
    ("AuthorizeSecurityGroupEgress", "IpPermissions"): {
        "GroupId": "sg", "IpPermissions.1.FromPort": "=81", "IpPermissions.1.ToPort": "=81",
    },
    ("AuthorizeSecurityGroupIngress", "IpPermissions"): {
        "GroupId": "sg", "IpPermissions.1.FromPort": "=81", "IpPermissions.1.ToPort": "=81",
    },
    ("AuthorizeSecurityGroupIngress", "GroupName"): {
        "IpProtocol": "=tcp", "FromPort": "=81", "ToPort": "=81", "CidrIp": "=192.0.2.0/24",
    },
    "AuthorizeSecurityGroupEgress": {
        "GroupId": "sg", "IpProtocol": "=tcp", "FromPort": "=81", "ToPort": "=81", "CidrIp": "=192.0.2.0/24",
    },
    "AuthorizeSecurityGroupIngress": {
        "GroupId": "sg", "IpProtocol": "=tcp", "FromPort": "=81", "ToPort": "=81", "CidrIp": "=192.0.2.0/24",
    },
    ("ModifySecurityGroupRules", "SecurityGroupRule.N.SecurityGroupRule.PrefixListId"): CHANGED_RULE,
    "CreateManagedPrefixList": {"PrefixListName": "=fresh", "MaxEntries": "=5", "AddressFamily": "=IPv4"},
    ("ModifyManagedPrefixList", "AddEntry"): {"PrefixListId": "spare pl"},
    ("ModifyManagedPrefixList", "RemoveEntry"): {"PrefixListId": "spare pl"},
    "ModifyManagedPrefixList": {"PrefixListId": "spare pl", "PrefixListName": "=fresh"},
    "RestoreManagedPrefixListVersion": {"PrefixListId": "pl", "PreviousVersion": "=1", "CurrentVersion": "=2"},
    "DeleteManagedPrefixList": {"PrefixListId": "spare pl"},
    ("DeleteSecurityGroup", "GroupName"): {},
    "DeleteSecurityGroup": {"GroupId": "spare sg"},
    "ModifySecurityGroupRules": {**CHANGED_RULE, "SecurityGroupRule.1.SecurityGroupRule.CidrIpv4": "=192.0.2.0/24"},
    ("ModifySecurityGroupRules", "SecurityGroupRule.N.SecurityGroupRule.CidrIpv6"): CHANGED_RULE,
    ("ModifySecurityGroupRules", "SecurityGroupRule.N.SecurityGroupRule.ReferencedGroupId"): CHANGED_RULE,
    ("RevokeSecurityGroupEgress", "IpPermissions"): {
        "GroupId": "sg", "IpPermissions.1.FromPort": "=81", "IpPermissions.1.ToPort": "=81",
    },
    ("RevokeSecurityGroupIngress", "IpPermissions"): {
        "GroupId": "sg", "IpPermissions.1.FromPort": "=81", "IpPermissions.1.ToPort": "=81",
    },
    ("RevokeSecurityGroupIngress", "GroupName"): {"SecurityGroupRuleId.1": "sgr"},
    "RevokeSecurityGroupEgress": {"SecurityGroupRuleId.1": "egress sgr", "GroupId": "sg"},
    "RevokeSecurityGroupIngress": {"SecurityGroupRuleId.1": "sgr", "GroupId": "sg"},
    ("UpdateSecurityGroupRuleDescriptionsIngress", "IpPermissions"): {
        "GroupId": "sg", "IpPermissions.1.FromPort": "=81", "IpPermissions.1.ToPort": "=81",
    },
    ("UpdateSecurityGroupRuleDescriptionsIngress", "GroupName"): {
        "SecurityGroupRuleDescription.1.SecurityGroupRuleId": "sgr",
    },
    "UpdateSecurityGroupRuleDescriptionsIngress": {
        "GroupId": "sg", "SecurityGroupRuleDescription.1.SecurityGroupRuleId": "sgr",
    },
    ("UpdateSecurityGroupRuleDescriptionsEgress", "IpPermissions"): {
        "GroupId": "sg", "IpPermissions.1.FromPort": "=81", "IpPermissions.1.ToPort": "=81",
    },
    ("UpdateSecurityGroupRuleDescriptionsEgress", "GroupName"): {
        "SecurityGroupRuleDescription.1.SecurityGroupRuleId": "egress sgr",
    },
    "UpdateSecurityGroupRuleDescriptionsEgress": {
        "GroupId": "sg", "SecurityGroupRuleDescription.1.SecurityGroupRuleId": "egress sgr",
    },
}

for _action in ("AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupEgress",
                "RevokeSecurityGroupIngress", "UpdateSecurityGroupRuleDescriptionsEgress",
                "UpdateSecurityGroupRuleDescriptionsIngress"):
    for _member in ("UserId", "VpcId", "VpcPeeringConnectionId", "PeeringStatus"):  # for rules that name a group
        REQUESTS[_action, f"IpPermissions.N.Groups.N.{_member}"] = {
            **REQUESTS[_action, "IpPermissions"], "IpPermissions.1.Groups.1.GroupId": "sg"}


def fill(w):
    group = w.make("sg", "CreateSecurityGroup",
                   {"GroupName": "contract", "GroupDescription": "words", "VpcId": w.ids["vpc"]}, "groupId")
    w.make("sgr", "AuthorizeSecurityGroupIngress",
           {"GroupId": group, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "198.51.100.0/24"},
           "securityGroupRuleId")
    w.make("egress sgr", "AuthorizeSecurityGroupEgress",
           {"GroupId": group, "IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "CidrIp": "198.51.100.0/24"},
           "securityGroupRuleId")
    w.make("pl", "CreateManagedPrefixList", {"PrefixListName": "contract", "MaxEntries": 9, "AddressFamily": "IPv4",
                                             "Entry.1.Cidr": "192.0.2.0/24"}, "prefixListId")
    w.account.ok("ModifyManagedPrefixList", {"PrefixListId": w.ids["pl"], "AddEntry.1.Cidr": "198.51.100.0/24"})


def spare(w, name):
    w.make("spare sg", "CreateSecurityGroup",
           {"GroupName": "spare", "GroupDescription": "words", "VpcId": w.ids["vpc"]}, "groupId")
    w.make("named sg", "CreateSecurityGroup", {"GroupName": name, "GroupDescription": "words"}, "groupId")
    w.make("spare pl", "CreateManagedPrefixList", {"PrefixListName": name, "MaxEntries": 1, "AddressFamily": "IPv6"},
           "prefixListId")
