#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Creates the three-tier application with stock aws. AWS_ENDPOINT_URL, AWS_REGION and the key come from the environment;
# IMAGE names another image than Debian 12, TYPE another instance type.
set -eu
here=$(dirname "$0")/..
type=${TYPE:-t3.micro}

# An aws older than 2.13 does not read AWS_ENDPOINT_URL.
aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" --output text "$@"; }
# named KIND NAME: the tag specification of a new resource. down.sh finds resources by the tag `app`.
named() { echo "ResourceType=$1,Tags=[{Key=Name,Value=$2},{Key=app,Value=guestbook}]"; }
# user_data FILE: the cloud-init file with this application's password and address.
user_data() { sed -e "s/@PASSWORD@/$password/" -e "s/@DATABASE@/${database_ip:-}/" "$here/$1"; }

password=$(openssl rand -hex 16)
image=${IMAGE:-$(aws ec2 describe-images --filters "Name=name,Values=debian-12*" --query 'sort_by(Images, &CreationDate)[-1].ImageId')}
zones=$(aws ec2 describe-availability-zones --query 'AvailabilityZones[:2].ZoneName')

# ---- network: public subnets for the balancer, a private one for machines ----

vpc=$(aws ec2 create-vpc --cidr-block 10.20.0.0/16 --tag-specifications "$(named vpc guestbook)" --query Vpc.VpcId)
gateway=$(aws ec2 create-internet-gateway --tag-specifications "$(named internet-gateway guestbook)" --query InternetGateway.InternetGatewayId)
aws ec2 attach-internet-gateway --vpc-id "$vpc" --internet-gateway-id "$gateway"
table=$(aws ec2 create-route-table --vpc-id "$vpc" --tag-specifications "$(named route-table public)" --query RouteTable.RouteTableId)
aws ec2 create-route --route-table-id "$table" --destination-cidr-block 0.0.0.0/0 --gateway-id "$gateway" > /dev/null
public=
n=0
for zone in $zones; do
	subnet=$(aws ec2 create-subnet --vpc-id "$vpc" --availability-zone "$zone" --cidr-block "10.20.$n.0/24" \
		--tag-specifications "$(named subnet "public-$n")" --query Subnet.SubnetId)
	aws ec2 associate-route-table --route-table-id "$table" --subnet-id "$subnet" > /dev/null
	public="$public $subnet"
	n=$((n + 1))
done
private=$(aws ec2 create-subnet --vpc-id "$vpc" --availability-zone "${zones%%[!a-z0-9-]*}" --cidr-block 10.20.10.0/24 \
	--tag-specifications "$(named subnet private)" --query Subnet.SubnetId)
address=$(aws ec2 allocate-address --domain vpc --tag-specifications "$(named elastic-ip nat)" --query AllocationId)
nat=$(aws ec2 create-nat-gateway --subnet-id "${public##* }" --allocation-id "$address" \
	--tag-specifications "$(named natgateway guestbook)" --query NatGateway.NatGatewayId)
aws ec2 wait nat-gateway-available --nat-gateway-ids "$nat"
table=$(aws ec2 create-route-table --vpc-id "$vpc" --tag-specifications "$(named route-table private)" --query RouteTable.RouteTableId)
aws ec2 create-route --route-table-id "$table" --destination-cidr-block 0.0.0.0/0 --nat-gateway-id "$nat" > /dev/null
aws ec2 associate-route-table --route-table-id "$table" --subnet-id "$private" > /dev/null

# ---- security groups: each tier is open to the one before it ----

# group NAME PORT SOURCE: prints the id of a new group that opens the port to a block or a group.
group() {
	id=$(aws ec2 create-security-group --vpc-id "$vpc" --group-name "guestbook-$1" --description "$1 of the guest book" \
		--tag-specifications "$(named security-group "$1")" --query GroupId)
	case $3 in
	sg-*) aws ec2 authorize-security-group-ingress --group-id "$id" --protocol tcp --port "$2" --source-group "$3" > /dev/null ;;
	*) aws ec2 authorize-security-group-ingress --group-id "$id" --protocol tcp --port "$2" --cidr "$3" > /dev/null ;;
	esac
	echo "$id"
}
balancer_group=$(group balancer 80 0.0.0.0/0)
app_group=$(group app 8080 "$balancer_group")
database_group=$(group database 5432 "$app_group")

# ---- database: one machine with a data volume; a backup plan finds both by the tag `backup` ----

database=$(aws ec2 run-instances --image-id "$image" --instance-type "$type" --subnet-id "$private" --security-group-ids "$database_group" \
	--user-data "$(user_data database.yaml)" \
	--block-device-mappings 'DeviceName=/dev/sdf,Ebs={VolumeSize=20,VolumeType=gp3,Encrypted=true,DeleteOnTermination=false}' \
	--tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=database},{Key=app,Value=guestbook},{Key=backup,Value=nightly}]' \
	"$(named volume database)" --query 'Instances[0].InstanceId')
database_ip=$(aws ec2 describe-instances --instance-ids "$database" --query 'Reservations[0].Instances[0].PrivateIpAddress')

# ---- balancer ----

targets=$(aws elbv2 create-target-group --name guestbook --protocol HTTP --port 8080 --vpc-id "$vpc" --health-check-path /health \
	--tags Key=app,Value=guestbook --query 'TargetGroups[0].TargetGroupArn')
# shellcheck disable=SC2086 # one argument for each subnet
set -- $(aws elbv2 create-load-balancer --name guestbook --subnets $public --security-groups "$balancer_group" \
	--tags Key=app,Value=guestbook --query 'LoadBalancers[0].[LoadBalancerArn, DNSName]')
aws elbv2 create-listener --load-balancer-arn "$1" --protocol HTTP --port 80 \
	--default-actions "Type=forward,TargetGroupArn=$targets" > /dev/null
name=$2

# ---- application: two to six machines, as many as keep their processors at 60 % ----

data=$(user_data app.yaml | base64 -w 0)
aws ec2 create-launch-template --launch-template-name guestbook --tag-specifications "$(named launch-template guestbook)" \
	--launch-template-data "{\"ImageId\": \"$image\", \"InstanceType\": \"$type\", \"SecurityGroupIds\": [\"$app_group\"],
		\"MetadataOptions\": {\"HttpTokens\": \"required\"}, \"UserData\": \"$data\"}" > /dev/null
aws autoscaling create-auto-scaling-group --auto-scaling-group-name guestbook --min-size 2 --max-size 6 --vpc-zone-identifier "$private" \
	--launch-template 'LaunchTemplateName=guestbook,Version=$Latest' --target-group-arns "$targets" \
	--health-check-type ELB --health-check-grace-period 300 \
	--tags Key=Name,Value=app,PropagateAtLaunch=true Key=app,Value=guestbook,PropagateAtLaunch=true
aws autoscaling put-scaling-policy --auto-scaling-group-name guestbook --policy-name processor --policy-type TargetTrackingScaling \
	--target-tracking-configuration \
	'{"PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}, "TargetValue": 60.0}' > /dev/null

echo "The guest book will be at http://$name/ once its machines are healthy:"
echo "aws elbv2 describe-target-health --target-group-arn $targets"
