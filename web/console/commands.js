// SPDX-License-Identifier: Apache-2.0
// Equivalent commands of a click, for each tool whose API supports the action. One function for each action and tool: tests run them against a region
// and compare the results. Commands contain no secrets: a key pair is named, user data are a file.
import {session, policyArn as arnOf} from "./session.js";
import {curl, q} from "./shell.js";
import {LISTS} from "./list_commands.js";
import {ANSIBLE} from "./ansible.js";
import {TERRAFORM} from "./terraform.js";
import {addRoute, association, awsOf, closeGateway, curlOf, dropVpc, isV6, makeNat, mend, openGateway, useTable} from "./steps.js";

const ec2 = (rows) => rows.map((r) => r.ec2).join(" ");
const uuid = (rows) => rows.map((r) => r.id).join(" ");
const each = (rows, f) => rows.map(f).join("\n");
/** The Name tag for aws: its shorthand syntax reserves characters that a name may contain. */
const nameTag = (resource, name) => (!name ? "" : ` --tag-specifications ${q(/^[\w .@:/+-]+$/.test(name) ? `ResourceType=${resource},Tags=[{Key=Name,Value=${name}}]` : JSON.stringify([{ResourceType: resource, Tags: [{Key: "Name", Value: name}]}]))}`);

// ---- launch ----

const ROOT_DEVICE = "/dev/xvda", GIBIBYTE = 2 ** 30;
/** EC2's mappings of the disks in the body of a launch. */
function launchDisks({root_size: size, root_type: type, root_encrypted: isEncrypted, disks = []}) {
	const ebs = (d) => ({...(d.size ? {VolumeSize: d.size / GIBIBYTE} : {}), ...(d.type ? {VolumeType: d.type} : {}), ...(d.is_encrypted ? {Encrypted: true} : {}), ...(d.delete_on_termination === false ? {DeleteOnTermination: false} : {})});
	return [...(size || type || isEncrypted ? [{DeviceName: ROOT_DEVICE, Ebs: ebs({size, type, is_encrypted: isEncrypted})}] : []),
		...disks.map((d, k) => ({DeviceName: `/dev/sd${String.fromCharCode(102 + k)}`, Ebs: ebs(d)}))];
}
function launchOptions({body = {}, profile}) {
	const disks = launchDisks(body);
	return `${disks.length ? ` --block-device-mappings ${q(JSON.stringify(disks))}` : ""}${profile ? ` --iam-instance-profile Name=${q(profile.name)}` : ""}${body.metadata_tokens_required ? " --metadata-options HttpTokens=required" : ""}${body.shutdown_terminates ? " --instance-initiated-shutdown-behavior terminate" : ""}${body.protect_terminate ? " --disable-api-termination" : ""}`;
}
/** The name, and further tags. */
function launchTags({name, body = {}}) {
	const tags = Object.entries(body.tags ?? {}).map(([Key, Value]) => ({Key, Value}));
	return tags.length > 1 || (tags.length && !body.tags.Name) ? ` --tag-specifications ${q(JSON.stringify([{ResourceType: "instance", Tags: tags}]))}` : nameTag("instance", name);
}
/** True if nova's create has a parameter for all of it. */
const isPlainLaunch = ({body = {}}) => !launchDisks(body).length && !["instance_profile", "metadata_tokens_required", "shutdown_terminates", "protect_terminate"].some((name) => body[name]) && Object.keys(body.tags ?? {}).every((key) => key === "Name");
const flag = (name, value) => (value === undefined || value === "" || value === null ? "" : ` ${name} ${q(value)}`);
const bulk = (kind, verb) => ({ids, ...more}) => curl("POST", `/${kind}/${verb}`, {ids: ids.map((r) => r.id), ...more});

/** Options of `dari provider` with the filled fields. */
const policyFlags = (b) => ["scope", "act", "tag_key", "tag_value", "date_tag", "age_days", "warn_days", "stop_at", "start_at", "timezone", "grace_hours", "power", "event", "playbook", "playbook_limit_s"].map((name) => flag(`--${name.replaceAll("_", "-")}`, b[name])).join("") + (b.keys ?? []).map((key) => flag("--key", key)).join("");
const providerFlags = (b) => ["region", "endpoint", "project", "domain", "login", "pin"].map((name) => flag(`--${name}`, b[name])).join("") + (b.ca ? " --ca-file FILE" : "") + flag("--poll-s", b.poll_s);
const remoteAct = (verb) => ({dari: ({ids}) => each(ids, (m) => `dari remote ${verb} ${q(m.ref)}`), curl: ({ids}) => each(ids, (m) => curl("POST", `/remote-machines/${m.id}/${verb}`, {}))});

/** Options of `dari cluster create` for the fields that differ from its defaults. */
const clusterFlags = (b) => [["workers", b.workers], ["version", b.version], ["image", b.image], ["control-plane", b.control_count], ["control-type", b.control_type], ["worker-type", b.worker_type], ["key-pair", b.key_pair]].map(([name, value]) => flag(`--${name}`, value)).join("")
	+ (b.sources ?? []).map((s) => flag("--source", s)).join("") + (b.manifests ?? []).map((m) => flag("--manifest", m)).join("") + (b.is_internal ? " --internal" : "");

/** Id of a ticket in AWS Support. */
const caseId = (r) => `case-${session.account?.number}-${new Date(r.created_us / 1000).getUTCFullYear()}-${r.id.replaceAll("-", "").slice(0, 16)}`;
/** An operator may click on a row of another account, which AWS's client cannot access. */
const isOwn = (r) => r.account === session.account?.id;
/** AWS Support has no list of resources: it finds those that the text names. */
const named = ({body, resources}) => [body, ...(resources ?? []).filter((id) => !body.includes(id))].join("\n");
const costGroup = (group) => (group.startsWith("tag:") ? q(`Type=TAG,Key=${group.slice(4)}`) : {service: "Type=DIMENSION,Key=SERVICE", meter: "Type=DIMENSION,Key=USAGE_TYPE", account: "Type=DIMENSION,Key=LINKED_ACCOUNT", zone: "Type=DIMENSION,Key=AZ"}[group]);
/** First and last day of a month; AWS excludes the end. */
const periodOf = (month) => `Start=${month}-01,End=${new Date(Date.UTC(month.slice(0, 4), month.slice(5), 1)).toISOString().slice(0, 10)}`;

/** Commands of an action with several requests: see steps.js. */
const awsSteps = (make) => (a) => awsOf([make(a)].flat());
const curlSteps = (make) => (a) => curlOf([make(a)].flat(), curl);
const entry = ({acl, egress, number}) => `--network-acl-id ${acl.ec2} ${egress ? "--egress" : "--ingress"} --rule-number ${number}`;
const renamed = (r, name) => (name === undefined ? "" : `aws ec2 create-tags --resources ${r.ec2} --tags ${q(JSON.stringify([{Key: "Name", Value: name}]))}`);
/** A rule's peer for aws: its shorthand flag only accepts IPv4. */
function peerFlags({group, direction, protocol, ports, block, peer}) {
	const head = `aws ec2 authorize-security-group-${direction} --group-id ${group?.ec2}`, [from, to = from] = (ports || "").split("-").map(Number), all = protocol === "icmp" ? {FromPort: -1, ToPort: -1} : {};
	if (isV6(block))
		return `${head} --ip-permissions ${q(JSON.stringify([{IpProtocol: protocol === "any" ? "-1" : protocol, ...(ports ? {FromPort: from, ToPort: to} : all), Ipv6Ranges: [{CidrIpv6: block}]}]))}`;
	return `${head} --protocol ${q(protocol === "any" ? "-1" : protocol)}${ports ? ` --port ${q(ports)}` : ""}${peer ? ` --source-group ${peer.ec2}` : flag("--cidr", block)}`;
}
/** Words of OpenStack's client and of CloudStack for kinds with tags. */
const OF_STACK = {instance: "server", volume: "volume", snapshot: "volume snapshot"};
const OF_CLOUD = {instance: "UserVm", volume: "Volume", snapshot: "Snapshot", image: "Template"};

/** action → tool → command. The argument is the click's data: rows, and choices. */
export const COMMANDS = {
	...LISTS,
	"backups.list": {openstack: () => "openstack volume backup list", curl: () => curl("GET", "/backups")},
	"pools.list": {dari: () => "dari pool list", curl: () => curl("GET", "/storage-pools")},
	"transit-gateways.list": {aws: () => "aws ec2 describe-transit-gateways; aws ec2 describe-transit-gateway-attachments", curl: () => curl("GET", "/transit-gateways")},
	"load-balancers.list": {aws: () => "aws elbv2 describe-load-balancers", curl: () => curl("GET", "/elastic-load-balancers")},
	"target-groups.list": {aws: () => "aws elbv2 describe-target-groups", curl: () => curl("GET", "/target-groups")},
	"scaling-groups.list": {aws: () => "aws autoscaling describe-auto-scaling-groups", curl: () => curl("GET", "/scaling-groups")},
	"clusters.list": {dari: () => "dari cluster list", curl: () => curl("GET", "/clusters")},
	"reservations.list": {aws: () => "aws ec2 describe-capacity-reservations", curl: () => curl("GET", "/capacity-reservations")},
	"migrations.list": {dari: () => "dari migrate list", curl: () => curl("GET", "/cloud-migrations")},
	"fleets.list": {aws: () => "aws ec2 describe-fleets", curl: () => curl("GET", "/fleets")},
	"spot-requests.list": {aws: () => "aws ec2 describe-spot-instance-requests", ansible: () => "ansible localhost -m amazon.aws.ec2_spot_instance_info", curl: () => curl("GET", "/spot-requests")},
	"groups.list": {aws: () => "aws iam list-groups", curl: () => curl("GET", "/user-groups")},
	"policies.list": {aws: () => "aws iam list-policies --scope Local", curl: () => curl("GET", "/policies")},
	"roles.list": {aws: () => "aws iam list-roles", curl: () => curl("GET", "/iam-roles")},
	"prices.list": {dari: () => "dari prices list", curl: () => curl("GET", "/price-lists")},
	"accounts.list": {openstack: () => "openstack project list", dari: () => "dari account list", curl: () => curl("GET", "/accounts")},
	"users.list": {aws: () => "aws iam list-users", curl: () => curl("GET", "/users")},
	"instances.start": {
		aws: ({ids}) => `aws ec2 start-instances --instance-ids ${ec2(ids)}`,
		openstack: ({ids}) => `openstack server start ${uuid(ids)}`,
		cmk: ({ids}) => each(ids, (r) => `cmk start virtualmachine id=${r.id}`),
		curl: bulk("instances", "start"),
	},
	"instances.stop": {
		aws: ({ids}) => `aws ec2 stop-instances --instance-ids ${ec2(ids)}`,
		openstack: ({ids}) => `openstack server stop ${uuid(ids)}`,
		cmk: ({ids}) => each(ids, (r) => `cmk stop virtualmachine id=${r.id}`),
		curl: bulk("instances", "stop"),
	},
	"instances.reboot": {
		aws: ({ids}) => `aws ec2 reboot-instances --instance-ids ${ec2(ids)}`,
		openstack: ({ids}) => each(ids, (r) => `openstack server reboot ${r.id}`),
		cmk: ({ids}) => each(ids, (r) => `cmk reboot virtualmachine id=${r.id}`),
		curl: bulk("instances", "reboot"),
	},
	"instances.terminate": {
		aws: ({ids}) => `aws ec2 terminate-instances --instance-ids ${ec2(ids)}`,
		openstack: ({ids}) => `openstack server delete ${uuid(ids)}`,
		curl: bulk("instances", "delete"),
	},
	"instances.resize": {
		aws: ({ids, type}) => `aws ec2 modify-instance-attribute --instance-id ${ids[0].ec2} --instance-type ${q(type)}`,
		curl: ({ids, type}) => curl("PATCH", `/instances/${ids[0].id}`, {type}),
	},
	"instances.launch": {
		aws: (a) => `aws ec2 run-instances --image-id ${a.image?.ec2} --instance-type ${q(a.type?.name)}${a.count > 1 ? ` --count ${a.count}` : ""}${flag("--key-name", a.key?.name)}${flag("--subnet-id", a.subnet?.ec2)}${a.groups?.length ? ` --security-group-ids ${ec2(a.groups)}` : ""}${a.publicIp === undefined ? "" : a.publicIp ? " --associate-public-ip-address" : " --no-associate-public-ip-address"}${launchOptions(a)}${launchTags(a)}${a.hasUserData ? " --user-data file://user-data" : ""}`,
		openstack: (a) => (isPlainLaunch(a) ? `openstack server create --image ${a.image?.id} --flavor ${q(a.type?.name)}${a.count > 1 ? ` --min ${a.count} --max ${a.count}` : ""}${flag("--key-name", a.key?.name)}${a.subnet ? ` --nic net-id=${a.subnet.network}` : ""}${(a.groups ?? []).map((g) => ` --security-group ${g.id}`).join("")}${a.hasUserData ? " --user-data user-data" : ""} ${q(a.name || "instance")}` : ""),
		curl: (a) => curl("POST", "/instances", a.body),
	},
	"instances.pause": {openstack: ({ids}) => `openstack server pause ${uuid(ids)}`, curl: bulk("instances", "pause")},
	"instances.unpause": {openstack: ({ids}) => `openstack server unpause ${uuid(ids)}`, curl: bulk("instances", "unpause")},
	"instances.suspend": {openstack: ({ids}) => `openstack server suspend ${uuid(ids)}`, curl: bulk("instances", "suspend")},
	"instances.protect": {
		aws: ({ids, on}) => each(ids, (r) => `aws ec2 modify-instance-attribute --instance-id ${r.ec2} --${on ? "" : "no-"}disable-api-termination`),
		cmk: ({ids, on}) => each(ids, (r) => `cmk update virtualmachine id=${r.id} deleteprotection=${Boolean(on)}`),
		curl: ({ids, on}) => each(ids, (r) => curl("PATCH", `/instances/${r.id}`, {protect_terminate: Boolean(on)})),
	},
	"instances.set": {curl: ({ids, change}) => curl("PATCH", `/instances/${ids[0].id}`, change)},
	"instances.migrate": {
		openstack: ({ids, host}) => `openstack --os-compute-api-version 2.30 server migrate --live-migration${host ? ` --host ${q(host.name)}` : ""} ${ids[0].id}`,
		dari: ({ids, host}) => `dari host move ${ids[0].ec2 ?? ids[0].id}${flag("--to", host?.name)}`,
		curl: ({ids, host}) => curl("POST", `/instances/${ids[0].id}/migrate`, host ? {host: host.id} : {}),
	},
	"instances.cancel-migration": {curl: ({ids}) => curl("POST", `/instances/${ids[0].id}/cancel-migration`, {})},
	"instances.complete-migration": {curl: ({ids}) => curl("POST", `/instances/${ids[0].id}/complete-migration`, {})},
	"instances.rescue": {
		openstack: ({ids, image}) => `openstack server rescue${image ? ` --image ${image.id}` : ""} ${ids[0].id}`,
		curl: ({ids, image}) => curl("POST", `/instances/${ids[0].id}/rescue`, image ? {image: image.id} : {}),
	},
	"instances.unrescue": {openstack: ({ids}) => `openstack server unrescue ${ids[0].id}`, curl: ({ids}) => curl("POST", `/instances/${ids[0].id}/unrescue`, {})},
	"instances.rebuild": {
		openstack: ({ids, image}) => `openstack server rebuild --image ${image?.id} ${ids[0].id}`,
		cmk: ({ids, image}) => `cmk restore virtualmachine virtualmachineid=${ids[0].id} templateid=${image?.id}`,
		curl: ({ids, image}) => curl("POST", `/instances/${ids[0].id}/rebuild`, {image: image?.id}),
	},
	"instances.image": {
		aws: ({ids, name, noReboot}) => `aws ec2 create-image --instance-id ${ids[0].ec2} --name ${q(name)}${noReboot ? " --no-reboot" : ""}`,
		openstack: ({ids, name, noReboot}) => (noReboot ? `openstack server image create --name ${q(name)} ${ids[0].id}` : ""),
		curl: ({ids, name, noReboot}) => curl("POST", "/images", {instance: ids[0].id, name, no_reboot: Boolean(noReboot)}),
	},
	"tags.set": {
		aws: ({ids, key, value}) => `aws ec2 create-tags --resources ${ec2(ids)} --tags ${q(/^[\w .@:/+-]*$/.test(key + value) ? `Key=${key},Value=${value}` : JSON.stringify([{Key: key, Value: value}]))}`,
		openstack: ({kind, ids, key, value}) => (OF_STACK[kind] && !key.includes("=") ? each(ids, (r) => `openstack ${OF_STACK[kind]} set --property ${q(`${key}=${value}`)} ${r.id}`) : ""),
		cmk: ({kind, ids, key, value}) => (OF_CLOUD[kind] ? `cmk create tags resourceids=${ids.map((r) => r.id).join()} resourcetype=${OF_CLOUD[kind]} ${q(`tags[0].key=${key}`)} ${q(`tags[0].value=${value}`)}` : ""),
		curl: ({ids, key, value}) => curl("POST", "/tags", {ids: ids.map((r) => r.ec2), tags: {[key]: value}}),
	},
	"tags.remove": {
		aws: ({ids, key}) => `aws ec2 delete-tags --resources ${ec2(ids)} --tags ${q(/^[\w .@:/+-]*$/.test(key) ? `Key=${key}` : JSON.stringify([{Key: key}]))}`,
		openstack: ({kind, ids, key}) => (OF_STACK[kind] ? each(ids, (r) => `openstack ${OF_STACK[kind]} unset --property ${q(key)} ${r.id}`) : ""),
		cmk: ({kind, ids, key}) => (OF_CLOUD[kind] ? `cmk delete tags resourceids=${ids.map((r) => r.id).join()} resourcetype=${OF_CLOUD[kind]} ${q(`tags[0].key=${key}`)}` : ""),
		curl: ({ids, key}) => curl("POST", "/tags/remove", {ids: ids.map((r) => r.ec2), keys: [key]}),
	},
	"volumes.create": {
		aws: (a) => `aws ec2 create-volume --size ${a.gib} --availability-zone ${q(a.zone)}${flag("--volume-type", a.type)}${a.isEncrypted ? " --encrypted" : ""}${nameTag("volume", a.name)}`,
		openstack: (a) => (a.isEncrypted ? "" : `openstack volume create --size ${a.gib} --availability-zone ${q(a.zone)}${flag("--type", a.type)} ${q(a.name || "volume")}`),
		curl: (a) => curl("POST", "/volumes", a.body),
	},
	"volumes.attach": {
		aws: ({ids, instance, device}) => `aws ec2 attach-volume --volume-id ${ids[0].ec2} --instance-id ${instance?.ec2} --device ${q(device || "/dev/sdf")}`,
		openstack: ({ids, instance}) => `openstack server add volume ${instance?.id} ${ids[0].id}`,
		cmk: ({ids, instance}) => `cmk attach volume id=${ids[0].id} virtualmachineid=${instance?.id}`,
		curl: ({ids, instance}) => curl("POST", `/volumes/${ids[0].id}/attach`, {instance: instance?.id}),
	},
	"volumes.detach": {
		aws: ({ids}) => each(ids, (r) => `aws ec2 detach-volume --volume-id ${r.ec2}`),
		openstack: ({ids}) => each(ids, (r) => `openstack server remove volume ${r.instance} ${r.id}`),
		cmk: ({ids}) => each(ids, (r) => `cmk detach volume id=${r.id}`),
		curl: bulk("volumes", "detach"),
	},
	"volumes.grow": {
		aws: ({ids, gib}) => `aws ec2 modify-volume --volume-id ${ids[0].ec2} --size ${gib}`,
		openstack: ({ids, gib}) => `openstack volume set --size ${gib} ${ids[0].id}`,
		cmk: ({ids, gib}) => `cmk resize volume id=${ids[0].id} size=${gib}`,
		curl: ({ids, gib}) => curl("POST", `/volumes/${ids[0].id}/modify`, {size: gib * 2 ** 30}),
	},
	"volumes.delete": {
		aws: ({ids}) => each(ids, (r) => `aws ec2 delete-volume --volume-id ${r.ec2}`),
		openstack: ({ids}) => `openstack volume delete ${uuid(ids)}`,
		cmk: ({ids}) => each(ids, (r) => `cmk delete volume id=${r.id}`),
		curl: ({ids}) => each(ids, (r) => curl("DELETE", `/volumes/${r.id}`)),
	},
	"snapshots.create": {
		aws: ({ids, name}) => each(ids, (r) => `aws ec2 create-snapshot --volume-id ${r.ec2}${flag("--description", name)}`),
		openstack: ({ids, name}) => each(ids, (r) => `openstack volume snapshot create --volume ${r.id} --force ${q(name || "snapshot")}`),
		cmk: ({ids}) => each(ids, (r) => `cmk create snapshot volumeid=${r.id}`),
		curl: ({ids, name}) => each(ids, (r) => curl("POST", "/snapshots", {volume: r.id, ...(name ? {description: name} : {})})),
	},
	"snapshots.delete": {
		aws: ({ids}) => each(ids, (r) => `aws ec2 delete-snapshot --snapshot-id ${r.ec2}`),
		openstack: ({ids}) => `openstack volume snapshot delete ${uuid(ids)}`,
		cmk: ({ids}) => each(ids, (r) => `cmk delete snapshot id=${r.id}`),
		curl: ({ids}) => each(ids, (r) => curl("DELETE", `/snapshots/${r.id}`)),
	},
	"backups.create": {
		openstack: ({ids, name, isIncremental}) => each(ids, (r) => `openstack volume backup create${flag("--name", name)}${isIncremental ? " --incremental" : ""}${r.state === "in-use" ? " --force" : ""} ${r.id}`),
		curl: ({ids, name, isIncremental}) => each(ids, (r) => curl("POST", "/backups", {volume: r.id, ...(name ? {name} : {}), ...(isIncremental ? {is_incremental: true} : {}), ...(r.state === "in-use" ? {force: true} : {})})),
	},
	"backups.restore": {curl: ({ids, name}) => curl("POST", `/backups/${ids[0].id}/restore`, name ? {name} : {})},
	"backups.delete": {
		openstack: ({ids}) => `openstack volume backup delete ${uuid(ids)}`,
		curl: ({ids}) => each(ids, (r) => curl("DELETE", `/backups/${r.id}`)),
	},
	"pools.add": {
		dari: ({body: b}) => `dari pool add ${q(b.name || "NAME")}${b.kind === "rbd" ? ` --kind rbd${flag("--monitors", (b.monitors ?? []).join(","))}${flag("--pool", b.rbd_pool)}${flag("--user", b.rbd_user)} --key-file FILE` : flag("--path", b.path)}${flag("--zone", b.zone)}`,
		curl: ({body}) => curl("POST", "/storage-pools", body),
	},
	"pools.enable": {dari: ({ids}) => each(ids, (p) => `dari pool set ${q(p.name)} --open`), curl: ({ids}) => each(ids, (p) => curl("PATCH", `/storage-pools/${p.id}`, {enabled: true}))},
	"pools.disable": {dari: ({ids}) => each(ids, (p) => `dari pool set ${q(p.name)} --close`), curl: ({ids}) => each(ids, (p) => curl("PATCH", `/storage-pools/${p.id}`, {enabled: false}))},
	"pools.remove": {dari: ({ids}) => each(ids, (p) => `dari pool remove ${q(p.name)}`), curl: ({ids}) => each(ids, (p) => curl("DELETE", `/storage-pools/${p.id}`))},
	"instance-types.create": {
		openstack: ({body: b}) => `openstack flavor create --vcpus ${b.vcpus || 1} --ram ${Math.round((b.memory || 0) / 2 ** 20)} --disk ${Math.round((b.root_disk ?? 0) / 2 ** 30)}${b.ephemeral_disk ? ` --ephemeral ${b.ephemeral_disk / 2 ** 30}` : ""}${b.swap_disk ? ` --swap ${b.swap_disk / 2 ** 20}` : ""}${flag("--id", b.flavor_id)}${flag("--description", b.description)} --${b.is_public === false ? "private" : "public"} ${q(b.name || "NAME")}`,
		curl: ({body}) => curl("POST", "/instance-types", body),
	},
	"instance-types.update": {curl: ({ids, body}) => curl("PATCH", `/instance-types/${ids[0].id}`, body)},
	"instance-types.share": {
		openstack: ({ids, account, gone}) => `openstack flavor ${gone ? "unset" : "set"} --project ${account?.id} ${q(ids[0].flavor_id)}`,
		curl: ({ids, account, gone}) => curl("PATCH", `/instance-types/${ids[0].id}`, {[gone ? "unshare_with" : "share_with"]: account?.id}),
	},
	"instance-types.delete": {
		openstack: ({ids}) => `openstack flavor delete ${ids.map((r) => q(r.flavor_id)).join(" ")}`,
		curl: bulk("instance-types", "delete"),
	},
	"volume-types.create": {
		openstack: ({body: b}) => `openstack volume type create${flag("--description", b.description)} --${b.is_public === false ? "private" : "public"} ${q(b.name || "NAME")}`,
		curl: ({body}) => curl("POST", "/volume-types", body),
	},
	"volume-types.update": {
		openstack: ({ids, body: b}) => (b.is_public === undefined ? `openstack volume type set --name ${q(b.name ?? ids[0].name)}${b.description === undefined ? "" : ` --description ${q(b.description)}`} ${ids[0].id}` : ""),
		curl: ({ids, body}) => curl("PATCH", `/volume-types/${ids[0].id}`, body),
	},
	"volume-types.share": {
		openstack: ({ids, account, gone}) => `openstack volume type ${gone ? "unset" : "set"} --project ${account?.id} ${ids[0].id}`,
		curl: ({ids, account, gone}) => curl("PATCH", `/volume-types/${ids[0].id}`, {[gone ? "unshare_with" : "share_with"]: account?.id}),
	},
	"volume-types.delete": {
		openstack: ({ids}) => `openstack volume type delete ${uuid(ids)}`,
		curl: bulk("volume-types", "delete"),
	},
	"external-networks.add": {
		dari: ({body: b}) => `dari network add-external ${q(b.name || "NAME")}${flag("--physical-network", b.physical_network)}${flag("--next-hop", b.next_hop)} --range ${q(`${b.first ?? ""}-${b.last ?? ""}`)} --gateway-range ${q(`${b.infra_first ?? ""}-${b.infra_last ?? ""}`)}`,
		curl: ({body}) => curl("POST", "/external-networks", body),
	},
	"external-networks.default": {
		openstack: ({ids, on}) => `openstack network set --${on ? "" : "no-"}default ${ids[0].id}`,
		curl: ({ids, on}) => curl("PATCH", `/external-networks/${ids[0].id}`, {is_default: Boolean(on)}),
	},
	"external-networks.delete": {
		openstack: ({ids}) => `openstack network delete ${uuid(ids)}`,
		curl: ({ids}) => each(ids, (n) => curl("DELETE", `/external-networks/${n.id}`)),
	},
	"address-ranges.add": {
		dari: ({ids, first, last}) => `dari network add-range ${q(ids[0].name)} --range ${q(`${first}-${last}`)}`,
		curl: ({ids, first, last}) => curl("POST", "/address-ranges", {external_network: ids[0].id, first, last}),
	},
	"address-ranges.remove": {curl: ({ids}) => each(ids, (r) => curl("DELETE", `/address-ranges/${r.id}`))},
	"clusters.create": {
		dari: ({body: b}) => `dari cluster create ${q(b.name || "NAME")}${clusterFlags(b)}`,
		curl: ({body}) => curl("POST", "/clusters", body),
	},
	"clusters.scale": {dari: ({ids, workers}) => `dari cluster scale ${q(ids[0].name)} --workers ${workers}`, curl: ({ids, workers}) => curl("PATCH", `/clusters/${ids[0].id}`, {workers})},
	"clusters.kubeconfig": {dari: ({ids, hours}) => `dari cluster kubeconfig ${q(ids[0].name)} --hours ${hours}`, curl: ({ids, hours}) => curl("POST", `/clusters/${ids[0].id}/kubeconfig`, {hours})},
	"clusters.delete": {dari: ({ids}) => each(ids, (c) => `dari cluster delete ${q(c.name)}`), curl: ({ids}) => each(ids, (c) => curl("DELETE", `/clusters/${c.id}`))},
	"webhooks.add": {
		dari: ({body: b}) => `dari webhook add ${q(b.name || "NAME")}${flag("--url", b.url)} --secret-file FILE${(b.events ?? []).map((e) => ` --event ${q(e)}`).join("")}${b.takes_payments ? " --payments yes" : ""}`,
		curl: ({body}) => curl("POST", "/webhooks", {...body, secret: "SECRET"}),
	},
	"webhooks.update": {
		dari: ({ids, body: b}) => `dari webhook set ${q(ids[0].name)}${flag("--url", b.url)}${b.secret ? " --secret-file FILE" : ""}${b.events?.length === 0 ? " --event all" : (b.events ?? []).map((e) => ` --event ${q(e)}`).join("")}${b.takes_payments === undefined ? "" : ` --payments ${b.takes_payments ? "yes" : "no"}`}${b.is_off === undefined ? "" : b.is_off ? " --off" : " --on"}`,
		curl: ({ids, body}) => curl("PATCH", `/webhooks/${ids[0].id}`, {...body, ...(body.secret ? {secret: "SECRET"} : {})}),
	},
	"webhooks.test": {dari: ({ids}) => each(ids, (w) => `dari webhook test ${q(w.name)}`), curl: ({ids}) => each(ids, (w) => curl("POST", `/webhooks/${w.id}/test`, {}))},
	"webhooks.retry": {dari: ({ids}) => each(ids, (d) => `dari webhook retry ${d.id}`), curl: ({ids}) => each(ids, (d) => curl("POST", `/webhook-deliveries/${d.id}/retry`, {}))},
	"webhooks.delete": {dari: ({ids}) => each(ids, (w) => `dari webhook remove ${q(w.name)}`), curl: ({ids}) => each(ids, (w) => curl("DELETE", `/webhooks/${w.id}`))},
	"machine-policies.add": {
		dari: ({body: b}) => `dari machine policy add ${q(b.name || "NAME")} --rule ${b.rule || "RULE"}${policyFlags(b)}`,
		curl: ({body}) => curl("POST", "/machine-policies", body),
	},
	"machine-policies.set": {dari: ({ids, body}) => each(ids, (p) => `dari machine policy set ${q(p.name)} --active ${body.is_active ? "yes" : "no"}`), curl: ({ids, body}) => each(ids, (p) => curl("PATCH", `/machine-policies/${p.id}`, body))},
	"machine-policies.dry": {dari: ({ids}) => each(ids, (p) => `dari machine policy set ${q(p.name)} --dry`), curl: ({ids}) => each(ids, (p) => curl("PATCH", `/machine-policies/${p.id}?dry=1`, {}))},
	"machine-policies.delete": {dari: ({ids}) => each(ids, (p) => `dari machine policy remove ${q(p.name)}`), curl: ({ids}) => each(ids, (p) => curl("DELETE", `/machine-policies/${p.id}`))},
	"providers.add": {
		dari: ({body: b}) => `dari provider add ${b.cloud || "CLOUD"} ${q(b.name || "NAME")}${providerFlags(b)} --secret-stdin`,
		curl: ({body}) => curl("POST", "/providers", body),
	},
	"providers.set": {
		dari: ({ids, body: b}) => `dari provider set ${q(ids[0].name)}${providerFlags(b)}${b.secret ? " --secret-stdin" : ""}`,
		curl: ({ids, body}) => curl("PATCH", `/providers/${ids[0].id}`, body),
	},
	"providers.refresh": {
		dari: ({ids, body}) => each(ids, (p) => `dari provider refresh ${q(p.name)}${body?.accepts_loss ? " --accept-loss" : ""}`),
		curl: ({ids, body}) => each(ids, (p) => curl("POST", `/providers/${p.id}/refresh`, body ?? {})),
	},
	"providers.remove": {dari: ({ids}) => each(ids, (p) => `dari provider remove ${q(p.name)}`), curl: ({ids}) => each(ids, (p) => curl("DELETE", `/providers/${p.id}`))},
	"machines.start": remoteAct("start"),
	"machines.stop": remoteAct("stop"),
	"machines.reboot": remoteAct("reboot"),
	"machines.terminate": remoteAct("terminate"),
	"machines.advice": {dari: ({ids}) => `dari remote advice ${q(ids[0].ref)}`, curl: ({ids}) => curl("GET", `/remote-machines/${ids[0].id}/advice`)},
	"machines.resize": {dari: ({ids, body}) => `dari remote resize ${q(ids[0].ref)}${flag("--type", body?.type || "TYPE")}`, curl: ({ids, body}) => curl("POST", `/remote-machines/${ids[0].id}/resize`, body ?? {})},
	"machines.tag": {dari: ({ids, body}) => `dari remote tag ${q(ids[0].ref)}${Object.entries(body?.tags ?? {}).map(([key, value]) => ` --tag ${q(`${key}=${value}`)}`).join("")}`, curl: ({ids, body}) => curl("POST", `/remote-machines/${ids[0].id}/tag`, body ?? {})},
	"schedules.put": {
		cmk: ({volume, body: b}) => `cmk create snapshotpolicy volumeid=${volume?.id} intervaltype=${b.interval.toUpperCase()} schedule=${b.schedule} timezone=${q(b.timezone)} maxsnaps=${b.kept}`,
		curl: ({body}) => curl("POST", "/snapshot-policies", body),
	},
	"schedules.enable": {cmk: ({ids}) => each(ids, (p) => `cmk update snapshotpolicy id=${p.id} fordisplay=true`), curl: ({ids}) => each(ids, (p) => curl("PATCH", `/snapshot-policies/${p.id}`, {is_active: true}))},
	"schedules.disable": {cmk: ({ids}) => each(ids, (p) => `cmk update snapshotpolicy id=${p.id} fordisplay=false`), curl: ({ids}) => each(ids, (p) => curl("PATCH", `/snapshot-policies/${p.id}`, {is_active: false}))},
	"schedules.delete": {cmk: ({ids}) => `cmk delete snapshotpolicies ids=${ids.map((p) => p.id).join()}`, curl: bulk("snapshot-policies", "delete")},
	"backup-plans.put": {curl: ({plan, body}) => (plan ? curl("PATCH", `/backup-plans/${plan.id}`, body) : curl("POST", "/backup-plans", body))},
	"backup-plans.enable": {dari: ({ids}) => each(ids, (p) => `dari backup plan set ${p.id} --active yes`), curl: ({ids}) => each(ids, (p) => curl("PATCH", `/backup-plans/${p.id}`, {is_active: true}))},
	"backup-plans.disable": {dari: ({ids}) => each(ids, (p) => `dari backup plan set ${p.id} --active no`), curl: ({ids}) => each(ids, (p) => curl("PATCH", `/backup-plans/${p.id}`, {is_active: false}))},
	"backup-plans.run": {dari: ({ids}) => each(ids, (p) => `dari backup plan run ${p.id}`), curl: bulk("backup-plans", "run")},
	"backup-plans.delete": {dari: ({ids}) => each(ids, (p) => `dari backup plan remove ${p.id}`), curl: bulk("backup-plans", "delete")},
	"machine-backups.restore": {dari: ({ids, body: b}) => `dari backup machine restore ${ids[0].id}${b.in_place ? " --in-place" : ""}${flag("--name", b.name)}`, curl: ({ids, body}) => curl("POST", `/machine-backups/${ids[0].id}/restore`, body)},
	"machine-backups.check": {dari: ({ids}) => each(ids, (m) => `dari backup machine check ${m.id}`), curl: ({ids}) => each(ids, (m) => curl("POST", `/machine-backups/${m.id}/check`, {}))},
	"machine-backups.hold": {dari: ({ids}) => each(ids, (m) => `dari backup machine hold ${m.id}`), curl: ({ids}) => each(ids, (m) => curl("PATCH", `/machine-backups/${m.id}`, {is_held: true}))},
	"machine-backups.release": {dari: ({ids}) => each(ids, (m) => `dari backup machine release ${m.id}`), curl: ({ids}) => each(ids, (m) => curl("PATCH", `/machine-backups/${m.id}`, {is_held: false}))},
	"machine-backups.delete": {dari: ({ids}) => each(ids, (m) => `dari backup machine remove ${m.id}`), curl: bulk("machine-backups", "delete")},
	"addresses.allocate": {
		aws: () => "aws ec2 allocate-address",
		openstack: () => "openstack floating ip create internet",
		curl: () => curl("POST", "/addresses", {}),
	},
	"addresses.associate": {
		aws: ({ids, instance, moves}) => `aws ec2 associate-address --allocation-id ${ids[0].ec2} --instance-id ${instance?.ec2}${moves ? " --allow-reassociation" : ""}`,
		openstack: ({ids, instance}) => `openstack server add floating ip ${instance?.id} ${ids[0].ip}`,
		curl: ({ids, instance, moves}) => curl("POST", `/addresses/${ids[0].id}/associate`, {instance: instance?.id, ...(moves ? {allow_reassociation: true} : {})}),
	},
	"addresses.release": {
		aws: ({ids}) => each(ids, (r) => `aws ec2 release-address --allocation-id ${r.ec2}`),
		openstack: ({ids}) => `openstack floating ip delete ${uuid(ids)}`,
		curl: ({ids}) => each(ids, (r) => curl("DELETE", `/addresses/${r.id}`)),
	},
	"key-pairs.import": {
		aws: ({name}) => `aws ec2 import-key-pair --key-name ${q(name)} --public-key-material fileb://id.pub`,
		openstack: ({name}) => `openstack keypair create --public-key id.pub ${q(name)}`,
		curl: ({name}) => curl("POST", "/key-pairs/import", {name, public_key: "@"}).replace('"@"', `"'"$(cat id.pub)"'"`),
	},
	"key-pairs.delete": {
		aws: ({ids}) => each(ids, (r) => `aws ec2 delete-key-pair --key-name ${q(r.name)}`),
		openstack: ({ids}) => each(ids, (r) => `openstack keypair delete ${q(r.name)}`),
		curl: ({ids}) => each(ids, (r) => curl("DELETE", `/key-pairs/${r.id}`)),
	},
	"security-groups.create": {
		aws: (a) => `aws ec2 create-security-group --group-name ${q(a.name)} --description ${q(a.description || a.name)}${flag("--vpc-id", a.router?.ec2)}`,
		curl: (a) => curl("POST", "/security-groups", a.body),
	},
	"security-groups.delete": {
		aws: ({ids}) => each(ids, (r) => `aws ec2 delete-security-group --group-id ${r.ec2}`),
		openstack: ({ids}) => `openstack security group delete ${uuid(ids)}`,
		curl: ({ids}) => each(ids, (r) => curl("DELETE", `/security-groups/${r.id}`)),
	},
	"rules.add": {
		aws: peerFlags,
		openstack: (a) => `openstack security group rule create --${a.direction}${isV6(a.block) ? " --ethertype IPv6" : ""} --protocol ${q(a.protocol)}${a.ports ? ` --dst-port ${q(a.ports.replace("-", ":"))}` : ""}${a.peer ? ` --remote-group ${a.peer.id}` : flag("--remote-ip", a.block)} ${a.group?.id}`,
		curl: (a) => curl("POST", `/security-group-rules/${a.direction}`, a.body),
	},
	"rules.remove": {
		aws: ({ids, group}) => each(ids, (r) => `aws ec2 revoke-security-group-${r.direction} --group-id ${group?.ec2} --security-group-rule-ids ${r.ec2}`),
		openstack: ({ids}) => `openstack security group rule delete ${uuid(ids)}`,
		curl: ({ids}) => each(ids, (r) => curl("DELETE", `/security-group-rules/${r.id}/${r.direction}`)),
	},
	"images.deregister": {
		aws: ({ids}) => each(ids, (r) => `aws ec2 deregister-image --image-id ${r.ec2}`),
		openstack: ({ids}) => `openstack image delete ${uuid(ids)}`,
		cmk: ({ids}) => each(ids, (r) => `cmk delete template id=${r.id}`),
		curl: ({ids}) => each(ids, (r) => curl("DELETE", `/images/${r.id}`)),
	},
	"images.import": {curl: ({url, file: _, ...a}) => curl("POST", "/images/import", {...a, url})},
	"images.upload": {
		openstack: ({file, name, format}) => `openstack image create --file ${q(file)} --disk-format ${format} --container-format bare ${q(name || "image")}`,
		curl: ({url: _, file, ...a}) => [`image=$(${curl("POST", "/images/import", a)} | jq -r '.items[0].id')`,
			`curl -T ${q(file)} "$DARI_URL/api/v1/images/$image/data" -H "X-Auth-Token: $DARI_TOKEN" -H 'Content-Type: application/octet-stream'`].join("\n"),
	},
	"images.copy": {
		aws: ({ids, name}) => `aws ec2 copy-image --source-region ${session.region} --source-image-id ${ids[0].ec2} --name ${q(name)}`,
		curl: ({ids, name}) => curl("POST", `/images/${ids[0].id}/copy`, {name}),
	},
	"images.describe": {
		aws: ({ids, text}) => `aws ec2 modify-image-attribute --image-id ${ids[0].ec2} --description ${q(JSON.stringify({Value: text}))}`,
		openstack: ({ids, text}) => `openstack image set --property ${q(`description=${text}`)} ${ids[0].id}`,
		curl: ({ids, text}) => curl("PATCH", `/images/${ids[0].id}`, {description: text}),
	},
	"images.share": {
		openstack: ({ids, to, gone}) => [...(to ? [`openstack image add project ${ids[0].id} ${q(to)}`] : []), ...gone.map((id) => `openstack image remove project ${ids[0].id} ${id}`)].join("\n"),
		curl: ({ids, to, gone, isPublic, wasPublic}) => curl("PATCH", `/images/${ids[0].id}`, {...(isPublic === wasPublic ? {} : {is_public: isPublic}), ...(to ? {share_with: [to]} : {}), ...(gone.length ? {unshare_with: gone} : {})}),
	},
	"snapshots.restore": {
		aws: ({ids, gib, zone}) => `aws ec2 create-volume --snapshot-id ${ids[0].ec2} --size ${gib} --availability-zone ${q(zone?.name)}`,
		openstack: ({ids, gib, zone}) => `openstack volume create --snapshot ${ids[0].id} --size ${gib} --availability-zone ${q(zone?.name)} volume`,
		curl: ({ids, gib, zone}) => curl("POST", "/volumes", {snapshot: ids[0].id, size: gib * 2 ** 30, zone: zone?.id}),
	},
	"volumes.revert": {
		cmk: ({snapshot}) => `cmk revert snapshot id=${snapshot.id}`,
		curl: ({ids, snapshot}) => curl("POST", `/volumes/${ids[0].id}/revert`, {snapshot: snapshot.id}),
	},
	"networks.reach": {
		dari: (a) => `dari reach ${q(a.from)} ${q(a.to)} --protocol ${q(a.protocol)}${a.protocol === "icmp" ? "" : ` --port ${q(a.port)}`}`,
		curl: (a) => curl("GET", `/reach?${new URLSearchParams({from: a.from, to: a.to, protocol: a.protocol, ...(a.protocol === "icmp" ? {} : {port: a.port})})}`),
	},
	"networks.create": {
		aws: (a) => [`vpc=$(aws ec2 create-vpc --cidr-block ${q(a.block)}${nameTag("vpc", a.name)} --query Vpc.VpcId --output text)`,
			...(a.subnets ?? []).map((s) => `aws ec2 create-subnet --vpc-id "$vpc" --availability-zone ${q(s.zone.name)} --cidr-block ${q(s.block)}`)].join("\n"),
		curl: (a) => [`vpc=$(${curl("POST", "/routers", a.body)} | jq -r '.items[0].id')`,
			...(a.subnets ?? []).map((s) => curl("POST", "/subnets", {router: "@", zone: s.zone.id, block: s.block}).replace('"@"', `"'"$vpc"'"`))].join("\n"),
	},
	// ---- parts of networks ----
	"networks.update": {
		aws: ({ids: [r], hasNames, name}) => [hasNames === undefined ? "" : `aws ec2 modify-vpc-attribute --vpc-id ${r.ec2} --${hasNames ? "" : "no-"}enable-dns-hostnames`, renamed(r, name)].filter(Boolean).join("\n"),
		curl: ({ids: [r], hasNames, name}) => [hasNames === undefined ? "" : curl("PATCH", `/routers/${r.id}`, {dns_hostnames: hasNames}), name === undefined ? "" : curl("POST", "/tags", {ids: [r.ec2], tags: {Name: name}})].filter(Boolean).join("\n"),
	},
	"networks.delete": {aws: awsSteps(dropVpc), curl: curlSteps(dropVpc)},
	"subnets.create": {
		aws: (a) => {
			const line = `aws ec2 create-subnet --vpc-id ${a.router.ec2}${flag("--availability-zone", a.zone?.name)} --cidr-block ${q(a.block)}${nameTag("subnet", a.name)}`;
			return a.isPublic ? `subnet=$(${line} --query Subnet.SubnetId --output text)\naws ec2 modify-subnet-attribute --subnet-id "$subnet" --map-public-ip-on-launch` : line;
		},
		curl: (a) => curl("POST", "/subnets", a.body),
	},
	"subnets.update": {
		aws: ({ids: [s], isPublic, name}) => [isPublic === undefined ? "" : `aws ec2 modify-subnet-attribute --subnet-id ${s.ec2} --${isPublic ? "" : "no-"}map-public-ip-on-launch`, renamed(s, name)].filter(Boolean).join("\n"),
		curl: ({ids: [s], isPublic, name}) => [isPublic === undefined ? "" : curl("PATCH", `/subnets/${s.id}`, {public_on_launch: isPublic}), name === undefined ? "" : curl("POST", "/tags", {ids: [s.ec2], tags: {Name: name}})].filter(Boolean).join("\n"),
	},
	"subnets.delete": {
		aws: ({ids}) => each(ids, (s) => `aws ec2 delete-subnet --subnet-id ${s.ec2}`),
		openstack: ({ids}) => `openstack subnet delete ${uuid(ids)}`,
		curl: ({ids}) => each(ids, (s) => curl("DELETE", `/subnets/${s.id}`)),
	},
	"subnets.mend": {aws: awsSteps(mend), curl: curlSteps(mend)},
	"routes.add": {aws: awsSteps(addRoute), curl: (a) => curl("POST", "/routes", a.body)},
	"routes.remove": {
		aws: ({ids, table}) => each(ids, (r) => `aws ec2 delete-route --route-table-id ${table.ec2} ${isV6(r.destination) ? "--destination-ipv6-cidr-block" : "--destination-cidr-block"} ${r.destination}`),
		curl: ({ids}) => each(ids, (r) => curl("DELETE", `/routes/${r.id}`)),
	},
	"route-tables.create": {aws: ({router, name}) => `aws ec2 create-route-table --vpc-id ${router.ec2}${nameTag("route-table", name)}`, curl: ({body}) => curl("POST", "/route-tables", body)},
	"route-tables.delete": {aws: ({ids}) => each(ids, (r) => `aws ec2 delete-route-table --route-table-id ${r.ec2}`), curl: ({ids}) => each(ids, (r) => curl("DELETE", `/route-tables/${r.id}`))},
	"route-tables.associate": {aws: awsSteps(useTable), curl: curlSteps(useTable)},
	"route-tables.replace": {aws: awsSteps(useTable), curl: curlSteps(useTable)},
	"route-tables.disassociate": {aws: awsSteps(({subnet}) => useTable({subnet})), curl: curlSteps(({subnet}) => useTable({subnet}))},
	"gateways.create": {aws: awsSteps(openGateway), curl: curlSteps(openGateway)},
	"gateways.delete": {aws: awsSteps(closeGateway), curl: curlSteps(closeGateway)},
	"nat-gateways.create": {aws: awsSteps(makeNat), curl: curlSteps(makeNat)},
	"nat-gateways.delete": {aws: ({ids}) => each(ids, (n) => `aws ec2 delete-nat-gateway --nat-gateway-id ${n.ec2}`), curl: ({ids}) => each(ids, (n) => curl("DELETE", `/nat-gateways/${n.id}`))},
	"peerings.create": {aws: ({router, peer, owner}) => `aws ec2 create-vpc-peering-connection --vpc-id ${router.ec2} --peer-vpc-id ${q(peer.ec2)}${flag("--peer-owner-id", owner)}`, curl: ({body}) => curl("POST", "/peerings", body)},
	"peerings.accept": {aws: ({ids}) => each(ids, (p) => `aws ec2 accept-vpc-peering-connection --vpc-peering-connection-id ${p.ec2}`), curl: ({ids}) => each(ids, (p) => curl("POST", `/peerings/${p.id}/accept`))},
	"peerings.reject": {aws: ({ids}) => each(ids, (p) => `aws ec2 reject-vpc-peering-connection --vpc-peering-connection-id ${p.ec2}`), curl: ({ids}) => each(ids, (p) => curl("POST", `/peerings/${p.id}/reject`))},
	"peerings.delete": {aws: ({ids}) => each(ids, (p) => `aws ec2 delete-vpc-peering-connection --vpc-peering-connection-id ${p.ec2}`), curl: ({ids}) => each(ids, (p) => curl("DELETE", `/peerings/${p.id}`))},
	"network-acls.create": {aws: ({router, name}) => `aws ec2 create-network-acl --vpc-id ${router.ec2}${nameTag("network-acl", name)}`, curl: ({body}) => curl("POST", "/network-acls", body)},
	"network-acls.delete": {
		aws: ({ids}) => each(ids, (a) => `aws ec2 delete-network-acl --network-acl-id ${a.ec2}`),
		cmk: ({ids}) => each(ids, (a) => `cmk delete networkacllist id=${a.id}`),
		curl: ({ids}) => each(ids, (a) => curl("DELETE", `/network-acls/${a.id}`)),
	},
	"network-acls.associate": {
		aws: ({subnet, acl}) => `aws ec2 replace-network-acl-association --association-id ${subnet.acl_association ? association("aclassoc", subnet.acl_association) : ""} --network-acl-id ${acl.ec2}`,
		curl: ({subnet, acl}) => curl("POST", `/network-acls/${acl.id}/associate`, {subnet: subnet.id}),
	},
	"acl-entries.add": {
		aws: (a) => `aws ec2 create-network-acl-entry ${entry(a)} --protocol ${a.protocol === "any" ? "-1" : a.protocol}${a.from === undefined ? "" : ` --port-range From=${a.from},To=${a.to}`}${a.protocol === "icmp" ? " --icmp-type-code Type=-1,Code=-1" : ""} --rule-action ${a.allows ? "allow" : "deny"} ${isV6(a.block) ? "--ipv6-cidr-block" : "--cidr-block"} ${q(a.block)}`,
		cmk: (a) => `cmk create networkacl aclid=${a.acl.id} number=${a.number} action=${a.allows ? "allow" : "deny"} protocol=${a.protocol === "any" ? "all" : a.protocol}${a.from === undefined ? "" : ` startport=${a.from} endport=${a.to}`} cidrlist=${q(a.block)} traffictype=${a.egress ? "egress" : "ingress"}`,
		curl: ({body}) => curl("POST", "/network-acl-entries", body),
	},
	"acl-entries.remove": {
		aws: ({ids, acl}) => each(ids, (e) => `aws ec2 delete-network-acl-entry ${entry({...e, acl})}`),
		cmk: ({ids}) => each(ids, (e) => `cmk delete networkacl id=${e.id}`),
		curl: ({ids}) => each(ids, (e) => curl("DELETE", `/network-acl-entries/${e.id}`)),
	},
	// ---- interfaces, addresses and parts of groups ----
	"ports.create": {
		aws: ({subnet, description}) => `aws ec2 create-network-interface --subnet-id ${subnet.ec2}${flag("--description", description)}`,
		curl: ({body}) => curl("POST", "/ports", body),
	},
	"ports.attach": {
		aws: ({ids, instance, index}) => `aws ec2 attach-network-interface --network-interface-id ${ids[0].ec2} --instance-id ${instance?.ec2} --device-index ${index}`,
		openstack: ({ids, instance}) => `openstack server add port ${instance?.id} ${ids[0].id}`,
		curl: ({ids, instance, index}) => curl("POST", `/ports/${ids[0].id}/attach`, {instance: instance?.id, device_index: index}),
	},
	"ports.detach": {
		aws: ({ids}) => each(ids, (p) => `aws ec2 detach-network-interface --attachment-id ${p.attachment ? association("eni-attach", p.attachment) : ""}`),
		curl: ({ids}) => each(ids, (p) => curl("POST", `/ports/${p.id}/detach`, {})),
	},
	"ports.groups": {
		aws: ({ids, groups = []}) => `aws ec2 modify-network-interface-attribute --network-interface-id ${ids[0].ec2} --groups ${ec2(groups)}`,
		openstack: ({ids, groups = []}) => `openstack port set --no-security-group${groups.map((g) => ` --security-group ${g.id}`).join("")} ${ids[0].id}`,
		curl: ({ids, groups = []}) => curl("PATCH", `/ports/${ids[0].id}`, {groups: groups.map((g) => g.id)}),
	},
	"ports.delete": {
		aws: ({ids}) => each(ids, (p) => `aws ec2 delete-network-interface --network-interface-id ${p.ec2}`),
		openstack: ({ids}) => `openstack port delete ${uuid(ids)}`,
		curl: ({ids}) => each(ids, (p) => curl("DELETE", `/ports/${p.id}`)),
	},
	"addresses.lead": {
		aws: ({ids, port, moves}) => `aws ec2 associate-address --allocation-id ${ids[0].ec2} --network-interface-id ${port?.ec2}${moves ? " --allow-reassociation" : ""}`,
		openstack: ({ids, port}) => `openstack floating ip set --port ${port?.id} ${ids[0].id}`,
		curl: ({ids, port, moves}) => curl("POST", `/addresses/${ids[0].id}/associate`, {port: port?.id, ...(moves ? {allow_reassociation: true} : {})}),
	},
	"addresses.disassociate": {
		aws: ({ids}) => each(ids, (a) => (a.association ? `aws ec2 disassociate-address --association-id ${association("eipassoc", a.association)}` : "")),
		openstack: ({ids}) => each(ids, (a) => `openstack floating ip unset --port ${a.id}`),
		curl: bulk("addresses", "disassociate"),
	},
	"security-groups.update": {
		openstack: ({ids: [g], name = g.name, description = g.description}) => `openstack security group set --name ${q(name)} --description ${q(description ?? "")} ${g.id}`,
		curl: ({ids: [g], name = g.name, description = g.description}) => curl("PATCH", `/security-groups/${g.id}`, {name, description: description ?? ""}),
	},
	"sign-ins.add": {aws: ({url}) => `aws iam create-open-id-connect-provider --url ${q(url)} --thumbprint-list '[]'`, curl: ({url}) => curl("POST", "/oidc-providers", {url})},
	"sign-ins.add-saml": {aws: ({name}) => `aws iam create-saml-provider --name ${q(name)} --saml-metadata-document file://metadata.xml`},
	"sign-ins.set": {curl: ({provider, body}) => curl("PUT", `/${provider.kind ?? "oidc-providers"}/${provider.id}/sign-in`, body)},
	"sign-ins.end": {curl: ({provider}) => curl("DELETE", `/${provider.kind ?? "oidc-providers"}/${provider.id}/sign-in`)},
	"domains.passwords": {dari: ({ids, passwords}) => each(ids, (d) => `dari sign-in passwords ${passwords} --domain ${q(d.name)}`), curl: ({ids, passwords}) => each(ids, (d) => curl("PATCH", `/domains/${d.id}`, {passwords}))},
	explain: {aws: ({ids}) => `aws ec2 describe-instances --instance-ids ${ids[0].ec2 ?? ids[0].id}`, openstack: ({ids}) => `openstack server show ${ids[0].id}`, cmk: ({ids}) => `cmk list virtualmachines id=${ids[0].id}`,
		dari: ({ids}) => `dari explain ${ids[0].ec2 ?? ids[0].id}`, curl: ({ids}) => curl("GET", `/explain/${ids[0].ec2 ?? ids[0].id}`)},
	"hosts.add": {dari: ({name, address, zone, uri}) => `dari host add ${q(name || "root@ADDRESS")}${flag("--uri", uri)}${flag("--zone", zone)}${flag("--address", address)}`,
		curl: ({name, address, zone, uri}) => (!name || name.includes("@") ? "" : curl("POST", "/hosts", {name, ...(zone ? {zone} : {}), ...(address ? {address} : {}), ...(uri ? {uri} : {})}))},
	"hosts.maintenance": {dari: ({ids}) => each(ids, (r) => `dari host drain ${q(r.name)}`)},
	"hosts.enable": {openstack: ({ids}) => each(ids, (r) => `openstack compute service set --enable ${q(r.name)} nova-compute`), curl: ({ids}) => each(ids, (r) => curl("PATCH", `/hosts/${r.id}`, {enabled: true}))},
	"hosts.disable": {openstack: ({ids}) => each(ids, (r) => `openstack compute service set --disable ${q(r.name)} nova-compute`), curl: ({ids}) => each(ids, (r) => curl("PATCH", `/hosts/${r.id}`, {enabled: false}))},
	"users.create": {aws: ({name}) => `aws iam create-user --user-name ${q(name)}`, curl: ({name}) => curl("POST", "/users", {name})},
	"users.delete": {aws: ({ids}) => each(ids, (u) => `aws iam delete-user --user-name ${q(u.name)}`), curl: bulk("users", "delete")},
	"users.link": {curl: ({ids, provider, subject}) => curl("PUT", `/users/${ids[0].id}/${provider?.protocol ?? "oidc"}-subject`, {[`${provider?.protocol ?? "oidc"}_provider`]: provider?.id, subject: subject ?? ""})},
	"users.key": {aws: ({ids}) => each(ids, (u) => `aws iam create-access-key --user-name ${q(u.name)}`), curl: ({ids}) => each(ids, (u) => curl("POST", "/access-keys", {user: u.id}))},
	"users.password": {aws: ({ids}) => each(ids, (u) => `aws iam create-login-profile --user-name ${q(u.name)} --password PASSWORD --password-reset-required`), curl: ({ids}) => each(ids, (u) => curl("POST", `/users/${u.id}/password`, {password: "PASSWORD", is_first: true}))},
	"users.key-off": {aws: ({ids, user}) => each(ids, (k) => `aws iam update-access-key --user-name ${q(user?.name)} --access-key-id ${k.key_id} --status Inactive`), curl: ({ids}) => each(ids, (k) => curl("POST", `/access-keys/${k.id}/enable`, {enabled: false}))},
	"users.key-on": {aws: ({ids, user}) => each(ids, (k) => `aws iam update-access-key --user-name ${q(user?.name)} --access-key-id ${k.key_id} --status Active`), curl: ({ids}) => each(ids, (k) => curl("POST", `/access-keys/${k.id}/enable`, {enabled: true}))},
	"users.key-delete": {aws: ({ids, user}) => each(ids, (k) => `aws iam delete-access-key --user-name ${q(user?.name)} --access-key-id ${k.key_id}`), curl: ({ids}) => each(ids, (k) => curl("DELETE", `/access-keys/${k.id}`))},
	"groups.create": {aws: ({name}) => `aws iam create-group --group-name ${q(name)}`, curl: ({name}) => curl("POST", "/user-groups", {name})},
	"groups.delete": {aws: ({ids}) => each(ids, (g) => `aws iam delete-group --group-name ${q(g.name)}`), curl: bulk("user-groups", "delete")},
	"groups.add": {aws: ({ids, user}) => `aws iam add-user-to-group --group-name ${q(ids[0].name)} --user-name ${q(user?.name)}`, curl: ({ids, user}) => curl("POST", `/user-groups/${ids[0].id}/add`, {user: user?.id})},
	"groups.remove": {aws: ({ids, user}) => `aws iam remove-user-from-group --group-name ${q(ids[0].name)} --user-name ${q(user?.name)}`, curl: ({ids, user}) => curl("POST", `/user-groups/${ids[0].id}/remove`, {user: user?.id})},
	"policies.create": {aws: ({name}) => `aws iam create-policy --policy-name ${q(name)} --policy-document file://policy.json`, curl: ({name}) => curl("POST", "/policies", {name, document: "@"}).replace('"@"', `'"$(jq -Rs . policy.json)"'`)},
	"policies.version": {
		aws: ({ids}) => `aws iam create-policy-version --policy-arn ${arnOf(ids[0])} --policy-document file://policy.json --set-as-default`,
		curl: ({ids}) => curl("POST", `/policies/${ids[0].id}/versions`, {document: "@", is_default: true}).replace('"@"', `'"$(jq -Rs . policy.json)"'`),
	},
	"policies.default": {aws: ({ids, number}) => `aws iam set-default-policy-version --policy-arn ${arnOf(ids[0])} --version-id v${number}`, curl: ({ids, number}) => curl("POST", `/policies/${ids[0].id}/default`, {number})},
	"policies.delete": {aws: ({ids}) => each(ids, (p) => `aws iam delete-policy --policy-arn ${arnOf(p)}`), curl: ({ids}) => each(ids, (p) => curl("DELETE", `/policies/${p.id}`))},
	"policies.attach-user": {aws: ({ids, policy}) => `aws iam attach-user-policy --user-name ${q(ids[0].name)} --policy-arn ${arnOf(policy)}`, curl: ({ids, policy}) => curl("POST", `/users/${ids[0].id}/attach-policy`, {policy: policy?.id})},
	"policies.detach-user": {aws: ({ids, policy}) => `aws iam detach-user-policy --user-name ${q(ids[0].name)} --policy-arn ${arnOf(policy)}`, curl: ({ids, policy}) => curl("POST", `/users/${ids[0].id}/detach-policy`, {policy: policy?.id})},
	"policies.attach-user-group": {aws: ({ids, policy}) => `aws iam attach-group-policy --group-name ${q(ids[0].name)} --policy-arn ${arnOf(policy)}`, curl: ({ids, policy}) => curl("POST", `/user-groups/${ids[0].id}/attach-policy`, {policy: policy?.id})},
	"policies.detach-user-group": {aws: ({ids, policy}) => `aws iam detach-group-policy --group-name ${q(ids[0].name)} --policy-arn ${arnOf(policy)}`, curl: ({ids, policy}) => curl("POST", `/user-groups/${ids[0].id}/detach-policy`, {policy: policy?.id})},
	"policies.attach-iam-role": {aws: ({ids, policy}) => `aws iam attach-role-policy --role-name ${q(ids[0].name)} --policy-arn ${arnOf(policy)}`, curl: ({ids, policy}) => curl("POST", `/iam-roles/${ids[0].id}/attach-policy`, {policy: policy?.id})},
	"policies.detach-iam-role": {aws: ({ids, policy}) => `aws iam detach-role-policy --role-name ${q(ids[0].name)} --policy-arn ${arnOf(policy)}`, curl: ({ids, policy}) => curl("POST", `/iam-roles/${ids[0].id}/detach-policy`, {policy: policy?.id})},
	"roles.create": {aws: ({name}) => `aws iam create-role --role-name ${q(name)} --assume-role-policy-document file://trust.json`, curl: ({name}) => curl("POST", "/iam-roles", {name, trust: "@"}).replace('"@"', `'"$(jq -Rs . trust.json)"'`)},
	"roles.trust": {aws: ({ids}) => `aws iam update-assume-role-policy --role-name ${q(ids[0].name)} --policy-document file://trust.json`, curl: ({ids}) => curl("POST", `/iam-roles/${ids[0].id}/trust`, {trust: "@"}).replace('"@"', `'"$(jq -Rs . trust.json)"'`)},
	"roles.delete": {aws: ({ids}) => each(ids, (r) => `aws iam delete-role --role-name ${q(r.name)}`), curl: ({ids}) => each(ids, (r) => curl("DELETE", `/iam-roles/${r.id}`))},
	"rights.simulate": {
		aws: ({arn, actions, resource}) => (arn ? `aws iam simulate-principal-policy --policy-source-arn ${q(arn)} --action-names ${actions.map(q).join(" ")}${resource ? ` --resource-arns ${q(resource)}` : ""}` : ""),
		curl: ({query, isOfOne}) => curl("GET", `/${isOfOne ? "simulate" : "who-may"}?${query}`),
	},
	"audits.run": {dari: () => "dari audit", curl: () => curl("POST", "/audits", {})},
	"leftovers.adopt": {
		dari: ({ids, account}) => each(ids, (f) => `dari adopt ${f.subject}${flag("--account", account?.name)}`),
		curl: ({ids, account}) => each(ids, (f) => curl("POST", `/audit-findings/${f.id}/adopt`, account ? {account: account.id} : {})),
	},
	"leftovers.purge": {dari: ({ids}) => each(ids, (f) => `dari purge ${f.subject}`), curl: ({ids}) => each(ids, (f) => curl("POST", `/audit-findings/${f.id}/purge`, {}))},
	"accounts.create": {openstack: ({name, domain}) => `openstack project create --domain ${domain?.id} ${q(name)}`, curl: ({name, domain}) => curl("POST", "/accounts", {name, domain: domain?.id})},
	"accounts.enable": {openstack: ({ids}) => each(ids, (a) => `openstack project set --enable ${a.id}`), curl: ({ids}) => each(ids, (a) => curl("PATCH", `/accounts/${a.id}`, {enabled: true}))},
	"accounts.disable": {openstack: ({ids}) => each(ids, (a) => `openstack project set --disable ${a.id}`), curl: ({ids}) => each(ids, (a) => curl("PATCH", `/accounts/${a.id}`, {enabled: false}))},
	"domains.create": {openstack: ({name}) => `openstack domain create ${q(name)}`, curl: ({name}) => curl("POST", "/domains", {name})},
	"domains.enable": {openstack: ({ids}) => each(ids, (d) => `openstack domain set --enable ${d.id}`), curl: ({ids}) => each(ids, (d) => curl("PATCH", `/domains/${d.id}`, {enabled: true}))},
	"domains.disable": {openstack: ({ids}) => each(ids, (d) => `openstack domain set --disable ${d.id}`), curl: ({ids}) => each(ids, (d) => curl("PATCH", `/domains/${d.id}`, {enabled: false}))},
	"prices.load": {dari: () => "dari prices load prices.yaml", curl: () => curl("POST", "/price-lists", {yaml: "@"}).replace('"@"', `'"$(jq -Rs . prices.yaml)"'`)},
	"instances.try": {curl: ({body}) => curl("POST", "/instances?dry=1", body)},
	"hosts.plan": {
		dari: ({ids, kind, from_us: from, reason}) => each(ids, (r) => `dari host maintenance ${q(r.name)} --from ${from ? new Date(from / 1000).toISOString().replace(/\.\d+Z/, "Z") : "now"} --kind ${kind}${flag("--reason", reason)}`),
		curl: ({ids, kind, from_us: from, reason}) => each(ids, (r) => curl("POST", `/hosts/${r.id}/maintenance`, {kind, begins_us: from, ...(reason ? {reason} : {})})),
	},
	"region.check": {dari: () => "dari doctor", curl: () => curl("POST", "/commands", {command: "doctor", args: {}})},
	"hosts.set-fence": {
		dari: ({host, addresses, after, isAgentShown}) => (isAgentShown ? `dari host set-fence ${q(host.name)} --command /usr/sbin/fence_ipmilan --option ipaddr=ADDRESS --secret-file FILE`
			: `dari host set-fence ${q(host.name)}${addresses.length ? `${flag("--blocklist", addresses.join(","))}${after < 0 ? " --by-hand" : after ? ` --after-s ${after}` : ""}` : " --none"}`),
		curl: ({host, addresses, after}) => (addresses.length ? curl("PUT", `/hosts/${host.id}/fence-device`, {addresses, ...(after ? {after_s: after} : {})}) : curl("DELETE", `/hosts/${host.id}/fence-device`)),
	},
	"hosts.fence": {dari: ({ids}) => each(ids, (r) => `dari host fence ${q(r.name)}`), curl: ({ids}) => each(ids, (r) => curl("POST", `/hosts/${r.id}/fence`, {}))},
	"hosts.fenced": {dari: ({ids}) => each(ids, (r) => `dari host fenced ${q(r.name)} --i-have-seen-it-off`), curl: ({ids}) => each(ids, (r) => curl("POST", `/hosts/${r.id}/vouch`, {i_have_seen_it_off: true}))},
	"hosts.remove": {dari: ({ids}) => each(ids, (r) => `dari host remove ${q(r.name)}`), curl: ({ids}) => each(ids, (r) => curl("DELETE", `/hosts/${r.id}`))},
	"hosts.down": {openstack: ({ids}) => each(ids, (r) => `openstack --os-compute-api-version 2.11 compute service set --down ${q(r.name)} nova-compute`), curl: ({ids}) => each(ids, (r) => curl("PATCH", `/hosts/${r.id}`, {forced_down: true}))},
	"hosts.answers": {openstack: ({ids}) => each(ids, (r) => `openstack --os-compute-api-version 2.11 compute service set --up ${q(r.name)} nova-compute`), curl: ({ids}) => each(ids, (r) => curl("PATCH", `/hosts/${r.id}`, {forced_down: false}))},
	"tickets.open": {
		aws: (a) => (a.about === "quota" ? "" : `aws support create-case --subject ${q(a.subject)} --communication-body ${q(named(a))} --severity-code ${a.severity}${a.about === "technical" ? "" : ` --issue-type customer-service${a.about === "billing" ? " --service-code billing --category-code other" : ""}`}`),
		dari: (a) => `dari ticket open --account ${q(session.account?.name)} --subject ${q(a.subject)} --body ${q(a.body)} --severity ${a.severity} --about ${a.about}${(a.resources ?? []).map((id) => ` --resource ${q(id)}`).join("")}`,
		curl: (a) => curl("POST", "/tickets", a.request),
	},
	"tickets.say": {
		aws: ({ids, body, isPrivate}) => (isPrivate || !isOwn(ids[0]) ? "" : `aws support add-communication-to-case --case-id ${caseId(ids[0])} --communication-body ${q(body)}`),
		dari: ({ids, body, isPrivate}) => `dari ticket say ${ids[0].ec2} --body ${q(body)}${isPrivate ? " --private" : ""}`,
		curl: ({ids, body, isPrivate}) => curl("POST", `/tickets/${ids[0].id}/say`, {body, ...(isPrivate ? {is_private: true} : {})}),
	},
	"tickets.resolve": {
		aws: ({ids}) => (isOwn(ids[0]) ? `aws support resolve-case --case-id ${caseId(ids[0])}` : ""),
		dari: ({ids}) => `dari ticket close ${ids[0].ec2}`,
		curl: ({ids}) => curl("POST", `/tickets/${ids[0].id}/resolve`),
	},
	"tickets.reopen": {
		dari: ({ids}) => `dari ticket reopen ${ids[0].ec2}`,
		curl: ({ids}) => curl("POST", `/tickets/${ids[0].id}/reopen`),
	},
	"tickets.close": {
		dari: ({ids}) => `dari ticket close ${ids[0].ec2} --for-good`,
		curl: ({ids}) => curl("POST", `/tickets/${ids[0].id}/close`),
	},
	"tickets.cancel": {
		dari: ({ids}) => `dari ticket close ${ids[0].ec2} --cancel`,
		curl: ({ids}) => curl("POST", `/tickets/${ids[0].id}/cancel`),
	},
	"tickets.rate": {
		dari: ({ids, severity}) => `dari ticket rate ${ids[0].ec2} --severity ${severity}`,
		curl: ({ids, severity}) => curl("PATCH", `/tickets/${ids[0].id}`, {severity}),
	},
	"tickets.work": {
		dari: ({ids, state}) => `dari ticket work ${ids[0].ec2} --state ${state}`,
		curl: ({ids, state}) => curl("POST", `/tickets/${ids[0].id}/work`, {state}),
	},
	"tickets.list": {aws: () => "aws support describe-cases --include-resolved-cases", dari: () => `dari ticket list${session.rights?.includes("admin") ? "" : ` --account ${q(session.account?.name)}`} --all`, curl: () => curl("GET", "/tickets")},
	"backup-plans.list": {dari: () => "dari backup plan list", curl: () => curl("GET", "/backup-plans")},
	"machine-backups.list": {dari: () => "dari backup machine list", curl: () => curl("GET", "/machine-backups")},
	"schedules.list": {cmk: () => "cmk list snapshotpolicies", curl: () => curl("GET", "/snapshot-policies")},
	"instance-types.list": {aws: () => "aws ec2 describe-instance-types", openstack: () => "openstack flavor list --all", cmk: () => "cmk list serviceofferings", curl: () => curl("GET", "/instance-types")},
	"volume-types.list": {openstack: () => "openstack volume type list", cmk: () => "cmk list diskofferings", curl: () => curl("GET", "/volume-types")},
	"external-networks.list": {openstack: () => "openstack network list --external", dari: () => "dari network list", curl: () => curl("GET", "/external-networks")},
	"machines.list": {dari: () => "dari remote list", curl: () => curl("GET", "/remote-machines")},
	"remote-resources.list": {dari: () => "dari remote resources", curl: () => curl("GET", "/remote-resources")},
	"machine-policies.list": {dari: () => "dari machine policy list", curl: () => curl("GET", "/machine-policies")},
	"providers.list": {dari: () => "dari provider list", curl: () => curl("GET", "/providers")},
	"webhooks.list": {dari: () => "dari webhook list", curl: () => curl("GET", "/webhooks")},
	"tasks.list": {openstack: () => "openstack --os-compute-api-version 2.80 server migration list", curl: () => curl("GET", "/migrations?all=1")},
	"audit-log.list": {dari: (a) => `dari log audit${["account", "user", "action", "outcome"].map((k) => (a?.[k] && a[k] !== "failed" ? ` --${k} ${q(a[k])}` : "")).join("")}`, curl: (a) => curl("GET", `/audit-log${a?.query ? `?${a.query}` : ""}`)},
	"costs.list": {
		aws: ({month, group, isAll}) => (isAll || !costGroup(group) ? "" : `aws ce get-cost-and-usage --time-period ${periodOf(month)} --granularity DAILY --metrics UnblendedCost --group-by ${costGroup(group)}`),
		dari: ({month, isAll}) => `dari bill month ${month}${isAll ? "" : ` --account ${session.account?.number}`}`,
		curl: ({month, group, isAll}) => curl("GET", `/costs?month=${month}&group=${encodeURIComponent(group)}${isAll ? "&all=1" : ""}`),
	},
};

// Tools with modules of their own: action → command.
for (const [tool, typed] of Object.entries({ansible: ANSIBLE, terraform: TERRAFORM}))
	for (const [verb, template] of Object.entries(typed))
		(COMMANDS[verb] ??= {})[tool] = template;

export function commandText(verb, tool, args) {
	return COMMANDS[verb]?.[tool]?.(args) ?? "";
}
