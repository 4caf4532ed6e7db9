/* SPDX-License-Identifier: Apache-2.0
 * Attributes of load balancers and target groups: all that those of a type have, of which some can be changed. Source:
 * API Reference of Elastic Load Balancing, LoadBalancerAttribute and TargetGroupAttribute. */
#include "api/elb/internal.h"
#include "engine/resolve.h"
#include "store/elastic_load_balancer.h"
#include "store/target_group.h"

enum {
	DELAY_MAX_S = 3600,
	IDLE_MAX_S = 4000,
	KEEP_ALIVE_MIN_S = 60,
	KEEP_ALIVE_MAX_S = 604800,
	STICKY_MAX_S = 604800,
	COOKIE_MAX = 255,
	SLOW_START_MIN_S = 30,
	SLOW_START_MAX_S = 900,
	BUCKET_MIN = 3,
	BUCKET_MAX = 63
};

static const struct param attribute_params[] = {
	PARAM(struct elb_attribute, "Key", key, .flags = REQUIRED, .min = 1, .max = 256,
	      .doc = "Name of the attribute."),
	PARAM(struct elb_attribute, "Value", value, .flags = REQUIRED | MAY_BE_EMPTY, .max = 1024,
	      .doc = "Value of the attribute."),
};
const struct params elb_attribute_table = PARAMS(struct elb_attribute, attribute_params);
/* An attribute that has one value. */
struct fixed_attribute {
	const char *key, *value;
};
static const struct fixed_attribute balancer_fixed[] = {
	{"dns_record.client_routing_policy", "any_availability_zone"},
	{"zonal_shift.config.enabled", "false"},
	{"secondary_ips.auto_assigned.per_subnet", "0"},
};
/* Application load balancers: HAProxy refuses requests that a desync needs. */
static const struct fixed_attribute application_fixed[] = {
	{"health_check_logs.s3.enabled", "false"},
	{"health_check_logs.s3.bucket", ""},
	{"health_check_logs.s3.prefix", ""},
	{"load_balancing.cross_zone.enabled", "true"},
	{"routing.http.desync_mitigation_mode", "defensive"},
	{"waf.fail_open.enabled", "false"},
	{"zonal_shift.config.enabled", "false"},
};
/* Connections to an unhealthy target last until an end closes them. */
static const struct fixed_attribute group_fixed[] = {
	{"deregistration_delay.connection_termination.enabled", "false"},
	{"load_balancing.cross_zone.enabled", "use_load_balancer_configuration"},
	{"target_health_state.unhealthy.connection_termination.enabled", "false"},
	{"target_health_state.unhealthy.draining_interval_seconds", "0"},
	{"target_group_health.dns_failover.minimum_healthy_targets.count", "off"},
	{"target_group_health.dns_failover.minimum_healthy_targets.percentage", "off"},
	{"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1"},
	{"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off"},
};
static const struct fixed_attribute http_group_fixed[] = {
	/* HAProxy marks the application's cookie, which lives as long as the application says */
	{"stickiness.app_cookie.duration_seconds", "86400"},
	{"load_balancing.algorithm.anomaly_mitigation", "off"},
	{"load_balancing.cross_zone.enabled", "use_load_balancer_configuration"},
	{"target_group_health.dns_failover.minimum_healthy_targets.count", "1"},
	{"target_group_health.dns_failover.minimum_healthy_targets.percentage", "off"},
	{"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1"},
	{"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off"},
};
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* Accepts the value that the attribute has. ERR_UNSUPPORTED: another one; ERR_INVALID: there is no such attribute. */
static RESULT check_fixed(struct elb_call *e, const struct elb_attribute *a,
			  const struct fixed_attribute *fixed, size_t count, const char *what)
{
	for (size_t k = 0; k < count; k++) {
		if (!str_is(a->key, fixed[k].key))
			continue;
		return str_is(a->value, fixed[k].value)
			       ? OK
			       : ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("Attributes"),
						"The %s attribute '%s' can only be '%s' in this region", what,
						fixed[k].key, fixed[k].value);
	}
	return ctx_fail_field(e->c, ERR_INVALID, STR("Attributes"),
			      "%s attribute key '%" STR_FMT "' is not recognized", what, STR_ARG(a->key));
}

static const char gateway_switch[] = "ipv6.deny_all_igw_traffic";

/* No internet gateway leads to the IPv6 addresses of an internal load balancer, and nothing else keeps clients away from those of an
 * internet-facing one. */
static RESULT check_gateway(struct elb_call *e, const struct elb_attribute *a,
			    const struct elastic_load_balancer *b)
{
	const struct fixed_attribute fixed = {gateway_switch, b && b->is_internal ? "true" : "false"};
	return check_fixed(e, a, &fixed, 1, "Load balancer");
}

static RESULT read_choice(struct elb_call *e, const struct elb_attribute *a, enum choice *ret_choice)
{
	bool is_yes = str_is(a->value, "true");
	if (!is_yes && !str_is(a->value, "false"))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Attributes"),
				      "'%" STR_FMT "' must be true or false. Got '%" STR_FMT "'",
				      STR_ARG(a->key), STR_ARG(a->value));
	*ret_choice = is_yes ? CHOICE_YES : CHOICE_NO;
	return OK;
}

void elb_write_attribute(struct xml *x, const char *key, struct str value)
{
	xml_open(x, "member");
	xml_z(x, "Key", key);
	xml_text(x, "Value", value);
	xml_close(x, "member");
}

static void write_bool(struct xml *x, const char *key, bool value)
{
	elb_write_attribute(x, key, value ? STR("true") : STR("false"));
}

static void write_number(struct elb_call *e, struct xml *x, const char *key, int64_t value)
{
	elb_write_attribute(x, key, str_print(e->c->arena, "%lld", (long long) value));
}

/* ERR_INVALID: not a number from least to most, or 0 if that is allowed, too. */
static RESULT read_number(struct elb_call *e, const struct elb_attribute *a, int64_t least, int64_t most,
			  int64_t *ret_number)
{
	if (result_is_ok(str_parse_int(a->value, ret_number)) && *ret_number >= least && *ret_number <= most)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("Attributes"),
			      "'%" STR_FMT "' must be between '%lld' and '%lld'. Got '%" STR_FMT "'",
			      STR_ARG(a->key), (long long) least, (long long) most, STR_ARG(a->value));
}

/* The index of the value among the words. ERR_INVALID: it is none of them. */
static RESULT read_word(struct elb_call *e, const struct elb_attribute *a, const char *const *words,
			size_t count, size_t *ret_index)
{
	for (size_t k = 0; k < count; k++)
		if (str_is(a->value, words[k])) {
			*ret_index = k;
			return OK;
		}
	return ctx_fail_field(e->c, ERR_INVALID, STR("Attributes"), "'%" STR_FMT "' cannot be '%" STR_FMT "'",
			      STR_ARG(a->key), STR_ARG(a->value));
}

static void write_fixed(struct xml *x, const struct fixed_attribute *fixed, size_t count)
{
	for (size_t k = 0; k < count; k++)
		elb_write_attribute(x, fixed[k].key, str_from(fixed[k].value));
}

/* ---- load balancers ---- */

struct balancer_args {
	struct elastic_load_balancer_change wish;
	struct str arn;
	struct elb_attributes attributes;
};
static const struct param read_balancer_params[] = {
	ELB_ARN(struct balancer_args, "LoadBalancerArn", arn, .doc = "The load balancer.")};
static const struct param set_balancer_params[] = {
	ELB_ARN(struct balancer_args, "LoadBalancerArn", arn, .doc = "The load balancer."),
	ELB_ATTRIBUTES(struct balancer_args)};

/* Attributes of an application load balancer that are true or false: places in the change and in the row. */
static const struct switch_attribute {
	const char *key;
	size_t change, row;
} switches[] = {
#define SWITCH(key, member)                                                                                  \
	{                                                                                                    \
		key, offsetof(struct elastic_load_balancer_change, member),                                  \
			offsetof(struct elastic_load_balancer, member)                                       \
	}
	SWITCH("routing.http.drop_invalid_header_fields.enabled", drops_headers),
	SWITCH("routing.http.preserve_host_header.enabled", keeps_host),
	SWITCH("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", names_cipher),
	SWITCH("routing.http.xff_client_port.enabled", forwards_port),
	SWITCH("routing.http2.enabled", has_http2),
};

static const char *const forwarded_words[] = {"append", "preserve", "remove"};

/* Attributes of access logs, and of connection logs. */
struct log_attributes {
	const char *is_on, *bucket, *prefix;
};
static const struct log_attributes request_log = {"access_logs.s3.enabled", "access_logs.s3.bucket",
						  "access_logs.s3.prefix"},
				   connection_log = {"connection_logs.s3.enabled",
						     "connection_logs.s3.bucket",
						     "connection_logs.s3.prefix"};

static bool is_log(const struct log_attributes *log, struct str key)
{
	return str_is(key, log->is_on) || str_is(key, log->bucket) || str_is(key, log->prefix);
}

static RESULT read_log(struct elb_call *e, const struct elb_attribute *a, const struct log_attributes *log,
		       struct balancer_log_change *change)
{
	if (str_is(a->key, log->is_on))
		return read_choice(e, a, &change->is_on);
	if (a->value.n && str_is(a->key, log->bucket) && (a->value.n < BUCKET_MIN || a->value.n > BUCKET_MAX))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Attributes"),
				      "The value of '%s' must have %d to %d characters", log->bucket,
				      BUCKET_MIN, BUCKET_MAX);
	if (str_is(a->key, log->bucket)) {
		change->sets_bucket = true;
		change->bucket = a->value;
	} else {
		change->sets_prefix = true;
		change->prefix = a->value;
	}
	return OK;
}

static RESULT read_application(struct elb_call *e, const struct elb_attribute *a,
			       struct elastic_load_balancer_change *wish)
{
	size_t mode = 0;
	if (is_log(&connection_log, a->key))
		return read_log(e, a, &connection_log, &wish->connections);
	for (size_t k = 0; k < COUNT(switches); k++)
		if (str_is(a->key, switches[k].key))
			return read_choice(e, a,
					   (enum choice *) (void *) ((char *) wish + switches[k].change));
	if (str_is(a->key, "idle_timeout.timeout_seconds"))
		return read_number(e, a, 1, IDLE_MAX_S, &wish->idle_s);
	if (str_is(a->key, "client_keep_alive.seconds"))
		return read_number(e, a, KEEP_ALIVE_MIN_S, KEEP_ALIVE_MAX_S, &wish->keep_alive_s);
	if (!str_is(a->key, "routing.http.xff_header_processing.mode"))
		return check_fixed(e, a, application_fixed, COUNT(application_fixed), "Load balancer");
	TRY(read_word(e, a, forwarded_words, COUNT(forwarded_words), &mode));
	wish->sets_forwarded_for = true;
	wish->forwarded_for = (enum balancer_forwarded_for) mode;
	return OK;
}

static RESULT prepare_balancer(struct elb_call *e, void *args)
{
	struct balancer_args *a = args;
	TRY(elb_find(e, KIND_ELASTIC_LOAD_BALANCER, a->arn, "LoadBalancerArn", &a->wish.balancer));
	const struct elastic_load_balancer *b =
		elastic_load_balancer_find(elb_tables(e), a->wish.balancer.prefix);
	bool is_application = b && b->type == ELASTIC_LOAD_BALANCER_TYPE_APPLICATION;
	a->wish.region_bucket = e->config->flow_log_bucket;
	for (size_t k = 0; k < a->attributes.count; k++) {
		const struct elb_attribute *one = &a->attributes.at[k];
		if (str_is(one->key, "deletion_protection.enabled"))
			TRY(read_choice(e, one, &a->wish.is_protected));
		else if (str_is(one->key, gateway_switch))
			TRY(check_gateway(e, one, b));
		else if (is_log(&request_log, one->key))
			TRY(read_log(e, one, &request_log, &a->wish.requests));
		else if (is_application)
			TRY(read_application(e, one, &a->wish));
		else if (str_is(one->key, "load_balancing.cross_zone.enabled"))
			TRY(read_choice(e, one, &a->wish.crosses_zones));
		else
			TRY(check_fixed(e, one, balancer_fixed, COUNT(balancer_fixed), "Load balancer"));
	}
	return OK;
}

static void write_log(struct xml *x, const struct log_attributes *log, bool is_on, struct str bucket,
		      struct str prefix)
{
	write_bool(x, log->is_on, is_on);
	elb_write_attribute(x, log->bucket, bucket);
	elb_write_attribute(x, log->prefix, prefix);
}

static void write_access_log(struct xml *x, const struct elastic_load_balancer *b)
{
	write_log(x, &request_log, b->logs_requests, b->log_bucket, b->log_prefix);
}

static void write_application(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b)
{
	for (size_t k = 0; k < COUNT(switches); k++)
		write_bool(x, switches[k].key,
			   *(const bool *) (const void *) ((const char *) b + switches[k].row));
	elb_write_attribute(x, "routing.http.xff_header_processing.mode",
			    str_from(forwarded_words[b->forwarded_for]));
	write_number(e, x, "idle_timeout.timeout_seconds", b->idle_s);
	write_number(e, x, "client_keep_alive.seconds", b->keep_alive_s);
	write_access_log(x, b);
	write_log(x, &connection_log, b->logs_connections, b->connection_log_bucket,
		  b->connection_log_prefix);
	write_bool(x, gateway_switch, b->is_internal);
	write_fixed(x, application_fixed, COUNT(application_fixed));
}

static void write_balancer(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b)
{
	xml_open(x, "Attributes");
	write_bool(x, "deletion_protection.enabled", b->is_protected);
	if (b->type == ELASTIC_LOAD_BALANCER_TYPE_APPLICATION) {
		write_application(e, x, b);
	} else {
		write_bool(x, "load_balancing.cross_zone.enabled", b->crosses_zones);
		write_access_log(x, b);
		write_bool(x, gateway_switch, b->is_internal);
		write_fixed(x, balancer_fixed, COUNT(balancer_fixed));
	}
	xml_close(x, "Attributes");
}

static RESULT show_balancer(struct elb_call *e, const void *args, struct xml *x)
{
	const struct balancer_args *a = args;
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, elb_tables(e), KIND_ELASTIC_LOAD_BALANCER, &a->wish.balancer, &row));
	write_balancer(e, x, elastic_load_balancer_of(row));
	return OK;
}

static RESULT show_changed_balancer(struct elb_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(elb_find_returned(e, ((const struct balancer_args *) args)->wish.balancer.prefix, &row));
	write_balancer(e, x, elastic_load_balancer_of(row));
	return OK;
}

/* ---- target groups ---- */

struct group_args {
	struct target_group_change wish;
	struct str arn;
	struct elb_attributes attributes;
};
static const struct param read_group_params[] = {
	ELB_ARN(struct group_args, "TargetGroupArn", arn, .doc = "ARN of the target group.")};
static const struct param set_group_params[] = {
	ELB_ARN(struct group_args, "TargetGroupArn", arn, .doc = "ARN of the target group."),
	ELB_ATTRIBUTES(struct group_args)};

static const char *const algorithm_words[] = {"round_robin", "least_outstanding_requests", "weighted_random"};

static RESULT read_slow_start(struct elb_call *e, const struct elb_attribute *a,
			      struct target_group_change *wish)
{
	wish->sets_slow_start = true;
	return str_is(a->value, "0")
		       ? OK
		       : read_number(e, a, SLOW_START_MIN_S, SLOW_START_MAX_S, &wish->slow_start_s);
}

static bool is_http(const struct target_group *g)
{
	return g && (g->protocol == TARGET_GROUP_PROTOCOL_HTTP || g->protocol == TARGET_GROUP_PROTOCOL_HTTPS);
}

static const char *protocol_word(const struct target_group *g)
{
	static const char *const words[] = {
		[TARGET_GROUP_PROTOCOL_TCP] = "TCP",         [TARGET_GROUP_PROTOCOL_UDP] = "UDP",
		[TARGET_GROUP_PROTOCOL_HTTP] = "HTTP",       [TARGET_GROUP_PROTOCOL_HTTPS] = "HTTPS",
		[TARGET_GROUP_PROTOCOL_TCP_UDP] = "TCP_UDP", [TARGET_GROUP_PROTOCOL_TLS] = "TLS"};
	return g ? words[g->protocol] : "TCP";
}

/* Cookies are of HTTP. The client's address is what a network load balancer has. */
static RESULT read_stickiness(struct elb_call *e, const struct elb_attribute *a, const struct target_group *g,
			      struct target_group_change *wish)
{
	bool is_app = str_is(a->value, "app_cookie"), is_ip = str_is(a->value, "source_ip");
	if (!is_app && !is_ip && !str_is(a->value, "lb_cookie"))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Attributes"),
				      "'Stickiness type' must be one of [app_cookie, lb_cookie, source_ip]");
	if (is_ip == is_http(g))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Attributes"),
				      "Stickiness type '%" STR_FMT
				      "' is not supported for target groups with the %s protocol",
				      STR_ARG(a->value), protocol_word(g));
	wish->sets_cookie_kind = !is_ip;
	wish->is_by_app_cookie = is_app;
	return OK;
}

/* A token of RFC 6265, without characters that HAProxy's configuration gives a meaning. Names of the load balancer's own
 * cookies are reserved. */
static RESULT read_cookie(struct elb_call *e, const struct elb_attribute *a, struct target_group_change *wish)
{
	bool is_good = a->value.n > 0 && !str_starts_with(a->value, STR("AWSALB"));
	for (size_t k = 0; k < a->value.n; k++)
		is_good = is_good && (str_is_alphanumeric(a->value.p[k]) || a->value.p[k] == '-' ||
				      a->value.p[k] == '_' || a->value.p[k] == '.');
	wish->cookie = a->value;
	return is_good && a->value.n <= COOKIE_MAX
		       ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, STR("Attributes"),
					"The cookie name '%" STR_FMT "' is not valid", STR_ARG(a->value));
}

/* Attributes of groups of HTTP and HTTPS. */
static RESULT read_http(struct elb_call *e, const struct elb_attribute *a, struct target_group_change *wish)
{
	size_t algorithm = 0;
	if (str_is(a->key, "stickiness.app_cookie.cookie_name"))
		return read_cookie(e, a, wish);
	if (str_is(a->key, "stickiness.lb_cookie.duration_seconds"))
		return read_number(e, a, 1, STICKY_MAX_S, &wish->sticky_s);
	if (str_is(a->key, "slow_start.duration_seconds"))
		return read_slow_start(e, a, wish);
	if (!str_is(a->key, "load_balancing.algorithm.type"))
		return check_fixed(e, a, http_group_fixed, COUNT(http_group_fixed), "Target group");
	TRY(read_word(e, a, algorithm_words, COUNT(algorithm_words), &algorithm));
	wish->sets_algorithm = true;
	wish->algorithm = (enum target_algorithm) algorithm;
	return OK;
}

/* OVN keeps clients' addresses, and a proxy does not: whether the group's load balancer has one decides. */
static bool keeps_client(struct elb_call *e, const struct target_group *g)
{
	const struct tables *t = elb_tables(e);
	return g && !engine_needs_proxy(g) &&
	       !engine_get_proxy(t, engine_get_balancer_of_group(t, g->row.id));
}

/* Attributes of groups of TCP, TLS and UDP. A proxy, which speaks no UDP, sends the header of the PROXY protocol. */
static RESULT read_network(struct elb_call *e, const struct elb_attribute *a, const struct target_group *g,
			   struct target_group_change *wish)
{
	bool has_udp = g && (g->protocol == TARGET_GROUP_PROTOCOL_UDP ||
			     g->protocol == TARGET_GROUP_PROTOCOL_TCP_UDP);
	const struct fixed_attribute header = {"proxy_protocol_v2.enabled", "false"};
	const struct fixed_attribute client = {"preserve_client_ip.enabled",
					       keeps_client(e, g) ? "true" : "false"};
	if (str_is(a->key, client.key))
		return check_fixed(e, a, &client, 1, "Target group");
	if (!str_is(a->key, header.key))
		return check_fixed(e, a, group_fixed, COUNT(group_fixed), "Target group");
	return has_udp ? check_fixed(e, a, &header, 1, "Target group")
		       : read_choice(e, a, &wish->sends_proxy_v2);
}

static RESULT prepare_group(struct elb_call *e, void *args)
{
	struct group_args *a = args;
	TRY(elb_find(e, KIND_TARGET_GROUP, a->arn, "TargetGroupArn", &a->wish.target_group));
	const struct target_group *g = target_group_find(elb_tables(e), a->wish.target_group.prefix);
	for (size_t k = 0; k < a->attributes.count; k++) {
		const struct elb_attribute *one = &a->attributes.at[k];
		if (str_is(one->key, "deregistration_delay.timeout_seconds")) {
			a->wish.sets_delay = true;
			TRY(read_number(e, one, 0, DELAY_MAX_S, &a->wish.delay_s));
		} else if (str_is(one->key, "stickiness.enabled")) {
			TRY(read_choice(e, one, &a->wish.is_sticky));
		} else if (str_is(one->key, "stickiness.type")) {
			TRY(read_stickiness(e, one, g, &a->wish));
		} else if (is_http(g)) {
			TRY(read_http(e, one, &a->wish));
		} else {
			TRY(read_network(e, one, g, &a->wish));
		}
	}
	if (g && g->protocol == TARGET_GROUP_PROTOCOL_TLS && a->wish.is_sticky == CHOICE_YES)
		return ctx_fail_field(e->c, ERR_INVALID, STR("Attributes"),
				      "You cannot enable stickiness on target groups with the TLS protocol");
	return OK;
}

static void write_http(struct elb_call *e, struct xml *x, const struct target_group *g)
{
	bool is_app = g->persistence == TARGET_GROUP_PERSISTENCE_APP_COOKIE;
	elb_write_attribute(x, "stickiness.type", is_app ? STR("app_cookie") : STR("lb_cookie"));
	elb_write_attribute(x, "stickiness.app_cookie.cookie_name", g->cookie);
	write_number(e, x, "stickiness.lb_cookie.duration_seconds", g->sticky_s);
	write_number(e, x, "slow_start.duration_seconds", g->slow_start_s);
	elb_write_attribute(x, "load_balancing.algorithm.type", str_from(algorithm_words[g->algorithm]));
	write_fixed(x, http_group_fixed, COUNT(http_group_fixed));
}

static void write_group(struct elb_call *e, struct xml *x, const struct target_group *g)
{
	xml_open(x, "Attributes");
	write_number(e, x, "deregistration_delay.timeout_seconds", g->delay_s);
	write_bool(x, "stickiness.enabled", g->is_sticky);
	if (is_http(g)) {
		write_http(e, x, g);
	} else {
		elb_write_attribute(x, "stickiness.type", STR("source_ip"));
		write_bool(x, "proxy_protocol_v2.enabled", g->sends_proxy_v2);
		write_bool(x, "preserve_client_ip.enabled", keeps_client(e, g));
		write_fixed(x, group_fixed, COUNT(group_fixed));
	}
	xml_close(x, "Attributes");
}

static RESULT show_group(struct elb_call *e, const void *args, struct xml *x)
{
	const struct group_args *a = args;
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, elb_tables(e), KIND_TARGET_GROUP, &a->wish.target_group, &row));
	write_group(e, x, target_group_of(row));
	return OK;
}

static RESULT show_changed_group(struct elb_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(elb_find_returned(e, ((const struct group_args *) args)->wish.target_group.prefix, &row));
	write_group(e, x, target_group_of(row));
	return OK;
}

static const struct elb_action actions[] = {
	{ELB_ACTION("DescribeLoadBalancerAttributes"),
	 .args = PARAMS(struct balancer_args, read_balancer_params), .prepare = prepare_balancer,
	 .answer = show_balancer, .doc = "Lists the attributes of a load balancer."},
	{ELB_ACTION("ModifyLoadBalancerAttributes"), .flags = API_WRITES,
	 .args = PARAMS(struct balancer_args, set_balancer_params), .prepare = prepare_balancer,
	 .operation = engine_set_elastic_load_balancer_run, .returns = KIND_ELASTIC_LOAD_BALANCER,
	 .answer = show_changed_balancer, .doc = "Sets attributes of a load balancer."},
	{ELB_ACTION("DescribeTargetGroupAttributes"), .args = PARAMS(struct group_args, read_group_params),
	 .prepare = prepare_group, .answer = show_group, .doc = "Lists the attributes of a target group."},
	{ELB_ACTION("ModifyTargetGroupAttributes"), .flags = API_WRITES,
	 .args = PARAMS(struct group_args, set_group_params), .prepare = prepare_group,
	 .operation = engine_set_target_group_run, .returns = KIND_TARGET_GROUP, .answer = show_changed_group,
	 .doc = "Sets attributes of a target group."},
};
const struct api_actions elb_attribute_actions = API_ACTIONS(actions);
