// SPDX-License-Identifier: Apache-2.0
// AWS's SDK for Go, version 2: calls, paginators, waiters and errors, by the environment that `dari dev` prints.
package main

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

var (
	ctx                                                      = context.Background()
	settings                                                 = must(config.LoadDefaultConfig(ctx))
	compute                                                  = ec2.NewFromConfig(settings)
	people                                                   = iam.NewFromConfig(settings)
	tokens                                                   = sts.NewFromConfig(settings)
	vpc, subnet, group, machine, disk, snapshot, image, door string
	allocation                                               string
)

const longest = 10 * time.Minute // of a waiter

// coded returns nil if the error has the code.
func coded(got error, wanted string) error {
	var api smithy.APIError
	if !errors.As(got, &api) {
		return refused(got, wanted)
	}
	return same(api.ErrorCode(), wanted)
}

func whoCalls() error {
	if *must(tokens.GetCallerIdentity(ctx, nil)).Account == "" {
		return errors.New("no account")
	}
	return nil
}

func typesByPages() error {
	seen := map[types.InstanceType]bool{}
	pages := ec2.NewDescribeInstanceTypesPaginator(compute, &ec2.DescribeInstanceTypesInput{MaxResults: aws.Int32(5)})
	for n := 0; pages.HasMorePages(); n++ {
		for _, row := range must(pages.NextPage(ctx)).InstanceTypes {
			if seen[row.InstanceType] {
				return errors.New("a type came twice")
			}
			seen[row.InstanceType] = true
		}
	}
	return same(seen["t3.micro"], true)
}

func makeNetwork() error {
	made := must(compute.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.7.0.0/16"), TagSpecifications: []types.TagSpecification{
		{ResourceType: types.ResourceTypeVpc, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}}}))
	vpc = *made.Vpc.VpcId
	done(ec2.NewVpcAvailableWaiter(compute).Wait(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{vpc}}, longest))
	subnet = *must(compute.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: &vpc, CidrBlock: aws.String("10.7.1.0/24")})).Subnet.SubnetId
	group = *must(compute.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{VpcId: &vpc, GroupName: aws.String("web"), Description: aws.String("web")})).GroupId
	rule := &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: []types.IpPermission{{IpProtocol: aws.String("tcp"),
		FromPort: aws.Int32(80), ToPort: aws.Int32(81), IpRanges: []types.IpRange{{CidrIp: aws.String("192.0.2.0/24")}}}}}
	done(same(*must(compute.AuthorizeSecurityGroupIngress(ctx, rule)).SecurityGroupRules[0].ToPort, 81))
	_, err := compute.AuthorizeSecurityGroupIngress(ctx, rule)
	return coded(err, "InvalidPermission.Duplicate")
}

func makeInterface() error {
	made := must(compute.CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{SubnetId: &subnet, PrivateIpAddress: aws.String("10.7.1.10")}))
	door = *made.NetworkInterface.NetworkInterfaceId
	done(ec2.NewNetworkInterfaceAvailableWaiter(compute).Wait(ctx, &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{door}}, longest))
	gateway := *must(compute.CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{})).InternetGateway.InternetGatewayId
	must(compute.AttachInternetGateway(ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: &gateway, VpcId: &vpc}))
	allocation = *must(compute.AllocateAddress(ctx, &ec2.AllocateAddressInput{Domain: types.DomainTypeVpc})).AllocationId
	tie := *must(compute.AssociateAddress(ctx, &ec2.AssociateAddressInput{AllocationId: &allocation, NetworkInterfaceId: &door})).AssociationId
	must(compute.DisassociateAddress(ctx, &ec2.DisassociateAddressInput{AssociationId: &tie}))
	must(compute.ReleaseAddress(ctx, &ec2.ReleaseAddressInput{AllocationId: &allocation}))
	must(compute.DetachInternetGateway(ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: &gateway, VpcId: &vpc}))
	must(compute.DeleteInternetGateway(ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: &gateway}))
	must(compute.DeleteNetworkInterface(ctx, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: &door}))
	return nil
}

func makeMachine() error {
	wanted := &ec2.RunInstancesInput{ImageId: aws.String(env("IMAGE")), InstanceType: "t3.micro", MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		SubnetId: &subnet, SecurityGroupIds: []string{group}, ClientToken: aws.String("tour-1")}
	machine = *must(compute.RunInstances(ctx, wanted)).Instances[0].InstanceId
	done(same(*must(compute.RunInstances(ctx, wanted)).Instances[0].InstanceId, machine))
	done(ec2.NewInstanceRunningWaiter(compute).Wait(ctx, one(), longest))
	done(ec2.NewInstanceStatusOkWaiter(compute).Wait(ctx, &ec2.DescribeInstanceStatusInput{InstanceIds: []string{machine}}, longest))
	found := must(compute.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}}}))
	return same(*found.Reservations[0].Instances[0].InstanceId, machine)
}

func one() *ec2.DescribeInstancesInput {
	return &ec2.DescribeInstancesInput{InstanceIds: []string{machine}}
}

func stopAndChange() error {
	must(compute.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{machine}}))
	done(ec2.NewInstanceStoppedWaiter(compute).Wait(ctx, one(), longest))
	must(compute.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{InstanceId: &machine, InstanceType: &types.AttributeValue{Value: aws.String("t3.small")}}))
	must(compute.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{machine}}))
	return ec2.NewInstanceRunningWaiter(compute).Wait(ctx, one(), longest)
}

func makeDisks() error {
	zone := must(compute.DescribeAvailabilityZones(ctx, nil)).AvailabilityZones[0].ZoneName
	disk = *must(compute.CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZone: zone, Size: aws.Int32(1), VolumeType: types.VolumeTypeGp3})).VolumeId
	volumes := &ec2.DescribeVolumesInput{VolumeIds: []string{disk}}
	done(ec2.NewVolumeAvailableWaiter(compute).Wait(ctx, volumes, longest))
	snapshot = *must(compute.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: &disk})).SnapshotId
	done(ec2.NewSnapshotCompletedWaiter(compute).Wait(ctx, &ec2.DescribeSnapshotsInput{SnapshotIds: []string{snapshot}}, longest))
	image = *must(compute.CreateImage(ctx, &ec2.CreateImageInput{InstanceId: &machine, Name: aws.String("shot"), NoReboot: aws.Bool(true)})).ImageId
	done(ec2.NewImageAvailableWaiter(compute).Wait(ctx, &ec2.DescribeImagesInput{ImageIds: []string{image}}, longest))
	must(compute.DeregisterImage(ctx, &ec2.DeregisterImageInput{ImageId: &image}))
	must(compute.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: &snapshot}))
	must(compute.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: &disk}))
	return ec2.NewVolumeDeletedWaiter(compute).Wait(ctx, volumes, longest)
}

// given are the credentials of a key.
func given(id, secret, session string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: session}, nil
	})
}

func makePeople() error {
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}]}`
	user := must(people.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("anna")})).User.UserName
	own := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`
	must(people.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: user, PolicyName: aws.String("own"), PolicyDocument: &own}))
	key := must(people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: user})).AccessKey
	hers := sts.NewFromConfig(settings, func(o *sts.Options) { o.Credentials = given(*key.AccessKeyId, *key.SecretAccessKey, "") })
	role := must(people.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("robot"), AssumeRolePolicyDocument: &trust})).Role
	done(iam.NewRoleExistsWaiter(people).Wait(ctx, &iam.GetRoleInput{RoleName: role.RoleName}, longest))
	reader := aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")
	must(people.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role.RoleName, PolicyArn: reader}))
	lent := must(hers.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: role.Arn, RoleSessionName: aws.String("tour")})).Credentials
	robot := ec2.NewFromConfig(settings, func(o *ec2.Options) {
		o.Credentials = given(*lent.AccessKeyId, *lent.SecretAccessKey, *lent.SessionToken)
	})
	must(robot.DescribeInstances(ctx, one()))
	_, err := robot.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{machine}})
	done(coded(err, "UnauthorizedOperation"))
	must(people.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: role.RoleName, PolicyArn: reader}))
	must(people.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: user, AccessKeyId: key.AccessKeyId}))
	must(people.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: user, PolicyName: aws.String("own")}))
	must(people.DeleteUser(ctx, &iam.DeleteUserInput{UserName: user}))
	must(people.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: role.RoleName}))
	_, err = people.GetRole(ctx, &iam.GetRoleInput{RoleName: role.RoleName})
	var none interface{ ErrorCode() string }
	if !errors.As(err, &none) {
		return errors.New("the role is still there")
	}
	return same(none.ErrorCode(), "NoSuchEntity")
}

func refusals() error {
	_, err := compute.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{"i-0123456789abcdef0"}})
	done(coded(err, "InvalidInstanceID.NotFound"))
	_, err = compute.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/8")})
	done(coded(err, "InvalidVpc.Range"))
	_, err = compute.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{machine}, DryRun: aws.Bool(true)})
	done(coded(err, "DryRunOperation"))
	_, err = compute.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: &vpc})
	return coded(err, "DependencyViolation")
}

func deleteAll() error {
	must(compute.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{machine}}))
	done(ec2.NewInstanceTerminatedWaiter(compute).Wait(ctx, one(), longest))
	must(compute.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &group}))
	must(compute.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: &subnet}))
	must(compute.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: &vpc}))
	return nil
}

func main() {
	step("who the caller is", whoCalls)
	step("instance types by pages", typesByPages)
	step("a network with a group and a rule", makeNetwork)
	step("an interface with an address", makeInterface)
	step("an instance by a client token and waiters", makeMachine)
	step("stop, change of type, start", stopAndChange)
	step("a volume, its snapshot, an image", makeDisks)
	step("a role's session may only read", makePeople)
	step("errors have their codes", refusals)
	step("all is deleted", deleteAll)
	endTour()
}
