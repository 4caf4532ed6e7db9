/* SPDX-License-Identifier: Apache-2.0
 * dari dump …: generates text from the tables of actions and commands, for documentation, packages and tests:
 * the actions' reference, the coverage page, the manual page, bash completion. */
#include <stdio.h>

#include "api/acm/acm.h"
#include "api/autoscaling/autoscaling.h"
#include "api/awsbackup/awsbackup.h"
#include "api/azure/core/azure.h"
#include "api/cloudstack/core/cloudstack.h"
#include "api/cloudwatch/cloudwatch.h"
#include "api/connect/connect.h"
#include "api/core/dispatch.h"
#include "api/cost/cost.h"
#include "api/dlm/dlm.h"
#include "api/ebs/ebs.h"
#include "api/ec2/core/ec2.h"
#include "api/elb/elb.h"
#include "api/events/events.h"
#include "api/iam/iam.h"
#include "api/native/native.h"
#include "api/openstack/core/openstack.h"
#include "api/scim/scim.h"
#include "api/sns/sns.h"
#include "api/sqs/sqs.h"
#include "api/support/support.h"
#include "api/tmf/tmf.h"
#include "base/json_write.h"
#include "daemon/command.h"
#include "daemon/limits_page.h"

enum { LINE_MAX_SIZE = 118 };

static int print_whole(struct buf *out)
{
	bool fine = result_is_ok(buf_finish(out)) && fwrite(out->p, 1, out->size, stdout) == out->size &&
		    fflush(stdout) == 0;
	buf_done(out);
	return fine ? 0 : 1;
}

/* ---- actions, coverage ---- */

typedef void (*dump_tables)(struct buf *out);

static int print_dump(dump_tables dump)
{
	struct buf out;
	buf_init(&out, BUF_ANSWER_CAP);
	dump(&out);
	buf_add_char(&out, '\n');
	return print_whole(&out);
}

static int dump_actions_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(ec2_dump_actions);
}

static int dump_iam_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(iam_dump_actions);
}

static int dump_cloudwatch_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(cloudwatch_dump_actions);
}

static int dump_events_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(events_dump_actions);
}

static int dump_acm_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(acm_dump_actions);
}

static int dump_sqs_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(sqs_dump_actions);
}

static int dump_sns_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(sns_dump_actions);
}

static int dump_autoscaling_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(autoscaling_dump_actions);
}

static int dump_elb_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(elb_dump_actions);
}

static int dump_elb_classic_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(elb_classic_dump_actions);
}

static int dump_openstack_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(openstack_dump_actions);
}

static int dump_cloudstack_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(cloudstack_dump_actions);
}

static int dump_connect_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(connect_dump_actions);
}

static int dump_support_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(support_dump_actions);
}

static int dump_azure_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(azure_dump_actions);
}

static int dump_native_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(native_dump_actions);
}

static int dump_scim_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(scim_dump_actions);
}

static int dump_awsbackup_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(awsbackup_dump_actions);
}

static int dump_dlm_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(dlm_dump_actions);
}

static int dump_ebs_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	return print_dump(ebs_dump_actions);
}

static int dump_answers_here(const struct command *command, json_t *args, const char *config_path)
{
	struct buf out;
	struct json_writer w;
	(void) command;
	(void) args;
	(void) config_path;
	buf_init(&out, BUF_ANSWER_CAP);
	json_write_begin(&w, &out);
	json_write_open(&w, NULL);
	json_write_open_list(&w, "answers");
	ec2_dump_answers(&w);
	openstack_dump_answers(&w);
	json_write_close_list(&w);
	json_write_close(&w);
	buf_add_char(&out, '\n');
	return print_whole(&out);
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static void add_refused(struct buf *out, const json_t *params)
{
	bool first = true;
	for (size_t k = 0; k < json_array_size(params); k++) {
		const json_t *p = json_array_get(params, k);
		if (json_is_true(json_object_get(p, "built")))
			continue;
		buf_print(out, "%s`%s`", first ? "" : ", ", text_of(p, "name"));
		if (*text_of(p, "only"))
			buf_print(out, " (but `%s`)", text_of(p, "only"));
		first = false;
	}
}

static void add_action_row(struct buf *out, const json_t *action)
{
	/* '|' would end the table cell, even within backquotes */
	struct buf refused;
	buf_init(&refused, BUF_ANSWER_CAP);
	add_refused(&refused, json_object_get(action, "params"));
	buf_print(out, "| %s | %s", text_of(action, "name"), text_of(action, "doc"));
	if (*text_of(action, "never"))
		buf_print(out, " %s: %s.",
			  strncmp(text_of(action, "name"), "Describe", 8) ? "Always refused" : "Always empty",
			  text_of(action, "never"));
	buf_add_str(out, STR(" | "));
	for (size_t k = 0; k < refused.size; k++)
		buf_add_str(out, refused.p[k] == '|' ? STR("\\|") : (struct str){refused.p + k, 1});
	buf_add_str(out, STR(" |\n"));
	buf_done(&refused);
}

/* Writes names in lines, ending with a full stop. */
static void add_names(struct buf *out, const json_t *names)
{
	size_t line = 0;
	for (size_t k = 0; k < json_array_size(names); k++) {
		size_t n = json_string_length(json_array_get(names, k)) + 2;
		bool is_last = k + 1 == json_array_size(names),
		     is_full = line > 0 && line + n > LINE_MAX_SIZE;
		buf_print(out, "%s%s%s",
			  is_full ? "\n"
			  : line  ? " "
				  : "",
			  json_string_value(json_array_get(names, k)), is_last ? ".\n" : ",");
		line = is_full ? n : line + n;
	}
}

static bool has_name(const json_t *names, const char *name)
{
	for (size_t k = 0; k < json_array_size(names); k++)
		if (strcmp(json_string_value(json_array_get(names, k)), name) == 0)
			return true;
	return false;
}

/* The names for which no reason is given. */
static json_t *names_apart(const json_t *names, const json_t *left_out)
{
	json_t *apart = json_array();
	for (size_t k = 0; k < json_array_size(names); k++) {
		bool is_left_out = false;
		for (size_t n = 0; n < json_array_size(left_out); n++)
			is_left_out = is_left_out ||
				      has_name(json_object_get(json_array_get(left_out, n), "actions"),
					       json_string_value(json_array_get(names, k)));
		if (!is_left_out)
			json_array_append(apart, json_array_get(names, k));
	}
	return apart;
}

/* Writes a table of what is left out on purpose. */
static void add_left_out(struct buf *out, const json_t *left_out)
{
	buf_print(out, "| of what | why | actions |\n| --- | --- | --- |\n");
	for (size_t k = 0; k < json_array_size(left_out); k++) {
		const json_t *one = json_array_get(left_out, k), *names = json_object_get(one, "actions");
		buf_print(out, "| %s | %s | ", text_of(one, "what"), text_of(one, "why"));
		for (size_t n = 0; n < json_array_size(names); n++)
			buf_print(out, "%s%s", n ? ", " : "", json_string_value(json_array_get(names, n)));
		buf_add_str(out, STR(" |\n"));
	}
}

static void add_unbuilt_of_ec2(struct buf *out, const json_t *unbuilt, const json_t *left_out)
{
	json_t *apart = names_apart(unbuilt, left_out);
	buf_print(out, "\n### Left out of EC2: %zu actions\n\n",
		  json_array_size(unbuilt) - json_array_size(apart));
	add_left_out(out, left_out);
	buf_print(out, "\n### Not built of EC2: %zu actions\n\n", json_array_size(apart));
	add_names(out, apart);
	json_decref(apart);
}

static void add_codes(struct buf *out, const json_t *codes)
{
	for (size_t k = 0; k < json_array_size(codes); k++)
		buf_print(out, "%s%s", k ? ", " : "", json_string_value(json_array_get(codes, k)));
}

static void add_code_row(struct buf *out, const char *name, const json_t *of)
{
	buf_print(out, "| %s | ", name);
	add_codes(out, json_object_get(of, "codes"));
	buf_add_str(out, STR(" | "));
	add_codes(out, json_object_get(of, "codes_left_out"));
	buf_add_str(out, STR(" |\n"));
}

static void add_code_reasons(struct buf *out, const json_t *reasons)
{
	for (size_t k = 0; k < json_array_size(reasons); k++) {
		buf_print(out, "| %s | ", text_of(json_array_get(reasons, k), "why"));
		add_codes(out, json_object_get(json_array_get(reasons, k), "codes"));
		buf_add_str(out, STR(" |\n"));
	}
}

static void add_codes_of_ec2(struct buf *out, const json_t *dump)
{
	const json_t *actions = json_object_get(dump, "actions");
	buf_add_str(
		out,
		STR("\n### Codes of failures of EC2 and STS\n\nThe codes that their API References list, by "
		    "the actions "
		    "in which their case can happen.\n\n| action | answered | never answered |\n"
		    "| --- | --- | --- |\n"));
	add_code_row(out, "all", json_object_get(dump, "of_all"));
	add_code_row(out, "all of STS", json_object_get(dump, "of_sts"));
	for (size_t k = 0; k < json_array_size(actions); k++) {
		const json_t *a = json_array_get(actions, k);
		if (json_array_size(json_object_get(a, "codes")) ||
		    json_array_size(json_object_get(a, "codes_left_out")))
			add_code_row(out, text_of(a, "name"), a);
	}
	buf_add_str(out, STR("\n| why a code is never answered | codes |\n| --- | --- |\n"));
	add_code_reasons(out, json_object_get(dump, "left_out_codes"));
	add_code_reasons(out, json_object_get(dump, "sts_left_out_codes"));
}

static void add_examples_of_ec2(struct buf *out, const json_t *actions)
{
	json_int_t equal = 0, all = 0;
	for (size_t k = 0; k < json_array_size(actions); k++) {
		all += json_integer_value(json_object_get(json_array_get(actions, k), "examples"));
		equal += json_integer_value(json_object_get(json_array_get(actions, k), "examples_equal"));
	}
	buf_print(
		out,
		"\n### Examples of EC2: %lld of %lld\n\nThe examples of the AWS CLI's documentation that "
		"show an answer, by "
		"actions; and of how many our answer to the same command has all members that the documented "
		"one has. "
		"`tests/contract/ec2/examples.py` sends them, and says of each other one why it is not "
		"so.\n\n"
		"| action | equal | examples |\n| --- | --- | --- |\n",
		(long long) equal, (long long) all);
	for (size_t k = 0; k < json_array_size(actions); k++) {
		const json_t *a = json_array_get(actions, k);
		if (json_object_get(a, "examples"))
			buf_print(out, "| %s | %lld | %lld |\n", text_of(a, "name"),
				  (long long) json_integer_value(json_object_get(a, "examples_equal")),
				  (long long) json_integer_value(json_object_get(a, "examples")));
	}
}

static void add_ec2_coverage(struct buf *out, const json_t *dump)
{
	const json_t *actions = json_object_get(dump, "actions");
	buf_print(out,
		  "## EC2: %zu actions\n\nAn action that EC2 has and Dari has not answers "
		  "`UnsupportedOperation`; a parameter that needs what is not built is\nrefused by name, but "
		  "for "
		  "the values in brackets, which ask for nothing; a name that EC2 does not have answers\n"
		  "`InvalidAction`.\n\n| action | what it does | refused parameters |\n| --- | --- | --- "
		  "|\n",
		  json_array_size(actions));
	for (size_t k = 0; k < json_array_size(actions); k++)
		add_action_row(out, json_array_get(actions, k));
	add_codes_of_ec2(out, dump);
	add_examples_of_ec2(out, json_object_get(dump, "actions"));
	add_unbuilt_of_ec2(out, json_object_get(dump, "unbuilt"), json_object_get(dump, "left_out"));
}

static void add_call(struct buf *out, const json_t *call)
{
	buf_print(out, "%s `%s`", text_of(call, "method"), text_of(call, "path"));
	if (*text_of(call, "name"))
		buf_print(out, " `%s`", text_of(call, "name"));
}

static void add_statuses_of_openstack(struct buf *out, const json_t *dump)
{
	const json_t *actions = json_object_get(dump, "actions"),
		     *reasons = json_object_get(dump, "left_out_statuses");
	buf_add_str(out, STR("\n### Statuses of failures of OpenStack\n\nThe statuses that the services' API "
			     "references name for each call.\n\n| service | call | answered | never answered "
			     "|\n| --- | --- | --- | --- |\n"));
	for (size_t k = 0; k < json_array_size(actions); k++) {
		const json_t *a = json_array_get(actions, k), *answered = json_object_get(a, "statuses"),
			     *never = json_object_get(a, "statuses_left_out");
		if (!json_array_size(answered) && !json_array_size(never))
			continue;
		buf_print(out, "| %s | ", text_of(a, "service"));
		add_call(out, a);
		buf_add_str(out, STR(" | "));
		add_codes(out, answered);
		buf_add_str(out, STR(" | "));
		add_codes(out, never);
		buf_add_str(out, STR(" |\n"));
	}
	buf_add_str(out,
		    STR("\n| service | status | never answered by | why |\n| --- | --- | --- | --- |\n"));
	for (size_t k = 0; k < json_array_size(reasons); k++) {
		const json_t *r = json_array_get(reasons, k);
		buf_print(out, "| %s | %d | `%s` | %s |\n", text_of(r, "service"),
			  (int) json_integer_value(json_object_get(r, "status")), text_of(r, "calls"),
			  text_of(r, "why"));
	}
}

static void add_openstack_coverage(struct buf *out, const json_t *dump)
{
	const json_t *actions = json_object_get(dump, "actions"), *unbuilt = json_object_get(dump, "unbuilt");
	iam_write_coverage(out);
	buf_print(
		out,
		"\n## OpenStack: %zu calls\n\nA path that a service has and Dari has not answers 404, as for "
		"an "
		"extension that is not there; a member that needs\nwhat is not built is refused by name.\n\n"
		"| service | call | what it does | refused members |\n| --- | --- | --- | --- |\n",
		json_array_size(actions));
	for (size_t k = 0; k < json_array_size(actions); k++) {
		const json_t *action = json_array_get(actions, k);
		buf_print(out, "| %s | ", text_of(action, "service"));
		add_call(out, action);
		buf_print(out, " | %s | ", text_of(action, "doc"));
		add_refused(out, json_object_get(action, "params"));
		buf_add_str(out, STR(" |\n"));
	}
	add_statuses_of_openstack(out, dump);
	buf_print(out, "\n### Left out of OpenStack\n\n");
	add_left_out(out, json_object_get(dump, "left_out"));
	buf_print(out, "\n### Not built of OpenStack: %zu calls\n\n", json_array_size(unbuilt));
	for (size_t k = 0; k < json_array_size(unbuilt); k++) {
		buf_print(out, "* %s: ", text_of(json_array_get(unbuilt, k), "service"));
		add_call(out, json_array_get(unbuilt, k));
		buf_add_char(out, '\n');
	}
}

/* Adds a chapter made from a table's dump; false: not JSON. */
static bool add_chapter(struct buf *out, dump_tables dump, void (*add)(struct buf *out, const json_t *dump))
{
	struct buf text;
	buf_init(&text, BUF_ANSWER_CAP);
	dump(&text);
	json_t *parsed = result_is_ok(buf_finish(&text)) ? json_loadb(text.p, text.size, 0, NULL) : NULL;
	buf_done(&text);
	if (parsed)
		add(out, parsed);
	json_decref(parsed);
	return parsed;
}

static void add_cloudstack_coverage(struct buf *out)
{
	buf_add_str(out,
		    STR("\n## CloudStack\n\nA command that CloudStack has and Dari has not answers error "
			"432.\n\n"));
	api_write_coverage(out, cloudstack_protocol.groups);
	buf_add_str(
		out,
		STR("\n### Left out of CloudStack\n\n| of what | why | commands |\n| --- | --- | --- |\n"));
	size_t count = 0;
	const struct cloudstack_left_out *rows = cloudstack_list_left_out(&count);
	for (size_t k = 0; k < count; k++) {
		struct str rest = str_from(rows[k].commands), name;
		const char *comma = "";
		buf_print(out, "| %s | %s | ", rows[k].what, rows[k].why);
		for (; str_split_next(&rest, '|', &name); comma = ", ")
			buf_print(out, "%s%" STR_FMT, comma, STR_ARG(name));
		buf_add_str(out, STR(" |\n"));
	}
}

static void add_azure_coverage(struct buf *out)
{
	buf_add_str(out, STR("\n## Azure\n\nThe calls that are built so far. Others answer 404 "
			     "InvalidResourceType, or 405 where the "
			     "path is known.\n\n"));
	azure_write_coverage(out);
}

static void add_support_coverage(struct buf *out)
{
	buf_add_str(out, STR("\n## AWS Support\n\nTickets, as `aws support` has them. Trusted Advisor's five "
			     "actions answer "
			     "UnknownOperationException: there is no Trusted\nAdvisor.\n\n"));
	support_write_coverage(out);
	buf_add_str(out, STR("\n## TMF621\n\nBelow `/tmf-api/troubleTicket/v4/` and `v5/`, for desks. "
			     "`troubleTicketSpecification` answers 404: there are none.\n\n"));
	tmf_write_coverage(out);
}

static void add_scim_coverage(struct buf *out)
{
	buf_add_str(out, STR("\n## SCIM\n\nBelow `/scim/v2/`, for identity providers that provision a "
			     "domain's users and groups (`docs/operations.md`).\n\n"));
	scim_write_coverage(out);
}

static void add_native_coverage(struct buf *out)
{
	buf_add_str(out, STR("\n## Dari's own API\n\nBelow `/api/v1`, beside the list, one row and the "
			     "history that each "
			     "kind of `GET /api/v1/schema` has.\n\n"));
	native_write_coverage(out);
}

static void add_cost_coverage(struct buf *out)
{
	buf_add_str(out, STR("\n## AWS Cost Explorer\n\nWhat things cost, as `aws ce` has it "
			     "(`docs/metering.md`). All else "
			     "that it has answers\nUnknownOperationException.\n\n"));
	cost_write_coverage(out);
}

static void add_cloudwatch_coverage(struct buf *out)
{
	buf_add_str(out,
		    STR("\n## Amazon CloudWatch\n\nFigures of instances, in the query protocol, "
			"AWS JSON and CBOR (`docs/console.md`, \"Figures\"). All else that it has answers\n"
			"InvalidAction, and in JSON and CBOR UnknownOperationException.\n\n"));
	cloudwatch_write_coverage(out);
}

static void add_sqs_coverage(struct buf *out)
{
	buf_add_str(out,
		    STR("\n## Amazon SQS\n\nStandard and FIFO queues, in the query protocol and in AWS JSON. "
			"Moves of dead letters\nanswer InvalidAction.\n\n"));
	sqs_write_coverage(out);
}

static void add_sns_coverage(struct buf *out)
{
	buf_add_str(out,
		    STR("\n## Amazon SNS\n\nTopics with subscriptions by sqs, http and https. FIFO topics, "
			"filter policies, e-mail, text messages\nand mobile push are refused.\n\n"));
	sns_write_coverage(out);
}

static void add_events_coverage(struct buf *out)
{
	buf_add_str(
		out,
		STR("\n## Amazon EventBridge\n\nRules of the default event bus, with queues and topics as "
		    "targets (`docs/events.md`). Other buses, archives,\nconnections and API destinations "
		    "answer UnknownOperationException.\n\n"));
	events_write_coverage(out);
}

static void add_acm_coverage(struct buf *out)
{
	buf_add_str(
		out,
		STR("\n## AWS Certificate Manager\n\nImported certificates, for listeners of Elastic Load "
		    "Balancing. The region issues none.\n\n"));
	acm_write_coverage(out);
}

static void add_connect_coverage(struct buf *out)
{
	buf_add_str(
		out,
		STR("\n## EC2 Instance Connect\n\nA key for one user of one instance, in its metadata for a "
		    "minute. SendSerialConsoleSSHPublicKey answers\nUnknownOperationException: no SSH server "
		    "leads to serial consoles.\n\n"));
	connect_write_coverage(out);
}

static void add_awsbackup_coverage(struct buf *out)
{
	buf_add_str(out,
		    STR("\n## AWS Backup\n\nVaults, plans, jobs, recovery points and restores of instances "
			"and volumes (`docs/backups.md`, \"AWS Backup\").\n\n"));
	awsbackup_write_coverage(out);
}

static void add_dlm_coverage(struct buf *out)
{
	buf_add_str(
		out,
		STR("\n## Amazon Data Lifecycle Manager\n\nSnapshot policies by tags, with one schedule each "
		    "(`docs/backups.md`, \"Snapshots by tags\").\nPolicies of images and of events are "
		    "refused by name.\n\n"));
	dlm_write_coverage(out);
}

static void add_ebs_coverage(struct buf *out)
{
	buf_add_str(out, STR("\n## EBS direct APIs\n\nSnapshots block by block, for backup products "
			     "(`docs/operations.md`, \"Reading snapshots by blocks\").\n\n"));
	ebs_write_coverage(out);
}

static void add_autoscaling_coverage(struct buf *out)
{
	buf_add_str(out, STR("\n## EC2 Auto Scaling\n\nGroups by launch templates and launch configurations, "
			     "version 2011-01-01. Predictive\nscaling, maximum lifetimes and capacity "
			     "rebalancing are refused by name.\n\n"));
	autoscaling_write_coverage(out);
}

static void add_elb_coverage(struct buf *out)
{
	buf_add_str(out, STR("\n## Elastic Load Balancing\n\nNetwork and application load balancers, "
			     "version 2015-12-01. Gateway load balancers are refused.\n\n"));
	elb_write_coverage(out);
	buf_add_str(out,
		    STR("\n## Classic Load Balancers\n\nElastic Load Balancing, version 2012-06-01.\n\n"));
	elb_classic_write_coverage(out);
}

static void add_absent_coverage(struct buf *out)
{
	buf_add_str(out,
		    STR("\n## Other services of AWS\n\nThere are none. A request that is signed for one is "
			"refused in that service's protocol, whoever signed\nit: query, JSON, REST or CBOR. "
			"Its SDK reports the error and does not try again.\n"));
}

static int dump_coverage_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) args;
	(void) config_path;
	struct buf out;
	buf_init(&out, BUF_ANSWER_CAP);
	buf_add_str(&out, STR("# Coverage\n\nPrinted by `dari dump coverage`. `dari dump actions` and `dari "
			      "dump openstack` "
			      "print the\nsame as JSON, with every parameter and filter.\n\n"));
	if (add_chapter(&out, ec2_dump_actions, add_ec2_coverage) &&
	    add_chapter(&out, openstack_dump_actions, add_openstack_coverage)) {
		add_cloudstack_coverage(&out);
		add_azure_coverage(&out);
		add_support_coverage(&out);
		add_scim_coverage(&out);
		add_native_coverage(&out);
		add_cost_coverage(&out);
		add_cloudwatch_coverage(&out);
		add_sqs_coverage(&out);
		add_sns_coverage(&out);
		add_events_coverage(&out);
		add_acm_coverage(&out);
		add_connect_coverage(&out);
		add_dlm_coverage(&out);
		add_awsbackup_coverage(&out);
		add_ebs_coverage(&out);
		add_autoscaling_coverage(&out);
		add_elb_coverage(&out);
		add_absent_coverage(&out);
		return print_whole(&out);
	}
	buf_done(&out);
	fprintf(stderr, "dari %s: the tables are no JSON\n", command->words);
	return 1;
}

static int dump_limits_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	struct buf out;
	buf_init(&out, BUF_ANSWER_CAP);
	limits_page_write(&out);
	return print_whole(&out);
}

/* ---- the manual page ---- */

/* Escapes text for roff: hyphens, and control characters at the start of a line. */
static void add_roff(struct buf *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		buf_add_str(out, STR("\\&"));
	for (; *text; text++)
		if (*text == '-')
			buf_add_str(out, STR("\\-"));
		else if (*text == '\\')
			buf_add_str(out, STR("\\e"));
		else
			buf_add_char(out, *text);
}

static void add_manual_entry(void *arg, const struct command *command)
{
	struct buf *out = arg;
	buf_print(out, ".SS ");
	add_roff(out, command->words);
	buf_print(out, "\n");
	add_roff(out, command->doc);
	buf_print(out, "\n");
	for (const struct command_param *p = command->params; p < command_params_end(command); p++) {
		buf_print(out, ".TP\n%s", p->kind == PARAM_POSITIONAL ? ".I " : ".B \\-\\-");
		add_roff(out, p->name);
		buf_print(out, "\n");
		add_roff(out, p->doc);
		buf_print(out, "%s\n", p->required ? " Required." : "");
	}
}

static void add_manual_key(void *arg, const struct config_key *key)
{
	struct buf *out = arg;
	buf_print(out, ".TP\n.B ");
	add_roff(out, key->name);
	buf_print(out, "\n");
	add_roff(out, key->doc);
	if (key->absent) {
		buf_print(out, "\nAbsent: ");
		add_roff(out, key->absent);
		buf_print(out, ".");
	}
	buf_print(out, "\n");
}

static int dump_manual_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	struct buf out;
	buf_init(&out, BUF_ANSWER_CAP);
	buf_add_str(
		&out,
		STR(".TH DARI 8\n.SH NAME\ndari \\- one open cloud control plane\n.SH SYNOPSIS\n"
		    ".B dari\n[\\-\\-config FILE] COMMAND \\&.\\|.\\|.\n.br\n.B dari\n"
		    "\\-\\-url URL [\\-\\-ca\\-file FILE] COMMAND \\&.\\|.\\|.\n.br\n.B dari\n"
		    "\\-\\-version\n.SH DESCRIPTION\n"
		    "Dari turns a few Linux machines into a private cloud and answers in the APIs "
		    "of\nEC2, OpenStack and CloudStack. Commands that look at or change a region speak with "
		    "its server\nover the control socket, or with \\-\\-url with one on another machine, "
		    "where "
		    "dari login has\nsigned in;\nall of those take \\-\\-json.\n.SH COMMANDS\n"));
	command_each(add_manual_entry, &out);
	buf_add_str(
		&out,
		STR(".SH CONFIGURATION\n/etc/dari/dari.yaml is YAML: a key a.b is b in the mapping a.\n"));
	settings_each_key(add_manual_key, &out);
	buf_add_str(&out,
		    STR(".SH FILES\n.TP\n/etc/dari/dari.yaml\nThe configuration, unless \\-\\-config or "
			"DARI_CONFIG names another.\n.TP\n/var/lib/dari\nDatabase, images, master key: "
			"keep a copy of the key apart from the "
			"rest.\n.TP\n~/.config/dari/signed\\-in.json\nWhere "
			"you are signed in, for \\-\\-url.\n.SH EXIT STATUS\n0 when done, 1 when "
			"refused or when audit or doctor found something, 2 for a command line that is\n"
			"not understood.\n"));
	return print_whole(&out);
}

/* ---- completion ---- */

static void add_completion_case(void *arg, const struct command *command)
{
	struct buf *out = arg;
	buf_print(out, "\t'%s' | '%s '*) choices='", command->words, command->words);
	for (const struct command_param *p = command->params; p < command_params_end(command); p++)
		if (p->kind != PARAM_POSITIONAL)
			buf_print(out, "--%s ", p->name);
	buf_print(out, "%s--help' ;;\n", command->run || command->ask ? "--json " : "");
}

static struct str first_word(const struct command *command, struct str *ret_rest)
{
	struct str word = STR_NONE;
	*ret_rest = str_from(command->words);
	(void) str_split_next(ret_rest, ' ', &word);
	return word;
}

struct earlier {
	const struct command *than;
	struct str first;
	bool is_found, is_over;
};

static void look_earlier(void *arg, const struct command *command)
{
	struct earlier *e = arg;
	struct str rest;
	e->is_over = e->is_over || command == e->than;
	e->is_found = e->is_found || (!e->is_over && str_equal(first_word(command, &rest), e->first));
}

/* True if an earlier command starts with the same word; such commands need not be adjacent in the tables. */
static bool has_earlier(const struct command *command)
{
	struct str rest;
	struct earlier e = {.than = command, .first = first_word(command, &rest)};
	command_each(look_earlier, &e);
	return e.is_found;
}

struct second_words {
	struct buf *out;
	struct str first; /* common first word */
};

static void add_second_word(void *arg, const struct command *command)
{
	struct second_words *w = arg;
	struct str rest, first = first_word(command, &rest);
	if (str_equal(first, w->first))
		buf_print(w->out, "%" STR_FMT " ", STR_ARG(rest));
}

static void add_first_word(void *arg, const struct command *command)
{
	struct str rest, first = first_word(command, &rest);
	if (!has_earlier(command))
		buf_print(arg, "%" STR_FMT " ", STR_ARG(first));
}

static void add_group_case(void *arg, const struct command *command)
{
	struct buf *out = arg;
	struct str rest, first = first_word(command, &rest);
	if (str_is_empty(rest) || has_earlier(command))
		return;
	buf_print(out, "\t'%" STR_FMT "') choices='", STR_ARG(first));
	command_each(add_second_word, &(struct second_words){.out = out, .first = first});
	buf_add_str(out, STR("' ;;\n"));
}

static int dump_completion_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	(void) config_path;
	struct buf out;
	buf_init(&out, BUF_ANSWER_CAP);
	buf_add_str(&out, STR("# bash completion for dari; made by `dari dump completion`\n"
			      "_dari() {\n\tlocal choices current=${COMP_WORDS[COMP_CWORD]}\n"
			      "\tlocal words=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\"\n\tcase $words in\n"));
	command_each(add_completion_case, &out);
	command_each(add_group_case, &out);
	buf_add_str(&out, STR("\t'') choices='"));
	command_each(add_first_word, &out);
	buf_add_str(&out, STR("--config --url --ca-file --version help' ;;\n\tesac\n"
			      "\tmapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$current\")\n}\n"
			      "complete -o default -F _dari dari\n"));
	return print_whole(&out);
}

const struct command dump_commands[] = {
	{"dump actions",
	 "Prints every EC2 action with its parameters and permission, as JSON.",
	 {{0}},
	 .run_here = dump_actions_here},
	{"dump autoscaling",
	 "Prints every action of EC2 Auto Scaling with its parameters and permission, as JSON.",
	 {{0}},
	 .run_here = dump_autoscaling_here},
	{"dump cloudwatch",
	 "Prints every action of CloudWatch with its parameters and permission, as JSON.",
	 {{0}},
	 .run_here = dump_cloudwatch_here},
	{"dump acm",
	 "Prints the calls of AWS Certificate Manager with their parameters as JSON.",
	 {{0}},
	 .run_here = dump_acm_here},
	{"dump events",
	 "Prints the calls of Amazon EventBridge with their parameters as JSON.",
	 {{0}},
	 .run_here = dump_events_here},
	{"dump sqs",
	 "Prints every action of SQS with its parameters and permission, as JSON.",
	 {{0}},
	 .run_here = dump_sqs_here},
	{"dump sns",
	 "Prints every action of SNS with its parameters and permission, as JSON.",
	 {{0}},
	 .run_here = dump_sns_here},
	{"dump elb",
	 "Prints every action of Elastic Load Balancing with its parameters and permission, as JSON.",
	 {{0}},
	 .run_here = dump_elb_here},
	{"dump elb-classic",
	 "Prints every action of Classic Load Balancers with its parameters and permission, as JSON.",
	 {{0}},
	 .run_here = dump_elb_classic_here},
	{"dump iam",
	 "Prints every action of IAM with its parameters and permission, as JSON.",
	 {{0}},
	 .run_here = dump_iam_here},
	{"dump openstack",
	 "Prints every call of the OpenStack services with its parameters and permission, as JSON.",
	 {{0}},
	 .run_here = dump_openstack_here},
	{"dump cloudstack",
	 "Prints every call of the CloudStack services with its parameters and permission, as JSON.",
	 {{0}},
	 .run_here = dump_cloudstack_here},
	{"dump connect",
	 "Prints the calls of EC2 Instance Connect as JSON.",
	 {{0}},
	 .run_here = dump_connect_here},
	{"dump support",
	 "Prints the calls of AWS Support's API as JSON.",
	 {{0}},
	 .run_here = dump_support_here},
	{"dump azure",
	 "Prints every implemented call of Azure Resource Manager, as JSON.",
	 {{0}},
	 .run_here = dump_azure_here},
	{"dump native",
	 "Prints every call of Dari's own API with its parameters and permission, as JSON.",
	 {{0}},
	 .run_here = dump_native_here},
	{"dump scim",
	 "Prints every call of SCIM with its attributes and permission, as JSON.",
	 {{0}},
	 .run_here = dump_scim_here},
	{"dump awsbackup",
	 "Prints every call of AWS Backup with its parameters and permission, as JSON.",
	 {{0}},
	 .run_here = dump_awsbackup_here},
	{"dump dlm",
	 "Prints every call of Data Lifecycle Manager with its parameters and permission, as JSON.",
	 {{0}},
	 .run_here = dump_dlm_here},
	{"dump ebs",
	 "Prints every call of EBS direct with its parameters and permission, as JSON.",
	 {{0}},
	 .run_here = dump_ebs_here},
	{"dump answers",
	 "Prints the members of each resource that tables describe, with their filters, as JSON.",
	 {{0}},
	 .run_here = dump_answers_here},
	{"dump coverage",
	 "Prints each implemented action and each unsupported parameter, as a page.",
	 {{0}},
	 .run_here = dump_coverage_here},
	{"dump limits",
	 "Prints quotas and fixed limits, as docs/limits.md.",
	 {{0}},
	 .run_here = dump_limits_here},
	{"dump manual", "Prints the manual page, dari(8).", {{0}}, .run_here = dump_manual_here},
	{"dump completion", "Prints the bash completion of dari.", {{0}}, .run_here = dump_completion_here},
	{0},
};
