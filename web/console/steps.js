// SPDX-License-Identifier: Apache-2.0
// Actions with several requests, as ordered steps. A click runs them, and commands are generated from them. A step may refer to the result of an
// earlier one: "$gateway". {path, body, method: default POST, as: name of the result, pick: where aws shows its id, aws: its command}

/** True for an IPv6 block. */
export const isV6 = (block) => Boolean(block?.includes(":"));

const ec2 = (row) => (typeof row === "string" ? `"${row}"` : row.ec2);
const id = (row) => (typeof row === "string" ? row : row.id);
const gone = (kind, row, aws) => ({method: "DELETE", path: `/${kind}/${row.id}`, aws});

/** Opens a VPC to the internet, by an existing gateway or a new one. */
export function openGateway({router, gateway}) {
	const one = gateway ?? "$gateway";
	return [...(gateway ? [] : [{as: "gateway", path: "/gateways", body: {}, pick: "InternetGateway.InternetGatewayId", aws: "create-internet-gateway"}]),
		{path: `/gateways/${id(one)}/attach`, body: {router: router.id}, aws: `attach-internet-gateway --internet-gateway-id ${ec2(one)} --vpc-id ${router.ec2}`}];
}

export function closeGateway({router, gateway}) {
	return [{path: `/gateways/${gateway.id}/detach`, body: {router: router.id}, aws: `detach-internet-gateway --internet-gateway-id ${gateway.ec2} --vpc-id ${router.ec2}`},
		gone("gateways", gateway, `delete-internet-gateway --internet-gateway-id ${gateway.ec2}`)];
}

/** Creates a NAT gateway with an existing address, or a new one. */
export function makeNat({subnet, address}) {
	const one = address ?? "$address";
	return [...(address ? [] : [{as: "address", path: "/addresses", body: {}, pick: "AllocationId", aws: "allocate-address"}]),
		{as: "nat", path: "/nat-gateways", body: {subnet: subnet.id, address: id(one)}, pick: "NatGateway.NatGatewayId", aws: `create-nat-gateway --subnet-id ${subnet.ec2} --allocation-id ${ec2(one)}`}];
}

/** Targets of a route: our field, and aws's option. */
export const TARGETS = {gateway: "--gateway-id", nat_gateway: "--nat-gateway-id", egress_gateway: "--egress-only-internet-gateway-id", peering: "--vpc-peering-connection-id",
	instance: "--instance-id", port: "--network-interface-id"};

export function addRoute({table, destination, field, target}) {
	return {path: "/routes", body: {table: id(table), destination, [field]: id(target)},
		aws: `create-route --route-table-id ${ec2(table)} ${isV6(destination) ? "--destination-ipv6-cidr-block" : "--destination-cidr-block"} ${destination} ${TARGETS[field]} ${ec2(target)}`};
}

/** EC2's id of an association. */
export const association = (prefix, uuid) => `${prefix}-${uuid.replaceAll("-", "").slice(0, 17)}`;

/** Associates the subnet with this table, replacing its present one; none: the main table. */
export function useTable({subnet, table}) {
	const said = subnet.route_association ? `--association-id ${association("rtbassoc", subnet.route_association)}` : "";
	if (!table)
		return {path: `/route-tables/${subnet.route_table}/disassociate`, body: {subnet: subnet.id}, aws: `disassociate-route-table ${said}`};
	if (!subnet.route_table)
		return {path: `/route-tables/${id(table)}/associate`, body: {subnet: subnet.id}, aws: `associate-route-table --route-table-id ${ec2(table)} --subnet-id ${subnet.ec2}`};
	return {path: `/route-tables/${id(table)}/replace`, body: {subnet: subnet.id}, aws: `replace-route-table-association ${said} --route-table-id ${ec2(table)}`};
}

/** Gives a subnet a way outside. way: internet, nat or new-nat. isAlone: in a separate route table, which keeps the routes of the previous one:
 * [{destination, field, target}]. */
export function mend({subnet, router, table, way, gateway, attached, nat, publicSubnet, address, isAlone, routes}) {
	const steps = way === "internet" && !attached ? openGateway({router, gateway}) : way === "new-nat" ? makeNat({subnet: publicSubnet, address}) : [];
	const [field, target] = way === "internet" ? ["gateway", attached ?? gateway ?? "$gateway"] : ["nat_gateway", way === "nat" ? nat : "$nat"];
	const one = isAlone ? "$table" : table;
	if (isAlone)
		steps.push({as: "table", path: "/route-tables", body: {router: router.id}, pick: "RouteTable.RouteTableId", aws: `create-route-table --vpc-id ${router.ec2}`},
			...(routes ?? []).map((r) => addRoute({table: one, ...r})));
	steps.push(addRoute({table: one, destination: "0.0.0.0/0", field, target}));
	if (isAlone)
		steps.push(useTable({subnet, table: one}));
	return steps;
}

/** Deletes a VPC with everything that prevents its deletion and can be deleted. */
export function dropVpc({router, subnets, gateways, egress, tables, acls, rules, groups, peerings}) {
	const each = (rows, f) => (rows ?? []).map(f);
	return [...each(peerings, (p) => gone("peerings", p, `delete-vpc-peering-connection --vpc-peering-connection-id ${p.ec2}`)),
		...each(subnets, (s) => gone("subnets", s, `delete-subnet --subnet-id ${s.ec2}`)),
		...each(gateways, (gateway) => closeGateway({router, gateway})).flat(),
		...each(egress, (g) => gone("egress-gateways", g, `delete-egress-only-internet-gateway --egress-only-internet-gateway-id ${g.ec2}`)),
		...each(tables, (x) => gone("route-tables", x, `delete-route-table --route-table-id ${x.ec2}`)),
		...each(acls, (a) => gone("network-acls", a, `delete-network-acl --network-acl-id ${a.ec2}`)),
		...each(rules, ({rule, group}) => ({method: "DELETE", path: `/security-group-rules/${rule.id}/${rule.direction}`, aws: `revoke-security-group-${rule.direction} --group-id ${group.ec2} --security-group-rule-ids ${rule.ec2}`})),
		...each(groups, (g) => gone("security-groups", g, `delete-security-group --group-id ${g.ec2}`)),
		gone("routers", router, `delete-vpc --vpc-id ${router.ec2}`)];
}

// ---- as commands ----

export function awsOf(steps) {
	return steps.map((s) => (s.as && steps.some((other) => other.aws.includes(`"$${s.as}"`)) ? `${s.as}=$(aws ec2 ${s.aws} --query ${s.pick} --output text)` : `aws ec2 ${s.aws}`)).join("\n");
}

/** send(method, path, body) formats one request as a line. Single quotes are interrupted for a variable. */
export function curlOf(steps, send) {
	return steps.map((s) => {
		const line = send(s.method ?? "POST", s.path, s.body).replace(/"(\$(?:gateway|address|nat|table))"/g, `"'"$1"'"`);
		const isUsed = s.as && steps.some((other) => other !== s && (JSON.stringify(other.body ?? "") + other.path).includes(`$${s.as}`));
		return isUsed ? `${s.as}=$(${line} | jq -r '.items[0].id')` : line;
	}).join("\n");
}
