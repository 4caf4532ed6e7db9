/* SPDX-License-Identifier: Apache-2.0
 * DNS names of public addresses: reverse (PTR) names, and labels below the region's domain. */
#include "engine/network/address/address_internal.h"

#include "engine/network/address/address.h"
#include "engine/network/external_network_internal.h"
#include "engine/region/region.h"
#include "store/address.h"

static bool is_label(struct str label)
{
	for (size_t n = 0; n < label.n; n++) {
		char c = label.p[n];
		bool is_inside = n > 0 && n + 1 < label.n;
		if (!str_is_alphanumeric(c) && !(c == '_' || (c == '-' && is_inside)))
			return false;
	}
	return label.n >= 1 && label.n <= 63;
}

bool engine_is_domain_name(struct str name)
{
	size_t count = 0;
	struct str label = STR_NONE;
	for (struct str rest = name; str_split_next(&rest, '.', &label); count++)
		if (!is_label(label))
			return false;
	return count >= 2 && !str_ends_with(name, STR(".")) && name.n <= REVERSE_NAME_MAX;
}

RESULT engine_name_address(struct op *op, struct address_name_wish *wish)
{
	const struct address *address = NULL;
	struct str name =
		str_ends_with(wish->name, STR(".")) ? str_slice(wish->name, 0, wish->name.n - 1) : wish->name;
	TRY(address_find_elastic(op, &wish->address, &address));
	TRY(engine_permit(op, wish->name.n ? "address.update" : "address.reset", KIND_ADDRESS,
			  &address->row));
	if (wish->name.n && !engine_is_domain_name(name))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ADDRESS, wish->name_field,
				   "Value (%" STR_FMT ") for parameter %" STR_FMT
				   " is invalid. It must be a fully qualified domain name.",
				   STR_ARG(wish->name), STR_ARG(wish->name_field));
	wish->made = address->row.id;
	wish->name_before = str_copy(op->ctx->arena, address->reverse_name);
	if (str_equal(address->reverse_name, name))
		return OK;
	struct address next = *address;
	next.reverse_name = name; /* gen stays: the network does not deploy the name */
	TRY(address_put(op, &next));
	char text[IP_TEXT_SIZE];
	(void) ip_write(next.ip, text);
	return name.n ? engine_log_event(op, KIND_ADDRESS, &next.row, "named",
					 "%s leads back to %" STR_FMT ".", text, STR_ARG(name))
		      : engine_log_event(op, KIND_ADDRESS, &next.row, "named", "%s leads back to no name.",
					 text);
}

struct str engine_get_label_domain(const struct tables *t, struct arena *a)
{
	return str_print(a, "%" STR_FMT ".cloudapp.internal", STR_ARG(engine_get_region_name(t)));
}

/* Azure's rule for labels: begins with a letter, no underscore, at least three characters. */
static bool is_own_label(struct str label)
{
	bool is_good = label.n >= 3 && is_label(label) && label.p[0] >= 'a' && label.p[0] <= 'z';
	for (size_t n = 0; is_good && n < label.n; n++)
		is_good = label.p[n] != '_';
	return is_good;
}

const struct address *engine_find_label(const struct tables *t, struct str label)
{
	const struct address *a = label.n ? address_first_by_dns_label(t, label) : NULL;
	while (a && !row_is_live(&a->row))
		a = address_next_by_dns_label(t, a);
	return a;
}

static RESULT check_label(struct op *op, struct str label, struct str field, uuid address)
{
	const struct address *other = engine_find_label(op->head, label);
	if (label.n && !is_own_label(label))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ADDRESS, field,
				   "The domain name label %" STR_FMT
				   " is invalid. It must conform to the following regular expression: "
				   "^[a-z][a-z0-9-]{1,61}[a-z0-9]$.",
				   STR_ARG(str_slice(label, 0, 80)));
	if (!other || uuid_equal(other->row.id, address))
		return OK;
	return ENGINE_FAIL(op, ERR_EXISTS, KIND_ADDRESS, field,
			   "DNS record %" STR_FMT ".%" STR_FMT " is already used by another public IP.",
			   STR_ARG(label), STR_ARG(engine_get_label_domain(op->head, op->ctx->arena)));
}

RESULT engine_label_address(struct op *op, struct address_label_wish *wish)
{
	const struct address *address = NULL;
	struct str label = str_lower(op->ctx->arena, wish->label);
	TRY(address_find_elastic(op, &wish->address, &address));
	uuid id = address->row.id;
	TRY(check_label(op, label, wish->label_field, id));
	if (!str_equal(address->dns_label, label)) {
		TRY(engine_permit(op, "address.update", KIND_ADDRESS, &address->row));
		struct address next = *address;
		next.dns_label = label; /* gen stays: the network does not deploy the label */
		TRY(address_put(op, &next));
	}
	struct address_name_wish reverse = {
		.address = wish->address, .name = wish->reverse_name, .name_field = wish->reverse_field};
	bool is_same = str_equal(address_find(op->head, id)->reverse_name, reverse.name);
	return is_same ? OK : engine_name_address(op, &reverse);
}

const struct address *engine_find_public_ip(const struct tables *t, struct ip ip)
{
	const struct external_network *network = external_network_first(t);
	for (; network; network = external_network_next(t, network)) {
		const struct address *address = address_find_by_ip(t, network->row.id, ip);
		if (address && row_is_live(&address->row))
			return address;
	}
	return NULL;
}
