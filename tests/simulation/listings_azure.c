/* SPDX-License-Identifier: Apache-2.0
 * Compares the accounts' view through Azure with the model: each thing must have its Azure name and group, or
 * its id in dari-default. EC2's lists are compared first, and have resolved what the model had to guess. */
#include "simulation.h"

static bool is_number(struct str text, int64_t number)
{
	int64_t shown = -1;
	return result_is_ok(str_parse_int(text, &shown)) && shown == number;
}

/* The id of the item's row; none if resources of its type do not show it. */
static struct str row_of(struct str item)
{
	static const char *const members[] = {"properties/vmId", "properties/uniqueId",
					      "properties/resourceGuid"};
	struct str row = STR_NONE;
	for (size_t k = 0; k < sizeof members / sizeof *members && str_is_empty(row); k++)
		row = answer_at(item, members[k]);
	return row;
}

/* Compares the name and the row: a resource may have the name of one that is still being deleted. */
static bool is_it(const struct look *l, const struct thing *t, struct str item)
{
	struct str row = row_of(item);
	return t->id[0] && str_equal(answer_at(item, "id"), azure_id(l->s, t)) &&
	       (str_is_empty(row) || model_is_id(row, t));
}

/* Compares a reference to another resource. t NULL: there must be none. */
static bool is_ref(const struct look *l, struct str id, const struct thing *t)
{
	return t ? !t->id[0] || str_equal(id, azure_id(l->s, t)) : str_is_empty(id);
}

static const char *differ_tags(const struct thing *t, struct str tags)
{
	struct str name, value;
	size_t shown = 0;
	for (; answer_next(&tags, &name, &value); shown++) {
		size_t k = 0;
		while (k < t->tag_count && !str_is(name, t->tags[k].key))
			k++;
		if (k == t->tag_count || !str_is(value, t->tags[k].value))
			return "a tag";
	}
	return t->life != LIVE || shown == t->tag_count ? NULL : "the number of tags";
}

/* Compares what every resource shows. shows_row: its type shows the row's id, which is_it() compares. */
static const char *differ_head(const struct thing *t, struct str item, bool shows_row)
{
	if (str_is_empty(row_of(item)) == shows_row)
		return "whether its row is shown";
	if (!str_is(answer_at(item, "location"), "xywest2"))
		return "its location";
	return t->life == LIVE ? differ_tags(t, answer_at(item, "tags")) : NULL;
}

/* ---- groups ---- */

static const char *differ_group(const struct look *l, struct thing *t, struct str item)
{
	(void) l;
	bool goes = str_is(answer_at(item, "properties/provisioningState"), "Deleting");
	if (goes != (t->life != LIVE))
		return "whether it is being deleted";
	return differ_tags(t, answer_at(item, "tags"));
}

static bool is_default_group(const struct look *l, struct str item)
{
	(void) l;
	return str_is(answer_at(item, "name"), "dari-default");
}

/* ---- machines ---- */

static bool has_power(struct str item, const char *word)
{
	struct str set = answer_at(item, "properties/instanceView/statuses"), one;
	while (answer_next_item(&set, &one))
		if (str_starts_with(answer_at(one, "code"), STR("PowerState/")))
			return str_is(answer_at(one, "code"), word);
	return false;
}

static const char *differ_disks(const struct look *l, const struct thing *machine, struct str item)
{
	struct str set = answer_at(item, "properties/storageProfile/dataDisks"), one;
	size_t shown = 0, known = 0;
	EACH (&l->s->model, t, KIND_VOLUME)
		if (t->to == machine || (t->of == machine && t->is_spare)) {
			known++;
			struct str rest = set;
			bool has = !t->id[0];
			while (answer_next_item(&rest, &one))
				has = has || is_ref(l, answer_at(one, "managedDisk/id"), t);
			if (!has)
				return "its data disks, which lack one";
		}
	while (answer_next_item(&set, &one))
		shown++;
	return shown == known ? NULL : "the number of its data disks";
}

static const char *differ_interfaces(const struct look *l, const struct thing *machine, struct str item)
{
	struct str set = answer_at(item, "properties/networkProfile/networkInterfaces"), one;
	size_t shown = 0, known = 0;
	EACH (&l->s->model, t, KIND_PORT)
		known += t->of == machine || t->to == machine;
	while (answer_next_item(&set, &one))
		shown++;
	return shown == known ? NULL : "the number of its interfaces";
}

static const char *differ_machine(const struct look *l, struct thing *t, struct str item)
{
	const char *words = differ_head(t, item, true);
	if (words || t->life == ENDING || model_may_be_off(t) || !l->is_settled)
		return words;
	if (!has_power(item, t->wanted_on ? "PowerState/running" : "PowerState/deallocated"))
		return "its power";
	if (!str_is(answer_at(item, "properties/provisioningState"), "Succeeded"))
		return "its state";
	words = differ_disks(l, t, item);
	return words ? words : differ_interfaces(l, t, item);
}

/* ---- disks ---- */

static const char *differ_disk(const struct look *l, struct thing *t, struct str item)
{
	const struct thing *holder = t->of ? t->of : t->to;
	const char *words = differ_head(t, item, true);
	struct str state = answer_at(item, "properties/diskState");
	if (words || t->life == ENDING)
		return words;
	if (t->gibibytes && !is_number(answer_at(item, "properties/diskSizeGB"), t->gibibytes))
		return "its size";
	if (!l->is_settled)
		return NULL;
	if (!is_ref(l, answer_at(item, "managedBy"), holder))
		return "its machine";
	if (holder && model_may_be_off(holder))
		return NULL;
	const char *word = !holder ? "Unattached" : holder->wanted_on ? "Attached" : "Reserved";
	return holder && !holder->wanted_on && str_is(state, "Attached") ? NULL
	       : str_is(state, word)                                     ? NULL
									 : "its state";
}

static const char *differ_snapshot(const struct look *l, struct thing *t, struct str item)
{
	const char *words = differ_head(t, item, true);
	if (words || !(t->is_complete || l->is_settled))
		return words;
	if (t->gibibytes && !is_number(answer_at(item, "properties/diskSizeGB"), t->gibibytes))
		return "its size";
	return str_is(answer_at(item, "properties/provisioningState"), "Succeeded") ? NULL : "its state";
}

static const char *differ_image(const struct look *l, struct thing *t, struct str item)
{
	const char *words = differ_head(t, item, false);
	if (words || t->is_empty || t->is_disabled || !(t->is_complete || l->is_settled))
		return words;
	EACH (&l->s->model, device, KIND_IMAGE_DEVICE)
		if (device->of == t && !device->name[0] &&
		    !is_ref(l, answer_at(item, "properties/storageProfile/osDisk/snapshot/id"), device->to))
			return "what it is made of";
	return str_is(answer_at(item, "properties/provisioningState"), "Succeeded") ? NULL : "its state";
}

/* ---- the network ---- */

static const char *differ_subnets(const struct look *l, const struct thing *vnet, struct str set)
{
	char block[CIDR_TEXT_SIZE];
	struct str one;
	size_t shown = 0, known = 0;
	EACH (&l->s->model, t, KIND_SUBNET)
		known += t->of == vnet && t->block.base.family == IP_V4;
	for (; answer_next_item(&set, &one); shown++) {
		const struct thing *found = NULL;
		EACH (&l->s->model, t, KIND_SUBNET)
			if (t->of == vnet && t->id[0] && is_it(l, t, one))
				found = t;
		if (!found)
			return "a subnet of it";
		if (!str_is(answer_at(one, "properties/addressPrefix"), cidr_write(found->block, block)))
			return "a subnet's block";
	}
	return shown == known ? NULL : "the number of its subnets";
}

static const char *differ_network(const struct look *l, struct thing *t, struct str item)
{
	char block[CIDR_TEXT_SIZE];
	struct str first = answer_at(item, "properties/addressSpace/addressPrefixes/item");
	const char *words = differ_head(t, item, true);
	if (words)
		return words;
	if (t->block.bits && !str_is(first, cidr_write(t->block, block)))
		return "its block";
	return differ_subnets(l, t, answer_at(item, "properties/subnets"));
}

static const char *differ_interface(const struct look *l, struct thing *t, struct str item)
{
	const struct thing *holder = t->of ? t->of : t->to, *subnet = model_subnet(t);
	const char *words = differ_head(t, item, true);
	if (words || t->life == ENDING || model_may_have_ended(t))
		return words;
	if (!is_ref(l, answer_at(item, "properties/ipConfigurations/item/properties/subnet/id"),
		    subnet->of ? subnet : NULL))
		return "its subnet";
	if (!l->is_settled || (holder && model_may_have_ended(holder)))
		return NULL;
	return is_ref(l, answer_at(item, "properties/virtualMachine/id"),
		      holder && holder->kind == KIND_INSTANCE ? holder : NULL)
		       ? NULL
		       : "its machine";
}

static const char *differ_address(const struct look *l, struct thing *t, struct str item)
{
	struct arena *a = l->s->region.cloud->arena;
	const char *words = differ_head(t, item, true);
	struct str config = answer_at(item, "properties/ipConfiguration/id");
	if (words)
		return words;
	if (!str_equal(answer_at(item, "properties/dnsSettings/reverseFqdn"), str_from(t->name)))
		return "its reverse name";
	if (t->arm[0] && !str_is(answer_at(item, "sku/name"), t->is_guarded ? "Standard" : "Basic"))
		return "its SKU";
	if (!l->is_settled || !t->to || !t->to->id[0])
		return !t->to && config.n ? "that it is in use" : NULL;
	struct str port = str_print(a, "%" STR_FMT "/ipConfigurations/", STR_ARG(azure_id(l->s, t->to)));
	return str_starts_with(config, port) ? NULL : "its interface";
}

/* Addresses not created by Azure: of a NAT gateway or a router. */
static bool is_systems(const struct look *l, struct str item)
{
	EACH (&l->s->model, t, KIND_ADDRESS)
		if (t->account == l->account && is_it(l, t, item))
			return false;
	return str_is(answer_at(item, "properties/publicIPAllocationMethod"), "Dynamic");
}

#define LIST(kind, type, version, differ, ...)                                                               \
	{                                                                                                    \
		kind, "GET /subscriptions/{subscription}" type "api-version=" version, "value", "id", NULL,  \
			NULL, differ, __VA_ARGS__                                                            \
	}
#define COMPUTE "/providers/Microsoft.Compute"
#define NETWORK "/providers/Microsoft.Network"
static const struct listing rows[] = {
	LIST(KIND_RESOURCE_GROUP, "/resourceGroups?", "2021-04-01", differ_group, .passes = is_default_group,
	     .is = is_it),
	LIST(KIND_INSTANCE, COMPUTE "/virtualMachines?statusOnly=true&", "2022-08-01", differ_machine,
	     .is = is_it),
	LIST(KIND_VOLUME, COMPUTE "/disks?", "2023-04-02", differ_disk, .is = is_it),
	LIST(KIND_SNAPSHOT, COMPUTE "/snapshots?", "2023-04-02", differ_snapshot, .is = is_it),
	LIST(KIND_IMAGE, COMPUTE "/images?", "2022-08-01", differ_image, .is = is_it),
	LIST(KIND_ROUTER, NETWORK "/virtualNetworks?", "2022-07-01", differ_network, .is = is_it),
	LIST(KIND_PORT, NETWORK "/networkInterfaces?", "2022-07-01", differ_interface, .is = is_it),
	LIST(KIND_ADDRESS, NETWORK "/publicIPAddresses?", "2022-07-01", differ_address, .passes = is_systems,
	     .is = is_it),
};
const struct listings azure_listings = {rows, sizeof rows / sizeof *rows};
