// SPDX-License-Identifier: Apache-2.0
// AWS's SDK for JavaScript: commands, paginators, waiters and errors, by the environment that `dari dev` prints.
import { createRequire } from "node:module";

const load = createRequire(`${process.env.CLIENT}/package.json`);
const EC2 = load("@aws-sdk/client-ec2");
const IAM = load("@aws-sdk/client-iam");
const STS = load("@aws-sdk/client-sts");
const ec2 = new EC2.EC2({}), iam = new IAM.IAM({}), sts = new STS.STS({});
const made = {};

async function step(words, body) {
  try {
    await body();
    console.log(`ok - ${words}`);
  } catch (e) {
    console.log(`not ok - ${words}: ${`${e.name}: ${e.message}`.replace(/\s+/g, " ").slice(0, 400)}`);
  }
}

function same(got, wanted) {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(`got ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`);
}

async function refused(call, code) {
  let answer;
  try {
    answer = await call();
  } catch (e) {
    return same(e.name, code);
  }
  throw new Error(`answered ${JSON.stringify(answer)} instead of refusing with ${code}`);
}

const waiting = { client: ec2, maxWaitTime: 600, minDelay: 1, maxDelay: 2 };

async function done(waiter, input) {
  same((await waiter(waiting, input)).state, "SUCCESS");
}

await step("who the caller is", async () => {
  if (!(await sts.getCallerIdentity({})).Account) throw new Error("no account");
});
await step("instance types by pages", async () => {
  const types = [];
  for await (const page of EC2.paginateDescribeInstanceTypes({ client: ec2, pageSize: 5 }, {})) types.push(...page.InstanceTypes.map((t) => t.InstanceType));
  same([types.includes("t3.micro"), new Set(types).size], [true, types.length]);
});
await step("a network with a group and a rule", async () => {
  made.vpc = (await ec2.createVpc({ CidrBlock: "10.7.0.0/16", TagSpecifications: [{ ResourceType: "vpc", Tags: [{ Key: "a", Value: "b" }] }] })).Vpc.VpcId;
  await done(EC2.waitUntilVpcAvailable, { VpcIds: [made.vpc] });
  made.subnet = (await ec2.createSubnet({ VpcId: made.vpc, CidrBlock: "10.7.1.0/24" })).Subnet.SubnetId;
  made.group = (await ec2.createSecurityGroup({ VpcId: made.vpc, GroupName: "web", Description: "web" })).GroupId;
  const rule = { IpProtocol: "tcp", FromPort: 80, ToPort: 81, IpRanges: [{ CidrIp: "192.0.2.0/24" }] };
  same((await ec2.authorizeSecurityGroupIngress({ GroupId: made.group, IpPermissions: [rule] })).SecurityGroupRules[0].ToPort, 81);
  await refused(() => ec2.authorizeSecurityGroupIngress({ GroupId: made.group, IpPermissions: [rule] }), "InvalidPermission.Duplicate");
});
await step("an instance by a waiter", async () => {
  const ran = await ec2.runInstances({ ImageId: process.env.IMAGE, InstanceType: "t3.micro", MinCount: 1, MaxCount: 1, SubnetId: made.subnet, SecurityGroupIds: [made.group] });
  made.instance = ran.Instances[0].InstanceId;
  await done(EC2.waitUntilInstanceRunning, { InstanceIds: [made.instance] });
});
await step("instances by filters", async () => {
  const asked = { Filters: [{ Name: "vpc-id", Values: [made.vpc] }, { Name: "instance-state-name", Values: ["running"] }] };
  const found = await ec2.describeInstances(asked);
  same(found.Reservations.flatMap((r) => r.Instances.map((i) => i.InstanceId)), [made.instance]);
  same(found.Reservations[0].Instances[0].LaunchTime instanceof Date, true);
});
await step("stop, change of type, start", async () => {
  await ec2.stopInstances({ InstanceIds: [made.instance] });
  await done(EC2.waitUntilInstanceStopped, { InstanceIds: [made.instance] });
  await ec2.modifyInstanceAttribute({ InstanceId: made.instance, InstanceType: { Value: "t3.small" } });
  await ec2.startInstances({ InstanceIds: [made.instance] });
  await done(EC2.waitUntilInstanceRunning, { InstanceIds: [made.instance] });
});
await step("a volume, its snapshot, tags", async () => {
  const zone = (await ec2.describeAvailabilityZones({})).AvailabilityZones[0].ZoneName;
  made.volume = (await ec2.createVolume({ AvailabilityZone: zone, Size: 1, VolumeType: "gp3" })).VolumeId;
  await done(EC2.waitUntilVolumeAvailable, { VolumeIds: [made.volume] });
  made.snapshot = (await ec2.createSnapshot({ VolumeId: made.volume })).SnapshotId;
  await done(EC2.waitUntilSnapshotCompleted, { SnapshotIds: [made.snapshot] });
  await ec2.createTags({ Resources: [made.volume, made.snapshot], Tags: [{ Key: "x", Value: "" }] });
  same((await ec2.describeTags({ Filters: [{ Name: "key", Values: ["x"] }] })).Tags.length, 2);
});
await step("a user, a policy, a key", async () => {
  await iam.createUser({ UserName: "anna" });
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "ec2:Describe*", Resource: "*" }] });
  await iam.putUserPolicy({ UserName: "anna", PolicyName: "look", PolicyDocument });
  const key = (await iam.createAccessKey({ UserName: "anna" })).AccessKey;
  const hers = new EC2.EC2({ credentials: { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey } });
  same((await hers.describeVolumes({ VolumeIds: [made.volume] })).Volumes.length, 1);
  await refused(() => hers.createVpc({ CidrBlock: "10.9.0.0/16" }), "UnauthorizedOperation");
  await iam.deleteAccessKey({ UserName: "anna", AccessKeyId: key.AccessKeyId });
  await iam.deleteUserPolicy({ UserName: "anna", PolicyName: "look" });
  await iam.deleteUser({ UserName: "anna" });
  await refused(() => iam.getUser({ UserName: "anna" }), "NoSuchEntityException");
});
await step("errors have their codes", async () => {
  await refused(() => ec2.describeInstances({ InstanceIds: ["i-0123456789abcdef0"] }), "InvalidInstanceID.NotFound");
  await refused(() => ec2.deleteVpc({ VpcId: made.vpc }), "DependencyViolation");
  await refused(() => ec2.runInstances({ ImageId: process.env.IMAGE, MinCount: 1, MaxCount: 1, DryRun: true }), "DryRunOperation");
});
await step("all is deleted", async () => {
  await ec2.terminateInstances({ InstanceIds: [made.instance] });
  await done(EC2.waitUntilInstanceTerminated, { InstanceIds: [made.instance] });
  await ec2.deleteSnapshot({ SnapshotId: made.snapshot });
  await ec2.deleteVolume({ VolumeId: made.volume });
  await done(EC2.waitUntilVolumeDeleted, { VolumeIds: [made.volume] });
  await ec2.deleteSecurityGroup({ GroupId: made.group });
  await ec2.deleteSubnet({ SubnetId: made.subnet });
  await ec2.deleteVpc({ VpcId: made.vpc });
});
console.log("ok - end of tour");
