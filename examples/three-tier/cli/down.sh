#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Deletes all that up.sh created, the database's volume included. A second call deletes what the first one could not.
set -eu

# An aws older than 2.13 does not read AWS_ENDPOINT_URL.
aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" --output text "$@"; }
# found CALL QUERY …: ids of the resources with the tag `app`, one a line.
found() {
	call=$1 query=$2 option=--filters
	[ "$call" != describe-nat-gateways ] || option=--filter
	shift 2
	aws ec2 "$call" $option Name=tag:app,Values=guestbook "$@" --query "$query" | tr '\t' '\n' | grep -v '^None$' || true
}
# each CALL QUERY COMMAND …: runs the command once for each id, which is its last argument.
each() {
	for id in $(found "$1" "$2"); do
		(shift 2 && aws ec2 "$@" "$id" > /dev/null)
	done
}

balancer=$(aws elbv2 describe-load-balancers --query "LoadBalancers[?LoadBalancerName=='guestbook'].LoadBalancerArn")
targets=$(aws elbv2 describe-target-groups --query "TargetGroups[?TargetGroupName=='guestbook'].TargetGroupArn")
groups=$(aws autoscaling describe-auto-scaling-groups --query "AutoScalingGroups[?AutoScalingGroupName=='guestbook'].AutoScalingGroupName")

[ -z "$groups" ] || aws autoscaling delete-auto-scaling-group --auto-scaling-group-name guestbook --force-delete
if [ -n "$balancer" ]; then
	aws elbv2 delete-load-balancer --load-balancer-arn "$balancer"
	aws elbv2 wait load-balancers-deleted --load-balancer-arns "$balancer"
fi
[ -z "$targets" ] || aws elbv2 delete-target-group --target-group-arn "$targets"
each describe-instances 'Reservations[].Instances[?State.Name!=`terminated`][].InstanceId' terminate-instances --instance-ids
instances=$(found describe-instances 'Reservations[].Instances[].InstanceId')
# shellcheck disable=SC2086 # one argument for each instance
[ -z "$instances" ] || aws ec2 wait instance-terminated --instance-ids $instances
each describe-launch-templates 'LaunchTemplates[].LaunchTemplateId' delete-launch-template --launch-template-id
each describe-volumes 'Volumes[].VolumeId' delete-volume --volume-id
gateways=$(found describe-nat-gateways 'NatGateways[?State!=`deleted`].NatGatewayId')
each describe-nat-gateways 'NatGateways[?State!=`deleted`].NatGatewayId' delete-nat-gateway --nat-gateway-id
# shellcheck disable=SC2086 # one argument for each gateway
[ -z "$gateways" ] || aws ec2 wait nat-gateway-deleted --nat-gateway-ids $gateways
each describe-addresses 'Addresses[].AllocationId' release-address --allocation-id
for name in database app balancer; do # each opens a port to the one behind it
	each describe-security-groups "SecurityGroups[?GroupName=='guestbook-$name'].GroupId" delete-security-group --group-id
done
for vpc in $(found describe-vpcs 'Vpcs[].VpcId'); do
	for gateway in $(found describe-internet-gateways 'InternetGateways[?Attachments].InternetGatewayId'); do
		aws ec2 detach-internet-gateway --internet-gateway-id "$gateway" --vpc-id "$vpc"
	done
done
each describe-internet-gateways 'InternetGateways[].InternetGatewayId' delete-internet-gateway --internet-gateway-id
each describe-subnets 'Subnets[].SubnetId' delete-subnet --subnet-id
each describe-route-tables 'RouteTables[].RouteTableId' delete-route-table --route-table-id
each describe-vpcs 'Vpcs[].VpcId' delete-vpc --vpc-id
