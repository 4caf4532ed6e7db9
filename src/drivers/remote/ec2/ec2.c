/* SPDX-License-Identifier: Apache-2.0
 * The driver of AWS's EC2 API, and of clouds that offer the same: signed POSTs of the query API. STS answers at
 * AWS's own address, or at the given endpoint, as other clouds do. Sources: EC2 API Reference (version
 * 2016-11-15), STS API Reference (2011-06-15). */
#include "drivers/remote/ec2/blocks.h"
#include "drivers/remote/ec2/changes.h"
#include "drivers/remote/ec2/metrics.h"
#include "drivers/remote/ec2/request.h"
#include "drivers/remote/ec2/resources.h"

#include "model/remote_machine.h"
#define STS_VERSION "2011-06-15"
/* The id that rights are tried with while no machine is known. */
#define NO_MACHINE "i-00000000000000000"
#define NO_IMAGE "ami-00000000000000000"

enum { PAGE_SIZE = 1000, REGION_MAX = 63 };

/* ---- verification ---- */

static RESULT ec2_check(struct ctx *c, const struct remote *r)
{
	bool is_region = r->region.n >= 1 && r->region.n <= REGION_MAX;
	for (size_t k = 0; k < r->region.n && is_region; k++)
		is_region = str_is_alphanumeric(r->region.p[k]) || r->region.p[k] == '-';
	if (!is_region)
		return ctx_fail_field(c, ERR_INVALID, STR("region"),
				      "A region has letters, digits and '-', such as eu-central-1.");
	TRY(remote_check_text(c, r->login, REMOTE_PLACE, "login",
			      "An access key id has letters and digits."));
	struct remote_url url;
	if (r->queue.n) { /* only named in requests, which go to the endpoint */
		struct result result = remote_parse_url(c, r->queue, &url);
		ctx_clear_problem(c);
		if (!result_is_ok(result) || url.path.n < 2)
			return ctx_fail_field(c, ERR_INVALID, STR("queue"),
					      "A queue is the URL of a queue of SQS, such as "
					      "https://sqs.eu-central-1.amazonaws.com/123456789012/dari.");
	}
	return r->endpoint.n ? remote_parse_url(c, r->endpoint, &url) : OK;
}

static RESULT identify(struct ctx *c, struct remote *r, struct remote_identity *identity)
{
	struct ec2_form f;
	struct ec2_answer answer;
	ec2_form_begin(&f, c, "GetCallerIdentity", STS_VERSION);
	TRY(ec2_call(&f, r, "sts", &answer));
	identity->account = answer.account;
	return answer.account.n ? OK
				: ctx_fail(c, ERR_IO, "The cloud does not say whose credentials these are.");
}

/* The actions that the driver uses, in the order in which the verification tries them. */
static const struct call_row {
	const char *action;
	const char *resource; /* parameter with the machine's id */
	enum remote_machine_act act;
} calls[] = {{"DescribeInstances", NULL, REMOTE_MACHINE_ACT_NONE},
	     {"StartInstances", "InstanceId.1", REMOTE_MACHINE_ACT_START},
	     {"StopInstances", "InstanceId.1", REMOTE_MACHINE_ACT_STOP},
	     {"RebootInstances", "InstanceId.1", REMOTE_MACHINE_ACT_REBOOT},
	     {"TerminateInstances", "InstanceId.1", REMOTE_MACHINE_ACT_TERMINATE},
	     {"CreateTags", "ResourceId.1", REMOTE_MACHINE_ACT_TAG},
	     {"RunInstances", NULL, REMOTE_MACHINE_ACT_CREATE},
	     {"ModifyInstanceAttribute", "InstanceId", REMOTE_MACHINE_ACT_RESIZE}};
enum { RIGHTS = sizeof calls / sizeof calls[0] };

/* Not tried: a cloud that ignores dry runs would make snapshots at each verification. */
static const struct call_row snapshot_call = {"CreateSnapshots", "InstanceSpecification.InstanceId",
					      REMOTE_MACHINE_ACT_SNAPSHOT};

static const struct call_row *call_of(enum remote_machine_act act)
{
	for (size_t k = 0; k < RIGHTS; k++)
		if (calls[k].act == act)
			return &calls[k];
	return act == REMOTE_MACHINE_ACT_SNAPSHOT ? &snapshot_call : NULL;
}

/* A dry run is refused as UnauthorizedOperation if the right is missing. Any other refusal of the request, such
 * as an unknown machine, comes after the check of the right or says nothing about it. */
static RESULT try_right(struct ctx *c, struct remote *r, size_t k, struct str machine,
			struct remote_identity *identity)
{
	struct ec2_form f;
	struct ec2_answer answer;
	ec2_form_begin(&f, c, calls[k].action, EC2_VERSION);
	ec2_form_add(&f, "DryRun", STR("true"));
	if (calls[k].resource)
		ec2_form_add(&f, calls[k].resource, machine.n ? machine : STR(NO_MACHINE));
	if (calls[k].act == REMOTE_MACHINE_ACT_TAG) {
		ec2_form_add(&f, "Tag.1.Key", STR("dari:probe"));
		ec2_form_add(&f, "Tag.1.Value", STR(""));
	}
	if (calls[k].act == REMOTE_MACHINE_ACT_CREATE) {
		ec2_form_add(&f, "ImageId", STR(NO_IMAGE));
		ec2_form_add(&f, "MinCount", STR("1"));
		ec2_form_add(&f, "MaxCount", STR("1"));
	}
	if (calls[k].act == REMOTE_MACHINE_ACT_RESIZE)
		ec2_form_add(&f, "InstanceType.Value", STR("t3.micro"));
	struct result result = ec2_call(&f, r, "ec2", &answer);
	if (result.code == ERR_DENIED) {
		ctx_clear_problem(c);
		return remote_add_lack(c, identity, str_print(c->arena, "ec2:%s", calls[k].action));
	}
	bool is_answer = result.code == ERR_DRY_RUN || result.code == ERR_NOT_FOUND ||
			 result.code == ERR_INVALID || result.code == ERR_STATE ||
			 result.code == ERR_UNSUPPORTED;
	if (!is_answer)
		return result;
	ctx_clear_problem(c);
	return OK;
}

static RESULT ec2_verify(struct ctx *c, struct remote *r, size_t step, struct str machine,
			 struct remote_identity *identity, bool *ret_is_over)
{
	*ret_is_over = step > RIGHTS;
	if (*ret_is_over)
		return OK;
	return step == 0 ? identify(c, r, identity) : try_right(c, r, step - 1, machine, identity);
}

/* ---- machines ---- */

static RESULT check_root(struct ctx *c, const struct ec2_answer *answer, const char *root)
{
	return str_is(answer->root, root)
		       ? OK
		       : ctx_fail(c, ERR_IO, "The answer is not usable: it is no %s.", root);
}

static RESULT ec2_list(struct ctx *c, struct remote *r, struct str cursor, struct remote_page *ret_page)
{
	struct ec2_form f;
	struct ec2_answer answer;
	ec2_form_begin(&f, c, calls[0].action, EC2_VERSION);
	buf_print(&f.text, "&MaxResults=%d", PAGE_SIZE);
	if (cursor.n)
		ec2_form_add(&f, "NextToken", cursor);
	TRY(ec2_call(&f, r, "ec2", &answer));
	TRY(check_root(c, &answer, "DescribeInstancesResponse"));
	*ret_page = (struct remote_page){answer.machines, answer.machine_count, answer.next};
	return OK;
}

static RESULT ec2_get(struct ctx *c, struct remote *r, struct str ref, struct remote_machine *ret_machine)
{
	struct ec2_form f;
	struct ec2_answer answer;
	ec2_form_begin(&f, c, calls[0].action, EC2_VERSION);
	ec2_form_add(&f, "InstanceId.1", ref);
	TRY(ec2_call(&f, r, "ec2", &answer));
	TRY(check_root(c, &answer, "DescribeInstancesResponse"));
	for (size_t k = 0; k < answer.machine_count; k++)
		if (str_equal(answer.machines[k].ref, ref)) {
			*ret_machine = answer.machines[k];
			return OK;
		}
	return ctx_fail(c, ERR_IO, "The answer is not usable: it lacks the machine that was asked for.");
}

/* ---- acts ---- */

static RESULT ec2_act(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	struct ec2_form f;
	struct ec2_answer answer;
	bool is_tag = act->verb == REMOTE_MACHINE_ACT_TAG;
	const struct call_row *row = call_of(act->verb);
	ec2_form_begin(&f, c, row->action, EC2_VERSION);
	ec2_form_add(&f, row->resource, act->ref);
	for (size_t k = 0; is_tag && k < act->tags.count; k++) {
		ec2_form_add_nth(&f, "Tag", k + 1, ".Key", act->tags.at[k].key);
		ec2_form_add_nth(&f, "Tag", k + 1, ".Value", act->tags.at[k].value);
	}
	if (act->verb == REMOTE_MACHINE_ACT_RESIZE)
		ec2_form_add(&f, "InstanceType.Value", act->type);
	if (act->verb == REMOTE_MACHINE_ACT_SNAPSHOT)
		ec2_form_add(&f, "Description", remote_snapshot_name(c, act));
	return ec2_call(&f, r, "ec2", &answer);
}

/* ---- creation ---- */

/* AWS honours the client token. Some clouds with its API ignore it, so that the tag is looked for first; some ignore
 * the filter, too, and list machines without the token. */
RESULT ec2_find_created(struct ctx *c, struct remote *r, uuid token, bool *ret_is_found,
			struct remote_machine *ret_machine)
{
	struct ec2_form f;
	struct ec2_answer answer;
	*ret_is_found = false;
	ec2_form_begin(&f, c, calls[0].action, EC2_VERSION);
	ec2_form_add(&f, "Filter.1.Name", STR("tag:" REMOTE_TOKEN_TAG));
	ec2_form_add(&f, "Filter.1.Value.1", uuid_to_str(c->arena, token));
	TRY(ec2_call(&f, r, "ec2", &answer));
	TRY(check_root(c, &answer, "DescribeInstancesResponse"));
	for (size_t k = 0; k < answer.machine_count && !*ret_is_found; k++)
		if (uuid_equal(answer.machines[k].row.id, token)) {
			*ret_machine = answer.machines[k];
			*ret_is_found = true;
		}
	return OK;
}

static void add_new(struct ec2_form *f, const struct remote_new *wish, struct str token)
{
	size_t n = 3;
	ec2_form_add(f, "ClientToken", token);
	ec2_form_add(f, "ImageId", wish->image);
	ec2_form_add(f, "InstanceType", wish->type);
	ec2_form_add(f, "MinCount", STR("1"));
	ec2_form_add(f, "MaxCount", STR("1"));
	if (wish->zone.n)
		ec2_form_add(f, "Placement.AvailabilityZone", wish->zone);
	if (wish->subnet.n)
		ec2_form_add(f, "SubnetId", wish->subnet);
	if (wish->key_name.n)
		ec2_form_add(f, "KeyName", wish->key_name);
	for (size_t k = 0; k < wish->groups.count; k++)
		ec2_form_add_nth(f, "SecurityGroupId", k + 1, "", wish->groups.at[k]);
	ec2_form_add(f, "TagSpecification.1.ResourceType", STR("instance"));
	ec2_form_add(f, "TagSpecification.1.Tag.1.Key", STR(REMOTE_TOKEN_TAG));
	ec2_form_add(f, "TagSpecification.1.Tag.1.Value", token);
	ec2_form_add(f, "TagSpecification.1.Tag.2.Key", STR("Name"));
	ec2_form_add(f, "TagSpecification.1.Tag.2.Value", wish->name);
	for (size_t k = 0; k < wish->tags.count; k++, n++) {
		ec2_form_add_nth(f, "TagSpecification.1.Tag", n, ".Key", wish->tags.at[k].key);
		ec2_form_add_nth(f, "TagSpecification.1.Tag", n, ".Value", wish->tags.at[k].value);
	}
}

static RESULT ec2_create(struct ctx *c, struct remote *r, const struct remote_new *wish,
			 struct remote_machine *ret_machine)
{
	struct ec2_form f;
	struct ec2_answer answer;
	struct str token = uuid_to_str(c->arena, wish->token);
	bool is_found = false;
	TRY(ec2_find_created(c, r, wish->token, &is_found, ret_machine));
	if (is_found)
		return OK;
	ec2_form_begin(&f, c, call_of(REMOTE_MACHINE_ACT_CREATE)->action, EC2_VERSION);
	add_new(&f, wish, token);
	TRY(ec2_call(&f, r, "ec2", &answer));
	/* without the tag it may be a cloud that sets none; refusing it would create the next one */
	bool is_ours = answer.machine_count == 1 && (uuid_is_none(answer.machines[0].row.id) ||
						     uuid_equal(answer.machines[0].row.id, wish->token));
	if (!is_ours)
		return ctx_fail(c, ERR_IO,
				"The answer is not usable: it has not the machine that was created.");
	*ret_machine = answer.machines[0];
	return OK;
}

const struct remote_driver remote_ec2 = {
	.name = "aws",
	.verbs = REMOTE_VERBS_COMMON | REMOTE_VERB_SNAPSHOT,
	.check = ec2_check,
	.verify = ec2_verify,
	.list = ec2_list,
	.types = RESOURCE_TYPES_ALL | RESOURCE_TYPES_STACKS,
	.list_resources = ec2_list_resources,
	.list_stack = ec2_list_stack,
	.get = ec2_get,
	.act = ec2_act,
	.create = ec2_create,
	.source = &ec2_source_ops,
	.sink = &ec2_sink_ops,
	.read_metrics = ec2_read_metrics,
	.read_changes = ec2_read_changes,
	.needs_queue = true,
	.metric_machines = REMOTE_METRIC_MACHINES,
};
