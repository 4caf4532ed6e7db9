/* SPDX-License-Identifier: Apache-2.0
 * Reachability analysis: GET /reach?from=i-…&to=203.0.113.7&protocol=tcp&port=443. The engine finds the
 * steps (engine/reach/reach.h). A step that is decided by a row hidden from the caller shows only its
 * verdict, which a test packet would reveal anyway.
 */
#include "engine/reach/reach.h"

#include <netinet/in.h>

#include "api/core/params.h"
#include "api/native/action.h"
#include "engine/network/port/port.h"
#include "engine/resolve.h"
#include "store/address.h"
#include "store/port.h"
#include "store/security_group.h"

/* Source or destination: an interface, an address or the internet. */
struct reach_place {
	struct str text;
	enum kind kind; /* kind of the row that was named; KIND_NONE: none */
	uuid port;
	struct ip ip;
	bool is_internet;
};
struct reach_args {
	struct str from_text, to_text, protocol_text;
	int64_t port, ip_version;
	/* results: */
	struct reach_place from, to;
	int64_t protocol;
	bool may[KIND_COUNT]; /* true if the caller may list the kind */
};
static const struct param reach_params[] = {
	PARAM(struct reach_args, "from", from_text, .place = IN_QUERY, .flags = REQUIRED, .max = 128,
	      .doc = "Source: an instance, an interface, an address, or internet for any address outside."),
	PARAM(struct reach_args, "to", to_text, .place = IN_QUERY, .flags = REQUIRED, .max = 128,
	      .doc = "Destination, as for from. One of both must belong to the account."),
	PARAM(struct reach_args, "protocol", protocol_text, .place = IN_QUERY, .max = 16, .absent = "tcp",
	      .doc = "Protocol: tcp, udp, icmp, or a number from 0 to 255."),
	PARAM(struct reach_args, "port", port, .place = IN_QUERY, .min = 1, .max = 65535,
	      .doc = "Destination port, for tcp and udp."),
	PARAM(struct reach_args, "ip_version", ip_version, .place = IN_QUERY, .min = 4, .max = 6,
	      .doc = "IP version, 4 or 6; absent: one that both have, preferably IPv4."),
};

/* Kinds of rows that steps refer to. */
static const enum kind kinds[] = {
	KIND_ACCOUNT,          KIND_ADDRESS,
	KIND_FIREWALL_RULE,    KIND_GATEWAY,
	KIND_INSTANCE,         KIND_LOAD_BALANCER,
	KIND_NAT_GATEWAY,      KIND_NETWORK,
	KIND_NETWORK_ACL,      KIND_NETWORK_ACL_ENTRY,
	KIND_PEERING,          KIND_PORT,
	KIND_PORT_FORWARDING,  KIND_PORT_POLICY,
	KIND_PORT_POLICY_RULE, KIND_ROUTE,
	KIND_ROUTE_TABLE,      KIND_ROUTER,
	KIND_SECURITY_GROUP,   KIND_SECURITY_GROUP_RULE,
	KIND_SUBNET,           KIND_TRANSIT_ATTACHMENT,
	KIND_TRANSIT_GATEWAY,  KIND_TRANSIT_ROUTE_TABLE,
};

/* ---- reading the request ---- */

static RESULT read_protocol(struct native_call *e, struct reach_args *a)
{
	if (!engine_read_protocol(a->protocol_text, &a->protocol))
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("protocol"),
			"protocol must be tcp, udp, icmp or a number from 0 to 255, not %" STR_FMT ".",
			STR_ARG(str_slice(a->protocol_text, 0, 64)));
	return OK;
}

static RESULT check_port(struct native_call *e, const struct reach_args *a)
{
	bool has_ports = a->protocol == IPPROTO_TCP || a->protocol == IPPROTO_UDP;
	if (has_ports && !a->port)
		return ctx_fail_field(e->c, ERR_MISSING, STR("port"),
				      "port is missing: tcp and udp have ports.");
	if (!has_ports && a->port)
		return ctx_fail_field(e->c, ERR_INVALID, STR("port"), "port is of tcp and udp alone.");
	if (a->ip_version == 5)
		return ctx_fail_field(e->c, ERR_INVALID, STR("ip_version"), "ip_version must be 4 or 6.");
	return OK;
}

/* Resolves a row to an interface or address. An instance stands for its first interface. */
static RESULT take_row(struct native_call *e, const char *field, enum kind kind, const struct row *row,
		       struct reach_place *place)
{
	const struct port *port = kind == KIND_PORT ? port_of(row) : NULL;
	if (kind == KIND_INSTANCE)
		port = port_first_by_instance(native_tables(e), row->id);
	if (kind == KIND_ADDRESS) {
		place->ip = address_of(row)->ip;
		return OK;
	}
	if (!port)
		return ctx_fail_field(
			e->c, ERR_INVALID, str_from(field),
			kind == KIND_INSTANCE
				? "Instance %" STR_FMT " has no network interface."
				: "%" STR_FMT
				  " is neither an instance nor a network interface nor an address.",
			STR_ARG(place->text));
	place->port = port->row.id;
	return OK;
}

static RESULT read_place(struct native_call *e, const char *field, struct str text, struct reach_place *place)
{
	enum kind kind = KIND_NONE;
	const struct row *row = NULL;
	place->text = text;
	place->is_internet = str_is(text, "internet");
	if (place->is_internet || result_is_ok(ip_parse(text, &place->ip)))
		return OK;
	struct result found = native_find_anything(e, text, &kind, &row);
	if (!result_is_ok(found)) {
		e->c->problem.field = str_from(field);
		return found;
	}
	place->kind = kind;
	return take_row(e, field, kind, row, place);
}

/* Checks that one of two addresses is the caller's: others' reachability is private. */
static RESULT check_own(struct native_call *e, const struct reach_args *a)
{
	const struct tables *t = native_tables(e);
	if (!uuid_is_none(a->from.port) || !uuid_is_none(a->to.port))
		return OK;
	const struct address *own = ip_is_none(a->to.ip) ? NULL : address_first_by_public(t, a->to.ip);
	while (own && !native_sees(e->c, t, KIND_ADDRESS, &own->row))
		own = address_next_by_public(t, own);
	return own ? OK
		   : ctx_fail_field(e->c, ERR_INVALID, STR("from"),
				    "One of both must be an instance, an interface or a public address of "
				    "the account's.");
}

/* Checks that the caller may list the kinds that the answer shows for this end. */
static RESULT check_may(struct native_call *e, const struct reach_args *a, const struct reach_place *place)
{
	enum kind denied = place->kind != KIND_NONE && !a->may[place->kind]   ? place->kind
			   : !uuid_is_none(place->port) && !a->may[KIND_PORT] ? KIND_PORT
			   : !ip_is_none(place->ip) && !a->may[KIND_ADDRESS]  ? KIND_ADDRESS
									      : KIND_NONE;
	return denied == KIND_NONE
		       ? OK
		       : ctx_fail(e->c, ERR_DENIED, "You may not list %s.", model_shown[denied].name);
}

static RESULT prepare_reach(struct native_call *e, void *args)
{
	struct reach_args *a = args;
	TRY(read_protocol(e, a));
	TRY(check_port(e, a));
	TRY(read_place(e, "from", a->from_text, &a->from));
	TRY(read_place(e, "to", a->to_text, &a->to));
	TRY(check_own(e, a));
	view_close(&e->view); /* the guard opens its own view */
	e->view = (struct view){0};
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		if (model_shown[kinds[k]].name)
			TRY(native_may_read(e, kinds[k], &a->may[kinds[k]]));
		else
			a->may[kinds[k]] = true;
	TRY(check_may(e, a, &a->from));
	return check_may(e, a, &a->to);
}

/* ---- the answer ---- */

static bool is_shown(struct native_call *e, const struct reach_args *a, enum kind kind, uuid id)
{
	const struct row *row = kind == KIND_NONE ? NULL : tables_find(native_tables(e), kind, id);
	return row && a->may[kind] && native_sees(e->c, native_tables(e), kind, row);
}

static void write_ref(struct json_writer *w, const char *kind_key, const char *id_key, enum kind kind,
		      uuid id, const char *ec2_key)
{
	char ec2[EC2_ID_TEXT_SIZE];
	json_write_z(w, kind_key, model_kinds[kind].name);
	json_write_uuid(w, id_key, id);
	if (ec2_key && *model_kinds[kind].ec2_prefix)
		json_write_z(w, ec2_key, id_write_ec2(kind, id, ec2));
}

/* Writes the remedy as parameters of the call that adds the rule. */
static void write_remedy(struct native_call *e, struct json_writer *w, const struct reach_remedy *r)
{
	const struct security_group *group = security_group_find(native_tables(e), r->group);
	char block[CIDR_TEXT_SIZE];
	if (!group || !engine_is_own(e->c, KIND_SECURITY_GROUP, &group->row))
		return;
	json_write_open(w, "remedy");
	json_write_z(w, "direction", r->is_egress ? "egress" : "ingress");
	json_write_uuid(w, "group", group->row.id);
	json_write_int(w, "protocol", r->protocol);
	if (r->from_port >= 0)
		json_write_int(w, "from_port", r->from_port);
	if (r->to_port >= 0)
		json_write_int(w, "to_port", r->to_port);
	json_write_z(w, "peer_block", cidr_write(r->peer_block, block));
	json_write_close(w);
}

static void write_step(struct native_call *e, const struct reach_args *a, struct json_writer *w,
		       const struct reach_step *s)
{
	bool is_hidden = s->kind != KIND_NONE && !is_shown(e, a, s->kind, s->row);
	json_write_open(w, NULL);
	json_write_z(w, "stage", reach_stage_words[s->stage]);
	json_write_z(w, "verdict", reach_verdict_words[s->verdict]);
	if (s->is_reply)
		json_write_bool(w, "is_reply", true);
	if (is_hidden) {
		json_write_bool(w, "is_hidden", true);
		json_write_z(w, "text", "What decides here is not yours to see.");
		if (s->verdict != REACH_PASSES)
			json_write_z(w, "advice", "Ask whose it is.");
		json_write_close(w);
		return;
	}
	if (s->kind != KIND_NONE)
		write_ref(w, "kind", "id", s->kind, s->row, "ec2");
	if (s->part_of != KIND_NONE && is_shown(e, a, s->part_of, s->whole))
		write_ref(w, "part_of", "whole", s->part_of, s->whole, NULL);
	json_write_text(w, "text", s->text);
	if (s->advice.n)
		json_write_text(w, "advice", s->advice);
	if (!uuid_is_none(s->remedy.group))
		write_remedy(e, w, &s->remedy);
	json_write_close(w);
}

static void write_place(struct native_call *e, const struct reach_args *a, struct json_writer *w,
			const char *key, const struct port *port, struct ip ip)
{
	char text[IP_TEXT_SIZE];
	json_write_open(w, key);
	if (!ip_is_none(ip))
		json_write_z(w, "ip", ip_write(ip, text));
	if (port && is_shown(e, a, KIND_PORT, port->row.id)) {
		json_write_uuid(w, "port", port->row.id);
		if (!uuid_is_none(port->instance) && is_shown(e, a, KIND_INSTANCE, port->instance))
			json_write_uuid(w, "instance", port->instance);
	}
	json_write_close(w);
}

static RESULT find_port(struct native_call *e, const struct reach_place *place, const struct port **ret_port)
{
	*ret_port = uuid_is_none(place->port) ? NULL : port_find(native_tables(e), place->port);
	return *ret_port || uuid_is_none(place->port) ? OK : engine_fail_gone(e->c, KIND_PORT, place->port);
}

/* Address family of the internet end: that of the other end. */
static enum ip_family family_of(struct native_call *e, const struct reach_args *a, const struct port *port,
				struct ip ip)
{
	if (a->ip_version)
		return (enum ip_family) a->ip_version;
	if (!ip_is_none(ip))
		return (enum ip_family) ip.family;
	return port && ip_is_none(engine_get_port_ip(native_tables(e), port, IP_V4)) ? IP_V6 : IP_V4;
}

static RESULT answer_reach(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct reach_args *a = args;
	const struct tables *t = native_tables(e);
	static const char *const reaches[] = {
		[REACH_PASSES] = "yes", [REACH_STOPS] = "no", [REACH_UNKNOWN] = "unknown"};
	struct reach_question q = {.family = (enum ip_family) a->ip_version,
				   .protocol = a->protocol,
				   .port = a->port,
				   .from_ip = a->from.ip,
				   .to_ip = a->to.ip};
	struct reach_answer answer = {0};
	TRY(find_port(e, &a->from, &q.from));
	TRY(find_port(e, &a->to, &q.to));
	if (a->from.is_internet)
		q.from_ip = engine_get_stranger(t, family_of(e, a, q.to, a->to.ip));
	if (a->to.is_internet)
		q.to_ip = engine_get_stranger(t, family_of(e, a, q.from, a->from.ip));
	TRY(engine_find_reach(e->c, t, &q, &answer));
	json_write_int(w, "batch", (int64_t) e->view.commit);
	json_write_z(w, "reaches", reaches[answer.verdict]);
	write_place(e, a, w, "from", q.from, answer.from_ip);
	write_place(e, a, w, "to", q.to ? q.to : answer.found, answer.to_ip);
	json_write_int(w, "protocol", answer.protocol);
	if (a->port)
		json_write_int(w, "port", a->port);
	if (answer.first_bad < answer.count)
		json_write_int(w, "decides", (int64_t) answer.first_bad);
	json_write_open_list(w, "steps");
	for (size_t k = 0; k < answer.count; k++)
		write_step(e, a, w, &answer.steps[k]);
	json_write_close_list(w);
	return OK;
}

static const struct native_action rows[] = {
	{HTTP_GET, "/reach", .name = "FindReach", .permit = "dari:FindReach", .flags = API_FOR_ALL,
	 .args = PARAMS(struct reach_args, reach_params), .prepare = prepare_reach, .answer = answer_reach,
	 .doc = "Analyses reachability: tells step by step whether one place reaches another, and what "
		"blocks the path."},
};
const struct api_actions native_reach_actions = API_ACTIONS(rows);
