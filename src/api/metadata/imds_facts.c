/* SPDX-License-Identifier: Apache-2.0
 * Gathers the facts that the requesting guest may see: pointers to rows of an open view, in the call's arena, so
 * that rendering needs no lock.
 */
#include "api/metadata/imds.h"
#include "base/vec.h"
#include "engine/instance/azure_guest.h"
#include "engine/instance/instance_event.h"
#include "engine/network/ipv6.h"
#include "engine/network/network.h"
#include "engine/network/port/port.h"
#include "engine/region/aggregate.h"
#include "engine/region/region.h"
#include "engine/resource_group.h"
#include "engine/storage/volume/local_disk.h"
#include "model/port_prefix.h"
#include "model/secondary_ip.h"
#include "store/account.h"
#include "store/address.h"
#include "store/arm_resource.h"
#include "store/dhcp_options.h"
#include "store/iam_role.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/instance_profile.h"
#include "store/instance_type.h"
#include "store/network.h"
#include "store/port.h"
#include "store/profile_association.h"
#include "store/resource_group.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/spot_request.h"
#include "store/subnet.h"
#include "store/volume.h"
#include "store/zone.h"

static RESULT gather_groups(const struct tables *t, struct arena *a, const struct port *p,
			    struct strs *ret_names)
{
	VEC(struct str) names = {0};
	for (size_t k = 0; k < p->groups.count; k++) {
		const struct security_group *g = security_group_find(t, p->groups.at[k]);
		if (g && !VEC_PUSH(a, &names, g->name))
			return FAIL(NO_MEMORY);
	}
	*ret_names = (struct strs){names.at, names.count};
	return OK;
}

/* Primary address of each family first. */
static RESULT gather_ips(const struct tables *t, struct arena *a, const struct port *p, struct imds_nic *nic)
{
	VEC(struct ip) ips = {0}, ipv6s = {0};
	if (!ip_is_none(p->ip) &&
	    (p->ip.family == IP_V6 ? !VEC_PUSH(a, &ipv6s, p->ip) : !VEC_PUSH(a, &ips, p->ip)))
		return FAIL(NO_MEMORY);
	const struct secondary_ip *s = engine_first_secondary_ip(t, p->row.id);
	for (; s; s = engine_next_secondary_ip(t, s))
		if (s->ip.family == IP_V6 ? !VEC_PUSH(a, &ipv6s, s->ip) : !VEC_PUSH(a, &ips, s->ip))
			return FAIL(NO_MEMORY);
	nic->ips = (struct ips){ips.at, ips.count};
	nic->ipv6s = (struct ips){ipv6s.at, ipv6s.count};
	return OK;
}

static RESULT gather_prefixes(const struct tables *t, struct arena *a, struct imds_nic *nic)
{
	VEC(struct cidr) blocks = {0};
	const struct port_prefix *p = engine_first_prefix(t, nic->port->row.id);
	for (; p; p = engine_next_prefix(t, p))
		if (!VEC_PUSH(a, &blocks, p->block))
			return FAIL(NO_MEMORY);
	nic->prefixes = (struct cidrs){blocks.at, blocks.count};
	return OK;
}

/* Subnet of the first IPv6 address, else the one where IPv6 addresses would be. */
static const struct subnet *find_ipv6_subnet(const struct tables *t, const struct port *p,
					     const struct subnet *subnet)
{
	if (!subnet || p->ip.family == IP_V6)
		return subnet;
	const struct secondary_ip *s = engine_first_secondary_ip(t, p->row.id);
	while (s && s->ip.family != IP_V6)
		s = engine_next_secondary_ip(t, s);
	return s ? subnet_find(t, s->subnet) : engine_find_ipv6_subnet(t, subnet);
}

static RESULT gather_addresses(const struct tables *t, struct arena *a, struct imds_nic *nic)
{
	VEC(const struct address *) addresses = {0};
	for (size_t k = 0; k < nic->ips.count; k++)
		for (const struct address *at = address_first_by_port(t, nic->port->row.id); at;
		     at = address_next_by_port(t, at))
			if (row_is_live(&at->row) && ip_equal(at->private_ip, nic->ips.at[k]) &&
			    !VEC_PUSH(a, &addresses, at))
				return FAIL(NO_MEMORY);
	nic->addresses = addresses.at;
	nic->address_count = addresses.count;
	return OK;
}

static const struct dhcp_options *find_options(const struct tables *t, const struct subnet *subnet)
{
	const struct router *router = subnet ? router_find(t, subnet->router) : NULL;
	return router ? dhcp_options_find(t, router->dhcp_options) : NULL;
}

static RESULT gather_nics(const struct tables *t, struct arena *a, struct imds_facts *s)
{
	VEC(struct imds_nic) nics = {0};
	uuid instance = s->instance->row.id;
	for (const struct port *p = port_first_by_instance(t, instance); p; p = port_next_by_instance(t, p)) {
		if (!row_is_live(&p->row))
			continue;
		const struct network *network = network_find(t, p->network);
		struct imds_nic nic = {
			.port = p, .subnet = subnet_find(t, p->subnet), .mtu = network ? network->mtu : 0};
		nic.options = find_options(t, nic.subnet);
		TRY(gather_ips(t, a, p, &nic));
		TRY(gather_prefixes(t, a, &nic));
		nic.ipv6_subnet = find_ipv6_subnet(t, p, nic.subnet);
		TRY(gather_addresses(t, a, &nic));
		TRY(gather_groups(t, a, p, &nic.groups));
		if (!VEC_PUSH(a, &nics, nic))
			return FAIL(NO_MEMORY);
	}
	s->nics = nics.at;
	s->nic_count = nics.count;
	return OK;
}

static RESULT gather_volumes(const struct tables *t, struct arena *a, struct imds_facts *s)
{
	VEC(const struct volume *) volumes = {0};
	struct volume_list disks;
	TRY(engine_list_disks(a, t, s->instance->row.id, false, &disks));
	for (size_t k = 0; k < disks.count; k++) {
		const struct volume *v = disks.at[k];
		if (v->device_slot == 0 && !s->root)
			s->root = v;
		else if (!VEC_PUSH(a, &volumes, v))
			return FAIL(NO_MEMORY);
	}
	s->volumes = volumes.at;
	s->volume_count = volumes.count;
	return engine_list_local_disks(a, t, s->instance->row.id, &s->local);
}

/* A Neutron router has no blocks of its own. */
static RESULT gather_blocks(const struct tables *t, struct arena *a, struct imds_facts *s)
{
	VEC(struct cidr) blocks = {0};
	s->blocks = s->router ? s->router->blocks : (struct cidrs){0};
	if (s->blocks.count || !s->router)
		return OK;
	for (const struct subnet *n = subnet_first_by_router(t, s->router->row.id); n;
	     n = subnet_next_by_router(t, n))
		if (row_is_live(&n->row) && n->block.base.family == IP_V4 && !VEC_PUSH(a, &blocks, n->block))
			return FAIL(NO_MEMORY);
	s->blocks = (struct cidrs){blocks.at, blocks.count};
	return OK;
}

static bool is_path_part(struct str key)
{
	for (size_t k = 0; k < key.n; k++)
		if (key.p[k] == '/' || (unsigned char) key.p[k] <= ' ' || key.p[k] == 0x7F)
			return false;
	return key.n > 0 && !str_is(key, ".") && !str_is(key, "..");
}

/* EC2 forbids other tag keys while tags are shown here; our own tags are left out. */
static RESULT gather_tags(struct arena *a, struct imds_facts *s)
{
	VEC(struct tag) tags = {0};
	const struct tags all = s->instance->tags;
	for (size_t k = 0; k < all.count && s->instance->metadata_tags; k++)
		if (is_path_part(all.at[k].key) && !VEC_PUSH(a, &tags, all.at[k]))
			return FAIL(NO_MEMORY);
	s->tags = (struct tags){tags.at, tags.count};
	return OK;
}

static void gather_profile(const struct tables *t, struct imds_facts *s)
{
	const struct profile_association *a = profile_association_find_by_instance(t, s->instance->row.id);
	const struct instance_profile *profile = a ? instance_profile_find(t, a->instance_profile) : NULL;
	if (!profile || !s->account)
		return;
	s->association = a;
	s->profile = profile;
	s->iam_role = uuid_is_none(profile->iam_role) ? NULL : iam_role_find(t, profile->iam_role);
}

/* Azure names: a resource of another face is named by its EC2 id, in the default group. */
static void gather_names(const struct tables *t, struct imds_facts *s)
{
	const struct arm_resource *named = engine_find_name(t, s->instance->row.id);
	const struct resource_group *group = named ? resource_group_find(t, named->resource_group) : NULL;
	s->azure_name = named ? named->name : id_to_text(s->arena, KIND_INSTANCE, s->instance->row.id);
	s->azure_group = group ? group->name : STR("dari-default");
}

static struct str number_zone(const struct tables *t, struct arena *a, const struct zone *zone)
{
	unsigned rank = 1;
	for (const struct zone *z = zone_first(t); z && zone; z = zone_next(t, z))
		rank += str_compare(z->name, zone->name) < 0;
	return zone ? str_print(a, "%u", rank) : STR_NONE;
}

static RESULT gather(const struct tables *t, struct arena *a, const struct instance *i,
		     const struct router *r, struct imds_facts *ret_facts)
{
	*ret_facts = (struct imds_facts){
		.instance = i,
		.account = account_find(t, i->account),
		.image = image_find(t, i->image),
		.type = instance_type_find(t, i->type),
		.zone_name = engine_get_zone_name_of_instance(t, i),
		.zone = zone_find(t, i->zone),
		.router = r,
		.event = engine_find_event(t, i->row.id),
		.spot = uuid_is_none(i->spot_request) ? NULL : spot_request_find(t, i->spot_request),
		.azure = engine_find_azure_guest(t, i->row.id),
		.arena = a,
		.region = engine_get_region_name(t),
		.domain = engine_get_domain_name(t, a),
		.public_domain = engine_get_public_domain_name(t, a)};
	TRY(gather_nics(t, a, ret_facts));
	TRY(gather_volumes(t, a, ret_facts));
	TRY(gather_blocks(t, a, ret_facts));
	TRY(gather_tags(a, ret_facts));
	gather_profile(t, ret_facts);
	gather_names(t, ret_facts);
	ret_facts->zone_number = number_zone(t, a, ret_facts->zone);
	return arena_is_full(a) ? FAIL(NO_MEMORY) : OK;
}

RESULT imds_gather_facts(const struct tables *t, struct arena *a, uuid router, struct ip ip,
			 struct imds_facts *ret_facts)
{
	const struct port *p = engine_find_port_by_ip(t, router, ip);
	const struct instance *i = p ? instance_find(t, p->instance) : NULL;
	const struct router *r = router_find(t, router);
	return i && r ? gather(t, a, i, r, ret_facts) : FAIL(NOT_FOUND);
}

RESULT imds_gather_facts_on_link(const struct tables *t, struct arena *a, uuid network, struct ip ip,
				 struct imds_facts *ret_facts)
{
	const struct port *p = ip.family == IP_V4 ? engine_find_port_on_link(t, network, ip) : NULL;
	const struct instance *i = p && row_is_live(&p->row) ? instance_find(t, p->instance) : NULL;
	return i ? gather(t, a, i, router_find(t, i->router), ret_facts) : FAIL(NOT_FOUND);
}

RESULT imds_gather_facts_of(const struct tables *t, struct arena *a, uuid instance,
			    struct imds_facts *ret_facts)
{
	const struct instance *i = instance_find(t, instance);
	return i ? gather(t, a, i, router_find(t, i->router), ret_facts) : FAIL(NOT_FOUND);
}
