/* SPDX-License-Identifier: Apache-2.0
 * Implements EC2 Instance Connect for api/core. Sources: EC2 Instance Connect API Reference, SendSSHPublicKey; Service
 * Authorization Reference, "Actions for Amazon EC2 Instance Connect". */
#include "api/connect/connect.h"

#include "api/core/audit.h"
#include "api/core/dump.h"
#include "api/query/target.h"
#include "auth/guard/guard.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/json_write.h"
#include "engine/instance/connect_key.h"

struct connect_call {
	API_CALL_BASE;
	json_t *body;           /* until prepare has ended */
	struct str user;        /* for the guard, which may ask before and after the body exists */
	struct str instance_id; /* for the audit record */
};

struct connect_action {
	API_ACTION_BASE;
};

struct connect_face {
	struct api_face core;
	struct connect_keys *keys;
};

API_DEFINE_FACE(connect)

bool connect_has_call(const struct call *call)
{
	return target_is_for(call, "ec2-instance-connect");
}

/* ---- errors ---- */

/* The first row that fits counts. The codes of the first rows are those of the API Reference, the others those that AWS's JSON
 * services share. */
static const struct api_error rows[] = {
	{ERR_NOT_FOUND, 0, 404, "EC2InstanceNotFoundException"},
	{ERR_STATE, 0, 400, "EC2InstanceStateInvalidException"},
	{ERR_PROTECTED, 0, 503, "EC2InstanceUnavailableException"},
	{ERR_DENIED, 0, 403, "AuthException"},
	{ERR_THROTTLED, 0, 429, "ThrottlingException"},
	{ERR_UNSUPPORTED, 0, 400, "UnknownOperationException", "X-Amz-Target"},
	{ERR_MALFORMED, KIND_NONE, 400, "SerializationException"},
	{ERR_TOO_LARGE, 0, 413, "InvalidArgsException", API_WHOLE_REQUEST},
	{ERR_INVALID, 0, 400, "InvalidArgsException"},
	{ERR_MISSING, 0, 400, "InvalidArgsException"},
	{ERR_UNKNOWN, 0, 400, "InvalidArgsException"},
	{ERR_TOO_LARGE, 0, 400, "InvalidArgsException"},
	{ERR_UNAUTHENTICATED, 0, 400, "UnrecognizedClientException"},
	{ERR_NO_MEMORY, 0, 500, "ServiceException"},
	{ERR_AGAIN, 0, 500, "ServiceException"},
	{ERR_INTERNAL, 0, 500, "ServiceException"},
};
static const struct api_errors errors =
	API_ERRORS(rows, .internal = "An internal error has occurred.", .throttled = "Rate exceeded",
		   .unproved = "The security token included in the request is invalid.");

/* ---- SendSSHPublicKey ---- */

struct send_args {
	struct connect_key_wish wish;
	struct str instance, key;
	struct str line; /* the checked key without its comment */
};

static const struct param send_params[] = {
	PARAM(struct send_args, "InstanceId", instance, .flags = REQUIRED, .min = 10, .max = 32,
	      .doc = "The instance, which must be running."),
	PARAM(struct send_args, "InstanceOSUser", wish.user, .flags = REQUIRED, .min = 1,
	      .max = CONNECT_USER_MAX, .doc = "User of the guest who is to accept the key."),
	PARAM(struct send_args, "SSHPublicKey", key, .flags = REQUIRED, .min = 80, .max = CONNECT_KEY_MAX,
	      .doc = "RSA or Ed25519 key in OpenSSH's form."),
	PARAM(struct send_args, "AvailabilityZone", wish.zone, .min = 6, .max = 32,
	      .doc = "Zone of the instance."),
};

#define USER_PATTERN "^[A-Za-z_][A-Za-z0-9\\@\\._-]{0,30}[A-Za-z0-9\\$_-]?$"

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_inner(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
}

/* USER_PATTERN: '$' may be the last character alone. The name is a part of a metadata path, so it has no slash. */
static bool is_user(struct str name)
{
	if (!name.n || !is_letter(name.p[0]))
		return false;
	for (size_t k = 1; k < name.n; k++)
		if (!is_inner(name.p[k]) && name.p[k] != '@' && name.p[k] != '.' &&
		    !(name.p[k] == '$' && k + 1 == name.n))
			return false;
	return name.n < CONNECT_USER_MAX || is_inner(name.p[name.n - 1]) || name.p[name.n - 1] == '$';
}

/* The key is one line without options, so that it can neither add lines to a guest's answer nor restrict or extend what
 * sshd does. */
static RESULT read_key(struct connect_call *e, struct send_args *a)
{
	struct str line = STR_NONE, fingerprint = STR_NONE, rest = STR_NONE, type = STR_NONE, blob = STR_NONE;
	bool is_ed25519 = false;
	struct str text = str_trim(a->key);
	if (!str_starts_with(text, STR("ssh-")) || !str_is_line(text) ||
	    !result_is_ok(crypto_check_public_key(e->c, text, &line, &fingerprint, &is_ed25519)))
		return ctx_fail_field(e->c, ERR_INVALID, STR("SSHPublicKey"), "Invalid SSH public key.");
	rest = line;
	if (!str_split_next(&rest, ' ', &type) || !str_split_next(&rest, ' ', &blob))
		return ctx_fail_field(e->c, ERR_INVALID, STR("SSHPublicKey"), "Invalid SSH public key.");
	a->line = str_print(e->c->arena, "%" STR_FMT " %" STR_FMT, STR_ARG(type), STR_ARG(blob));
	return a->line.p ? OK : ctx_no_memory(e->c);
}

static RESULT prepare(struct api_call *core)
{
	struct connect_call *e = connect_call_of(core);
	TRY(target_read_args(core, e->body));
	struct send_args *a = e->args;
	if (!result_is_ok(id_parse_ec2(a->instance, KIND_INSTANCE, &a->wish.instance)))
		return target_fail_member(e->c, "InstanceId", a->instance,
					  "satisfy regular expression pattern: ^i-[a-f0-9]+$");
	if (!is_user(a->wish.user))
		return target_fail_member(e->c, "InstanceOSUser", a->wish.user,
					  "satisfy regular expression pattern: " USER_PATTERN);
	return read_key(e, a);
}

/* The key is offered once its event is committed. If the process dies in between, the client has no answer and sends it
 * again. */
static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct connect_call *e = connect_call_of(core);
	struct connect_face *face = (struct connect_face *) e->face;
	const struct send_args *a = e->args;
	const struct connect_key key = {
		.user = a->wish.user, .line = a->line, .until_us = clock_now_us() + CONNECT_KEY_LIFE_US};
	struct json_writer w;
	TRY(connect_keys_add(face->keys, e->c, a->wish.account, a->wish.id, &key));
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	json_write_text(&w, "RequestId", e->c->request_id);
	json_write_bool(&w, "Success", true);
	json_write_close(&w);
	return json_write_end(&w);
}

static const struct connect_action actions[] = {
	{.name = "SendSSHPublicKey",
	 .permit = "ec2-instance-connect:SendSSHPublicKey",
	 .flags = API_WRITES,
	 .args = PARAMS(struct send_args, send_params),
	 .operation = engine_offer_connect_key_run,
	 .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Offers a public SSH key to a user of an instance for 60 seconds."},
};
static const struct api_actions connect_actions = API_ACTIONS(actions);
static const struct api_actions *const groups[] = {&connect_actions};
static const struct api_groups action_groups = {groups, sizeof groups / sizeof groups[0]};

/* ---- the protocol ---- */

static const struct target_service service = {.prefix = "AWSEC2InstanceConnectService.",
					      .name = "EC2 Instance Connect"};

static struct str copy_member(struct connect_call *e, const char *name)
{
	const json_t *text = json_object_get(e->body, name);
	struct str value = {json_string_value(text), json_string_length(text)};
	return value.p ? str_copy(e->c->arena, str_cut(value, CONNECT_USER_MAX)) : STR_NONE;
}

static RESULT find(struct api_call *core)
{
	struct connect_call *e = connect_call_of(core);
	TRY(target_find(core, &service, &e->body));
	e->user = copy_member(e, "InstanceOSUser");
	e->instance_id = copy_member(e, "InstanceId");
	return OK;
}

static enum policy_known find_request_key(const void *arg, struct str key, struct strs *ret_values)
{
	const struct connect_call *e = arg;
	if (!str_is(key, "ec2:osuser") || !e->user.n)
		return POLICY_ABSENT;
	struct str *value = arena_new_array(e->c->arena, struct str, 1);
	if (!value)
		return POLICY_ABSENT;
	*value = e->user;
	*ret_values = (struct strs){value, 1};
	return POLICY_PRESENT;
}

static RESULT describe_permission(struct api_call *core, struct guard_request *request)
{
	(void) core;
	request->find = find_request_key;
	return OK;
}

static void describe_audit(struct api_call *core)
{
	struct connect_call *e = connect_call_of(core);
	audit_add_subject(e->audit, "InstanceId", e->instance_id);
	audit_add_subject(e->audit, "InstanceOSUser", e->user);
}

static void end_request(struct api_call *core)
{
	struct connect_call *e = connect_call_of(core);
	json_decref(e->body);
	e->body = NULL;
}

static bool open_face(struct api_face *core)
{
	struct connect_face *face = (struct connect_face *) core;
	face->keys = connect_keys_new();
	return face->keys != NULL;
}

static void close_face(struct api_face *core)
{
	connect_keys_free(((struct connect_face *) core)->keys);
}

struct connect_keys *connect_face_keys(const struct api_face *face)
{
	return ((const struct connect_face *) face)->keys;
}

const struct api_protocol connect_protocol = {
	.name = "connect",
	.content_type = "application/x-amz-json-1.1",
	.face_size = sizeof(struct connect_face),
	.call_size = sizeof(struct connect_call),
	.groups = &action_groups,
	.errors = &errors,
	.open = open_face,
	.close = close_face,
	.find = find,
	.describe_permission = describe_permission,
	.describe_audit = describe_audit,
	.prepare = prepare,
	.end_request = end_request,
	.write = write_answer,
	.word_problem = target_word_problem,
	.write_problem = target_write_problem,
};

/* ---- for the documentation ---- */

void connect_write_coverage(struct buf *out)
{
	api_write_coverage(out, &action_groups);
}

void connect_dump_actions(struct buf *out)
{
	target_dump_actions(out, "connect", &action_groups);
}
