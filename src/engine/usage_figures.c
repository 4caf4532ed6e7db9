/* SPDX-License-Identifier: Apache-2.0
 * The usage figures, as sums over rows: each row adds its share to its account, host or subnet when it
 * appears, and subtracts it when it goes. Readers: model/row.h. */
#include "engine/engine.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/ipv6.h"
#include "engine/network/subnet.h"
#include "engine/network/subnet_internal.h"
#include "engine/row_bytes.h"
#include "engine/storage/volume_type/volume_type_limit.h"
#include "model/address.h"
#include "model/address_prefix.h"
#include "model/backup.h"
#include "model/capacity_reservation.h"
#include "model/dedicated_host.h"
#include "model/export_image_task.h"
#include "model/image.h"
#include "model/instance.h"
#include "model/key_pair.h"
#include "model/nat_gateway.h"
#include "model/network.h"
#include "model/port.h"
#include "model/port_prefix.h"
#include "model/secondary_ip.h"
#include "model/security_group.h"
#include "model/security_group_rule.h"
#include "model/server_group.h"
#include "model/snapshot.h"
#include "model/states.h"
#include "model/ticket_attachment.h"
#include "model/volume.h"
#include "model/volume_group.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/external_network.h"
#include "store/host.h"
#include "store/router.h"
#include "store/storage_pool.h"
#include "store/subnet.h"

typedef void count_row(const struct tables *t, const struct row *row, int64_t sign);

static void add(int64_t *figure, int64_t n)
{
	__atomic_store_n(figure, *figure + n, __ATOMIC_RELAXED);
}

static struct account_usage *usage_of_account(const struct tables *t, uuid id)
{
	const struct account *account = account_find(t, id);
	return account ? account_usage(account) : NULL;
}

/* Figures of a row's account, and of its domain, which sums them over its accounts. */
struct owner {
	struct account_usage *account; /* NULL: no account has the row */
	struct domain_usage *domain;   /* NULL: none, or a domain without figures */
};

static struct domain_usage *usage_of_domain(const struct tables *t, uuid id)
{
	const struct domain *domain = domain_find(t, id);
	return domain ? domain_usage(domain) : NULL;
}

static struct owner owner_of(const struct tables *t, uuid id)
{
	const struct account *account = account_find(t, id);
	return account ? (struct owner){account_usage(account), usage_of_domain(t, account->domain)}
		       : (struct owner){0};
}

#define ADD(of, figure, n)                                                                                   \
	do {                                                                                                 \
		struct owner owner_ = (of);                                                                  \
		if (owner_.account)                                                                          \
			add(&owner_.account->figure, n);                                                     \
		if (owner_.domain)                                                                           \
			add(&owner_.domain->figure, n);                                                      \
	} while (0)

static struct host_usage *usage_of_host(const struct tables *t, uuid id)
{
	const struct host *host = uuid_is_none(id) ? NULL : host_find(t, id);
	return host ? host_usage(host) : NULL;
}

static void count_on_host(struct host_usage *host, const struct instance *i, int64_t sign)
{
	if (!host)
		return;
	add(&host->instances, sign);
	if (!i->gave_room) {
		add(&host->vcpus, sign * i->vcpus);
		add(&host->memory, sign * i->memory);
	}
	add(&host->dedicated, sign * (i->tenancy == INSTANCE_TENANCY_DEDICATED));
}

/* An instance occupies its host until it is known to be gone. A destroyed one does not count towards the
 * limits, as in CloudStack and Nova; recovering it checks them again. */
static void count_instance(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct instance *i = instance_of(row);
	enum instance_state state = model_derive_instance_state(i);
	if (state == INSTANCE_TERMINATED)
		return;
	struct owner owner = owner_of(t, i->account);
	if (state != INSTANCE_DESTROYED) {
		ADD(owner, instances, sign);
		ADD(owner, vcpus, sign * i->vcpus);
		ADD(owner, memory, sign * i->memory);
	}
	count_on_host(usage_of_host(t, i->host), i, sign);
	count_on_host(usage_of_host(t, i->target), i, sign); /* reserved there */
	count_on_host(usage_of_host(t, i->next_host), i, sign);
}

static void count_in_place(const struct tables *t, uuid pool, uuid host, int64_t bytes)
{
	const struct storage_pool *p = uuid_is_none(pool) ? NULL : storage_pool_find(t, pool);
	struct host_usage *on = uuid_is_none(pool) ? usage_of_host(t, host) : NULL;
	if (p)
		add(&storage_pool_usage(p)->disk, bytes);
	if (on)
		add(&on->disk, bytes);
}

/* A deleted volume counts, also for its account, until it is forgotten. A volume that moves counts at both
 * places. A volume in a shared pool counts there, and on no host. */
static void count_volume(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct volume *v = volume_of(row);
	struct owner owner = v->local == VOLUME_LOCAL_NO ? owner_of(t, v->account) : (struct owner){0};
	bool changes_host = uuid_is_none(v->pool) && !uuid_equal(v->host, v->seen_host);
	ADD(owner, volumes, sign);
	ADD(owner, volume_bytes, sign * v->size);
	count_in_place(t, v->pool, changes_host && !v->moves ? v->host : v->seen_host, sign * v->size);
	if (v->moves)
		count_in_place(t, v->next_pool, v->host, sign * v->size);
	else if (changes_host)
		count_in_place(t, v->pool, v->seen_host, sign * v->size);
}

/* Counts what Cinder lists. A deleted snapshot that volumes were created from stays as long as they do. A
 * bound one belongs to an image, copy or backup, which counts itself. */
static void count_snapshot(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct snapshot *s = snapshot_of(row);
	struct owner owner = owner_of(t, s->account);
	if (!owner.account)
		return;
	add(&owner.account->disk_bytes, sign * s->file_size); /* the file exists until the row is forgotten */
	if (!row_is_live(row) || s->is_bound)
		return;
	ADD(owner, snapshots, sign);
	if (engine_snapshot_takes_bytes(s))
		ADD(owner, snapshot_bytes, sign * s->volume_size);
}

static void count_image(const struct tables *t, const struct row *row, int64_t sign)
{
	if (row_is_live(row))
		ADD(owner_of(t, image_of(row)->account), images, sign);
}

#define COUNT_OF_ACCOUNT(kind, figure)                                                                       \
	static void count_##kind(const struct tables *t, const struct row *row, int64_t sign)                \
	{                                                                                                    \
		struct account_usage *account = usage_of_account(t, kind##_of(row)->account);                \
		if (account)                                                                                 \
			add(&account->figure, sign);                                                         \
	}

/* Like volumes, a backup counts until it is known to be gone. */
static void count_backup(const struct tables *t, const struct row *row, int64_t sign)
{
	struct account_usage *account = usage_of_account(t, backup_of(row)->account);
	if (account) {
		add(&account->backups, sign);
		add(&account->backup_bytes, sign * backup_of(row)->size);
		add(&account->disk_bytes, sign * backup_of(row)->stored_size);
	}
}

static void count_ticket_attachment(const struct tables *t, const struct row *row, int64_t sign)
{
	struct account_usage *account = usage_of_account(t, ticket_attachment_of(row)->account);
	if (account)
		add(&account->disk_bytes, sign * ticket_attachment_of(row)->size);
}

static void count_export(const struct tables *t, const struct row *row, int64_t sign)
{
	struct account_usage *account = usage_of_account(t, export_image_task_of(row)->account);
	if (account)
		add(&account->disk_bytes, sign * export_image_task_of(row)->file_size);
}

COUNT_OF_ACCOUNT(volume_group, volume_groups)
COUNT_OF_ACCOUNT(key_pair, key_pairs)
COUNT_OF_ACCOUNT(server_group, server_groups)

static void count_public(const struct tables *t, uuid external_network, int64_t count)
{
	const struct external_network *n = external_network_find(t, external_network);
	if (n && external_network_usage(n))
		add(&external_network_usage(n)->addresses, count);
}

/* The address stays reserved until its row is forgotten. An address of a block counts with the block. */
static void count_address(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct address *a = address_of(row);
	if (!uuid_is_none(a->prefix))
		return;
	if (a->ip.family == IP_V4)
		count_public(t, a->external_network, sign);
	if (row_is_live(row) && a->is_elastic)
		ADD(owner_of(t, a->account), addresses, sign);
}

/* All addresses of the block, allocated or not. */
static void count_address_prefix(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct address_prefix *p = address_prefix_of(row);
	int64_t addresses = sign * (int64_t) cidr_count(p->block);
	count_public(t, p->external_network, addresses);
	if (row_is_live(row))
		ADD(owner_of(t, p->account), addresses, addresses);
}

/* ---- IPv6 pools ---- */

/* The /64s that a block takes from an external network's pool. */
static int64_t count_subnets_in(const struct external_network *n, struct cidr block)
{
	if (cidr_is_none(n->ipv6_pool) || !cidr_contains_cidr(n->ipv6_pool, block))
		return 0;
	return block.bits < IPV6_SUBNET_BITS ? INT64_C(1) << (IPV6_SUBNET_BITS - block.bits) : 1;
}

static int64_t count_router_in(const struct external_network *n, const struct router *r)
{
	int64_t count = 0;
	for (size_t k = 0; k < r->ipv6_blocks.count; k++)
		count += count_subnets_in(n, r->ipv6_blocks.at[k]);
	return count;
}

/* A subnet from its router's block takes nothing more. */
static int64_t count_subnet_in(const struct external_network *n, const struct subnet *s)
{
	return s->from_region_pool ? count_subnets_in(n, s->block) : 0;
}

/* Called when the pool changes. */
static void recount_ipv6(const struct tables *t, const struct external_network *n)
{
	int64_t count = 0;
	for (const struct router *r = router_first(t); r; r = router_next(t, r))
		count += count_router_in(n, r);
	for (const struct subnet *s = subnet_first(t); s; s = subnet_next(t, s))
		count += count_subnet_in(n, s);
	if (external_network_usage(n))
		__atomic_store_n(&external_network_usage(n)->ipv6_subnets, count, __ATOMIC_RELAXED);
}

static void observe_external_network(const struct tables *t, const struct row *before,
				     const struct row *after)
{
	if (before && after &&
	    !cidr_equal(external_network_of(before)->ipv6_pool, external_network_of(after)->ipv6_pool))
		recount_ipv6(t, external_network_of(after));
}

static void add_ipv6(const struct external_network *n, int64_t count)
{
	if (count && external_network_usage(n))
		add(&external_network_usage(n)->ipv6_subnets, count);
}

/* ---- accounts ---- */

static void count_router(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct router *r = router_of(row);
	const struct external_network *n = r->ipv6_blocks.count ? external_network_first(t) : NULL;
	for (; n; n = external_network_next(t, n))
		add_ipv6(n, sign * count_router_in(n, r));
	if (row_is_live(row))
		ADD(owner_of(t, r->account), routers, sign);
}

static void count_group(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct security_group *g = security_group_of(row);
	struct account_usage *account = row_is_live(row) ? usage_of_account(t, g->account) : NULL;
	if (account)
		add(&account->groups, sign);
}

static void count_nat_gateway(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct nat_gateway *n = nat_gateway_of(row);
	struct account_usage *account = row_is_live(row) ? usage_of_account(t, n->account) : NULL;
	if (account)
		add(&account->nat_gateways, sign);
}

static void count_dedicated_host(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct dedicated_host *d = dedicated_host_of(row);
	struct account_usage *account = row_is_live(row) ? usage_of_account(t, d->account) : NULL;
	if (account)
		add(&account->dedicated_hosts, sign);
}

/* Free units count like instances. The instance of a used unit counts by itself. */
static void count_capacity_reservation(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct capacity_reservation *r = capacity_reservation_of(row);
	int64_t units = row_is_live(row) ? sign * (int64_t) r->hosts.count : 0;
	struct owner owner = owner_of(t, r->account);
	ADD(owner, instances, units);
	ADD(owner, vcpus, units * r->vcpus);
	ADD(owner, memory, units * r->memory);
	for (size_t k = 0; units && k < r->hosts.count; k++) {
		struct host_usage *host = usage_of_host(t, r->hosts.at[k]);
		if (!host)
			continue;
		add(&host->reserved, sign);
		add(&host->vcpus, sign * r->vcpus);
		add(&host->memory, sign * r->memory);
	}
}

static void count_network(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct network *n = network_of(row);
	if (row_is_live(row))
		ADD(owner_of(t, n->account), networks, sign);
}

static void count_subnet(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct subnet *s = subnet_of(row);
	const struct external_network *n = s->from_region_pool ? external_network_first(t) : NULL;
	for (; n; n = external_network_next(t, n))
		add_ipv6(n, sign * count_subnet_in(n, s));
	struct account_usage *account = row_is_live(row) ? usage_of_account(t, s->account) : NULL;
	if (account)
		add(&account->subnets, sign);
}

static void count_rule(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct security_group_rule *r = security_group_rule_of(row);
	struct account_usage *account = row_is_live(row) ? usage_of_account(t, r->account) : NULL;
	if (account)
		add(&account->rules, sign);
}

/* A deleted port no longer counts for the account; its address stays in use until it is forgotten. */
static void count_port(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct port *p = port_of(row);
	const struct subnet *subnet = subnet_find(t, p->subnet);
	if (subnet && subnet_usage(subnet))
		add(&subnet_usage(subnet)->addresses, sign);
	struct account_usage *account = row_is_live(row) ? usage_of_account(t, p->account) : NULL;
	if (account)
		add(&account->ports, sign);
}

/* The address stays in use until it is forgotten. */
static void count_secondary_ip(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct subnet *subnet = subnet_find(t, secondary_ip_of(row)->subnet);
	if (subnet && subnet_usage(subnet))
		add(&subnet_usage(subnet)->addresses, sign);
}

/* All addresses of the prefix; for IPv6 one, because its addresses are not counted. */
static void count_port_prefix(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct port_prefix *p = port_prefix_of(row);
	const struct subnet *subnet = subnet_find(t, p->subnet);
	int64_t addresses = p->block.base.family == IP_V4 ? (int64_t) cidr_count(p->block) : 1;
	if (subnet && subnet_usage(subnet))
		add(&subnet_usage(subnet)->addresses, sign * addresses);
}

/* Adds an account's figures to its domain's, or subtracts them. An account that goes leaves nothing behind,
 * not even figures of rows that outlive it. */
static void count_account(const struct tables *t, const struct row *row, int64_t sign)
{
	const struct account_usage *own = account_usage(account_of(row));
	struct domain_usage *domain = usage_of_domain(t, account_of(row)->domain);
	if (!own || !domain)
		return;
	add(&domain->instances, sign * own->instances);
	add(&domain->vcpus, sign * own->vcpus);
	add(&domain->memory, sign * own->memory);
	add(&domain->volumes, sign * own->volumes);
	add(&domain->volume_bytes, sign * own->volume_bytes);
	add(&domain->snapshots, sign * own->snapshots);
	add(&domain->snapshot_bytes, sign * own->snapshot_bytes);
	add(&domain->images, sign * own->images);
	add(&domain->addresses, sign * own->addresses);
	add(&domain->routers, sign * own->routers);
	add(&domain->networks, sign * own->networks);
}

static count_row *const counted[KIND_COUNT] = {
	[KIND_ACCOUNT] = count_account,
	[KIND_INSTANCE] = count_instance,
	[KIND_VOLUME] = count_volume,
	[KIND_ADDRESS] = count_address,
	[KIND_ADDRESS_PREFIX] = count_address_prefix,
	[KIND_ROUTER] = count_router,
	[KIND_NETWORK] = count_network,
	[KIND_SUBNET] = count_subnet,
	[KIND_SECURITY_GROUP_RULE] = count_rule,
	[KIND_SECURITY_GROUP] = count_group,
	[KIND_PORT] = count_port,
	[KIND_SECONDARY_IP] = count_secondary_ip,
	[KIND_PORT_PREFIX] = count_port_prefix,
	[KIND_SNAPSHOT] = count_snapshot,
	[KIND_KEY_PAIR] = count_key_pair,
	[KIND_SERVER_GROUP] = count_server_group,
	[KIND_TICKET_ATTACHMENT] = count_ticket_attachment,
	[KIND_EXPORT_IMAGE_TASK] = count_export,
	[KIND_BACKUP] = count_backup,
	[KIND_VOLUME_GROUP] = count_volume_group,
	[KIND_IMAGE] = count_image,
	[KIND_NAT_GATEWAY] = count_nat_gateway,
	[KIND_DEDICATED_HOST] = count_dedicated_host,
	[KIND_CAPACITY_RESERVATION] = count_capacity_reservation,
};

void engine_observe(const struct tables *head, enum kind kind, const struct row *before,
		    const struct row *after)
{
	count_row *count = counted[kind];
	if (kind == KIND_EXTERNAL_NETWORK)
		observe_external_network(head, before, after);
	if (before && count)
		count(head, before, -1);
	if (after && count)
		count(head, after, 1);
	if (before) {
		limits_count(head, kind, before, -1);
		row_bytes_count(head, kind, before, -1);
	}
	if (after) {
		limits_count(head, kind, after, 1);
		row_bytes_count(head, kind, after, 1);
	}
}

void engine_read_host_use(const struct host *host, struct host_usage *ret_use)
{
	*ret_use = (struct host_usage){0};
	const struct host_usage *usage = host_usage(host);
	if (!usage)
		return;
	ret_use->vcpus = __atomic_load_n(&usage->vcpus, __ATOMIC_RELAXED);
	ret_use->memory = __atomic_load_n(&usage->memory, __ATOMIC_RELAXED);
	ret_use->disk = __atomic_load_n(&usage->disk, __ATOMIC_RELAXED);
	ret_use->instances = __atomic_load_n(&usage->instances, __ATOMIC_RELAXED);
}

int64_t engine_read_pool_use(const struct storage_pool *pool)
{
	const struct storage_pool_usage *usage = storage_pool_usage(pool);
	return usage ? __atomic_load_n(&usage->disk, __ATOMIC_RELAXED) : 0;
}

int64_t engine_count_addresses(const struct subnet *subnet)
{
	return (int64_t) subnet_count_addresses(subnet);
}

int64_t engine_count_free_addresses(const struct subnet *subnet)
{
	const struct subnet_usage *usage = subnet_usage(subnet);
	int64_t used = usage ? __atomic_load_n(&usage->addresses, __ATOMIC_RELAXED) : 0;
	int64_t left = (int64_t) subnet_count_addresses(subnet) - used;
	return left > 0 ? left : 0;
}

/* ---- invariants of single rows ---- */

static const char *check_port(const struct row *row)
{
	const struct port *p = port_of(row);
	if (uuid_is_none(p->network) || mac_is_none(p->mac))
		return "a port needs a network and a MAC";
	if (uuid_is_none(p->subnet) != ip_is_none(p->ip))
		return "a port's subnet and its address come and go together";
	if (!uuid_is_none(p->instance) && uuid_is_none(p->attachment))
		return "a port in an instance needs an attachment";
	return NULL;
}

static const char *check_instance(const struct row *row)
{
	const struct instance *i = instance_of(row);
	if (uuid_is_none(i->type) || i->vcpus <= 0 || i->memory <= 0)
		return "an instance needs a type, processors and memory";
	if (i->seen_gen > (int64_t) row->gen)
		return "an instance was seen at a gen that it never had";
	if (uuid_is_none(i->host) && i->seen_power != INSTANCE_SEEN_POWER_ABSENT)
		return "an instance was seen on no host";
	return NULL;
}

static const char *check_volume(const struct row *row)
{
	const struct volume *v = volume_of(row);
	bool has_none = v->sending != VOLUME_SENDING_NONE; /* the data determine the size */
	return has_none || v->size > 0 ? NULL : "a volume needs a size";
}

static const char *check_address(const struct row *row)
{
	const struct address *a = address_of(row);
	if (ip_is_none(a->ip) || uuid_is_none(a->external_network))
		return "a public address needs an IP and a network";
	if (row_is_live(row) && uuid_is_none(a->port) != ip_is_none(a->private_ip))
		return "a public address's port and private address come and go together";
	return NULL;
}

static const char *check_subnet(const struct row *row)
{
	const struct subnet *s = subnet_of(row);
	if (uuid_is_none(s->network) || cidr_is_none(s->block) || !cidr_is_canonical(s->block))
		return "a subnet needs a network and a canonical block";
	return uuid_is_none(s->route_table) == uuid_is_none(s->route_association)
		       ? NULL
		       : "a subnet's route table and its association come and go together";
}

static const char *(*const checked[KIND_COUNT])(const struct row *row) = {
	[KIND_PORT] = check_port,       [KIND_INSTANCE] = check_instance, [KIND_VOLUME] = check_volume,
	[KIND_ADDRESS] = check_address, [KIND_SUBNET] = check_subnet,
};

/* Transfers change the owner of volumes and snapshots; an administrator that of images with their snapshots;
 * an instance takes its volumes and its event along; a user's keys and credentials may be for another
 * account. */
static bool may_be_given(enum kind kind)
{
	return kind == KIND_VOLUME || kind == KIND_SNAPSHOT || kind == KIND_IMAGE || kind == KIND_INSTANCE ||
	       kind == KIND_INSTANCE_EVENT || kind == KIND_ACCESS_KEY || kind == KIND_CREDENTIAL;
}

const char *engine_check_row(enum kind kind, const struct row *before, const struct row *after)
{
	const char *wrong = model_check_move(kind, before, after);
	if (wrong || !after)
		return wrong;
	if (before && after->gen < before->gen)
		return "a gen went back";
	if (before && row_report_sets_wish(&model_kinds[kind], before, after))
		return "a report would change what is wanted";
	if (before && before->deleted_us && !after->deleted_us)
		return "a deleted row came back";
	if (before && !may_be_given(kind) &&
	    !uuid_equal(engine_get_owner(kind, before), engine_get_owner(kind, after)))
		return "a row changed hands";
	return checked[kind] ? checked[kind](after) : NULL;
}
