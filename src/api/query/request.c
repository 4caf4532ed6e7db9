/* SPDX-License-Identifier: Apache-2.0
 * Specifics of the query protocol: pairs, wording of invalid parameters, ids and dumps.
 */
#include "api/query/request.h"

#include <stdio.h>

#include "api/core/audit.h"

enum { NAME_MAX_SIZE = 256, CHOICE_WORDS_SIZE = 128 };

/* ---- pairs ---- */

/* True for parameters of the signature, which are not the action's. */
static bool is_of_signature(struct str name)
{
	static const char *const names[] = {"AWSAccessKeyId", "SignatureVersion", "SignatureMethod",
					    "Signature",      "Timestamp",        "Expires",
					    "SecurityToken"};
	if (name.n > 6 && str_equal_nocase(str_slice(name, 0, 6), STR("X-Amz-")))
		return true;
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		if (str_is(name, names[k]))
			return true;
	return false;
}

static RESULT check_pair(struct ctx *c, const struct pair *pair, bool *ret_is_left_out)
{
	if (!str_is_xml_text(pair->name) || pair->name.n > NAME_MAX_SIZE)
		return ctx_fail(c, ERR_INVALID, "A parameter's name is too long or is not UTF-8 text");
	if (!str_is_xml_text(pair->value))
		return ctx_fail_field(c, ERR_INVALID, pair->name,
				      "The value of parameter %" STR_FMT
				      " is not UTF-8 text without control characters",
				      STR_ARG(pair->name));
	*ret_is_left_out = is_of_signature(pair->name);
	return OK;
}

static const struct pairs_rules pairs_rules = {
	.noun = "request", .count_max = REQUEST_PAIRS_MAX, .form = PAIRS_NEST, .check = check_pair};

RESULT request_parse(struct ctx *c, struct str query, struct str form, struct pairs *ret_pairs)
{
	return pairs_parse(c, &pairs_rules, query, form, ret_pairs);
}

RESULT request_parse_many(struct ctx *c, struct str query, struct str form, struct pairs *ret_pairs)
{
	struct pairs_rules rules = pairs_rules;
	rules.count_max = REQUEST_PAIRS_MANY;
	return pairs_parse(c, &rules, query, form, ret_pairs);
}

/* ---- the dialect ---- */

/* For an id of any kind the message cannot name an expected prefix. */
static RESULT fail_malformed(const struct params_reader *r, const struct params_value *v, enum kind kind,
			     const char *prefix)
{
	struct str shown = str_cut(v->text, 256);
	struct result result = v->p->flags & ANY_KIND
				       ? ctx_fail_kind(r->c, ERR_MALFORMED, KIND_NONE,
						       "The ID '%" STR_FMT "' is not valid", STR_ARG(shown))
				       : ctx_fail_kind(r->c, ERR_MALFORMED, (int) kind,
						       "Invalid id: \"%" STR_FMT "\" (expecting \"%s-...\")",
						       STR_ARG(shown), prefix);
	r->c->problem.field = v->field;
	r->c->problem.subject = str_copy(r->c->arena, shown);
	return result;
}

/* In a list; else an empty id is as good as none. */
static RESULT fail_empty(const struct params_reader *r, const struct params_value *v)
{
	return ctx_fail_field(r->c, ERR_INVALID, v->field,
			      "Value () for parameter %" STR_FMT " is invalid. The value cannot be empty",
			      STR_ARG(params_small_name(r->c->arena, v->field)));
}

/* An address is named by itself. */
static RESULT check_address(const struct params_reader *r, const struct params_value *v)
{
	struct ip ip;
	if (result_is_ok(ip_parse(v->text, &ip)) && ip.family == IP_V4)
		return OK;
	struct result result =
		ctx_fail_kind(r->c, ERR_MALFORMED, KIND_ADDRESS,
			      "The address '%" STR_FMT "' is not one of IPv4, such as 203.0.113.7.",
			      STR_ARG(str_cut(v->text, 64)));
	r->c->problem.field = v->field;
	return result;
}

/* A text of JSON ends before the call does. */
static struct str keep_text(const struct params_reader *r, struct str text)
{
	return r->is_copied ? str_copy(r->c->arena, text) : text;
}

static RESULT read_id(const struct params_reader *r, const struct params_value *v, struct ref *out)
{
	const struct param *p = v->p;
	struct str field = v->field, text = keep_text(r, v->text);
	enum kind kind = p->flags & ANY_KIND ? id_kind_of_ec2(text) : p->kind;
	bool is_none = param_none(p) && str_is(text, param_none(p));
	if (p->flags & BY_NAME && !is_none)
		TRY(params_read_string(r, v, &text));
	if (p->kind == KIND_ADDRESS && p->flags & BY_NAME)
		TRY(check_address(r, v));
	if (p->flags & BY_NAME || is_none) {
		*out = (struct ref){.kind = p->kind, .text = text, .field = field};
		return OK;
	}
	if (str_is_empty(text) && !(p->flags & ANY_KIND))
		return fail_empty(r, v);
	const char *prefix = param_prefix(p) ? param_prefix(p) : model_kinds[kind].ec2_prefix;
	if (!prefix || !result_is_ok(param_prefix(p) ? id_parse_prefixed(text, prefix, out)
						     : id_parse_ec2(text, kind, out)))
		return fail_malformed(r, v, kind, prefix);
	out->kind = kind;
	out->field = field;
	return OK;
}

#define DIALECT(more, comma_, ...)                                                                           \
	{                                                                                                    \
		.comma = (comma_), .rules = ABSENT_IF_EMPTY_ID | ONLY_IN_ANY_CASE | (more),                  \
		.text_max = REQUEST_TEXT_MAX, .list_suffix = ".member", .read_id = read_id, __VA_ARGS__      \
	}
const struct params_dialect request_ec2_dialect = DIALECT(SMALL_NAMES, ",", );
/* IAM's and STS's words. STS repeats the refused value in its message, IAM does not. */
#define REQUEST_CONSTRAINT(value, must)                                                                      \
	"1 validation error detected: Value " value "at '{parameter}' failed to satisfy constraint: "        \
	"Member must " must
#define MEMBER_WORDS(value, missing)                                                                         \
	.words = {                                                                                           \
		[FAULT_MISSING] = missing,                                                                   \
		[FAULT_WORDS] = REQUEST_CONSTRAINT(value, "satisfy enum value set: [{words}]"),              \
		[FAULT_INT_BELOW] = REQUEST_CONSTRAINT(value, "have value greater than or equal to {min}"),  \
		[FAULT_INT_ABOVE] = REQUEST_CONSTRAINT(value, "have value less than or equal to {max}"),     \
		[FAULT_TEXT_SHORT] =                                                                         \
			REQUEST_CONSTRAINT(value, "have length greater than or equal to {min}"),             \
		[FAULT_TEXT_LONG] = REQUEST_CONSTRAINT(value, "have length less than or equal to {max}"),    \
		[FAULT_ELEMENT] = REQUEST_CONSTRAINT(                                                        \
			value, "satisfy constraint: [Member must have length less than or equal to {max}, "  \
			       "Member must have length greater than or equal to {min}{remark}]"),           \
		[FAULT_COUNT] = REQUEST_CONSTRAINT(value, "have length less than or equal to {max}")}
#define MUST_BE_THERE(null) REQUEST_CONSTRAINT(null, "not be null")
const struct params_dialect request_iam_dialect =
	DIALECT(MEMBER_NAMES, ", ", MEMBER_WORDS("", MUST_BE_THERE("")));
const struct params_dialect request_sts_dialect =
	DIALECT(MEMBER_NAMES, ", ", MEMBER_WORDS("'{value}' ", MUST_BE_THERE("null ")));
const struct params_dialect request_cloudwatch_dialect =
	DIALECT(MEMBER_NAMES, ", ", MEMBER_WORDS("'{value}' ", "The parameter {field} is required."));
const struct params_dialect request_sqs_dialect = DIALECT(
	MEMBER_NAMES, ", ", MEMBER_WORDS("'{value}' ", "The request must contain the parameter {field}."));

RESULT request_read(struct ctx *c, const struct params_dialect *dialect, const struct params *table,
		    const char *const *common, const struct pairs *pairs, void *out)
{
	const struct params_request request = {
		.dialect = dialect, .body = document_of_pairs(pairs, PAIRS_NEST), .common = common};
	return params_fill(c, table, &request, out);
}

RESULT request_fail_member(struct ctx *c, struct str field, struct str shown, const char *must)
{
	struct str value =
		shown.n ? str_print(c->arena, "'%" STR_FMT "' ", STR_ARG(str_cut(shown, 256))) : STR_NONE;
	return ctx_fail_field(c, ERR_INVALID, field,
			      "1 validation error detected: Value %" STR_FMT "at '%" STR_FMT
			      "' failed to satisfy constraint: Member must %s",
			      STR_ARG(value), STR_ARG(params_member_name(c->arena, field)), must);
}

static bool is_given(const struct ref *ref)
{
	return ref->bits || ref->text.n;
}

RESULT request_choose(struct ctx *c, const struct ref *one, const char *one_wire, const struct ref *other,
		      const char *other_wire, struct ref *ret_ref)
{
	if (is_given(one) && is_given(other))
		return ctx_fail_field(c, ERR_COMBINATION, str_from(other_wire),
				      "The parameter %" STR_FMT
				      " cannot be used with the parameter %" STR_FMT,
				      STR_ARG(params_small_name(c->arena, str_from(other_wire))),
				      STR_ARG(params_small_name(c->arena, str_from(one_wire))));
	if (!is_given(one) && !is_given(other))
		return ctx_fail_field(c, ERR_MISSING, str_from(one_wire),
				      "The request must contain the parameter %" STR_FMT " or %" STR_FMT,
				      STR_ARG(params_small_name(c->arena, str_from(other_wire))),
				      STR_ARG(params_small_name(c->arena, str_from(one_wire))));
	*ret_ref = is_given(one) ? *one : *other;
	return OK;
}

bool request_asks_for(struct strs names, struct str name)
{
	for (size_t k = 0; k < names.count; k++)
		if (str_equal(names.at[k], name))
			return true;
	return names.count == 0;
}

/* ---- the audit log ---- */

/* These parameters hold no secrets. Long values are cut, in case a client passes a secret by mistake. */
void request_add_subject(struct audit_call *a, const struct pairs *pairs)
{
	struct str name,
		rest = STR("UserName|GroupName|RoleName|NewUserName|NewGroupName|PolicyName|"
			   "PolicyArn|PermissionsBoundary|VersionId|InstanceProfileName|AccessKeyId|"
			   "Status|OpenIDConnectProviderArn|ClientID|AccountAlias|RoleArn|"
			   "SAMLProviderArn|PrincipalArn|"
			   "SSHPublicKeyId|CertificateId|ServerCertificateName|NewServerCertificateName|"
			   "AWSServiceName|SerialNumber|VirtualMFADeviceName|"
			   "RoleSessionName|Name|KeyName|KeyPairId|KeyPairId.1|InstanceId|Attribute|"
			   "AssociationId|IamInstanceProfile.Name|IamInstanceProfile.Arn|"
			   "LaunchTemplateId|LaunchTemplateName");
	while (a && str_split_next(&rest, '|', &name)) {
		const char *z = str_to_z(a->call->ctx.arena, name);
		audit_add_subject(a, z, str_cut(pairs_find(pairs, z), 256));
	}
}

/* ---- dumps ---- */

static const char *form_word(const struct param *p)
{
	static const char *const words[PARAM_TYPE_COUNT] = {[PARAM_ID] = "id",
							    [PARAM_IDS] = "id",
							    [PARAM_IP] = "ipv4",
							    [PARAM_IPS] = "ipv4",
							    [PARAM_CIDR] = "cidr"};
	if (p->flags & (BASE64 | BY_NAME))
		return p->flags & BASE64 ? "base64" : "name";
	return p->type == PARAM_CIDR && p->flags & IPV6 ? "ipv6 cidr" : words[p->type];
}

static void dump_more(struct json_writer *w, const struct param *p)
{
	const char *form = form_word(p);
	if (form)
		json_write_z(w, "form", form);
	if (form && strcmp(form, "id") == 0 && !(p->flags & ANY_KIND))
		json_write_z(w, "prefix",
			     param_prefix(p) ? param_prefix(p) : model_kinds[p->kind].ec2_prefix);
	if (param_yes(p)) {
		char words[CHOICE_WORDS_SIZE];
		snprintf(words, sizeof words, "%s|%s", param_yes(p), param_no(p));
		json_write_z(w, "words", words);
	}
	if (p->absent)
		json_write_z(w, "absent", p->absent);
}

const struct dump_form request_dump_form = {
	.face = "ec2",
	.is_of_pairs = true,
	.types = {[PARAM_ID] = "string",
		  [PARAM_IP] = "string",
		  [PARAM_CIDR] = "string",
		  [PARAM_IDS] = "list of strings",
		  [PARAM_IPS] = "list of strings",
		  [PARAM_STRUCTS] = "list of structures"},
	.list_suffix = ".N",
	.no_doc = "",
	.text_max = REQUEST_TEXT_MAX,
	.write_param = dump_more,
};
