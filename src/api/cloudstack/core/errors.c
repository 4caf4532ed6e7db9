/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's error codes and messages. Source of the codes: ApiErrorCode and CSExceptionErrorCode of 4.18.
 * Clients look for the sentence about unknown ids.
 */
#include "api/cloudstack/core/action.h"
#include "engine/resolve.h"

/* status: also the errorcode; code: the cserrorcode. */
/* clang-format off */
static const struct api_error rows[] = {
	/* VM snapshots fail with CloudStack's internal error */
	{ERR_QUOTA, KIND_INSTANCE_SNAPSHOT, 530, "4250"}, {ERR_CONFLICT, KIND_INSTANCE_SNAPSHOT, 530, "4250"},
	{ERR_INVALID, 0, 431, "4350"},     {ERR_MISSING, 0, 431, "9999"},
	{ERR_MALFORMED, 0, 431, "4350"},   {ERR_RANGE, 0, 431, "4350"},
	{ERR_NOT_FOUND, 0, 431, "4350"},   {ERR_STATE, 0, 431, "4350"},
	{ERR_EXISTS, 0, 431, "4350"},      {ERR_PROTECTED, 0, 431, "4350"},
	{ERR_COMBINATION, 0, 431, "4350"}, {ERR_UNKNOWN, 0, 431, "4350"},
	{ERR_TOO_LARGE, 0, 431, "4350"},   {ERR_UNSUPPORTED, 0, 431, "4350"},
	{ERR_GONE, 0, 534, "4380"},        {ERR_AGAIN, 0, 534, "4380"},
	{ERR_EXPIRED, 0, 401, "9999"},     {ERR_UNAUTHENTICATED, 0, 401, "9999"},
	{ERR_DENIED, 0, 531, "4365"},      {ERR_THROTTLED, 0, 429, "4545"},
	{ERR_QUOTA, 0, 532, "4280"},       {ERR_CAPACITY, 0, 533, "4325"},
	{ERR_IN_USE, 0, 536, "4375"},      {ERR_CONFLICT, 0, 537, "4360"},
	{ERR_INTERNAL, 0, 530, "4250"},
};
/* clang-format on */
/* The command is unknown, or not for the caller. */
const struct api_error cs_unknown_command = {ERR_UNSUPPORTED, 0, 432, "4555"};
const struct api_error cs_runtime_failure = {ERR_STATE, 0, 530, "4250"};
static const struct api_error forbidden_command = {ERR_DENIED, 0, 401, "9999"};

const struct api_errors cloudstack_errors = API_ERRORS(
	rows, .internal = "Internal error executing command, please contact your system administrator",
	.throttled = "The given user has reached his/her account api limit, please retry later.",
	.unproved = "unable to verify user credentials and/or request signature", .is_by_status = true);

/* ---- parameters ---- */

/* Unknown parameters are ignored because CloudStack ignores them: ParamProcessWorker.processParameters() reads the command's own
 * fields alone, and ParamGenericValidationWorker.handle() writes a warning. Every parameter that a command has in CloudStack is a
 * row here (tests/contract/cloudstack/parameters.txt).
 * Of the words about a parameter: word_parameter() puts the command before them. */
#define DUE "due to "
#define UNKNOWN_ID                                                                                           \
	" due to incorrect long value format, or entity does not exist or due to incorrect parameter "       \
	"annotation for the field in api cmd class."
#define INVALID_VALUE DUE "invalid value {value} for parameter {field}"
const struct params_dialect cs_dialect = {
	.words =
		{
			[FAULT_MISSING] = DUE "missing parameter {field}",
			[FAULT_UNBUILT] = DUE "the parameter {field}, which is not supported",
			[FAULT_UNBUILT_ELSE] =
				DUE "the parameter {field}, of which {only} alone is supported",
			[FAULT_TYPE] = INVALID_VALUE,
			[FAULT_WORDS] = INVALID_VALUE ". It must be one of: {words}",
			[FAULT_CHOICE] = INVALID_VALUE,
			[FAULT_BOOL] = INVALID_VALUE,
			[FAULT_INT] = INVALID_VALUE,
			[FAULT_INT_BELOW] =
				DUE "invalid value {number} for parameter {field}. It must be {min} "
				    "to {max}",
			[FAULT_INT_ABOVE] =
				DUE "invalid value {number} for parameter {field}. It must be {min} "
				    "to {max}",
			[FAULT_TEXT_LONG] =
				DUE "invalid value. Value greater than max allowed length {max} for "
				    "param: {field}",
			[FAULT_IP] = INVALID_VALUE,
			[FAULT_IPV6] = INVALID_VALUE,
			[FAULT_CIDR] = INVALID_VALUE,
			[FAULT_MAC] = INVALID_VALUE,
			[FAULT_ID] = DUE "invalid value. Invalid parameter {field} value={value}" UNKNOWN_ID,
		},
	.comma = ", ",
	.rules = ABSENT_IF_EMPTY | UNKNOWN_IS_IGNORED | WORDS_IN_ANY_CASE,
	.text_max = 255,
	.separator = ',',
};

RESULT cs_fail_id(struct cs_call *e, enum kind kind, const char *parameter, struct str value)
{
	const struct ref ref = {.text = value, .field = str_from(parameter)};
	return engine_fail_not_found(e->c, kind, &ref);
}

/* ---- the document ---- */

static struct str lower_command(const struct api_call *e)
{
	return str_lower(e->c->arena, str_from(e->action->name));
}

/* Words a missing row: names the parameter as CloudStack does, instead of EC2's message. */
static void word_absent(struct api_call *e, struct api_problem *p)
{
	const struct problem *problem = &e->c->problem;
	if (p->err == ERR_NOT_FOUND && problem->field.n && problem->subject.n)
		p->message = str_print(
			e->c->arena,
			DUE "invalid value. Invalid parameter %" STR_FMT " value=%" STR_FMT UNKNOWN_ID,
			STR_ARG(str_lower(e->c->arena, problem->field)), STR_ARG(problem->subject));
}

void cs_word_problem(struct api_call *e, struct api_problem *p)
{
	bool is_of_command = p->err == ERR_DENIED && e->action && !e->args && !e->c->problem.field.n;
	if (is_of_command) {
		char address[IP_TEXT_SIZE];
		p->error = &forbidden_command;
		p->status = forbidden_command.status;
		p->message =
			str_print(e->c->arena,
				  "The given command '%s' either does not exist, is not available for user, "
				  "or not available from ip address '%s'.",
				  e->action->name, ip_write(e->call->peer, address));
	}
	word_absent(e, p);
	if (e->action && str_starts_with(p->message, STR(DUE)))
		p->message = str_print(e->c->arena, "Unable to execute API command %" STR_FMT " %" STR_FMT,
				       STR_ARG(lower_command(e)), STR_ARG(p->message));
}

/* Writes the error. An unknown command has no response element of its own. */
RESULT cs_write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct cs_call *e = cs_call_of(core);
	struct json_writer w;
	json_write_begin(&w, body);
	cs_open_response(e, &w, e->action ? e->action->name : "error");
	json_write_open_list(&w, "uuidList");
	json_write_close_list(&w);
	json_write_int(&w, "errorcode", p->status);
	json_write_raw(&w, "cserrorcode", str_from(p->error->code));
	json_write_text(&w, "errortext", p->message);
	json_write_close(&w);
	json_write_close(&w);
	TRY(json_write_end(&w));
	struct result result = cs_end_body(e, body);
	p->content_type = e->content_type;
	return result;
}

static struct str write_id(struct arena *a, enum kind kind, uuid id)
{
	(void) kind;
	return uuid_to_str(a, id);
}

const struct kind_words cs_words = {
	.of =
		{
			[KIND_ACCOUNT] = "account",
			[KIND_INSTANCE] = "virtual machine",
			[KIND_INSTANCE_TYPE] = "service offering",
			[KIND_INSTANCE_SNAPSHOT] = "VM snapshot",
			[KIND_SNAPSHOT_POLICY] = "snapshot policy",
			[KIND_VOLUME_TYPE] = "disk offering",
			[KIND_IMAGE] = "template",
			[KIND_ROUTER] = "VPC",
			[KIND_PROJECT_ROLE] = "project role",
			[KIND_NETWORK_OFFERING] = "network offering",
			[KIND_PORT] = "NIC",
			[KIND_ADDRESS] = "public IP address",
			[KIND_PORT_FORWARDING] = "port forwarding rule",
			[KIND_LOAD_BALANCER] = "load balancer rule",
			[KIND_SCALING_GROUP] = "AutoScale VM group",
			[KIND_AUTOSCALE_PROFILE] = "AutoScale VM profile",
			[KIND_AUTOSCALE_POLICY] = "AutoScale policy",
			[KIND_AUTOSCALE_CONDITION] = "condition",
			[KIND_FIREWALL_RULE] = "firewall rule",
			[KIND_SERVER_GROUP] = "affinity group",
			[KIND_KEY_PAIR] = "SSH key pair",
			[KIND_USER_DATA] = "user data",
			[KIND_CUSTOMER_GATEWAY] = "VPN customer gateway",
			[KIND_VPN_GATEWAY] = "VPN gateway",
			[KIND_VPN_CONNECTION] = "VPN connection",
		},
	.write_id = write_id,
};
