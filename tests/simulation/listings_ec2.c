/* SPDX-License-Identifier: Apache-2.0
 * Compares the accounts' view through EC2 with the model. */
#include <stdio.h>

#include "simulation.h"

static bool is_block(struct str text, struct cidr block)
{
	char shown[CIDR_TEXT_SIZE];
	return str_is(text, cidr_write(block, shown));
}

/* ---- per kind ---- */

static bool has_names(const struct look *l, const struct thing *vpc)
{
	char form[120];
	snprintf(form, sizeof form, "Action=DescribeVpcAttribute&VpcId=%s&Attribute=enableDnsHostnames",
		 vpc->id);
	struct str body = request_get_answer(l->s, l->account, form);
	return str_is(answer_at(body, "enableDnsHostnames/value"), "true");
}

static bool is_ipv4(const struct thing *subnet)
{
	return subnet->block.base.family == IP_V4;
}

/* A VPC without blocks shows the block of one of its subnets. */
static bool is_vpc_block(const struct look *l, const struct thing *vpc, struct str text)
{
	bool has_subnet = false;
	if (vpc->block.bits)
		return is_block(text, vpc->block);
	EACH (&l->s->model, subnet, KIND_SUBNET) {
		if (subnet->of == vpc && is_block(text, subnet->block))
			return true;
		has_subnet = has_subnet || (subnet->of == vpc && is_ipv4(subnet));
	}
	return !has_subnet && str_is_empty(text);
}

static const char *differ_vpc(const struct look *l, struct thing *t, struct str item)
{
	if (!is_vpc_block(l, t, answer_at(item, "cidrBlock")))
		return "its block";
	if (t->id[0] && has_names(l, t) != t->has_names)
		return "whether its instances have names";
	if (!str_is(answer_at(item, "instanceTenancy"), t->is_alone ? "dedicated" : "default"))
		return "its tenancy";
	if (t->told ? !model_is_id(answer_at(item, "dhcpOptionsId"), t->told)
		    : !str_is(answer_at(item, "dhcpOptionsId"), "default"))
		return "its DHCP options set";
	return str_is(answer_at(item, "isDefault"), t->is_default ? "true" : "false") ? NULL : "isDefault";
}

/* An IPv6-only subnet shows no address count. */
static const char *differ_native(const struct thing *t, struct str item)
{
	if (!str_is(answer_at(item, "ipv6Native"), "true") || answer_at(item, "cidrBlock").n)
		return "that it has IPv6 alone";
	if (!is_block(answer_at(item, "ipv6CidrBlockAssociationSet/item/ipv6CidrBlock"), t->block))
		return "its block";
	return str_is(answer_at(item, "availableIpAddressCount"), "0") ? NULL
								       : "the number of free addresses";
}

static const char *differ_subnet(const struct look *l, struct thing *t, struct str item)
{
	int64_t used = 0, slack = 0, available = -1;
	if (!model_is_id(answer_at(item, "vpcId"), t->of))
		return "its VPC";
	if (!is_ipv4(t))
		return differ_native(t, item);
	if (!is_block(answer_at(item, "cidrBlock"), t->block))
		return "its block";
	if (!str_is(answer_at(item, "mapPublicIpOnLaunch"), t->is_public ? "true" : "false"))
		return "whether its instances get public addresses";
	EACH (&l->s->model, port, KIND_PORT)
		if (model_subnet(port) == t)
			(model_may_have_ended(port) ? slack++ : used++);
	EACH (&l->s->model, ip, KIND_SECONDARY_IP)
		if (model_subnet(ip->of) == t)
			(ip->life == ENDING || model_may_have_ended(ip->of) ? slack++ : used++);
	IGNORE(str_parse_int(answer_at(item, "availableIpAddressCount"), &available)); /* 1 is always wrong */
	int64_t most = (int64_t) cidr_count(t->block) - (t->is_neutrons ? 3 : 5) - used;
	return available <= most + slack && available >= most - slack ? NULL : "the number of free addresses";
}

static const char *differ_gateway(const struct look *l, struct thing *t, struct str item)
{
	(void) l;
	return model_is_id(answer_at(item, "attachmentSet/item/vpcId"), t->to) ? NULL : "its VPC";
}

static const char *differ_egress(const struct look *l, struct thing *t, struct str item)
{
	(void) l;
	return model_is_id(answer_at(item, "attachmentSet/item/vpcId"), t->of) ? NULL : "its VPC";
}

static bool is_peering_state(const struct look *l, const struct thing *t, struct str code)
{
	if (t->life != LIVE && t->has_failed)
		return str_is(code, "failed") || str_is(code, "rejected");
	if (t->life != LIVE)
		return str_is(code, "deleted") || (!l->is_settled && str_is(code, "deleting"));
	if (!t->is_accepted)
		return str_is(code, "pending-acceptance");
	return str_is(code, "active") || (!l->is_settled && str_is(code, "provisioning"));
}

static const char *differ_peering(const struct look *l, struct thing *t, struct str item)
{
	if (!model_is_id(answer_at(item, "requesterVpcInfo/vpcId"), t->to))
		return "the VPC that asked for it";
	if (!model_is_id(answer_at(item, "accepterVpcInfo/vpcId"), t->peer))
		return "the VPC that it was asked for";
	return is_peering_state(l, t, answer_at(item, "status/code")) ? NULL : "its state";
}

static const char *differ_associations(const struct look *l, struct thing *t, struct str set)
{
	struct str item;
	size_t shown = 0, known = t->is_default;
	EACH (&l->s->model, subnet, KIND_SUBNET)
		known += subnet->to == t;
	while (answer_next_item(&set, &item)) {
		struct str id = answer_at(item, "routeTableAssociationId"),
			   subnet_id = answer_at(item, "subnetId");
		struct thing *at = t;
		if (!str_is_empty(subnet_id))
			EACH (&l->s->model, subnet, KIND_SUBNET)
				if (model_is_id(subnet_id, subnet) && subnet->to == t)
					at = subnet;
		if ((at == t) != str_is_empty(subnet_id) || (at == t && !t->is_default))
			return "an association";
		if (at->association[0] && !str_is(id, at->association))
			return "an association's id";
		snprintf(at->association, sizeof at->association, "%" STR_FMT, STR_ARG(id));
		shown++;
	}
	return shown == known ? NULL : "the number of associations";
}

static const char *differ_routes(const struct look *l, struct thing *t, struct str set)
{
	struct str item;
	size_t shown = 0, known = (t->of->block.bits > 0) + t->of->more_count +
				  t->of->six_count; /* one local route for each block */
	EACH (&l->s->model, subnet, KIND_SUBNET)
		known += !t->of->block.bits && subnet->of == t->of && is_ipv4(subnet);
	EACH (&l->s->model, route, KIND_ROUTE)
		known += route->of == t;
	while (answer_next_item(&set, &item)) {
		struct cidr block;
		shown++;
		if (str_is(answer_at(item, "gatewayId"), "local"))
			continue;
		struct str destination = answer_at(item, "destinationCidrBlock");
		if (!destination.n)
			destination = answer_at(item, "destinationIpv6CidrBlock");
		if (!result_is_ok(cidr_parse(destination, &block)))
			return "a destination";
		const struct thing *route = model_route(&l->s->model, t, block);
		if (!route)
			return "a route";
		const char *target = route->to->kind == KIND_NAT_GATEWAY      ? "natGatewayId"
				     : route->to->kind == KIND_PORT           ? "networkInterfaceId"
				     : route->to->kind == KIND_EGRESS_GATEWAY ? "egressOnlyInternetGatewayId"
									      : "gatewayId";
		if (route->to->id[0] && !model_is_id(answer_at(item, target), route->to))
			return "a route's target";
	}
	return shown == known ? NULL : "the number of routes";
}

/* The last entry of each direction is not in the model. */
static const char *differ_entries(const struct look *l, struct thing *t, struct str set)
{
	struct str item;
	size_t shown = 0, known = 2;
	EACH (&l->s->model, entry, KIND_NETWORK_ACL_ENTRY)
		known += entry->of == t;
	while (answer_next_item(&set, &item)) {
		int64_t number = 0;
		char text[CIDR_TEXT_SIZE];
		shown++;
		IGNORE(str_parse_int(answer_at(item, "ruleNumber"), &number)); /* 0 is always wrong */
		if (number == 32767)
			continue;
		const struct thing *entry =
			model_acl_entry(&l->s->model, t, str_is(answer_at(item, "egress"), "true"), number);
		if (!entry)
			return "an entry";
		bool is_ipv6 = entry->block.base.family == IP_V6;
		if (!str_is(answer_at(item, "ruleAction"), entry->name) ||
		    !str_is(answer_at(item, is_ipv6 ? "ipv6CidrBlock" : "cidrBlock"),
			    cidr_write(entry->block, text)))
			return "what an entry says";
	}
	return shown == known ? NULL : "the number of entries";
}

static bool has_acl(const struct model *m, const struct thing *subnet, const struct thing *acl)
{
	return (is_ipv4(subnet) || model_is_ipv6_alone(m, subnet)) &&
	       (subnet->acl ? subnet->acl == acl : acl->is_default && subnet->of == acl->of);
}

static const char *differ_acl(const struct look *l, struct thing *t, struct str item)
{
	struct str set = answer_at(item, "associationSet"), one;
	size_t shown = 0, known = 0;
	if (!model_is_id(answer_at(item, "vpcId"), t->of))
		return "its VPC";
	if (str_is(answer_at(item, "default"), "true") != t->is_default)
		return "whether it is the default one";
	const char *words = differ_entries(l, t, answer_at(item, "entrySet"));
	if (words)
		return words;
	EACH (&l->s->model, subnet, KIND_SUBNET)
		known += has_acl(&l->s->model, subnet, t);
	while (answer_next_item(&set, &one)) {
		struct str id = answer_at(one, "networkAclAssociationId");
		EACH (&l->s->model, subnet, KIND_SUBNET) {
			if (!model_is_id(answer_at(one, "subnetId"), subnet) ||
			    !has_acl(&l->s->model, subnet, t))
				continue;
			if (subnet->acl_association[0] && !str_is(id, subnet->acl_association))
				return "an association's id";
			snprintf(subnet->acl_association, sizeof subnet->acl_association, "%" STR_FMT,
				 STR_ARG(id));
			shown++;
		}
	}
	return shown == known ? NULL : "its subnets";
}

static const char *differ_table(const struct look *l, struct thing *t, struct str item)
{
	if (!model_is_id(answer_at(item, "vpcId"), t->of))
		return "its VPC";
	const char *words = differ_routes(l, t, answer_at(item, "routeSet"));
	return words ? words : differ_associations(l, t, answer_at(item, "associationSet"));
}

static const char *differ_group(const struct look *l, struct thing *t, struct str item)
{
	(void) l;
	if (!model_is_id(answer_at(item, "vpcId"), t->of))
		return "its VPC";
	return str_is(answer_at(item, "groupName"), t->name) ? NULL : "its name";
}

static const char *differ_rule(const struct look *l, struct thing *t, struct str item)
{
	int64_t port = 0;
	(void) l;
	IGNORE(str_parse_int(answer_at(item, "fromPort"), &port)); /* 0 is never a port of the model */
	if (!model_is_id(answer_at(item, "groupId"), t->of))
		return "its group";
	if (port != t->port || !str_is(answer_at(item, "isEgress"), t->egress ? "true" : "false"))
		return "its port or direction";
	if (!model_is_id(answer_at(item, "referencedGroupInfo/groupId"), t->to))
		return "the group it refers to";
	const char *block = t->block.base.family == IP_V6 ? "cidrIpv6" : "cidrIpv4";
	return t->to || is_block(answer_at(item, block), t->block) ? NULL : "its block";
}

static const char *differ_live_instance(const struct look *l, struct thing *t, struct str state)
{
	bool is_on = str_is(state, "running") || (str_is(state, "pending") && !l->is_settled);
	bool is_off = str_is(state, "stopped") || (str_is(state, "stopping") && !l->is_settled);
	bool has_ended = str_is(state, "terminated") || (str_is(state, "shutting-down") && !l->is_settled);
	if (has_ended && t->is_restless && t->ends_itself) {
		server_end(l->s, t);
		return NULL;
	}
	if (t->wanted_on && is_off && model_may_be_off(t))
		t->wanted_on = false;
	if (!(t->wanted_on ? is_on : is_off))
		return "its state";
	t->seen_stopped = str_is(state, "stopped");
	t->is_restless = t->is_restless && !l->is_settled;
	t->is_drained = t->is_drained && !l->is_settled;
	return NULL;
}

/* A shown state must be true on the hosts, because nobody here starts or creates a domain by hand. Exception:
 * a machine found off and just being restarted when a stop arrives is stopped at once, and then again. */
static bool is_true(const struct look *l, const struct thing *t, struct str state)
{
	struct region *r = &l->s->region;
	struct cloud_guest guest = cloud_guest(r->cloud, region_find(r, KIND_INSTANCE, t->id));
	return !(guest.exists && str_is(state, "terminated")) &&
	       !(l->is_settled && guest.is_on && str_is(state, "stopped"));
}

static const char *differ_instance(const struct look *l, struct thing *t, struct str item)
{
	struct str state = answer_at(item, "instanceState/name");
	if (!is_true(l, t, state))
		return "its state, for its domain is still there or on";
	if (t->life == ENDING)
		return str_is(state, "terminated") || (!l->is_settled && str_is(state, "shutting-down"))
			       ? NULL
			       : "its state, for it is ending";
	const char *words = differ_live_instance(l, t, state);
	if (words || t->life == ENDING)
		return words;
	if (!t->has_lost_port && !model_is_id(answer_at(item, "subnetId"), t->of))
		return "its subnet";
	if (!str_is(answer_at(item, "instanceType"), t->is_other_size ? "t3a.micro" : "t3.micro"))
		return "its type";
	if (t->group && !t->has_lost_port && !model_is_id(answer_at(item, "groupSet/item/groupId"), t->group))
		return "its group";
	if (!model_is_id(answer_at(item, "placement/groupId"), t->near))
		return "its placement group";
	if (t->is_alone != str_is(answer_at(item, "placement/tenancy"), "dedicated"))
		return "its tenancy";
	return str_equal(answer_at(item, "keyName"), str_from(t->name)) ? NULL : "its key";
}

static const char *differ_dedicated_host(const struct look *l, struct thing *t, struct str item)
{
	(void) l;
	(void) t;
	return str_is(answer_at(item, "hostProperties/instanceFamily"), "t3") ? NULL : "what it takes";
}

/* A part may have left an instance that is ending; others are attached, detached, or possibly in
 * transition. */
static bool is_attached(const struct look *l, struct thing *t, struct str instance)
{
	if (t->of && t->of->kind == KIND_NAT_GATEWAY)
		return str_is_empty(instance);
	if (t->of)
		return model_is_id(instance, t->of) || (t->life == ENDING && str_is_empty(instance));
	if (t->to && model_may_have_ended(t->to) && str_is_empty(instance))
		t->to = NULL;
	if (l->is_settled || str_is_empty(instance))
		t->left = NULL;
	if (t->to && t->to->life != LIVE && l->is_settled)
		return false;
	return model_is_id(instance, t->to) || (t->left && model_is_id(instance, t->left)) ||
	       t->life == ENDING;
}

/* Learns an unknown size. */
static bool is_size(struct thing *t, struct str text)
{
	int64_t gibibytes = 0;
	IGNORE(str_parse_int(text, &gibibytes)); /* 0 is never a size of the model */
	if (!t->gibibytes && t->id[0])
		t->gibibytes = gibibytes;
	return gibibytes == t->gibibytes || !t->gibibytes;
}

static bool is_encryption(struct thing *t, struct str text)
{
	enum encryption shown = str_is(text, "true") ? ENCRYPTED : PLAIN;
	if (!t->encryption && t->id[0])
		t->encryption = shown;
	return shown == t->encryption || !t->encryption;
}

static const char *differ_volume(const struct look *l, struct thing *t, struct str item)
{
	struct str device = answer_at(item, "attachmentSet/item/device"), status = answer_at(item, "status");
	t->is_complete = t->is_complete || str_is(status, "available") || str_is(status, "in-use");
	if (t->life == LIVE && !is_size(t, answer_at(item, "size")))
		return "its size";
	if (!is_encryption(t, answer_at(item, "encrypted")))
		return "its encryption";
	if (t->life == LIVE && !str_is_empty(device) && !t->left &&
	    !str_is(device, model_device(t)[0] ? model_device(t) : "/dev/xvda"))
		return "its device";
	return is_attached(l, t, answer_at(item, "attachmentSet/item/instanceId")) ? NULL : "its instance";
}

/* May identify the address for the first time. */
static struct thing *find_ip(const struct look *l, const struct thing *port, struct cidr block)
{
	struct thing *unknown = NULL;
	EACH (&l->s->model, t, KIND_SECONDARY_IP) {
		if (t->of == port && t->life == LIVE && cidr_equal(t->block, block))
			return t;
		if (t->of == port && !t->block.bits)
			unknown = t;
	}
	return unknown;
}

static const char *differ_ips(const struct look *l, struct thing *port, struct str set)
{
	struct str item;
	/* A network that has lost its IPv4 subnets gives IPv6 addresses alone. */
	size_t shown = 0, known = model_subnet(port)->block.base.family == IP_V4;
	EACH (&l->s->model, t, KIND_SECONDARY_IP)
		known += t->of == port && t->life == LIVE;
	for (; answer_next_item(&set, &item); shown++) {
		struct cidr block = {.bits = 32};
		if (str_is(answer_at(item, "primary"), "true"))
			continue;
		if (!result_is_ok(ip_parse(answer_at(item, "privateIpAddress"), &block.base)))
			return "an address";
		struct thing *ip = find_ip(l, port, block);
		if (!ip)
			return "a secondary address";
		ip->block = block;
	}
	return shown == known ? NULL : "the number of its addresses";
}

static bool has_ipv6s(const struct look *l, const struct thing *port, struct str set)
{
	struct str item;
	size_t shown = 0, known = port->six_in != NULL;
	EACH (&l->s->model, subnet, KIND_SUBNET)
		known += model_has_own_ipv6(port, subnet);
	while (answer_next_item(&set, &item))
		shown++;
	return shown == known;
}

static const char nat_words[] = "Interface for NAT Gateway ";

static const char *differ_port(const struct look *l, struct thing *t, struct str item)
{
	struct str nat = str_slice(answer_at(item, "description"), sizeof nat_words - 1, SIZE_MAX);
	if (!model_is_id(answer_at(item, "subnetId"), model_subnet(t)))
		return "its subnet";
	if (!model_is_id(nat, t->of && t->of->kind == KIND_NAT_GATEWAY ? t->of : NULL))
		return "its NAT gateway";
	if (!t->of && !t->is_anyones && !model_is_id(answer_at(item, "groupSet/item/groupId"), t->group))
		return "its group";
	const char *words = differ_ips(l, t, answer_at(item, "privateIpAddressesSet"));
	if (!words && !has_ipv6s(l, t, answer_at(item, "ipv6AddressesSet")))
		words = "the number of its IPv6 addresses";
	if (t->id[0] && t->life == LIVE && words)
		return words;
	return is_attached(l, t, answer_at(item, "attachment/instanceId")) ? NULL : "its instance";
}

static const char *differ_nat(const struct look *l, struct thing *t, struct str item)
{
	struct str state = answer_at(item, "state");
	if (!model_is_id(answer_at(item, "subnetId"), t->of))
		return "its subnet";
	if (t->has_failed)
		return str_is(state, "failed") ? NULL : "its state, for it has failed";
	if (t->life == ENDING)
		return str_is(state, "deleted") || (!l->is_settled && str_is(state, "deleting"))
			       ? NULL
			       : "its state";
	if (!model_is_id(answer_at(item, "natGatewayAddressSet/item/allocationId"), t->to))
		return "its address";
	return str_is(state, "available") || (!l->is_settled && str_is(state, "pending")) ? NULL
											  : "its state";
}

/* The instance of an interface is shown; the interface may be attaching or detaching. */
static bool is_holder(const struct thing *port, struct str instance)
{
	if (port->of)
		return model_is_id(instance, port->of->kind == KIND_INSTANCE ? port->of : NULL);
	return model_is_id(instance, port->to) || (port->left && model_is_id(instance, port->left)) ||
	       ((port->to || port->left) && str_is_empty(instance));
}

/* The name is in zone file form, with a trailing dot. */
static bool has_reverse_name(const struct look *l, const struct thing *t)
{
	char form[120], name[80];
	if (!t->id[0])
		return true;
	snprintf(form, sizeof form,
		 "Action=DescribeAddressesAttribute&Attribute=domain-name&AllocationId.1=%s", t->id);
	snprintf(name, sizeof name, "%s%s", t->name, t->name[0] ? "." : "");
	return str_is(answer_at(request_get_answer(l->s, l->account, form), "addressSet/item/ptrRecord"),
		      name);
}

static const char *differ_address(const struct look *l, struct thing *t, struct str item)
{
	struct str port = answer_at(item, "networkInterfaceId"), id = answer_at(item, "associationId");
	struct cidr ip = {.bits = 32};
	if (!has_reverse_name(l, t))
		return "its reverse name";
	if (t->to && t->ip && t->ip->of != t->to) /* the address came with its instance, or is free */
		t->to = str_is_empty(port) ? NULL : t->ip->of;
	if (t->to && model_may_have_ended(t->to) && str_is_empty(port))
		t->to = NULL;
	if (!t->to)
		return str_is_empty(port) ? NULL : "that it is in use";
	if (t->to->life != LIVE && l->is_settled)
		return "its interface, which has ended";
	if (!model_is_id(port, t->to))
		return "its interface";
	if (!is_holder(t->to, answer_at(item, "instanceId")))
		return "its instance";
	if (t->ip && (!result_is_ok(ip_parse(answer_at(item, "privateIpAddress"), &ip.base)) ||
		      !cidr_equal(ip, t->ip->block)))
		return "the address that it stands for";
	if (!t->association[0])
		snprintf(t->association, sizeof t->association, "%" STR_FMT, STR_ARG(id));
	return str_is(id, t->association) ? NULL : "its association";
}

/* Once shown as complete, a thing must stay so. */
static bool is_state(const struct look *l, struct thing *t, struct str state, const char *complete)
{
	bool is_pending = str_is(state, "pending") && !l->is_settled && !t->is_complete;
	t->is_complete = t->is_complete || (t->id[0] && str_is(state, complete));
	return is_pending || str_is(state, complete);
}

static const char *differ_snapshot(const struct look *l, struct thing *t, struct str item)
{
	struct str volume = answer_at(item, "volumeId");
	if (t->to ? t->to->id[0] && !model_is_id(volume, t->to) : !str_is(volume, "vol-ffffffff"))
		return "its volume";
	if (!is_state(l, t, answer_at(item, "status"), "completed"))
		return "its state";
	if (!is_encryption(t, answer_at(item, "encrypted")))
		return "its encryption";
	return !t->is_complete || is_size(t, answer_at(item, "volumeSize")) ? NULL : "its size";
}

static struct thing *find_device(const struct look *l, const struct thing *image, struct str name)
{
	EACH (&l->s->model, t, KIND_IMAGE_DEVICE)
		if (t->of == image && str_is(name, t->name[0] ? t->name : "/dev/xvda"))
			return t;
	return NULL;
}

/* Learns which snapshots belong to the image. */
static const char *differ_devices(const struct look *l, struct thing *image, struct str set)
{
	struct str item;
	size_t shown = 0, known = 0;
	EACH (&l->s->model, t, KIND_IMAGE_DEVICE)
		known += t->of == image;
	for (; answer_next_item(&set, &item); shown++) {
		struct thing *device = find_device(l, image, answer_at(item, "deviceName"));
		struct str id = answer_at(item, "ebs/snapshotId");
		if (!device)
			return "a device";
		if (!device->to->id[0])
			model_name(device->to, id);
		if (!model_is_id(id, device->to))
			return "a device's snapshot";
		if (!is_size(device, answer_at(item, "ebs/volumeSize")))
			return "a device's size";
	}
	return shown == known ? NULL : "the number of its devices";
}

static const char *differ_image(const struct look *l, struct thing *t, struct str item)
{
	if (!str_is(answer_at(item, "name"), t->name))
		return "its name";
	const char *state = t->is_disabled ? "disabled" : "available";
	if (t->is_empty ? !str_is(answer_at(item, "imageState"), "pending")
			: !is_state(l, t, answer_at(item, "imageState"), state))
		return "its state";
	if (!str_equal(answer_at(item, "description"), str_from(t->description)))
		return "its description";
	char deprecated[CLOCK_TEXT_SIZE] = "";
	if (t->deprecated_us)
		clock_write_ms(t->deprecated_us, deprecated);
	if (!str_is(answer_at(item, "deprecationTime"), deprecated))
		return "when it is deprecated";
	return differ_devices(l, t, answer_at(item, "blockDeviceMapping"));
}

static const char *differ_key(const struct look *l, struct thing *t, struct str item)
{
	(void) l;
	return str_is(answer_at(item, "keyName"), t->name) ? NULL : "its name";
}

static const char *differ_placement_group(const struct look *l, struct thing *t, struct str item)
{
	(void) l;
	return str_is(answer_at(item, "groupName"), t->name) ? NULL : "its name";
}

static const char *differ_template(const struct look *l, struct thing *t, struct str item)
{
	(void) l;
	return str_is(answer_at(item, "launchTemplateName"), t->name) ? NULL : "its name";
}

/* A terminated instance stays visible for a while. */
static bool has_ended(const struct look *l, struct str item)
{
	(void) l;
	struct str state = answer_at(item, "state");
	return str_is(state, "delete-complete") || str_is(state, "released");
}

static const char *differ_prefix_list(const struct look *l, struct thing *t, struct str item)
{
	(void) l;
	return str_is(answer_at(item, "prefixListName"), t->name) ? NULL : "its name";
}

static const char *differ_dhcp_options(const struct look *l, struct thing *t, struct str item)
{
	(void) l;
	struct str value = answer_at(item, "dhcpConfigurationSet/item/valueSet/item/value");
	return str_is(value, t->name) ? NULL : "what it says";
}

static bool is_port_in_vpc(const struct model *m, const struct thing *t)
{
	(void) m;
	return model_subnet(t)->of != NULL;
}

/* An IPv6 subnet is shown as part of the IPv4 subnet beside it, if there is one. */
static bool is_subnet_in_vpc(const struct model *m, const struct thing *t)
{
	return t->of && (is_ipv4(t) || model_is_ipv6_alone(m, t));
}

static bool is_shown_rule(const struct model *m, const struct thing *t)
{
	(void) m;
	return !t->is_ipv6;
}

static bool is_open_group(const struct look *l, struct str item)
{
	(void) l;
	return str_is(answer_at(item, "groupName"), "behind-firewall");
}

static bool is_rule_of_open_group(const struct look *l, struct str item)
{
	return model_is_strange_group(&l->s->model, answer_at(item, "groupId"));
}

static const struct listing rows[] = {
	{KIND_ROUTER, "Action=DescribeVpcs", "vpcSet", "vpcId", NULL, "InvalidVpcID.NotFound", differ_vpc},
	{KIND_SUBNET, "Action=DescribeSubnets", "subnetSet", "subnetId", NULL, "InvalidSubnetID.NotFound",
	 differ_subnet, is_subnet_in_vpc},
	{KIND_GATEWAY, "Action=DescribeInternetGateways", "internetGatewaySet", "internetGatewayId", NULL,
	 "InvalidInternetGatewayID.NotFound", differ_gateway},
	{KIND_EGRESS_GATEWAY, "Action=DescribeEgressOnlyInternetGateways", "egressOnlyInternetGatewaySet",
	 "egressOnlyInternetGatewayId", NULL, "InvalidGatewayID.NotFound", differ_egress},
	{KIND_ROUTE_TABLE, "Action=DescribeRouteTables", "routeTableSet", "routeTableId", NULL,
	 "InvalidRouteTableID.NotFound", differ_table},
	{KIND_NETWORK_ACL, "Action=DescribeNetworkAcls", "networkAclSet", "networkAclId", NULL,
	 "InvalidNetworkAclID.NotFound", differ_acl},
	{KIND_SECURITY_GROUP, "Action=DescribeSecurityGroups", "securityGroupInfo", "groupId", NULL,
	 "InvalidGroup.NotFound", differ_group, .passes = is_open_group},
	{KIND_SECURITY_GROUP_RULE, "Action=DescribeSecurityGroupRules", "securityGroupRuleSet",
	 "securityGroupRuleId", NULL, "InvalidSecurityGroupRuleId.NotFound", differ_rule, is_shown_rule,
	 .passes = is_rule_of_open_group},
	{KIND_KEY_PAIR, "Action=DescribeKeyPairs", "keySet", "keyPairId", NULL, "InvalidKeyPair.NotFound",
	 differ_key},
	{KIND_DHCP_OPTIONS, "Action=DescribeDhcpOptions", "dhcpOptionsSet", "dhcpOptionsId", NULL,
	 "InvalidDhcpOptionID.NotFound", differ_dhcp_options},
	{KIND_ADDRESS_GROUP, "Action=DescribeManagedPrefixLists", "prefixListSet", "prefixListId", NULL,
	 "InvalidPrefixListID.NotFound", differ_prefix_list, .passes = has_ended},
	{KIND_DEDICATED_HOST, "Action=DescribeHosts", "hostSet", "hostId", NULL, "InvalidHostID.NotFound",
	 differ_dedicated_host, .passes = has_ended},
	{KIND_SERVER_GROUP, "Action=DescribePlacementGroups", "placementGroupSet", "groupId", NULL,
	 "InvalidPlacementGroup.Unknown", differ_placement_group},
	{KIND_LAUNCH_TEMPLATE, "Action=DescribeLaunchTemplates", "launchTemplates", "launchTemplateId", NULL,
	 "InvalidLaunchTemplateId.NotFound", differ_template},
	{KIND_INSTANCE, "Action=DescribeInstances", "reservationSet", "instanceId", "instancesSet",
	 "InvalidInstanceID.NotFound", differ_instance},
	{KIND_NAT_GATEWAY, "Action=DescribeNatGateways", "natGatewaySet", "natGatewayId", NULL,
	 "NatGatewayNotFound", differ_nat},
	{KIND_VOLUME, "Action=DescribeVolumes", "volumeSet", "volumeId", NULL, "InvalidVolume.NotFound",
	 differ_volume},
	{KIND_IMAGE, "Action=DescribeImages&Owner.1=self&IncludeDisabled=true", "imagesSet", "imageId", NULL,
	 "InvalidAMIID.NotFound", differ_image},
	{KIND_SNAPSHOT, "Action=DescribeSnapshots&Owner.1=self", "snapshotSet", "snapshotId", NULL,
	 "InvalidSnapshot.NotFound", differ_snapshot},
	{KIND_PORT, "Action=DescribeNetworkInterfaces", "networkInterfaceSet", "networkInterfaceId", NULL,
	 "InvalidNetworkInterfaceID.NotFound", differ_port, is_port_in_vpc},
	{KIND_PEERING, "Action=DescribeVpcPeeringConnections", "vpcPeeringConnectionSet",
	 "vpcPeeringConnectionId", NULL, "InvalidVpcPeeringConnectionId.NotFound", differ_peering},
	{KIND_ADDRESS, "Action=DescribeAddresses", "addressesSet", "allocationId", NULL,
	 "InvalidAllocationID.NotFound", differ_address},
};
const struct listings ec2_listings = {rows, sizeof rows / sizeof *rows};
