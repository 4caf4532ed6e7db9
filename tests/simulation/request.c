/* SPDX-License-Identifier: Apache-2.0
 * The life of a call: chosen from the model's things, sent as by a client, answered by the face, and then
 * judged. The model changes in the order in which the committer ended the calls. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "../unit/api/script.h"
#include "simulation.h"

static const struct operations *const tables[] = {
	&neutron_operations,      &network_operations, &route_operations,    &acl_operations,
	&address_operations,      &group_operations,   &instance_operations, &attach_operations,
	&setting_operations,      &image_operations,   &other_operations,    &nova_operations,
	&server_operations,       &glance_operations,  &operator_operations, &peering_operations,
	&oidc_operations,         &ipv6_operations,    &azure_operations,    &azure_network_operations,
	&azure_machine_operations};

/* ---- drawing ---- */

enum { TABLES = sizeof tables / sizeof *tables };

static bool is_cloudstacks(const struct operation *operation)
{
	return islower((unsigned char) operation->action[0]);
}

static bool is_azures(const struct operation *operation)
{
	const char *space = strchr(operation->action, ' ');
	return space && space[1] != '/';
}

void request_draw_theme(struct simulation *s)
{
	uint64_t theme = random_below(TABLES * 2);
	s->theme = theme < TABLES ? tables[theme] : NULL;
	s->is_cloudstacks = random_below(3) == 0;
	s->is_azures = random_below(3) == 0;
}

static uint64_t weight_of(const struct simulation *s, size_t table, const struct operation *operation)
{
	bool is_favoured = tables[table] == s->theme || (s->is_cloudstacks && is_cloudstacks(operation));
	return operation->weight * (is_favoured ? 4 : 1) * (s->is_azures && is_azures(operation) ? 8 : 1);
}

static const struct operation *draw_operation(const struct simulation *s)
{
	uint64_t total = 0;
	for (size_t g = 0; g < TABLES; g++)
		for (size_t k = 0; k < tables[g]->count; k++)
			total += weight_of(s, g, &tables[g]->at[k]);
	uint64_t at = random_below(total);
	for (size_t g = 0; g < TABLES; g++)
		for (size_t k = 0; k < tables[g]->count; at -= weight_of(s, g, &tables[g]->at[k++]))
			if (at < weight_of(s, g, &tables[g]->at[k]))
				return &tables[g]->at[k];
	return NULL;
}

bool request_is_openstack(const struct request *x)
{
	return strchr(x->operation->action, ' ') != NULL && !request_is_azure(x);
}

bool request_is_azure(const struct request *x)
{
	return is_azures(x->operation);
}

bool request_is_iam(const struct request *x)
{
	return strstr(x->text, "&Version=" IAM_VERSION) != NULL;
}

/* CloudStack's commands begin with a lower-case letter. They are judged like EC2's actions: judge() in the
 * tables names EC2's codes, and any of CloudStack's few codes is right where one of those would be. */
bool request_is_cloudstack(const struct request *x)
{
	return is_cloudstacks(x->operation);
}

struct str request_made(const struct request *x, struct str answer, const char *ec2, const char *openstack)
{
	return answer_at(answer, request_is_cloudstack(x) ? "id" : request_word(x, ec2, openstack));
}

const char *request_word(const struct request *x, const char *ec2, const char *openstack)
{
	return request_is_openstack(x) ? openstack : ec2;
}

void request_add(struct request *x, const char *name, const char *format, ...)
{
	va_list args;
	const char *words = !request_is_openstack(x) ? "&%s=" : x->size ? ", \"%s\": " : "\"%s\": ";
	x->size += (size_t) snprintf(x->text + x->size, TEXT_MAX - x->size, words, name);
	va_start(args, format);
	x->size += (size_t) vsnprintf(x->text + x->size, TEXT_MAX - x->size, format, args);
	va_end(args);
	assert_true(x->size < TEXT_MAX);
}

/* A random thing of the kind with a known id, of the account or another, existing or gone. */
static struct thing *pick(struct request *x, enum kind kind, bool is_own, bool is_gone)
{
	struct model *m = &x->s->model;
	struct thing *picked = NULL;
	uint64_t count = 0;
	for (size_t k = 0; k < m->count; k++) {
		struct thing *t = &m->things[k];
		if (t->kind == KIND_SUBNET && t->block.base.family == IP_V6 && !request_is_openstack(x))
			continue; /* for EC2 it is not a separate subnet, or its ports would have IPv6 only */
		if (t->kind == KIND_NETWORK && model_has_ipv6_alone(m, t))
			continue; /* see above */
		if (t->kind == kind && t->id[0] && (t->account == x->account) == is_own &&
		    (t->life == GONE) == is_gone && random_below(++count) == 0)
			picked = t;
	}
	return picked;
}

/* A gone thing is named by the digits of its EC2 id, which no row has. */
static void find_uuid(struct request *x, struct thing *t)
{
	struct ref ref;
	if (uuid_is_none(t->uuid))
		t->uuid = region_find(&x->s->region, t->kind, t->id);
	if (uuid_is_none(t->uuid) && result_is_ok(id_parse_ec2(str_from(t->id), t->kind, &ref)))
		t->uuid = ref.prefix;
}

/* In the path if it has that name, otherwise in the body. */
static void name_by_uuid(struct request *x, const char *name, struct thing *t)
{
	char id[UUID_TEXT_SIZE], place[80], rest[sizeof x->path];
	find_uuid(x, t);
	(void) uuid_write(t->uuid, id);
	snprintf(place, sizeof place, "{%s}", name);
	char *at = strstr(x->path, place);
	if (!at) {
		request_add(x, name, request_is_cloudstack(x) ? "%s" : "\"%s\"", id);
		return;
	}
	snprintf(rest, sizeof rest, "%s", at + strlen(place));
	assert_true((size_t) snprintf(at, sizeof x->path - (size_t) (at - x->path), "%s%s", id, rest) <
		    sizeof x->path - (size_t) (at - x->path));
	x->path_refs |= 1u << (x->ref_count - 1);
}

void request_name(struct request *x, const char *name, struct thing *t)
{
	assert_true(x->ref_count < REFS_MAX);
	x->refs[x->ref_count++] = t;
	if (request_is_azure(x)) {
		if (name)
			azure_name_target(x, t);
		return;
	}
	if (name && (request_is_openstack(x) || request_is_cloudstack(x)))
		name_by_uuid(x, name, t);
	else if (name)
		request_add(x, name, "%s", t->id);
}

struct thing *request_ref(struct request *x, const char *name, enum kind kind)
{
	uint64_t dice = random_below(100);
	struct thing *t = dice < 4   ? pick(x, kind, false, false)
			  : dice < 8 ? pick(x, kind, true, true)
				     : NULL;
	if (!t)
		t = pick(x, kind, true, false);
	if (t)
		request_name(x, name, t);
	return t;
}

struct thing *request_find_ref(const struct request *x, enum kind kind)
{
	for (size_t k = 0; k < x->ref_count; k++)
		if (x->refs[k]->kind == kind)
			return x->refs[k];
	return NULL;
}

static bool draw_refs(struct request *x)
{
	for (size_t k = 0; k < 3 && x->operation->refs[k].parameter; k++)
		if (!request_ref(x, x->operation->refs[k].parameter, x->operation->refs[k].kind))
			return false;
	return true;
}

static void draw_tag(struct request *x)
{
	if (!x->operation->item || request_is_openstack(x) || request_is_azure(x) || random_below(2))
		return;
	snprintf(x->tag.key, sizeof x->tag.key, "k%d", (int) random_below(4));
	snprintf(x->tag.value, sizeof x->tag.value, "v%d", (int) random_below(100));
	request_add(x, "TagSpecification.1.ResourceType", "%s", x->operation->item);
	request_add(x, "TagSpecification.1.Tag.1.Key", "%s", x->tag.key);
	request_add(x, "TagSpecification.1.Tag.1.Value", "%s", x->tag.value);
}

bool request_draw(struct request *x)
{
	x->operation = draw_operation(x->s);
	for (int n = 0; n < 20 && x->is_hand && !policies_is_about(x); n++)
		x->operation = draw_operation(x->s); /* denied actions are called more often */
	if (x->operation->is_operators)
		x->account = ADMIN;
	x->is_hand = x->is_hand && !x->operation->is_operators;
	if (request_is_openstack(x))
		snprintf(x->path, sizeof x->path, "%s", x->operation->action);
	if (!draw_refs(x) || (x->operation->draw && !x->operation->draw(x)))
		return false;
	if (request_is_azure(x))
		return azure_can_be_sent(x);
	if (!x->origin) /* otherwise it is sent again, byte for byte */
		draw_tag(x);
	bool is_ec2 = !request_is_openstack(x) && !request_is_iam(x) && !request_is_cloudstack(x);
	x->is_dry = is_ec2 && random_below(32) == 0;
	x->is_hand = x->is_hand && !request_is_iam(x) && !request_is_cloudstack(x);
	return true;
}

/* ---- client tokens ---- */

bool request_draw_again(struct request *x)
{
	struct request *tokens = x->s->tokens, *origin = NULL;
	uint64_t count = 0;
	for (size_t k = 0; k < x->s->token_count; k++)
		if (tokens[k].account == x->account && tokens[k].operation == x->operation &&
		    random_below(++count) == 0)
			origin = &tokens[k];
	if (!origin)
		return false;
	uint64_t serial = x->serial;
	*x = *origin;
	x->serial = serial;
	x->origin = origin;
	x->is_open = false;
	return true;
}

void request_draw_token(struct request *x)
{
	struct simulation *s = x->s;
	if (random_below(3) == 0 || s->token_count == TOKENS_MAX)
		return;
	request_add(x, "ClientToken", "t%d", (int) x->serial);
	s->tokens[s->token_count] = *x;
	x->origin = &s->tokens[s->token_count++];
}

bool request_is_repeated(const struct request *x)
{
	return x->origin && x->origin->has_succeeded;
}

void request_check_repeated(struct request *x, struct str id)
{
	struct model *m = &x->s->model;
	for (size_t k = 0; k < m->count; k++)
		if (m->things[k].origin == x->origin && str_is(id, m->things[k].id))
			return;
	blame(x->s, "#%d: the token's call is answered with something else", (int) x->serial);
}

/* ---- verdicts ---- */

static void add_code(const char **codes, size_t *count, const char *code)
{
	for (size_t k = 0; k < *count; k++)
		if (strcmp(codes[k], code) == 0)
			return;
	assert_true(*count < CODES_MAX);
	codes[(*count)++] = code;
}

void refuse(struct verdict *v, const char *code)
{
	add_code(v->refusals, &v->refusal_count, code);
}

void doubt(struct verdict *v, const char *code)
{
	add_code(v->doubts, &v->doubt_count, code);
}

void refuse_or_doubt(struct verdict *v, bool is_sure, const char *code)
{
	if (is_sure)
		refuse(v, code);
	else
		doubt(v, code);
}

/* Nova reports a reference in the body either as an invalid body, or as not found. */
static void judge_not_found(const struct request *x, size_t ref, bool is_sure, struct verdict *v)
{
	struct str code = listings_not_found(x->refs[ref]->kind, request_is_openstack(x));
	if (x->refs[ref]->kind == KIND_SECURITY_GROUP &&
	    strcmp(x->operation->action, "CreateNetworkInterface") == 0)
		code = STR("InvalidSecurityGroupID.NotFound"); /* EC2 has a different code there */
	bool is_networks = strstr(x->path, " /network/") != NULL;
	if (!request_is_openstack(x) || is_networks) {
		refuse_or_doubt(v, is_sure, code.p);
		return;
	}
	refuse_or_doubt(v, is_sure, "404");
	if (x->refs[ref]->kind ==
	    KIND_VOLUME) /* Cinder shows a volume, and refuses its changes, until its data are gone */
		doubt(v, "400");
	if (!(x->path_refs & 1u << ref))
		refuse_or_doubt(v, is_sure, "400");
}

enum access { NOT_SHARED, PERHAPS_SHARED, SHARED };

/* Access of the account, which does not own the thing. */
static enum access access_of(const struct request *x, const struct thing *t)
{
	if (t->life != LIVE || t->account == x->account)
		return NOT_SHARED;
	if (t->kind == KIND_SNAPSHOT && t->offers > t->offers_done)
		return PERHAPS_SHARED;
	bool is_shared = t->kind == KIND_SNAPSHOT ? t->is_public
						  : t->kind == KIND_IMAGE && (t->members >> x->account & 1);
	return is_shared ? SHARED : NOT_SHARED;
}

/* Rule for all actions: a call can name only existing things that the account may use. If several rules are
 * violated, the answer may name any. */
static void judge(const struct request *x, struct verdict *v)
{
	if (request_is_azure(x))
		azure_judge(x, v);
	for (size_t k = 0; !request_is_azure(x) && !request_is_repeated(x) && k < x->ref_count; k++) {
		const struct thing *t = x->refs[k];
		enum access access = access_of(x, t);
		bool is_there = (t->account == x->account && t->life != GONE) ||
				(access != NOT_SHARED && x->operation->takes_shared);
		if (access != NOT_SHARED && !is_there)
			refuse(v, request_word(x, "AuthFailure", "403"));
		if (!is_there || access == PERHAPS_SHARED || model_may_have_ended(t))
			judge_not_found(x, k, !is_there, v);
	}
	policies_judge(x, v);
	if (x->operation->judge)
		x->operation->judge(x, v);
	if (request_is_azure(x))
		azure_translate(v);
	if (x->in_storm) {
		doubt(v, "InternalServerError");
		doubt(v, "ServerTimeout");
		doubt(v, "InternalError");
		doubt(v, "Unavailable");
		doubt(v, "ServiceFailure");
		doubt(v, "ServiceUnavailable");
		doubt(v, "500");
		doubt(v, "500 HTTPInternalServerError");
		doubt(v, "503");
		doubt(v, "503 ServiceUnavailable");
	}
}

static void keep_codes(struct request *x, const char *const *codes, size_t count)
{
	for (size_t k = 0; k < count && x->past_count < sizeof x->past_codes / sizeof x->past_codes[0]; k++)
		x->past_codes[x->past_count++] = codes[k];
}

void request_judge_open(struct simulation *s, const struct request *but)
{
	for (size_t k = 0; k < CLIENTS; k++) {
		struct request *x = &s->clients[k];
		struct verdict v = {0};
		if (!x->is_open || x == but)
			continue;
		judge(x, &v);
		keep_codes(x, v.refusals, v.refusal_count);
		keep_codes(x, v.doubts, v.doubt_count);
		x->might_succeed = x->might_succeed || v.refusal_count == 0;
	}
}

static bool is_among(const char *const *codes, size_t count, struct str code)
{
	for (size_t k = 0; k < count; k++)
		if (str_is(code, codes[k]))
			return true;
	return false;
}

static const char *list(struct request *x, const struct verdict *v)
{
	struct arena *a = x->s->region.cloud->arena;
	struct str text = STR("");
	for (size_t k = 0; k < v->refusal_count; k++)
		text = str_print(a, "%" STR_FMT " %s", STR_ARG(text), v->refusals[k]);
	for (size_t k = 0; k < v->doubt_count; k++)
		text = str_print(a, "%" STR_FMT " (%s)", STR_ARG(text), v->doubts[k]);
	return v->refusal_count + v->doubt_count ? text.p : " success";
}

/* ---- answers ---- */

struct told {
	struct str answer, code, message;
};

/* Failure of one resource in the answer of a call for several. */
static struct str read_failure(struct str answer)
{
	struct str code = answer_at(answer, "unsuccessful/item/error/code"), prefix = STR("Client.");
	return str_starts_with(code, prefix) ? str_slice(code, prefix.n, code.n) : code;
}

static struct told read_answer(const struct request *x, struct str body)
{
	struct arena *a = x->s->region.cloud->arena;
	if (request_is_iam(x)) {
		struct str answer = answer_root(body);
		return (struct told){answer, answer_at(answer, "Error/Code"),
				     answer_at(answer, "Error/Message")};
	}
	if (request_is_cloudstack(x)) {
		struct str answer = answer_root(answer_of_json(a, body));
		return (struct told){answer,
				     x->http.status == 200 ? STR_NONE : str_print(a, "%d", x->http.status),
				     answer_at(answer, "errortext")};
	}
	if (request_is_azure(x)) {
		struct str answer = answer_of_json(a, body);
		return (struct told){answer, answer_at(answer, "error/code"),
				     answer_at(answer, "error/message")};
	}
	if (!request_is_openstack(x)) {
		struct str answer = answer_root(body);
		bool is_success = x->http.status / 100 == 2;
		return (struct told){
			answer, is_success ? read_failure(answer) : answer_at(answer, "Errors/Error/Code"),
			answer_at(answer, "Errors/Error/Message")};
	}
	struct str answer = answer_of_json(a, body), type = answer_at(answer, "NeutronError/type");
	return (struct told){answer,
			     str_print(a, "%d%s%" STR_FMT, x->http.status, type.n ? " " : "", STR_ARG(type)),
			     body};
}

/* A dry run ignores invalid states, and whatever would be checked after them. */
static bool concerns_state(const struct verdict *v)
{
	static const char *const codes[] = {"DependencyViolation",
					    "Gateway.NotAttached",
					    "IncorrectInstanceState",
					    "IncorrectState",
					    "InvalidAMIID.Unavailable",
					    "InvalidIPAddress.InUse",
					    "InvalidNetworkInterface.InUse",
					    "InvalidPlacementGroup.InUse",
					    "InvalidSnapshot.InUse",
					    "InvalidStateTransition",
					    "InvalidTenancy",
					    "VolumeInUse"};
	for (size_t k = 0; k < sizeof codes / sizeof codes[0]; k++)
		if (is_among(v->refusals, v->refusal_count, str_from(codes[k])) ||
		    is_among(v->doubts, v->doubt_count, str_from(codes[k])))
			return true;
	return false;
}

/* True for a CloudStack error where EC2's action would have one of its codes. */
static bool is_refusal_of_cloudstack(const struct request *x, const struct verdict *v, struct str code)
{
	static const char *const codes[] = {"431", "531", "532", "533", "534", "535", "536", "537"};
	bool is_awaited = v->refusal_count + v->doubt_count + x->past_count > 0;
	return is_awaited && (x->in_storm || is_among(codes, sizeof codes / sizeof codes[0], code));
}

static bool is_right_refusal(const struct request *x, const struct verdict *v, struct str code)
{
	return request_is_cloudstack(x) ? is_refusal_of_cloudstack(x, v, code)
					: is_among(v->refusals, v->refusal_count, code) ||
						  is_among(v->doubts, v->doubt_count, code) ||
						  is_among(x->past_codes, x->past_count, code);
}

/* True for a dry run of a call that tells in its answer which of its resources failed: it looks none of them up. */
static bool looks_nothing_up(const struct request *x)
{
	return x->is_dry && (strcmp(x->operation->action, "ReleaseHosts") == 0 ||
			     strcmp(x->operation->action, "ModifyHosts") == 0);
}

static void check_and_apply(struct request *x, struct str body)
{
	struct verdict v = {0};
	struct told told = read_answer(x, body);
	struct str code = told.code;
	bool succeeded = x->http.status / 100 == 2;
	bool has_body = request_is_iam(x) ? answer_at(told.answer, "ResponseMetadata/RequestId").n > 0
			: request_is_cloudstack(x) ? told.answer.n > 0
						   : str_starts_with(told.answer, STR("<requestId>"));
	if (succeeded && !request_is_openstack(x) && !request_is_azure(x) && !has_body)
		blame(x->s, "%s#%d: a success without a body", x->operation->action, (int) x->serial);
	succeeded = succeeded && (request_is_openstack(x) || str_is_empty(code));
	judge(x, &v);
	bool would_succeed = succeeded || (x->is_dry && str_is(code, "DryRunOperation"));
	tell(x->s, "  #%d %s: %d %" STR_FMT, (int) x->serial, x->operation->action, x->http.status,
	     STR_ARG(code));
	bool may_pass = v.refusal_count == 0 || x->might_succeed || looks_nothing_up(x) ||
			(x->is_dry && concerns_state(&v));
	bool is_right = would_succeed ? may_pass && succeeded != x->is_dry : is_right_refusal(x, &v, code);
	if (!is_right)
		blame(x->s,
		      "#%d of account %u: %s %s was answered %d %" STR_FMT " (%" STR_FMT "); right is:%s",
		      (int) x->serial, x->account, x->path[0] ? x->path : x->operation->action, x->text,
		      x->http.status, STR_ARG(code), STR_ARG(told.message), list(x, &v));
	if (request_is_azure(x))
		azure_check_status(x);
	bool had_nothing_to_do = request_is_azure(x) && x->http.status == 204;
	if (succeeded && x->operation->apply && !had_nothing_to_do) {
		request_judge_open(x->s, x);
		x->operation->apply(x, told.answer);
	}
	if (succeeded && x->origin)
		x->origin->has_succeeded = true;
}

static void end(struct request *x)
{
	struct str body = str_copy(x->s->region.cloud->arena, buf_str(&x->http.body));
	x->is_open = false;
	check_and_apply(x, body);
	fake_call_done(&x->http);
}

bool request_is_woken(const struct request *x)
{
	return x->is_open && x->http.is_woken;
}

void request_resume(struct request *x)
{
	x->http.is_woken = false;
	x->http.resume(&x->http.call);
	if (x->http.is_answered)
		end(x);
}

void request_drop(struct request *x)
{
	tell(x->s, "  #%d %s: never answered", (int) x->serial, x->operation->action);
	fake_call_done(&x->http);
	x->is_open = false;
}

/* ---- sending ---- */

static void start(struct simulation *s, const struct world_user *user, struct str form,
		  struct fake_call *http)
{
	struct region *r = &s->region;
	ctx_init(&r->cloud->c, r->cloud->arena);
	world_sign_call(&r->cloud->c, user, "POST", form, http);
	http->call.self = region_face_for(r, &http->call);
	fake_call_handle(http, &api_http_face);
}

/* The newest version of the path's API. */
static struct str version_for(struct str path)
{
	static const struct {
		const char *begin, *version;
	} rows[] = {{"/compute/v2.1/os-volumes", "compute 2.35"},
		    {"/compute/v2.1/os-security-group", "compute 2.35"},
		    {"/compute/", "compute 2.93"},
		    {"/volume/", "volume 3.70"}};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
		if (str_starts_with(path, str_from(rows[k].begin)))
			return str_from(rows[k].version);
	return STR_NONE;
}

/* "METHOD /path?query", and a body. */
static void start_openstack(struct simulation *s, const struct world_user *user, struct str line,
			    struct str body, struct fake_call *http)
{
	struct region *r = &s->region;
	size_t path = str_find_char(line, ' ', 0) + 1, query = str_find_char(line, '?', path);
	struct str where = str_slice(line, path, query);
	if (str_starts_with(where, STR("/subscriptions/"))) {
		azure_start(s, user, line, body, http);
		return;
	}
	const struct script_request request = {.method = str_slice(line, 0, path - 1),
					       .path = where,
					       .query = str_slice(line, query + 1, line.n),
					       .version = version_for(where),
					       .body = body};
	ctx_init(&r->cloud->c, r->cloud->arena);
	world_request_call(&r->cloud->c, r->tokens, r->bearers, user, &request, http);
	http->call.self = region_face_for(r, &http->call);
	fake_call_handle(http, &api_http_face);
}

/* The body for OpenStack: inside the member that the row names. */
static struct str write_body(const struct request *x)
{
	struct arena *a = x->s->region.cloud->arena;
	bool has_none = strncmp(x->path, "DELETE ", 7) == 0;
	if (has_none)
		return STR_NONE;
	if (strncmp(x->path, "PATCH ", 6) == 0)
		return str_copy(a, str_from(x->text));
	if (!x->operation->item)
		return str_print(a, "{%s}", x->text);
	return str_print(a, "{\"%s\": {%s}}", x->operation->item, x->text);
}

static void send_one(struct request *x)
{
	const struct region *r = &x->s->region;
	const struct world_user *user = x->is_hand ? &r->hands[x->account] : &r->users[x->account];
	struct simulation *s = x->s;
	struct arena *a = s->region.cloud->arena;
	if (request_is_azure(x)) {
		tell(s, "#%d of account %u%s: %s %s", (int) x->serial, x->account,
		     x->is_hand ? "'s second user" : "", x->path, x->text);
		azure_start(s, user, str_copy(a, str_from(x->path)),
			    x->body.n ? x->body : str_copy(a, str_from(x->text)), &x->http);
		return;
	}
	if (request_is_openstack(x)) {
		struct str body = write_body(x);
		tell(s, "#%d of account %u: %s %" STR_FMT, (int) x->serial, x->account, x->path,
		     STR_ARG(body));
		start_openstack(s, user, str_copy(a, str_from(x->path)), body, &x->http);
		return;
	}
	if (request_is_cloudstack(x)) {
		struct str form = str_print(a, "command=%s%s", x->operation->action, x->text);
		tell(s, "#%d of account %u: %" STR_FMT, (int) x->serial, x->account, STR_ARG(form));
		start_openstack(s, user, STR("POST /client/api"), form, &x->http);
		return;
	}
	struct str form =
		str_print(a, "Action=%s%s%s", x->operation->action, x->text, x->is_dry ? "&DryRun=true" : "");
	tell(s, "#%d of account %u: %" STR_FMT, (int) x->serial, x->account, STR_ARG(form));
	start(s, user, form, &x->http);
}

void request_send(struct request *x)
{
	struct simulation *s = x->s;
	x->is_open = true;
	x->past_count = 0;
	x->might_succeed = false;
	x->in_storm = s->region.faults != 0 || s->is_doomed;
	send_one(x);
	if (x->http.is_answered)
		end(x);
}

/* Lets the region work until the call is answered: a read that is recorded in the audit log waits for a commit. */
static void await_answer(struct simulation *s, struct fake_call *http)
{
	for (int n = 0; !http->is_answered && n < 100000; n++) {
		bool is_woken = http->is_woken;
		http->is_woken = false;
		if (is_woken)
			http->resume(&http->call);
		else
			(void) region_step(&s->region, clock_now_us() + MINUTE);
	}
}

struct str request_get_answer(struct simulation *s, unsigned account, const char *form)
{
	struct fake_call http;
	struct arena *a = s->region.cloud->arena;
	bool is_openstack = strchr(form, ' ') != NULL;
	if (is_openstack)
		start_openstack(s, &s->region.users[account], str_from(form), STR_NONE, &http);
	else
		start(s, &s->region.users[account], str_from(form), &http);
	await_answer(s, &http);
	if (!http.is_answered || http.status != 200)
		blame(s, "%s was answered %d %" STR_FMT, form, http.status, STR_ARG(buf_str(&http.body)));
	struct str body = is_openstack ? answer_of_json(a, buf_str(&http.body))
				       : answer_root(str_copy(a, buf_str(&http.body)));
	fake_call_done(&http);
	return body;
}

struct str request_call_through(struct simulation *s, unsigned account, struct str line, struct str body,
				int *ret_status)
{
	struct fake_call http;
	struct arena *a = s->region.cloud->arena;
	bool is_ec2 = str_find_char(line, ' ', 0) == line.n;
	if (is_ec2)
		start(s, &s->region.users[account], line, &http);
	else
		start_openstack(s, &s->region.users[account], line, body, &http);
	await_answer(s, &http);
	if (!http.is_answered)
		blame(s, "%" STR_FMT " is never answered", STR_ARG(line));
	struct str text = is_ec2 ? answer_root(str_copy(a, buf_str(&http.body)))
				 : answer_of_json(a, buf_str(&http.body));
	*ret_status = http.status;
	fake_call_done(&http);
	return str_contains(line, STR("/client/api")) ? answer_root(text) : text;
}

bool request_is_let_in(struct simulation *s, uuid person, unsigned account)
{
	struct fake_call http;
	const struct world_user user = {
		.who = {.user = person, .account = s->region.users[account].who.account}};
	start_openstack(s, &user, STR("GET /compute/v2.1/servers"), STR_NONE, &http);
	if (!http.is_answered || (http.status != 200 && http.status != 401))
		blame(s, "a person's look was answered %d", http.status);
	bool is_let_in = http.status == 200;
	fake_call_done(&http);
	return is_let_in;
}

void request_apply_end(struct request *x, struct str answer)
{
	(void) answer;
	model_end(&x->s->model, x->refs[0], GONE);
}

void request_apply_tag(struct request *x, struct thing *t)
{
	size_t k = 0;
	if (!x->tag.key[0])
		return;
	while (k < t->tag_count && strcmp(t->tags[k].key, x->tag.key) != 0)
		k++;
	assert_true(k < TAGS_MAX);
	t->tag_count += k == t->tag_count;
	memcpy(t->tags[k].key, x->tag.key, sizeof x->tag.key);
	memcpy(t->tags[k].value, x->tag.value, sizeof x->tag.value);
}

void request_mark_open(struct simulation *s)
{
	for (size_t k = 0; k < CLIENTS; k++)
		s->clients[k].in_storm = true;
}
