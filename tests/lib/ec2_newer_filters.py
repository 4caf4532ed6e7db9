# SPDX-License-Identifier: Apache-2.0
"""Filters that Amazon has added to EC2 since the model in Debian's python3-botocore, from botocore 1.44."""

NEWER_FILTERS = {name: text.split() for name, text in {
    "DescribeAvailabilityZones":
        "group-long-name parent-zone-id parent-zone-name",
    "DescribeImages":
        "boot-mode free-tier-eligible image-allowed image-watermark.source-image-creation-time image-watermark.source-image-id "
        "image-watermark.source-image-region image-watermark.watermark-creation-time image-watermark.watermark-key "
        "instance-type-specification.supported-instance-type instance-type-specification.unsupported-instance-type public-ssm-parameter-name "
        "scan-result.critical-fix-available-since scan-result.finding-scan-date scan-result.high-fix-available-since "
        "scan-result.highest-finding-severity-label scan-result.informational-fix-available-since scan-result.low-fix-available-since "
        "scan-result.medium-fix-available-since source-image-id source-image-region source-instance-id",
    "DescribeInstanceStatus":
        "application-status.status attached-ebs-status.status availability-zone-id operator.managed operator.principal",
    "DescribeInstanceTypes":
        "dedicated-hosts-supported ebs-info.attachment-limit-type ebs-info.maximum-ebs-attachments network-info.bandwidth-weightings "
        "network-info.flexible-ena-queues-support nitro-enclaves-support nitro-tpm-info.supported-versions nitro-tpm-support "
        "processor-info.supported-features reboot-migration-support",
    "DescribeInstances":
        "availability-zone-id boot-mode capacity-reservation-specification.capacity-reservation-preference "
        "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id "
        "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-resource-group-arn current-instance-boot-mode "
        "ebs-optimized ena-support enclave-options.enabled iam-instance-profile.id ipv6-address maintenance-options.auto-recovery "
        "metadata-options.http-protocol-ipv4 metadata-options.http-protocol-ipv6 metadata-options.instance-metadata-tags metadata-options.state "
        "network-interface.addresses.association.allocation-id network-interface.addresses.association.association-id "
        "network-interface.addresses.association.carrier-ip network-interface.addresses.association.customer-owned-ip "
        "network-interface.addresses.association.public-dns-name network-interface.addresses.private-dns-name "
        "network-interface.association.carrier-ip network-interface.association.customer-owned-ip network-interface.association.public-dns-name "
        "network-interface.attachment.network-card-index network-interface.deny-all-igw-traffic network-interface.ipv4-prefixes.ipv4-prefix "
        "network-interface.ipv6-address network-interface.ipv6-addresses.is-primary-ipv6 network-interface.ipv6-native "
        "network-interface.ipv6-prefixes.ipv6-prefix network-interface.operator.managed network-interface.operator.principal "
        "network-interface.outpost-arn network-interface.private-ip-address network-interface.public-dns-name network-interface.tag-key "
        "network-interface.tag-value network-performance-options.bandwidth-weighting operator.managed operator.principal platform-details "
        "private-dns-name-options.enable-resource-name-dns-a-record private-dns-name-options.enable-resource-name-dns-aaaa-record "
        "private-dns-name-options.hostname-type tpm-support usage-operation usage-operation-update-time",
    "DescribeNetworkInterfaces":
        "availability-zone-id operator.managed operator.principal",
    "DescribeReservedInstances":
        "availability-zone-id",
    "DescribeReservedInstancesOfferings":
        "availability-zone-id",
    "DescribeRouteTables":
        "association.gateway-id",
    "DescribeSnapshots":
        "transfer-type",
    "DescribeSpotInstanceRequests":
        "launched-availability-zone-id",
    "DescribeSpotPriceHistory":
        "availability-zone-id",
    "DescribeVolumeStatus":
        "attachment-status.instance-id attachment-status.io-performance",
    "DescribeVolumes":
        "availability-zone-id operator.managed operator.principal",
    "DescribeVpcEndpointConnections":
        "transit-gateway-attachment-id vpc-endpoint-region",
    "DescribeVpcEndpointServices":
        "service-region",
    "DescribeVpcEndpoints":
        "service-region",
}.items()}
