/* SPDX-License-Identifier: Apache-2.0
 * Flow logs: CreateFlowLogs, DescribeFlowLogs, DeleteFlowLogs. Their destination is the bucket that the operator configures. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/network/flow_log.h"
#include "model/backup_name.h"
#include "model/flow_format.h"
#include "store/flow_log.h"

#define BUCKET_ARN "arn:aws:s3:::"
enum { INTERVAL_SHORT = 60, INTERVAL_LONG = 600 };

/* ---- members ---- */

static const char *const traffic_words[] = {"ACCEPT", "REJECT", "ALL"};

static struct str get_subject(struct api_call *e, const struct row *row)
{
	uuid id;
	enum kind kind = engine_flow_log_subject(flow_log_of(row), &id);
	return id_to_ec2(e->c->arena, kind, id);
}

static const char *get_status(struct api_call *e, const struct row *row)
{
	(void) e;
	return flow_log_of(row)->problem.n ? "FAILED" : "SUCCESS";
}

/* The reason of a file that was not written is the operator's, and is not shown. */
static struct str get_error(struct api_call *e, const struct row *row)
{
	(void) e;
	struct str problem = flow_log_of(row)->problem;
	return !problem.n || str_starts_with(problem, STR(FLOW_LOG_BEYOND)) ? problem : STR("Unknown error");
}

static const struct attribute option_rows[] = {
	ATTRIBUTE_CONST("fileFormat", "plain-text"),
	ATTRIBUTE_CONST("hiveCompatiblePartitions", "false"),
	ATTRIBUTE(flow_log, "perHourPartition", is_hourly),
};
static const struct attributes option_members = ATTRIBUTES(option_rows);
static const struct attribute flow_log_rows[] = {
	ATTRIBUTE_AS(TIME, flow_log, "creationTime", row.created_us),
	ATTRIBUTE_MADE(TEXT, text, "deliverLogsErrorMessage", get_error, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE_MADE(WORD, word, "deliverLogsStatus", get_status, .filter = "deliver-log-status"),
	ATTRIBUTE_OWN_ID(flow_log, "flowLogId", KIND_FLOW_LOG, .filter = "flow-log-id"),
	ATTRIBUTE_CONST("flowLogStatus", "ACTIVE"),
	ATTRIBUTE_NOTHING("log-group-name"),
	ATTRIBUTE_MADE(TEXT, text, "resourceId", get_subject, .filter = "resource-id"),
	ATTRIBUTE_AS(ENUM, flow_log, "trafficType", traffic, .words = traffic_words,
		     .filter = "traffic-type"),
	ATTRIBUTE_CONST("logDestinationType", "s3", .filter = "log-destination-type"),
	ATTRIBUTE(flow_log, "logDestination", destination),
	ATTRIBUTE(flow_log, "logFormat", format),
	ATTRIBUTE(flow_log, "maxAggregationInterval", interval_s),
	ATTRIBUTE_WITHIN("destinationOptions", option_members),
	ATTRIBUTE(flow_log, "tagSet", tags),
};
static const struct attributes flow_log_members = ATTRIBUTES(flow_log_rows);

static const struct ec2_listing flow_log_listing = {.kind = KIND_FLOW_LOG,
						    .set = "flowLogSet",
						    .filters = FILTERS_OF(flow_log_members),
						    .attributes = &flow_log_members};

/* ---- describe ---- */

struct ec2_describe_flow_logs {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_flow_logs, "FlowLogId", KIND_FLOW_LOG, "Flow logs by id."),
	QUERY_FILTERS(struct ec2_describe_flow_logs),
	QUERY_PAGES(struct ec2_describe_flow_logs, 1, 1000),
};

/* ---- create ---- */

struct ec2_create_flow_logs {
	struct flow_log_wish wish;
	struct str type, traffic, destination_type, group;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_flow_logs, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("ResourceId", wish.resources, .flags = REQUIRED | ANY_KIND,
	  .doc = "VPCs, subnets or network interfaces to record."),
	P("ResourceType", type, .flags = REQUIRED, .words = "VPC|Subnet|NetworkInterface",
	  .doc = "Type of the resources. Transit gateways and regional NAT gateways are not recorded."),
	P("TrafficType", traffic, .words = "ACCEPT|REJECT|ALL", .doc = "Traffic to record. Required."),
	P("LogDestinationType", destination_type, .words = "cloud-watch-logs|s3|kinesis-data-firehose",
	  .absent = "cloud-watch-logs",
	  .doc = "Type of the destination: s3. There are no log groups and no delivery streams."),
	P("LogDestination", wish.destination, .max = 1024,
	  .doc = "ARN of the region's bucket for flow logs, with a folder or without."),
	P("LogGroupName", group, .max = 512, .doc = "Log group, which only cloud-watch-logs would have."),
	P("LogFormat", wish.format, .max = 4096, .absent = FLOW_FORMAT_DEFAULT,
	  .doc = "Fields of a record, of versions 2 to 5 without tcp-flags and traffic-path."),
	P("MaxAggregationInterval", wish.interval_s, .absent = "600",
	  .doc = "Seconds of traffic in one record at most: 60 or 600."),
	P("DestinationOptions.PerHourPartition", wish.is_hourly, .doc = "Whether each hour has a folder."),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Idempotency token of the request."),
	TAG_SPECIFICATIONS(struct ec2_create_flow_logs, tag_specs),
	NOT_BUILT("DestinationOptions.FileFormat", .only = "plain-text"),
	NOT_BUILT("DestinationOptions.HiveCompatiblePartitions", .only = "false"),
	NOT_BUILT("DeliverLogsPermissionArn|DeliverCrossAccountRole"),
};
#undef P

static RESULT fail_parameter(struct ec2_call *e, const char *field, struct str words)
{
	struct result failed = ctx_fail_kind(e->c, ERR_INVALID, KIND_FLOW_LOG, "%" STR_FMT, STR_ARG(words));
	e->c->problem.field = str_from(field);
	return failed;
}

static RESULT check_type(struct ec2_call *e, const struct ec2_create_flow_logs *a)
{
	enum kind kind = str_is(a->type, "VPC")      ? KIND_ROUTER
			 : str_is(a->type, "Subnet") ? KIND_SUBNET
						     : KIND_PORT;
	for (size_t k = 0; k < a->wish.resources.count; k++)
		if (a->wish.resources.at[k].kind != kind)
			return fail_parameter(
				e, "ResourceId",
				str_print(e->c->arena,
					  "The resource '%" STR_FMT "' is not of type %" STR_FMT ".",
					  STR_ARG(a->wish.resources.at[k].text), STR_ARG(a->type)));
	return OK;
}

static RESULT check_destination_type(struct ec2_call *e, const struct ec2_create_flow_logs *a)
{
	if (a->group.n && str_is(a->destination_type, "s3"))
		return fail_parameter(
			e, "LogGroupName",
			STR("LogDestination type must be cloud-watch-logs if LogGroupName is provided."));
	if (!str_is(a->destination_type, "s3"))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("LogDestinationType"),
				      "The LogDestinationType '%" STR_FMT
				      "' is not supported: flow logs are written to a bucket (s3).",
				      STR_ARG(a->destination_type));
	if (!a->wish.destination.n)
		return fail_parameter(e, "LogDestination",
				      STR("LogDestination can't be empty if LogGroupName is not provided."));
	return OK;
}

/* Folders are names between single slashes; "AWSLogs" is reserved, as in EC2, for the accounts' own folders. */
static bool is_folder(struct str folder)
{
	struct str rest = folder, piece;
	while (str_split_next(&rest, '/', &piece))
		if (!backup_name_is_part(piece) || str_is(piece, "AWSLogs"))
			return false;
	return true;
}

/* "arn:aws:s3:::bucket/folder/" */
static RESULT take_destination(struct ec2_call *e, struct flow_log_wish *wish)
{
	if (!str_starts_with(wish->destination, STR(BUCKET_ARN)))
		return fail_parameter(e, "LogDestination",
				      STR("LogDestination must be the ARN of an S3 bucket."));
	struct str path = str_slice(wish->destination, sizeof BUCKET_ARN - 1, wish->destination.n);
	size_t end = str_find_char(path, '/', 0);
	wish->folder = str_slice(path, end + 1, path.n);
	if (wish->folder.n && wish->folder.p[wish->folder.n - 1] == '/')
		wish->folder.n--;
	if (wish->folder.n > 512 || !is_folder(wish->folder))
		return fail_parameter(e, "LogDestination", STR("LogDestination has an invalid folder."));
	wish->is_unknown = !str_equal(str_slice(path, 0, end), e->config->flow_log_bucket);
	return OK;
}

static RESULT check_format(struct ec2_call *e, struct str text)
{
	struct flow_format format;
	struct str wrong = STR_NONE;
	if (flow_format_parse(text, &format, &wrong) && format.count)
		return OK;
	return fail_parameter(e, "LogFormat",
			      str_print(e->c->arena, "Unknown fields provided: %" STR_FMT, STR_ARG(wrong)));
}

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_flow_logs *a = args;
	TRY(check_type(e, a));
	if (!a->traffic.n)
		return ctx_fail_field(e->c, ERR_MISSING, STR("TrafficType"),
				      "The request must contain the parameter TrafficType");
	a->wish.traffic = str_is(a->traffic, "ACCEPT")   ? FLOW_LOG_TRAFFIC_ACCEPT
			  : str_is(a->traffic, "REJECT") ? FLOW_LOG_TRAFFIC_REJECT
							 : FLOW_LOG_TRAFFIC_ALL;
	if (a->wish.interval_s != INTERVAL_SHORT && a->wish.interval_s != INTERVAL_LONG)
		return fail_parameter(e, "MaxAggregationInterval",
				      STR("Invalid Flow Log Max Aggregation Interval"));
	TRY(check_destination_type(e, a));
	TRY(check_format(e, a->wish.format));
	return take_destination(e, &a->wish);
}

static void write_unknown(struct ec2_call *e, const struct ec2_create_flow_logs *a, struct xml *x)
{
	struct str path = str_slice(a->wish.destination, sizeof BUCKET_ARN - 1, a->wish.destination.n);
	struct str bucket = str_slice(path, 0, str_find_char(path, '/', 0));
	for (size_t k = 0; k < a->wish.resources.count; k++) {
		xml_open(x, "item");
		xml_open(x, "error");
		xml_z(x, "code", "400");
		xml_text(x, "message",
			 str_print(e->c->arena, "LogDestination: %" STR_FMT " does not exist.",
				   STR_ARG(bucket)));
		xml_close(x, "error");
		xml_text(x, "resourceId", a->wish.resources.at[k].text);
		xml_close(x, "item");
	}
}

static RESULT ec2_create_flow_logs(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_flow_logs *a = args;
	xml_text_opt(x, "clientToken", a->wish.client_token);
	xml_open(x, "flowLogIdSet");
	for (size_t k = 0; k < a->wish.made.count; k++)
		ec2_write_id(x, "item", KIND_FLOW_LOG, a->wish.made.at[k]);
	xml_close(x, "flowLogIdSet");
	xml_open(x, "unsuccessful");
	if (a->wish.is_unknown)
		write_unknown(e, a, x);
	xml_close(x, "unsuccessful");
	return OK;
}

/* ---- delete ---- */

static const struct param delete_params[] = {
	PARAM(struct flow_log_deletions, "FlowLogId", logs, .flags = REQUIRED, .kind = KIND_FLOW_LOG,
	      .doc = "Flow logs to delete. Fails without a change if one is not found."),
};

static RESULT ec2_delete_flow_logs(struct ec2_call *e, const void *args, struct xml *x)
{
	(void) e, (void) args;
	xml_open(x, "unsuccessful");
	xml_close(x, "unsuccessful");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("CreateFlowLogs"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_flow_logs, create_params), .prepare = prepare_create,
	 .operation = engine_create_flow_logs_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = ec2_create_flow_logs, EC2_TAGS(struct ec2_create_flow_logs, "vpc-flow-log"),
	 EC2_DIGEST(struct ec2_create_flow_logs),
	 .doc = "Creates flow logs, which write records of accepted and rejected traffic into files."},
	{EC2_ACTION("DescribeFlowLogs"), .args = PARAMS(struct ec2_describe_flow_logs, describe_params),
	 .list = &flow_log_listing, .doc = "Lists the account's flow logs."},
	{EC2_ACTION("DeleteFlowLogs"), .flags = API_WRITES,
	 .args = PARAMS(struct flow_log_deletions, delete_params), .operation = engine_delete_flow_logs_run,
	 .returns = API_RETURNS_NOTHING_STORED, .answer = ec2_delete_flow_logs,
	 .doc = "Deletes flow logs. Their files stay."},
};
const struct api_actions ec2_flow_log_actions = API_ACTIONS(actions);
