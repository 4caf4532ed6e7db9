/* SPDX-License-Identifier: Apache-2.0
 * DHCP options sets. Associating one with a VPC raises the router's gen, and the reconciler
 * (reconcile/network/router.c) updates the VPC's networks. */
#include "engine/network/dhcp_options.h"

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "store/dhcp_options.h"
#include "store/router.h"

/* ---- parsing options ---- */

struct reading {
	struct op *op;
	struct dhcp_options *set;
	struct str key;
};

static RESULT fail_value(const struct reading *r, struct str value, const char *wanted)
{
	return ENGINE_FAIL(r->op, ERR_INVALID, KIND_DHCP_OPTIONS, STR("DhcpConfiguration"),
			   "Value (%" STR_FMT ") for parameter %" STR_FMT " is invalid. %s",
			   STR_ARG(str_slice(value, 0, DHCP_DOMAIN_NAME_MAX)), STR_ARG(r->key), wanted);
}

static RESULT read_addresses(const struct reading *r, struct strs values, struct ips *ret_ips)
{
	struct ip *ips = arena_new_array(r->op->ctx->arena, struct ip, DHCP_SERVERS_MAX);
	if (!ips)
		return ctx_no_memory(r->op->ctx);
	if (values.count > DHCP_SERVERS_MAX)
		return fail_value(r, values.at[DHCP_SERVERS_MAX], "There are up to four addresses.");
	for (size_t k = 0; k < values.count; k++)
		if (!result_is_ok(ip_parse(values.at[k], &ips[k])) || ips[k].family != IP_V4)
			return fail_value(r, values.at[k], "It is to be an IPv4 address.");
	*ret_ips = (struct ips){ips, values.count};
	return OK;
}

static RESULT read_dns_servers(const struct reading *r, struct strs values)
{
	r->set->provided_dns = values.count == 1 && str_is(values.at[0], "AmazonProvidedDNS");
	return r->set->provided_dns ? OK : read_addresses(r, values, &r->set->dns_servers);
}

static RESULT read_ntp_servers(const struct reading *r, struct strs values)
{
	return read_addresses(r, values, &r->set->ntp_servers);
}

static RESULT read_netbios_servers(const struct reading *r, struct strs values)
{
	return read_addresses(r, values, &r->set->netbios_name_servers);
}

/* The driver writes the name in quotes, so only harmless characters pass. Spaces are allowed: some guests
 * take several names. */
static RESULT read_domain_name(const struct reading *r, struct strs values)
{
	struct str name = values.at[0];
	bool is_good = values.count == 1 && name.n <= DHCP_DOMAIN_NAME_MAX;
	for (size_t k = 0; is_good && k < name.n; k++)
		is_good = memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-. ",
				 name.p[k], 65) != NULL;
	if (!is_good)
		return fail_value(r, values.at[values.count - 1],
				  "A domain name has up to 253 letters, digits, hyphens and dots.");
	r->set->domain_name = name;
	return OK;
}

static RESULT read_node_type(const struct reading *r, struct strs values)
{
	int64_t type = 0;
	bool is_number = values.count == 1 && result_is_ok(str_parse_int(values.at[0], &type));
	if (!is_number || (type != 1 && type != 2 && type != 4 && type != 8))
		return fail_value(r, values.at[values.count - 1], "It is to be 1, 2, 4 or 8.");
	r->set->netbios_node_type = type;
	return OK;
}

static const struct {
	const char *key;
	RESULT (*read)(const struct reading *r, struct strs values);
} readers[] = {
	{"domain-name", read_domain_name},     {"domain-name-servers", read_dns_servers},
	{"ntp-servers", read_ntp_servers},     {"netbios-name-servers", read_netbios_servers},
	{"netbios-node-type", read_node_type},
};
enum { READER_COUNT = sizeof readers / sizeof readers[0] };

/* Splits values at commas, trims them, and drops empty pieces. */
static RESULT split_values(const struct reading *r, struct strs values, struct strs *ret_values)
{
	VEC(struct str) split = {0};
	for (size_t k = 0; k < values.count; k++) {
		struct str rest = values.at[k], piece;
		while (str_split_next(&rest, ',', &piece))
			if (str_trim(piece).n && !VEC_PUSH(r->op->ctx->arena, &split, str_trim(piece)))
				return ctx_no_memory(r->op->ctx);
	}
	if (split.count == 0)
		return ENGINE_FAIL(r->op, ERR_MISSING, KIND_DHCP_OPTIONS, STR("DhcpConfiguration"),
				   "The request must contain a value in DhcpConfiguration for %" STR_FMT ".",
				   STR_ARG(r->key));
	*ret_values = (struct strs){split.at, split.count};
	return OK;
}

static RESULT read_option(struct reading *r, const struct dhcp_option *option, bool *is_read)
{
	struct strs values;
	r->key = option->key;
	for (size_t k = 0; k < READER_COUNT; k++) {
		if (!str_is(option->key, readers[k].key))
			continue;
		if (is_read[k])
			return fail_value(r, option->key, "It is given twice.");
		is_read[k] = true;
		TRY(split_values(r, option->values, &values));
		return readers[k].read(r, values);
	}
	return ENGINE_FAIL(r->op, ERR_INVALID, KIND_DHCP_OPTIONS, STR("DhcpConfiguration"),
			   "Value (%" STR_FMT ") for parameter name is invalid. Unknown DHCP option",
			   STR_ARG(str_slice(option->key, 0, DHCP_DOMAIN_NAME_MAX)));
}

/* ---- operations ---- */

RESULT engine_create_dhcp_options(struct op *op, struct dhcp_options_wish *wish)
{
	uuid account = UUID_NONE;
	bool is_read[READER_COUNT] = {false};
	TRY(engine_find_acting_id(op, &account));
	struct dhcp_options set = {.row.gen = 1, .account = account};
	struct reading reading = {op, &set, STR_NONE};
	for (size_t k = 0; k < wish->option_count; k++)
		TRY(read_option(&reading, &wish->options[k], is_read));
	TRY(tag_normalize(op, wish->tags, &set.tags));
	TRY(limit_check(op, LIMIT_DHCP_OPTIONS, account, 1, STR("DhcpConfiguration")));
	set.row.id = engine_new_id(op, KIND_DHCP_OPTIONS);
	TRY(engine_permit_new(op, "dhcp_options.create", KIND_DHCP_OPTIONS, &set.row));
	TRY(dhcp_options_put(op, &set));
	wish->dhcp_options = set.row.id;
	return engine_log_event(op, KIND_DHCP_OPTIONS, &set.row, "created", "DHCP options set.");
}

RESULT engine_associate_dhcp_options(struct op *op, struct dhcp_options_association *wish)
{
	const struct dhcp_options *set = NULL;
	const struct router *router = NULL;
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	if (wish->dhcp_options.bits)
		TRY(engine_find_own_dhcp_options(op->ctx, op->head, &wish->dhcp_options, &set));
	if (set && !uuid_equal(set->account, router->account)) /* an administrator sees sets of all
							        * accounts */
		return engine_fail_not_found(op->ctx, KIND_DHCP_OPTIONS, &wish->dhcp_options);
	TRY(engine_permit(op, "dhcp_options.associate", KIND_ROUTER, &router->row));
	if (set)
		TRY(engine_permit(op, "dhcp_options.associate", KIND_DHCP_OPTIONS, &set->row));
	struct router next = *router;
	next.dhcp_options = set ? set->row.id : UUID_NONE;
	next.row.gen++;
	TRY(router_put(op, &next));
	return engine_log_event(op, KIND_ROUTER, &next.row, "changed",
				"Its guests are told what %" STR_FMT " says.",
				STR_ARG(wish->dhcp_options.text));
}

RESULT engine_delete_dhcp_options(struct op *op, struct dhcp_options_target *wish)
{
	const struct dhcp_options *set = NULL;
	TRY(engine_permit_dhcp_options(op, &wish->dhcp_options, "dhcp_options.delete", &set));
	const struct router *router = router_first_by_dhcp_options(op->head, set->row.id);
	if (router)
		return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_DHCP_OPTIONS, &wish->dhcp_options,
					 "The dhcpOptions '%" STR_FMT
					 "' has dependencies and cannot be deleted. %" STR_FMT " has it.",
					 STR_ARG(wish->dhcp_options.text),
					 STR_ARG(engine_write_id(op, KIND_ROUTER, router->row.id)));
	TRY(engine_log_event(op, KIND_DHCP_OPTIONS, &set->row, "deleted", "DHCP options set."));
	return dhcp_options_forget(op, set->row.id);
}
