/* SPDX-License-Identifier: Apache-2.0
 * Attributes of Classic Load Balancers, and limits of the account. */
#include "api/elb/classic/internal.h"
#include "engine/limits.h"
#include "engine/resolve.h"
#include "store/elastic_load_balancer.h"

enum { IDLE_MAX_S = 4000, DRAIN_MAX_S = 3600, ATTRIBUTES_MAX = 10, BUCKET_MAX = 63, PREFIX_MAX = 255 };
enum { EMIT_SHORT_MIN = 5, EMIT_LONG_MIN = 60, MINUTE_S = 60 };

struct modify_args {
	struct elastic_load_balancer_change wish;
	struct str name;
	int64_t emit_minutes;
	struct elb_attributes more;
};
#define ATTRIBUTE(name, member, ...)                                                                         \
	PARAM(struct modify_args, "LoadBalancerAttributes." name, member, __VA_ARGS__)
static const struct param modify_params[] = {
	CLASSIC_NAME(struct modify_args, name),
	ATTRIBUTE("CrossZoneLoadBalancing.Enabled", wish.crosses_zones,
		  .doc = "Whether each address distributes to the instances of all zones."),
	ATTRIBUTE("AccessLog.Enabled", wish.requests.is_on,
		  .doc = "Whether requests are written to files in the region's bucket for logs."),
	ATTRIBUTE("AccessLog.S3BucketName", wish.requests.bucket, .flags = MAY_BE_EMPTY, .max = BUCKET_MAX,
		  .doc = "Name of the region's bucket for logs."),
	ATTRIBUTE("AccessLog.S3BucketPrefix", wish.requests.prefix, .flags = MAY_BE_EMPTY, .max = PREFIX_MAX,
		  .doc = "Folder in the bucket; absent: its top."),
	ATTRIBUTE("AccessLog.EmitInterval", emit_minutes,
		  .doc = "Minutes of requests in one file: 5 or 60, which is the default."),
	ATTRIBUTE("ConnectionDraining.Enabled", wish.drains,
		  .doc = "Whether deregistered instances are drained."),
	ATTRIBUTE("ConnectionDraining.Timeout", wish.drain_s, .min = 1, .max = DRAIN_MAX_S,
		  .doc = "Draining timeout in seconds."),
	ATTRIBUTE("ConnectionSettings.IdleTimeout", wish.idle_s, .min = 1, .max = IDLE_MAX_S,
		  .doc = "Idle timeout of a connection in seconds."),
	PARAM_LIST(struct modify_args, "LoadBalancerAttributes.AdditionalAttributes.member", more,
		   elb_attribute_table, .max = ATTRIBUTES_MAX,
		   .doc = "Only `elb.http.desyncmitigationmode` with the value `defensive`."),
};

static const char desync_key[] = "elb.http.desyncmitigationmode";

/* AccessLog replaces the former one as a whole; logs that are turned off without a bucket keep their place. */
static RESULT read_log(struct elb_call *e, struct modify_args *a)
{
	a->wish.region_bucket = e->config->flow_log_bucket;
	if (a->emit_minutes && a->emit_minutes != EMIT_SHORT_MIN && a->emit_minutes != EMIT_LONG_MIN)
		return ctx_fail_field(e->c, ERR_INVALID, STR("LoadBalancerAttributes.AccessLog.EmitInterval"),
				      "EmitInterval must be %d or %d minutes", EMIT_SHORT_MIN, EMIT_LONG_MIN);
	bool has_more = a->wish.requests.bucket.n || a->wish.requests.prefix.n || a->emit_minutes;
	if (a->wish.requests.is_on == CHOICE_DEFAULT)
		return has_more ? ctx_fail_field(e->c, ERR_INVALID,
						 STR("LoadBalancerAttributes.AccessLog.Enabled"),
						 "AccessLog must say whether it is Enabled")
				: OK;
	a->wish.requests.sets_bucket = a->wish.requests.bucket.n || a->wish.requests.is_on == CHOICE_YES;
	a->wish.requests.sets_prefix = a->wish.requests.prefix.n || a->wish.requests.is_on == CHOICE_YES;
	a->wish.log_interval_s = MINUTE_S * (a->emit_minutes ? a->emit_minutes : EMIT_LONG_MIN);
	return OK;
}

static RESULT prepare_modify(struct elb_call *e, void *args)
{
	struct modify_args *a = args;
	TRY(classic_find(e, a->name, &a->wish.balancer));
	TRY(read_log(e, a));
	for (size_t k = 0; k < a->more.count; k++) {
		const struct elb_attribute *one = &a->more.at[k];
		if (!str_is(one->key, desync_key))
			return ctx_fail_field(e->c, ERR_INVALID, STR("LoadBalancerAttributes"),
					      "Attribute key '%" STR_FMT "' is not recognized",
					      STR_ARG(one->key));
		if (!str_is(one->value, "defensive"))
			return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("LoadBalancerAttributes"),
					      "The attribute '%s' can only be 'defensive' in this region",
					      desync_key);
	}
	return OK;
}

static void write_enabled(struct xml *x, const char *name, bool is_enabled)
{
	xml_open(x, name);
	xml_bool(x, "Enabled", is_enabled);
	xml_close(x, name);
}

static void write_log(struct xml *x, const struct elastic_load_balancer *b)
{
	xml_open(x, "AccessLog");
	xml_bool(x, "Enabled", b->logs_requests);
	if (b->log_bucket.n) {
		xml_text(x, "S3BucketName", b->log_bucket);
		xml_int(x, "EmitInterval", b->log_interval_s / MINUTE_S);
		xml_text(x, "S3BucketPrefix", b->log_prefix);
	}
	xml_close(x, "AccessLog");
}

static void write_attributes(struct xml *x, const struct elastic_load_balancer *b)
{
	xml_open(x, "LoadBalancerAttributes");
	write_enabled(x, "CrossZoneLoadBalancing", b->crosses_zones);
	write_log(x, b);
	xml_open(x, "ConnectionDraining");
	xml_bool(x, "Enabled", b->drains);
	xml_int(x, "Timeout", b->drain_s);
	xml_close(x, "ConnectionDraining");
	xml_open(x, "ConnectionSettings");
	xml_int(x, "IdleTimeout", b->idle_s);
	xml_close(x, "ConnectionSettings");
	xml_open(x, "AdditionalAttributes");
	elb_write_attribute(x, desync_key, STR("defensive"));
	xml_close(x, "AdditionalAttributes");
	xml_close(x, "LoadBalancerAttributes");
}

static RESULT show_modified(struct elb_call *e, const void *args, struct xml *x)
{
	const struct modify_args *a = args;
	const struct row *row = NULL;
	TRY(elb_find_returned(e, a->wish.balancer.prefix, &row));
	xml_text(x, "LoadBalancerName", a->name);
	write_attributes(x, elastic_load_balancer_of(row));
	return OK;
}

struct describe_args {
	struct str name;
	struct ref balancer;
};
static const struct param describe_params[] = {CLASSIC_NAME(struct describe_args, name)};

static RESULT prepare_describe(struct elb_call *e, void *args)
{
	struct describe_args *a = args;
	return classic_find(e, a->name, &a->balancer);
}

static RESULT answer_describe(struct elb_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, elb_tables(e), KIND_ELASTIC_LOAD_BALANCER,
			    &((const struct describe_args *) args)->balancer, &row));
	write_attributes(x, elastic_load_balancer_of(row));
	return OK;
}

/* ---- limits ---- */

struct limits_args {
	struct query_pages pages;
};
static const struct param limits_params[] = {ELB_PAGES(struct limits_args, pages)};

static RESULT answer_limits(struct elb_call *e, const void *args, struct xml *x)
{
	static const struct elb_limit limits[] = {{"classic-listeners", LISTENERS_MAX},
						  {"classic-load-balancers", APPLICATION_LOAD_BALANCERS_MAX},
						  {"classic-registered-instances", TARGETS_MAX}};
	return elb_write_limits(e, x, limits, sizeof limits / sizeof limits[0],
				&((const struct limits_args *) args)->pages);
}

static const struct elb_action actions[] = {
	{ELB_ACTION("DescribeLoadBalancerAttributes"), .args = PARAMS(struct describe_args, describe_params),
	 .prepare = prepare_describe, .answer = answer_describe,
	 .doc = "Lists the attributes of a load balancer."},
	{ELB_ACTION("ModifyLoadBalancerAttributes"), .flags = API_WRITES,
	 .args = PARAMS(struct modify_args, modify_params), .prepare = prepare_modify,
	 .operation = engine_set_elastic_load_balancer_run, .returns = KIND_ELASTIC_LOAD_BALANCER,
	 .answer = show_modified, .doc = "Sets attributes of a load balancer."},
	{ELB_ACTION("DescribeAccountLimits"), .args = PARAMS(struct limits_args, limits_params),
	 .answer = answer_limits, .doc = "Lists the limits of the account."},
};
const struct api_actions classic_attribute_actions = API_ACTIONS(actions);
