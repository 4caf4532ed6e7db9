/* SPDX-License-Identifier: Apache-2.0
 * Addresses of virtual machines, which ARM keeps in network interfaces and public IP addresses. A listing reads both before
 * the machines; the connection remembers them meanwhile. Source: REST reference of Microsoft.Network 2022-07-01. */
#include "drivers/remote/address_map.h"
#include "drivers/remote/azure/request.h"
#include "drivers/remote/azure/resources.h"

enum { INTERFACES_MAX = 8, CONFIGURATIONS_MAX = 256 };
#define PUBLICS "/providers/Microsoft.Network/publicIPAddresses?" AZURE_NETWORK_VERSION
#define INTERFACES "/providers/Microsoft.Network/networkInterfaces?" AZURE_NETWORK_VERSION

/* ---- lists ---- */

/* Without the right to list them, or in a cloud without the resource provider, machines have no addresses. */
static bool may_be_left_out(struct result result)
{
	return result.code == ERR_DENIED || result.code == ERR_NOT_FOUND || result.code == ERR_INVALID;
}

static RESULT ask_list(struct ctx *c, struct remote *r, struct str link, const char *first,
		       struct remote_json *ret_answer, struct str *ret_next)
{
	struct result result =
		azure_ask(c, r, "GET", link.n ? link : azure_url_in(c, r, first), STR_NONE, ret_answer);
	*ret_next = STR_NONE;
	if (may_be_left_out(result)) {
		ctx_clear_problem(c);
		remote_json_release(ret_answer);
		return OK;
	}
	TRY(result);
	return azure_next_of(c, r, ret_answer->root, "", ret_next);
}

/* ARM's ids come back in another case. */
static struct str id_at(struct ctx *c, const json_t *object, const char *path)
{
	return azure_lower(c, remote_json_text(c, object, path));
}

RESULT azure_list_publics(struct ctx *c, struct remote *r, struct str link, size_t *ret_count,
			  struct str *ret_next)
{
	AUTO_ANSWER answer = {0};
	struct address_map *map = remote_address_map(r);
	struct ip ip;
	if (!link.n)
		address_map_clear(map);
	TRY(ask_list(c, r, link, PUBLICS, &answer, ret_next));
	const json_t *list = json_object_get(answer.root, "value");
	*ret_count = json_array_size(list);
	for (size_t k = 0; k < *ret_count; k++) {
		const json_t *each = json_array_get(list, k);
		bool has_ip = result_is_ok(ip_parse(remote_json_text(c, each, "properties/ipAddress"), &ip));
		if (has_ip && !address_map_put(map, id_at(c, each, "id"), ip, true))
			return ctx_no_memory(c);
	}
	return OK;
}

static const json_t *configurations_of(const json_t *interface)
{
	return remote_json_at(interface, "properties/ipConfigurations");
}

static bool put_interface(struct ctx *c, struct address_map *map, struct str machine, const json_t *interface)
{
	const json_t *configurations = configurations_of(interface);
	struct ip ip;
	for (size_t k = 0; k < json_array_size(configurations) && k < CONFIGURATIONS_MAX; k++) {
		const json_t *each = json_array_get(configurations, k);
		struct str public = id_at(c, each, "properties/publicIPAddress/id");
		const struct address_entry *entry = public.n ? address_map_get(map, public, 0) : NULL;
		if (result_is_ok(ip_parse(remote_json_text(c, each, "properties/privateIPAddress"), &ip)) &&
		    !address_map_put(map, machine, ip, false))
			return false;
		if (entry && !address_map_put(map, machine, entry->ip, true))
			return false;
	}
	return true;
}

RESULT azure_list_interfaces(struct ctx *c, struct remote *r, struct str link, size_t *ret_count,
			     struct str *ret_next)
{
	AUTO_ANSWER answer = {0};
	TRY(ask_list(c, r, link, INTERFACES, &answer, ret_next));
	const json_t *list = json_object_get(answer.root, "value");
	*ret_count = json_array_size(list);
	for (size_t k = 0; k < *ret_count; k++) {
		const json_t *each = json_array_get(list, k);
		struct str id = remote_json_text(c, each, "properties/virtualMachine/id");
		struct str machine = azure_ref_of_id(c, id, r->project);
		if (machine.n && !put_interface(c, remote_address_map(r), machine, each))
			return ctx_no_memory(c);
	}
	return OK;
}

static void add(struct azure_addresses *addresses, struct ip ip, bool is_public)
{
	struct draft_ips *list = is_public ? &addresses->public_ips : &addresses->private_ips;
	for (size_t k = 0; k < list->count; k++)
		if (ip_equal(list->at[k], ip))
			return;
	if (list->count < DRAFT_IPS_MAX)
		list->at[list->count++] = ip;
}

void azure_find_addresses(const struct remote *r, struct str ref, struct azure_addresses *addresses)
{
	const struct address_entry *entry = NULL;
	for (size_t k = 0; k < 2 * DRAFT_IPS_MAX; k++) {
		entry = address_map_get(remote_address_map(r), ref, k);
		if (!entry)
			return;
		add(addresses, entry->ip, entry->is_public);
	}
}

/* ---- one machine ---- */

/* A resource that the machine refers to. Ids of other subscriptions are left out. */
static RESULT ask_resource(struct ctx *c, struct remote *r, struct str id, struct remote_json *ret_answer)
{
	if (!azure_ref_of_resource(c, id, r->project).n || !str_is_line(id))
		return OK;
	struct str path = str_print(c->arena, "%" STR_FMT "?" AZURE_NETWORK_VERSION, STR_ARG(id));
	struct result result = azure_ask(c, r, "GET", azure_url_of(c, r, path), STR_NONE, ret_answer);
	if (!may_be_left_out(result))
		return result;
	ctx_clear_problem(c);
	remote_json_release(ret_answer);
	return OK;
}

static RESULT ask_interface(struct ctx *c, struct remote *r, struct str id, struct azure_addresses *addresses)
{
	AUTO_ANSWER answer = {0};
	struct ip ip;
	TRY(ask_resource(c, r, id, &answer));
	const json_t *configurations = configurations_of(answer.root);
	for (size_t k = 0; k < json_array_size(configurations) && k < DRAFT_IPS_MAX; k++) {
		AUTO_ANSWER public = {0};
		const json_t *each = json_array_get(configurations, k);
		struct str public_id = remote_json_text(c, each, "properties/publicIPAddress/id");
		if (result_is_ok(ip_parse(remote_json_text(c, each, "properties/privateIPAddress"), &ip)))
			add(addresses, ip, false);
		if (public_id.n)
			TRY(ask_resource(c, r, public_id, &public));
		if (result_is_ok(ip_parse(remote_json_text(c, public.root, "properties/ipAddress"), &ip)))
			add(addresses, ip, true);
	}
	return OK;
}

RESULT azure_ask_addresses(struct ctx *c, struct remote *r, const json_t *vm,
			   struct azure_addresses *addresses)
{
	const json_t *interfaces = remote_json_at(vm, "properties/networkProfile/networkInterfaces");
	for (size_t k = 0; k < json_array_size(interfaces) && k < INTERFACES_MAX; k++)
		TRY(ask_interface(c, r, remote_json_text(c, json_array_get(interfaces, k), "id"), addresses));
	return OK;
}
