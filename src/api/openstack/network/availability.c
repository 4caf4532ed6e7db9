/* SPDX-License-Identifier: Apache-2.0
 * Number of addresses in each network and subnet, and how many are in use. Administrators only. */
#include "api/openstack/compute/servers.h"
#include "api/openstack/network/network.h"
#include "engine/network/subnet.h"
#include "model/network.h"
#include "store/subnet.h"

/* Number of addresses: an IPv6 subnet has more than 64 bits can count. */
struct count {
	uint64_t high, low;
};

struct use {
	const struct subnet *subnet;
	struct count total;
	int64_t used;
};

struct availability {
	const struct network *network;
	struct str name;
	struct count total;
	int64_t used;
	VEC(struct use) subnets;
};

static struct count add(struct count a, struct count b)
{
	struct count sum = {a.high + b.high, a.low + b.low};
	sum.high += sum.low < a.low;
	return sum;
}

/* Number of the addresses below this one in its family. */
static struct count number_of(struct ip ip)
{
	struct count n = {0};
	for (size_t k = 0; k < (ip.family == IP_V4 ? 4 : 16); k++)
		n = (struct count){n.high << 8 | n.low >> 56, n.low << 8 | ip.b[k]};
	return n;
}

static struct count count_between(struct ip first, struct ip last)
{
	struct count from = number_of(first), to = number_of(last);
	struct count less = {to.high - from.high - (to.low < from.low), to.low - from.low};
	return add(less, (struct count){0, 1});
}

/* Addresses in the allocation pools; those of an EC2 subnet have one run between the reserved ones. */
static struct count count_all(const struct subnet *s)
{
	struct count all = {0};
	if (!s->pools.count)
		return (struct count){0, (uint64_t) engine_count_addresses(s)};
	for (size_t k = 0; k + 1 < s->pools.count; k += 2)
		all = add(all, count_between(s->pools.at[k], s->pools.at[k + 1]));
	return all;
}

/* Writes the number in decimal, by long division of its 32-bit digits. */
static void write_count(struct os_call *e, struct json_writer *w, const char *key, struct count n)
{
	char text[40], *at = text + sizeof text;
	uint32_t digits[] = {(uint32_t) (n.high >> 32), (uint32_t) n.high, (uint32_t) (n.low >> 32),
			     (uint32_t) n.low};
	do {
		uint64_t rest = 0;
		for (size_t k = 0; k < 4; k++) {
			rest = rest << 32 | digits[k];
			digits[k] = (uint32_t) (rest / 10);
			rest %= 10;
		}
		*--at = (char) ('0' + rest);
	} while (digits[0] | digits[1] | digits[2] | digits[3]);
	json_write_raw(w, key, str_copy(e->c->arena, (struct str){at, (size_t) (text + sizeof text - at)}));
}

static const void *gather(struct os_call *e, const struct row *row)
{
	const struct tables *t = os_tables(e);
	struct availability *item = arena_new_object(e->c->arena, struct availability);
	if (!item)
		return NULL;
	*item = (struct availability){.network = network_of(row), .name = os_network_label(e, row->id)};
	for (const struct subnet *s = subnet_first_by_network(t, row->id); s;
	     s = subnet_next_by_network(t, s)) {
		struct use use = {.subnet = s, .total = count_all(s)};
		if (!row_is_live(&s->row))
			continue;
		use.used = engine_count_addresses(s) - engine_count_free_addresses(s);
		item->total = add(item->total, use.total);
		item->used += use.used;
		if (!VEC_PUSH(e->c->arena, &item->subnets, use))
			return NULL;
	}
	return item;
}

static void write_availability(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct availability *i = item;
	os_write_id(w, "network_id", i->network->row.id);
	json_write_text(w, "network_name", i->name);
	os_write_hex(w, "tenant_id", i->network->account);
	os_write_hex(w, "project_id", i->network->account);
	write_count(e, w, "total_ips", i->total);
	json_write_int(w, "used_ips", i->used);
	json_write_open_list(w, "subnet_ip_availability");
	for (size_t k = 0; k < i->subnets.count; k++) {
		const struct use *use = &i->subnets.at[k];
		json_write_open(w, NULL);
		os_write_id(w, "subnet_id", use->subnet->row.id);
		json_write_text(w, "subnet_name", os_name_of(use->subnet->name, use->subnet->tags));
		os_write_cidr(w, "cidr", use->subnet->block);
		json_write_int(w, "ip_version", use->subnet->block.base.family);
		write_count(e, w, "total_ips", use->total);
		json_write_int(w, "used_ips", use->used);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static struct str name_of(struct os_call *e, const struct row *row)
{
	return os_network_label(e, row->id);
}

static bool fits_name(struct os_call *e, const struct row *row, struct str value)
{
	return str_equal(name_of(e, row), value);
}

static const struct os_namer namer = {KIND_SUBNET, JOIN_ONE(KIND_NETWORK, subnet, network)};
static const struct os_filter filters[] = {
	{"network_id", .is_id = true},
	{"network_name", .is_name = true, .namer = &namer, .fits = fits_name},
	{"project_id", "account"},
	{"tenant_id", "account"},
};
static const struct os_sort_key sort_keys[] = {{"network_name", .text = name_of}};
static const struct os_listing availabilities = {
	.kind = KIND_NETWORK,
	.items = "network_ip_availabilities",
	.links = "network_ip_availabilities_links",
	.filters = OS_FILTERS(filters),
	.sort_keys = {sort_keys, 1},
	.flags = OS_ADMIN_SEES_ALL,
	.gather = gather,
	.write = write_availability,
};

struct os_availability_target {
	struct ref network;
};
static const struct param target_params[] = {
	OS_PATH(struct os_availability_target, "network_id", network, .kind = KIND_NETWORK,
		.doc = "The network."),
};

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/network-ip-availabilities", .permit = "get_network_ip_availability",
	 .flags = OS_ADMIN, .list = &availabilities,
	 .doc = "Lists the number of addresses of each network, and how many are in use."},
	{HTTP_GET, "/v2.0/network-ip-availabilities/{network_id}", .permit = "get_network_ip_availability",
	 .flags = OS_ADMIN, .args = OS_PARAMS(struct os_availability_target, target_params),
	 .item = "network_ip_availability", OS_SHOWS(availabilities, struct os_availability_target, network),
	 .doc = "Shows the number of addresses of a network, and how many are in use."},
};
const struct os_actions os_network_availability_actions = OS_ACTIONS(OS_NETWORK, actions);
