/* SPDX-License-Identifier: Apache-2.0
 * Attributes of listeners. Those of an application load balancer set response headers. Source: API Reference of
 * Elastic Load Balancing, ListenerAttribute. */
#include "api/elb/actions.h"
#include "engine/resolve.h"
#include "store/listener.h"

enum { HEADER_VALUE_MAX = 1024 };
#define RESPONSE(name) "routing.http.response." name ".header_value"
static const char server_key[] = "routing.http.response.server.enabled";

/* Each is empty, or the value of a header that every response gets. */
static const char *const header_keys[] = {
	RESPONSE("access_control_allow_credentials"), RESPONSE("access_control_allow_headers"),
	RESPONSE("access_control_allow_methods"),     RESPONSE("access_control_allow_origin"),
	RESPONSE("access_control_expose_headers"),    RESPONSE("access_control_max_age"),
	RESPONSE("content_security_policy"),          RESPONSE("strict_transport_security"),
	RESPONSE("x_content_type_options"),           RESPONSE("x_frame_options"),
};
enum { HEADER_KEYS = sizeof header_keys / sizeof header_keys[0] };

struct listener_args {
	struct listener_attributes wish;
	struct str arn;
	struct elb_attributes attributes;
};
static const struct param read_params[] = {
	ELB_ARN(struct listener_args, "ListenerArn", arn, .doc = "The listener.")};
static const struct param set_params[] = {
	ELB_ARN(struct listener_args, "ListenerArn", arn, .doc = "The listener."),
	ELB_ATTRIBUTES(struct listener_args)};

static bool is_application(const struct listener *l)
{
	return l->protocol == LISTENER_PROTOCOL_HTTP || l->protocol == LISTENER_PROTOCOL_HTTPS;
}

/* The value that the row has; empty: the standard. */
static struct str value_of(const struct strs *attributes, const char *key)
{
	for (size_t k = 0; k < attributes->count; k++) {
		struct str value = attributes->at[k], name = STR_NONE;
		if (str_split_next(&value, '=', &name) && str_is(name, key))
			return value;
	}
	return STR_NONE;
}

static RESULT fail(struct elb_call *e, enum err code, const struct elb_attribute *a, const char *why)
{
	return ctx_fail_field(e->c, code, STR("Attributes"), "Listener attribute '%" STR_FMT "' %s",
			      STR_ARG(a->key), why);
}

static RESULT check_application(struct elb_call *e, const struct elb_attribute *a)
{
	if (str_is(a->key, server_key))
		return str_is(a->value, "true") || str_is(a->value, "false")
			       ? OK
			       : fail(e, ERR_INVALID, a, "must be true or false");
	for (size_t k = 0; k < HEADER_KEYS; k++) {
		if (!str_is(a->key, header_keys[k]))
			continue;
		return a->value.n <= HEADER_VALUE_MAX && elb_is_printable(a->value, true)
			       ? OK
			       : fail(e, ERR_INVALID, a, "has a value that is not valid");
	}
	return str_starts_with(a->key, STR("routing.http.request."))
		       ? fail(e, ERR_UNSUPPORTED, a, "is not supported in this region")
		       : fail(e, ERR_INVALID, a, "is not recognized");
}

/* The time that OVN keeps an idle connection for. */
static RESULT check_network(struct elb_call *e, const struct elb_attribute *a)
{
	if (!str_is(a->key, "tcp.idle_timeout.seconds"))
		return fail(e, ERR_INVALID, a, "is not recognized");
	return str_is(a->value, "350") ? OK : fail(e, ERR_UNSUPPORTED, a, "can only be '350' in this region");
}

/* The value that a key is to have: what the call says last, else what the row has. */
static struct str wanted_value(const struct listener_args *a, const struct listener *l, const char *key)
{
	struct str value = value_of(&l->attributes, key);
	for (size_t k = 0; k < a->attributes.count; k++)
		if (str_is(a->attributes.at[k].key, key))
			value = a->attributes.at[k].value;
	return value;
}

static RESULT prepare(struct elb_call *e, void *args)
{
	struct listener_args *a = args;
	TRY(elb_find(e, KIND_LISTENER, a->arn, "ListenerArn", &a->wish.listener));
	const struct listener *l = listener_find(elb_tables(e), a->wish.listener.prefix);
	struct str *at = arena_new_array(e->c->arena, struct str, HEADER_KEYS + 1);
	size_t count = 0;
	if (!at || !l)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->attributes.count; k++)
		TRY(is_application(l) ? check_application(e, &a->attributes.at[k])
				      : check_network(e, &a->attributes.at[k]));
	for (size_t k = 0; k < HEADER_KEYS; k++) {
		struct str value = wanted_value(a, l, header_keys[k]);
		if (value.n)
			at[count++] = str_print(e->c->arena, "%s=%" STR_FMT, header_keys[k], STR_ARG(value));
	}
	if (str_is(wanted_value(a, l, server_key), "false"))
		at[count++] = str_print(e->c->arena, "%s=false", server_key);
	a->wish.attributes = (struct strs){at, count};
	return OK;
}

static void write_all(struct xml *x, const struct listener *l)
{
	xml_open(x, "Attributes");
	for (size_t k = 0; k < HEADER_KEYS && is_application(l); k++)
		elb_write_attribute(x, header_keys[k], value_of(&l->attributes, header_keys[k]));
	if (is_application(l))
		elb_write_attribute(x, server_key,
				    str_is(value_of(&l->attributes, server_key), "false") ? STR("false")
											  : STR("true"));
	else if (l->protocol == LISTENER_PROTOCOL_TCP || l->protocol == LISTENER_PROTOCOL_TCP_UDP)
		elb_write_attribute(x, "tcp.idle_timeout.seconds", STR("350"));
	xml_close(x, "Attributes");
}

static RESULT show(struct elb_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, elb_tables(e), KIND_LISTENER,
			    &((const struct listener_args *) args)->wish.listener, &row));
	write_all(x, listener_of(row));
	return OK;
}

static RESULT show_changed(struct elb_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(elb_find_returned(e, ((const struct listener_args *) args)->wish.listener.prefix, &row));
	write_all(x, listener_of(row));
	return OK;
}

static const struct elb_action actions[] = {
	{ELB_ACTION("DescribeListenerAttributes"), .args = PARAMS(struct listener_args, read_params),
	 .prepare = prepare, .answer = show, .doc = "Lists the attributes of a listener."},
	{ELB_ACTION("ModifyListenerAttributes"), .flags = API_WRITES,
	 .args = PARAMS(struct listener_args, set_params), .prepare = prepare,
	 .operation = engine_set_listener_attributes_run, .returns = KIND_LISTENER, .answer = show_changed,
	 .doc = "Sets attributes of a listener."},
};
const struct api_actions elb_listener_attribute_actions = API_ACTIONS(actions);
