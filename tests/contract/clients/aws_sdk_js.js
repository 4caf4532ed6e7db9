// SPDX-License-Identifier: Apache-2.0
// What a program in JavaScript does with AWS's SDK, version 3. tests/contract/clients/aws_sdk_js.py starts it and says on standard input where
// the region is, what there is in it, and how botocore sees the same.
"use strict";
const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { test } = require("node:test");

const given = JSON.parse(readFileSync(0, "utf8"));
const sdk = createRequire(given.modules + "/")(given.package);

const credentials = { accessKeyId: given.key, secretAccessKey: given.secret };
const connect = (more = {}) =>
  new sdk.EC2Client({ region: given.region, endpoint: given.endpoint, credentials, maxAttempts: 1, ...more });
const ec2 = connect();
const send = (name, input = {}, client = ec2) => client.send(new sdk[`${name}Command`](input));

const ID = new RegExp(given.id, "g");
const idsIn = (answer) => [...new Set(JSON.stringify({ ...answer, $metadata: 0 }).match(ID) ?? [])].sort();

async function refused(name, input, client = ec2) {
  try {
    await send(name, input, client);
  } catch (error) {
    return error;
  }
  return assert.fail(`${name} was accepted`);
}

function isRefusal(error, code, status) {
  assert.ok(error instanceof sdk.EC2ServiceException, `${error}`);
  assert.deepEqual([error.name, error.$metadata.httpStatusCode, error.$fault], [code, status, "client"], error.message);
  assert.ok(error.message && error.$metadata.requestId);
}

// ---- lists

test("there is something in most lists", () => {
  const filled = Object.values(given.lists).filter((ids) => ids.length);
  assert.ok(filled.length > 25, `${filled.length}`);
  assert.ok(Object.keys(given.pages).length > 20 && given.waits.length > 30);
});

for (const [name, ids] of Object.entries(given.lists))
  test(`${name}: the ids that were answered are in what it gives`, async () => {
    const answer = await send(name);
    assert.equal(answer.$metadata.httpStatusCode, 200);
    assert.ok(answer.$metadata.requestId);
    assert.deepEqual(idsIn(answer), ids);
  });

// ---- pages

const listsOf = (answer) => Object.entries(answer).filter(([, value]) => Array.isArray(value));

// DescribeTags gives tags as it finds them, and pages of them in the order of ids; EC2 promises neither.
const inAnyOrder = ({ Tags, ...lists }) => ({ ...lists, Tags: Tags?.map((tag) => JSON.stringify(tag)).sort() });
const comparable = (name, lists) => (name === "DescribeTags" ? inAnyOrder(lists) : lists);

// Not every list that botocore pages through has a paginator here.
for (const [name, { input, least }] of Object.entries(given.pages).filter(([name]) => sdk[`paginate${name}`]))
  test(`paginate${name}: page by page it is what it is at once`, async () => {
    const whole = Object.fromEntries(listsOf(await send(name, input)));
    const parts = {};
    let count = 0;
    for await (const page of sdk[`paginate${name}`]({ client: ec2, pageSize: least }, input)) {
      count += 1;
      for (const [key, rows] of listsOf(page)) {
        assert.ok(rows.length <= least, `${rows.length} in a page`);
        parts[key] = (parts[key] ?? []).concat(rows);
      }
    }
    assert.deepEqual(comparable(name, parts), comparable(name, whole));
    assert.equal(count > 1, Object.values(whole).some((rows) => rows.length > least));
  });

// ---- waiters

for (const { waiter, input, end } of given.waits)
  test(`waitUntil${waiter} ${JSON.stringify(input)}: ${end}`, async () => {
    const wait = { client: ec2, maxWaitTime: 1, minDelay: 0.1, maxDelay: 0.2 };
    const found = await sdk[`waitFor${waiter}`](wait, input).catch((error) => ({ state: "FAILURE", error }));
    assert.equal(found.state, end, `${found.reason ?? found.error}`);
  });

// ---- refusals

const ABSENT = "0123456789abcdef0";
const refusals = [
  ["DescribeInstances", { InstanceIds: [`i-${ABSENT}`] }, "InvalidInstanceID.NotFound", 400],
  ["DescribeInstances", { InstanceIds: ["i-x"] }, "InvalidInstanceID.Malformed", 400],
  ["DescribeVolumes", { VolumeIds: [`vol-${ABSENT}`] }, "InvalidVolume.NotFound", 400],
  ["DescribeInstances", { Filters: [{ Name: "colour", Values: ["red"] }] }, "InvalidParameterValue", 400],
  ["CreateVpc", { CidrBlock: "10.0.0.0/8" }, "InvalidVpc.Range", 400],
  ["TerminateInstances", {}, "InvalidParameterCombination", 400],
  ["DescribeVpcs", { DryRun: true }, "DryRunOperation", 412],
  ["CreateVpc", { CidrBlock: "10.40.0.0/16", DryRun: true }, "DryRunOperation", 412],
];
for (const [name, input, code, status] of refusals)
  test(`${name} ${JSON.stringify(input)}: ${code}`, async () => isRefusal(await refused(name, input), code, status));

test("what is not built says so", async () => {
  assert.ok(!given.actions.includes("CreateTransitGatewayConnect"));
  const error = await refused("CreateTransitGatewayConnect");
  assert.ok(error instanceof sdk.EC2ServiceException && error.$metadata.httpStatusCode === 400, `${error}`);
});

test("another's secret is not believed", async () => {
  const stranger = connect({ credentials: { ...credentials, secretAccessKey: "another" } });
  isRefusal(await refused("DescribeVpcs", {}, stranger), "AuthFailure", 401);
});

// ---- a machine's life

const named = (id) => ({ InstanceIds: [id] });
const stateOf = async (id) => (await send("DescribeInstances", named(id))).Reservations[0].Instances[0].State.Name;
const until = async (waiter, id) => {
  const found = await sdk[`waitUntil${waiter}`]({ client: ec2, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, named(id));
  assert.equal(found.state, "SUCCESS");
};

test("a machine is launched, stopped, started and terminated", async () => {
  const Tags = [{ Key: "colour", Value: "röd & <blå>" }];
  const made = await send("RunInstances", {
    ImageId: given.image, InstanceType: "t3.micro", MinCount: 1, MaxCount: 1, ClientToken: "js",
    UserData: Buffer.from("#!/bin/sh\n").toString("base64"), TagSpecifications: [{ ResourceType: "instance", Tags }],
    BlockDeviceMappings: [{ DeviceName: "/dev/sdf", Ebs: { VolumeSize: 2, DeleteOnTermination: true } }],
  });
  const [{ InstanceId: id, LaunchTime }] = made.Instances;
  assert.ok(LaunchTime instanceof Date && Math.abs(Date.now() - LaunchTime) < 600_000);
  await until("InstanceRunning", id);
  await until("InstanceStatusOk", id);
  const Filters = [{ Name: "tag:colour", Values: [Tags[0].Value] }, { Name: "instance-state-name", Values: ["running"] }];
  const found = (await send("DescribeInstances", { Filters })).Reservations.flatMap((r) => r.Instances);
  assert.deepEqual(found.map((i) => [i.InstanceId, i.Tags, i.BlockDeviceMappings.length]), [[id, Tags, 2]]);
  const data = await send("DescribeInstanceAttribute", { InstanceId: id, Attribute: "userData" });
  assert.equal(Buffer.from(data.UserData.Value, "base64").toString(), "#!/bin/sh\n");
  isRefusal(await refused("StopInstances", { ...named(id), DryRun: true }), "DryRunOperation", 412);
  assert.equal(await stateOf(id), "running");
  await send("StopInstances", named(id));
  await until("InstanceStopped", id);
  await send("StartInstances", named(id));
  await until("InstanceRunning", id);
  const end = await send("TerminateInstances", named(id));
  assert.equal(end.TerminatingInstances[0].PreviousState.Name, "running");
  await until("InstanceTerminated", id);
});

test("tags are set, found and taken away", async () => {
  const { Vpc } = await send("CreateVpc", { CidrBlock: "10.77.0.0/16" });
  const Resources = [Vpc.VpcId];
  await send("CreateTags", { Resources, Tags: [{ Key: "a", Value: "1" }, { Key: "b", Value: "" }] });
  const Filters = [{ Name: "resource-id", Values: Resources }];
  const keys = async () => (await send("DescribeTags", { Filters })).Tags.map((t) => `${t.Key}=${t.Value}`);
  assert.deepEqual(await keys(), ["a=1", "b="]);
  await send("DeleteTags", { Resources, Tags: [{ Key: "a" }] });
  assert.deepEqual(await keys(), ["b="]);
  await send("DeleteVpc", { VpcId: Vpc.VpcId });
  isRefusal(await refused("DescribeVpcs", { VpcIds: Resources }), "InvalidVpcID.NotFound", 400);
});
