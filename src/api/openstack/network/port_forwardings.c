/* SPDX-License-Identifier: Apache-2.0
 * Port forwardings of floating IPs, including ranges of ports. Source: Networking API reference, "Floating
 * IPs port forwarding"; messages are those of Neutron's plugin. */
#include <inttypes.h>

#include "api/openstack/network/network.h"
#include "engine/network/address/port_forwarding.h"
#include "model/port_forwarding.h"

enum { PORT_LAST = 65535 };

/* ---- showing ---- */

static struct str write_range(struct api_call *e, int64_t first, int64_t last)
{
	return str_print(e->c->arena, "%" PRId64 ":%" PRId64, first, last);
}

#define GETTER(returned, function, expression)                                                               \
	ATTRIBUTE_GETTER(port_forwarding, f, returned, function, expression)
GETTER(int64_t, get_internal, f->private_first == f->private_last ? f->private_first : 0)
GETTER(int64_t, get_external, f->public_first == f->public_last ? f->public_first : 0)
GETTER(struct str, get_internal_range, write_range(e, f->private_first, f->private_last))
GETTER(struct str, get_external_range, write_range(e, f->public_first, f->public_last))
#undef GETTER

#define EXTERNAL(as, member, wire, function, ...)                                                            \
	OS_MADE(as, member, wire, function, .offset = offsetof(struct port_forwarding, public_first),        \
		__VA_ARGS__)
/* A floating address shows the first ones of its forwardings. */
enum { FORWARDED_COUNT = 6 };
static const struct attribute forwarding_rows[] = {
	ATTRIBUTE(port_forwarding, "id", row.id, .filter = "id"),
	ATTRIBUTE_AS(ENUM, port_forwarding, "protocol", protocol, .words = port_forwarding_protocol_words,
		     .filter = "protocol", .sort = "protocol"),
	OS_FIELD(port_forwarding, "internal_port_id", port),
	ATTRIBUTE(port_forwarding, "internal_ip_address", private_ip),
	ATTRIBUTE_MADE(INT, number, "internal_port", get_internal, .flags = ATTRIBUTE_OMIT_NONE),
	EXTERNAL(INT, number, "external_port", get_external, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE_MADE(TEXT, text, "internal_port_range", get_internal_range),
	EXTERNAL(TEXT, text, "external_port_range", get_external_range),
	ATTRIBUTE(port_forwarding, "description", description, .filter = "description"),
};
#undef EXTERNAL
const struct attributes os_forwarded_members = {forwarding_rows, FORWARDED_COUNT};
static const struct attributes forwarding_members = ATTRIBUTES(forwarding_rows);

/* ---- lists ---- */

#define ADDRESS(T, member)                                                                                   \
	OS_PATH(T, "floatingip_id", member, .kind = KIND_ADDRESS, .doc = "The floating IP.")

struct os_forwarding_list {
	struct ref address;
};
static const struct param list_params[] = {ADDRESS(struct os_forwarding_list, address)};

/* Relies on the args of every action here starting with the floating IP's ref. */
static bool is_of_address(struct os_call *e, const struct row *row)
{
	return uuid_equal(port_forwarding_of(row)->address, ((const struct ref *) e->args)->prefix);
}

static const struct os_listing listing = {
	.kind = KIND_PORT_FORWARDING,
	.items = "port_forwardings",
	.links = "port_forwardings_links",
	.flags = OS_ADMIN_SEES_ALL,
	.shows = is_of_address,
	.attributes = &forwarding_members,
};

static RESULT list_forwardings(struct os_call *e, const void *args, struct json_writer *w)
{
	static const char *const unfit[] = {"internal_ip_address", "internal_port"};
	const struct row *address = NULL;
	TRY(engine_find(e->c, os_tables(e), KIND_ADDRESS,
			&((const struct os_forwarding_list *) args)->address, &address));
	for (size_t k = 0; k < sizeof unfit / sizeof unfit[0]; k++)
		if (pairs_find(&e->request.query, unfit[k]).p)
			return ctx_fail_kind(e->c, ERR_UNSUPPORTED, KIND_PORT_FORWARDING,
					     "Port Forwarding filter %s is not supported.", unfit[k]);
	return os_list(e, &listing, w);
}

/* ---- show, delete ---- */

struct os_forwarding_target {
	struct port_forwarding_target wish;
};
static const struct param target_params[] = {
	ADDRESS(struct os_forwarding_target, wish.address),
	OS_PATH(struct os_forwarding_target, "pf_id", wish.forwarding, .kind = KIND_PORT_FORWARDING,
		.doc = "The port forwarding."),
};

static RESULT show_forwarding(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_forwarding_target *a = args;
	const struct port_forwarding *f = NULL;
	TRY(engine_find_forwarding_of(e->c, os_tables(e), &a->wish.forwarding, &a->wish.address, &f));
	return os_write_found(e, &listing, &a->wish.forwarding, w);
}

/* ---- ports ---- */

struct said_ports {
	int64_t inner, outer;
	struct str inner_range, outer_range;
};
#define PORT_RANGE .flags = NULLABLE | OR_NUMBER
#define PORTS(T, said)                                                                                       \
	OS_BODY(T, "internal_port", said.inner, .flags = NULL_ABSENT, .min = 1, .max = PORT_LAST,            \
		.doc = "Port number of the internal port."),                                                 \
		OS_BODY(T, "internal_port_range", said.inner_range, PORT_RANGE,                              \
			.doc = "Range of port numbers, such as \"80:81\", instead of a single one."),        \
		OS_BODY(T, "external_port", said.outer, .flags = NULL_ABSENT, .min = 1, .max = PORT_LAST,    \
			.doc = "Port number of the floating IP."),                                           \
		OS_BODY(T, "external_port_range", said.outer_range, PORT_RANGE,                              \
			.doc = "Range of port numbers, such as \"80:81\", instead of a single one.")

static RESULT fail_range(struct os_call *e, const char *field, const char *why)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field), "Invalid input for %s. Reason: %s.", field,
			      why);
}

static RESULT read_range(struct os_call *e, const char *field, struct str text, int64_t *ret_first,
			 int64_t *ret_last)
{
	int64_t ports[2] = {0};
	size_t count = 0;
	struct str word, whole = text;
	for (; str_split_next(&text, ':', &word); count++) {
		if (count == 2 || str_is_empty(word) || str_ends_with(whole, STR(":")))
			return fail_range(e, field, "Port range must be two integers separated by a colon");
		if (str_parse_int(word, &ports[count]).code || ports[count] < 1 || ports[count] > PORT_LAST)
			return fail_range(e, field,
					  str_print(e->c->arena, "Invalid port: %" STR_FMT,
						    STR_ARG(str_slice(word, 0, 64)))
						  .p);
	}
	*ret_first = ports[0];
	*ret_last = count == 2 ? ports[1] : ports[0];
	return *ret_first <= *ret_last
		       ? OK
		       : fail_range(e, field,
				    "First port in a port range must be lower than the second port");
}

static RESULT read_side(struct os_call *e, const char *field, int64_t port, struct str range,
			int64_t *ret_first, int64_t *ret_last)
{
	if (port && !str_is_empty(range))
		return ctx_fail_field(e->c, ERR_COMBINATION, str_from(field),
				      "A port and a range of ports cannot be used in the same request.");
	*ret_first = *ret_last = port;
	return str_is_empty(range) ? OK : read_range(e, field, range, ret_first, ret_last);
}

static RESULT read_ports(struct os_call *e, const struct said_ports *said, struct forwarded_ports *ret_ports)
{
	TRY(read_side(e, "internal_port_range", said->inner, said->inner_range, &ret_ports->private_first,
		      &ret_ports->private_last));
	return read_side(e, "external_port_range", said->outer, said->outer_range, &ret_ports->public_first,
			 &ret_ports->public_last);
}

/* ---- create ---- */

#define PROTOCOLS "tcp|udp"
struct os_create_forwarding {
	struct port_forwarding_wish wish;
	struct said_ports said;
	struct str protocol;
};
static const struct param create_params[] = {
	ADDRESS(struct os_create_forwarding, wish.address),
	OS_BODY(struct os_create_forwarding, "internal_port_id", wish.port, .flags = REQUIRED,
		.kind = KIND_PORT, .doc = "Internal port: the Neutron port that receives the traffic."),
	OS_BODY(struct os_create_forwarding, "internal_ip_address", wish.private_ip, .flags = NULL_ABSENT,
		.doc = "Fixed address of the internal port; absent: its first IPv4 address."),
	OS_BODY(struct os_create_forwarding, "protocol", protocol, .flags = REQUIRED, .words = PROTOCOLS,
		.doc = "Protocol of the port numbers."),
	PORTS(struct os_create_forwarding, said),
	OS_BODY(struct os_create_forwarding, "description", wish.description,
		.doc = "Description: free text."),
	OS_PROJECT(struct os_create_forwarding, wish.account),
};

static RESULT fail_missing(struct os_call *e, const char *field)
{
	return ctx_fail_field(e->c, ERR_MISSING, str_from(field),
			      "Failed to parse request. Required attribute '%s' not specified", field);
}

static enum port_forwarding_protocol protocol_of(struct str word)
{
	return str_is(word, "udp") ? PORT_FORWARDING_PROTOCOL_UDP : PORT_FORWARDING_PROTOCOL_TCP;
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_create_forwarding *a = args;
	TRY(read_ports(e, &a->said, &a->wish.ports));
	if (!a->wish.ports.private_first)
		return fail_missing(e, "internal_port");
	if (!a->wish.ports.public_first)
		return fail_missing(e, "external_port");
	a->wish.protocol = protocol_of(a->protocol);
	a->wish.is_alone = true;
	return OK;
}

/* ---- change ---- */

struct os_update_forwarding {
	struct port_forwarding_change wish;
	struct said_ports said;
	struct str protocol;
};
static const struct param update_params[] = {
	ADDRESS(struct os_update_forwarding, wish.address),
	OS_PATH(struct os_update_forwarding, "pf_id", wish.forwarding, .kind = KIND_PORT_FORWARDING,
		.doc = "The port forwarding."),
	OS_BODY(struct os_update_forwarding, "internal_port_id", wish.port, .kind = KIND_PORT,
		.doc = "Internal port: the Neutron port that receives the traffic."),
	OS_BODY(struct os_update_forwarding, "internal_ip_address", wish.private_ip, .flags = NULL_ABSENT,
		.doc = "Fixed address of the internal port."),
	OS_BODY(struct os_update_forwarding, "protocol", protocol, .words = PROTOCOLS,
		.given = OS_GIVEN(struct os_update_forwarding, wish.sets_protocol),
		.doc = "Protocol of the port numbers."),
	PORTS(struct os_update_forwarding, said),
	OS_BODY(struct os_update_forwarding, "description", wish.description,
		.doc = "Description: free text."),
};

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_update_forwarding *a = args;
	TRY(read_ports(e, &a->said, &a->wish.ports));
	a->wish.protocol = protocol_of(a->protocol);
	a->wish.is_alone = true;
	return OK;
}

#define ALL "/v2.0/floatingips/{floatingip_id}/port_forwardings"
#define ONE ALL "/{pf_id}"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "get_floatingip_port_forwarding",
	 .args = OS_PARAMS(struct os_forwarding_list, list_params), .list = &listing,
	 .answer = list_forwardings, .doc = "Lists the port forwardings of a floating IP."},
	{HTTP_POST, ALL, .permit = "create_floatingip_port_forwarding", .flags = API_WRITES | OS_BULK,
	 .status = 201, .args = OS_PARAMS(struct os_create_forwarding, create_params),
	 .wrap = "port_forwarding", .item = "port_forwarding", .prepare = prepare_create,
	 .operation = engine_create_port_forwarding_run, .returns = KIND_PORT_FORWARDING,
	 OS_SHOWS(listing, struct os_create_forwarding, wish.forwarding),
	 .doc = "Creates a port forwarding of a floating IP."},
	{HTTP_GET, ONE, .permit = "get_floatingip_port_forwarding",
	 .args = OS_PARAMS(struct os_forwarding_target, target_params), .item = "port_forwarding",
	 .answer = show_forwarding, .doc = "Shows one port forwarding."},
	{HTTP_PUT, ONE, .permit = "update_floatingip_port_forwarding", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_forwarding, update_params), .wrap = "port_forwarding",
	 .item = "port_forwarding", .prepare = prepare_update, .operation = engine_change_port_forwarding_run,
	 .returns = KIND_PORT_FORWARDING, OS_SHOWS(listing, struct os_update_forwarding, wish.forwarding),
	 .doc = "Changes a port forwarding."},
	{HTTP_DELETE, ONE, .permit = "delete_floatingip_port_forwarding", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_forwarding_target, target_params),
	 .operation = engine_delete_port_forwarding_run, .doc = "Deletes a port forwarding."},
};
const struct os_actions os_port_forwarding_actions = OS_ACTIONS(OS_NETWORK, actions);
