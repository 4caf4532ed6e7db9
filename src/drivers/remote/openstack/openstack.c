/* SPDX-License-Identifier: Apache-2.0
 * The driver of OpenStack: signs in at Keystone with a password or an application credential, finds Nova in the
 * catalog, and uses microversion 2.47, whose servers contain their flavor, or else 2.1. The endpoint is Keystone's
 * URL. Sources: Identity API v3, Compute API reference. */
#include <stdio.h>
#include <string.h>

#include "drivers/remote/openstack/answer.h"
#include "drivers/remote/openstack/changes.h"
#include "drivers/remote/openstack/metrics.h"
#include "drivers/remote/openstack/request.h"
#include "drivers/remote/openstack/resources.h"
#include "drivers/remote/openstack/sink.h"
#include "model/remote_machine.h"

enum { PAGE_SIZE = 200, WANTED_MINOR = 47, NAME_MAX_SIZE = 255, ID_SIZE = 32 };

/* ---- sign-in ---- */

/* Ids are 32 hexadecimal digits; everything else is a name. */
static bool is_id(struct str s)
{
	for (size_t k = 0; k < s.n; k++)
		if (!strchr("0123456789abcdef", s.p[k]))
			return false;
	return s.n == ID_SIZE;
}

static void write_named(struct json_writer *w, const char *key, struct str text)
{
	json_write_open(w, key);
	json_write_text(w, is_id(text) ? "id" : "name", text);
}

static struct str domain_of(const struct remote *r)
{
	return r->domain.n ? r->domain : STR("Default");
}

static void write_password(struct json_writer *w, const struct remote *r)
{
	json_write_open(w, "password");
	write_named(w, "user", r->login);
	json_write_text(w, "password", r->secret);
	write_named(w, "domain", domain_of(r));
	json_write_close(w);
	json_write_close(w);
	json_write_close(w);
}

static void write_scope(struct json_writer *w, const struct remote *r)
{
	json_write_open(w, "scope");
	write_named(w, "project", r->project);
	if (!is_id(r->project)) {
		write_named(w, "domain", domain_of(r));
		json_write_close(w);
	}
	json_write_close(w);
	json_write_close(w);
}

/* Without a project the credentials are an application credential, which has its own. */
static RESULT write_sign_in(struct ctx *c, const struct remote *r, struct str *ret_body)
{
	struct remote_body b;
	struct json_writer *w = &b.json;
	bool has_password = r->project.n != 0;
	remote_body_begin(&b);
	json_write_open(w, NULL);
	json_write_open(w, "auth");
	json_write_open(w, "identity");
	json_write_open_list(w, "methods");
	json_write_z(w, NULL, has_password ? "password" : "application_credential");
	json_write_close_list(w);
	if (has_password) {
		write_password(w, r);
	} else {
		json_write_open(w, "application_credential");
		json_write_text(w, "id", r->login);
		json_write_text(w, "secret", r->secret);
		json_write_close(w);
	}
	json_write_close(w);
	if (has_password)
		write_scope(w, r);
	json_write_close(w);
	json_write_close(w);
	return remote_body_end(c, &b, ret_body);
}

static struct str token_url(struct ctx *c, const struct remote *r)
{
	struct str url = r->endpoint;
	while (str_ends_with(url, STR("/")))
		url = str_slice(url, 0, url.n - 1);
	const char *version = str_ends_with(url, STR("/v3")) ? "" : "/v3";
	return str_print(c->arena, "%" STR_FMT "%s/auth/tokens", STR_ARG(url), version);
}

static RESULT open_session(struct ctx *c, struct remote *r)
{
	AUTO_ANSWER answer = {0};
	struct openstack_token token;
	struct remote_request request = {.url = token_url(c, r),
					 .headers = {"Content-Type: application/json", "Expect:"},
					 .wanted_header = "X-Subject-Token"};
	TRY(write_sign_in(c, r, &request.body));
	TRY(remote_ask_json(c, r, &request, &answer));
	enum err err = remote_err_of_status(answer.status);
	if (answer.status != 201)
		return remote_refuse(c, r, &answer, err == ERR_NOT_FOUND ? ERR_IO : err);
	TRY(openstack_read_token(c, answer.root, r->region, &token));
	TRY(remote_session_open(c, r, token.life_us, answer.header, token.compute, token.project));
	remote_session_of(r)->is_reader = token.is_reader;
	for (int k = 0; k < REMOTE_SERVICES; k++)
		remote_session_add(c, r, (enum remote_service) k, token.others[k]);
	return OK;
}

/* The version document is above the project's id, which some clouds have in the URL. */
static RESULT find_version(struct ctx *c, struct remote *r, struct remote_session *session)
{
	AUTO_ANSWER answer = {0};
	struct str url = str_from(session->url), project = str_from(session->account);
	if (str_ends_with(url, project))
		url = str_slice(url, 0, url.n - project.n - 1);
	const struct remote_request request = {
		.method = "GET",
		.url = str_print(c->arena, "%" STR_FMT "/", STR_ARG(url)),
		.headers = {str_to_z(c->arena, str_print(c->arena, "X-Auth-Token: %s", session->token))}};
	TRY(remote_ask_json(c, r, &request, &answer));
	if (answer.status >= 500 || answer.status == 429)
		return remote_refuse(c, r, &answer, remote_err_of_status(answer.status));
	session->version = openstack_read_minor(c, answer.root) >= WANTED_MINOR ? WANTED_MINOR : 1;
	return OK;
}

static RESULT sign_in(struct ctx *c, struct remote *r, struct remote_session *session)
{
	TRY(open_session(c, r));
	struct result result = find_version(c, r, session);
	if (!result_is_ok(result))
		remote_session_close(session);
	return result;
}

/* ---- one call ---- */

/* URL of a service: enum remote_service, or OPENSTACK_NOVA. The catalog's URLs of some services end in a version that the path
 * begins with. */
static RESULT base_of(struct ctx *c, const struct remote_session *session, int service, struct str path,
		      struct str *ret_base)
{
	struct str base = str_from(service == OPENSTACK_NOVA ? session->url : session->others[service]);
	struct str version = str_slice(path, 0, str_find_char(path, '/', 1));
	*ret_base = str_ends_with(base, version) ? str_slice(base, 0, base.n - version.n) : base;
	return base.n ? OK
		      : ctx_fail(c, ERR_INVALID,
				 "The cloud's catalog has no usable URL of that service in the region.");
}

struct call {
	int service;
	const char *method;
	struct str path, body;
	const struct remote_upload *upload;
	const struct remote_body_taker *taker;
};

static RESULT be_signed_in(struct ctx *c, struct remote *r)
{
	struct remote_session *session = remote_session_of(r);
	return remote_session_is_open(session) ? OK : sign_in(c, r, session);
}

static RESULT send(struct ctx *c, struct remote *r, const struct call *call, struct remote_json *ret_answer)
{
	struct remote_session *session = remote_session_of(r);
	struct str base;
	bool is_metric = call->service == REMOTE_SERVICE_METRIC;
	bool is_fresh = !remote_session_is_open(session);
	TRY(be_signed_in(c, r));
	TRY(base_of(c, session, call->service, call->path, &base));
	struct arena *a = c->arena;
	const struct remote_request request = {
		.method = call->method,
		.url = str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(base), STR_ARG(call->path)),
		.body = call->body,
		.upload = call->upload,
		.taker = call->taker,
		.takes_list = is_metric,
		.only_reads = is_metric,
		.headers = {
			str_to_z(a, str_print(a, "X-Auth-Token: %s", session->token)),
			str_to_z(a, str_print(a, "OpenStack-API-Version: compute 2.%d", session->version)),
			call->upload ? "Content-Type: application/octet-stream"
				     : "Content-Type: application/json",
			call->taker ? "Accept: */*" : "Accept: application/json", "Expect:"}};
	if (arena_is_full(a))
		return ctx_no_memory(c);
	TRY(remote_ask_json(c, r, &request, ret_answer));
	if (ret_answer->status < 300)
		return OK;
	enum err err = remote_err_of_status(ret_answer->status);
	bool is_heat_word = call->service == REMOTE_SERVICE_ORCHESTRATION &&
			    str_is(remote_json_text(c, ret_answer->root, "error/type"), "EntityNotFound");
	if (err == ERR_NOT_FOUND && !json_object_get(ret_answer->root, "itemNotFound") && !is_heat_word)
		err = ERR_IO;           /* not Nova's word */
	if (err == ERR_UNAUTHENTICATED) /* a token that was revoked early: the next call signs in */
		remote_session_close(session);
	return remote_refuse(c, r, ret_answer, err == ERR_UNAUTHENTICATED && !is_fresh ? ERR_AGAIN : err);
}

RESULT openstack_ask(struct ctx *c, struct remote *r, int service, const char *method, struct str path,
		     struct str body, struct remote_json *ret_answer)
{
	const struct call call = {.service = service, .method = method, .path = path, .body = body};
	return send(c, r, &call, ret_answer);
}

RESULT openstack_upload(struct ctx *c, struct remote *r, struct str path, const struct remote_upload *upload,
			struct remote_json *ret_answer)
{
	const struct call call = {
		.service = REMOTE_SERVICE_IMAGE, .method = "PUT", .path = path, .upload = upload};
	return send(c, r, &call, ret_answer);
}

RESULT openstack_download(struct ctx *c, struct remote *r, struct str path,
			  const struct remote_body_taker *taker)
{
	AUTO_ANSWER answer = {0};
	const struct call call = {
		.service = REMOTE_SERVICE_IMAGE, .method = "GET", .path = path, .taker = taker};
	return send(c, r, &call, &answer);
}

/* Sends a request to Nova. */
static RESULT ask(struct ctx *c, struct remote *r, const char *method, struct str path, struct str body,
		  struct remote_json *ret_answer)
{
	return openstack_ask(c, r, OPENSTACK_NOVA, method, path, body, ret_answer);
}

/* ---- verification ---- */

/* A project or a domain that is left out has a default. */
static RESULT check_name(struct ctx *c, struct str text, const char *field)
{
	return text.n ? remote_check_text(c, text, REMOTE_NAME, field,
					  "Names and ids in OpenStack have letters, digits, blanks and "
					  "._-@()+,:' here.")
		      : OK;
}

static RESULT openstack_check(struct ctx *c, const struct remote *r)
{
	struct remote_url url;
	TRY(remote_check_text(c, r->region, REMOTE_NAME, "region",
			      "OpenStack needs a region, such as RegionOne."));
	TRY(check_name(c, r->project, "project"));
	TRY(check_name(c, r->domain, "domain"));
	if (!r->login.n || r->login.n > NAME_MAX_SIZE || !str_is_line(r->login))
		return ctx_fail_field(c, ERR_INVALID, STR("login"),
				      "OpenStack needs a login of up to %d characters.", NAME_MAX_SIZE);
	if (!r->endpoint.n)
		return ctx_fail_field(c, ERR_INVALID, STR("endpoint"),
				      "OpenStack needs the URL of its Keystone.");
	return remote_parse_url(c, r->endpoint, &url);
}

static RESULT list(struct ctx *c, struct remote *r, struct str cursor, int limit,
		   struct remote_page *ret_page)
{
	AUTO_ANSWER answer = {0};
	struct str path =
		str_print(c->arena, "/servers/detail?limit=%d%s%" STR_FMT, limit, cursor.n ? "&marker=" : "",
			  STR_ARG(str_encode_url(c->arena, cursor, false)));
	TRY(ask(c, r, "GET", path, STR_NONE, &answer));
	return openstack_read_servers(c, answer.root, ret_page);
}

static RESULT openstack_verify(struct ctx *c, struct remote *r, size_t step, struct str machine,
			       struct remote_identity *identity, bool *ret_is_over)
{
	struct remote_session *session = remote_session_of(r);
	struct remote_page page;
	(void) machine;
	*ret_is_over = step > 1;
	if (*ret_is_over)
		return OK;
	if (step == 0) {
		TRY(sign_in(c, r, session));
		identity->account = str_copy(c->arena, str_from(session->account));
		return session->is_reader ? remote_add_lack(c, identity, STR("role:member")) : OK;
	}
	struct result result = list(c, r, STR_NONE, 1, &page);
	if (result.code != ERR_DENIED)
		return result;
	ctx_clear_problem(c);
	return remote_add_lack(c, identity, STR("os_compute_api:servers:detail"));
}

/* ---- machines ---- */

static RESULT openstack_list(struct ctx *c, struct remote *r, struct str cursor, struct remote_page *ret_page)
{
	return list(c, r, cursor, PAGE_SIZE, ret_page);
}

/* Nova pages key pairs from microversion 2.35 on, and before that refuses a limit. */
static RESULT openstack_list_resources(struct ctx *c, struct remote *r, enum remote_resource_type type,
				       struct str cursor, struct remote_resource_page *ret_page)
{
	AUTO_ANSWER answer = {0};
	const struct openstack_list *list = &openstack_lists[type];
	bool has_pages =
		type != REMOTE_RESOURCE_TYPE_KEY_PAIR || remote_session_of(r)->version >= WANTED_MINOR;
	struct str marker = str_encode_url(c->arena, cursor, false);
	if (type == REMOTE_RESOURCE_TYPE_STACK) { /* a cloud without Heat has no stacks */
		TRY(be_signed_in(c, r));
		if (!remote_session_of(r)->others[list->service][0])
			return OK;
	}
	struct str path = has_pages ? str_print(c->arena, "%s?limit=%d%s%" STR_FMT, list->path, PAGE_SIZE,
						cursor.n ? "&marker=" : "", STR_ARG(marker))
				    : str_from(list->path);
	TRY(openstack_ask(c, r, list->service, "GET", path, STR_NONE, &answer));
	return openstack_read_resources(c, answer.root, type, ret_page);
}

static RESULT openstack_list_stack(struct ctx *c, struct remote *r, const struct remote_stack *stack,
				   struct str cursor, struct remote_resource_page *ret_page)
{
	AUTO_ANSWER answer = {0};
	struct arena *a = c->arena;
	(void) cursor; /* the answer has no pages */
	struct str path = str_print(a, "/stacks/%" STR_FMT "/%" STR_FMT "/resources",
				    STR_ARG(str_encode_url(a, stack->name, false)),
				    STR_ARG(str_encode_url(a, stack->ref, false)));
	TRY(openstack_ask(c, r, REMOTE_SERVICE_ORCHESTRATION, "GET", path, STR_NONE, &answer));
	TRY(openstack_read_resources(c, answer.root, REMOTE_RESOURCE_TYPE_STACK_RESOURCE, ret_page));
	ret_page->cursor = STR_NONE;
	return resource_put_into_stack(c, stack->ref, ret_page);
}

static struct str path_of(struct ctx *c, struct str ref, const char *behind)
{
	return str_print(c->arena, "/servers/%" STR_FMT "%s", STR_ARG(str_encode_url(c->arena, ref, false)),
			 behind);
}

static RESULT openstack_get(struct ctx *c, struct remote *r, struct str ref,
			    struct remote_machine *ret_machine)
{
	AUTO_ANSWER answer = {0};
	TRY(ask(c, r, "GET", path_of(c, ref, ""), STR_NONE, &answer));
	TRY(openstack_read_server(c, answer.root, ret_machine));
	return str_equal(ret_machine->ref, ref)
		       ? OK
		       : ctx_fail(c, ERR_IO, "The answer is not usable: it is about another machine.");
}

/* ---- acts ---- */

static RESULT write_tags(struct ctx *c, struct tags tags, struct str *ret_body)
{
	struct remote_body b;
	remote_body_begin(&b);
	json_write_open(&b.json, NULL);
	json_write_open(&b.json, "metadata");
	for (size_t k = 0; k < tags.count; k++) {
		json_write_key(&b.json, tags.at[k].key);
		json_write_text(&b.json, NULL, tags.at[k].value);
	}
	json_write_close(&b.json);
	json_write_close(&b.json);
	return remote_body_end(c, &b, ret_body);
}

static const struct {
	const char *method, *behind, *body;
} calls[] = {
	[REMOTE_MACHINE_ACT_START] = {"POST", "/action", "{\"os-start\":null}"},
	[REMOTE_MACHINE_ACT_STOP] = {"POST", "/action", "{\"os-stop\":null}"},
	[REMOTE_MACHINE_ACT_REBOOT] = {"POST", "/action", "{\"reboot\":{\"type\":\"SOFT\"}}"},
	[REMOTE_MACHINE_ACT_TERMINATE] = {"DELETE", "", ""},
	[REMOTE_MACHINE_ACT_TAG] = {"POST", "/metadata", NULL}, /* adds to what is there */
};

/* Id of a flavor that is named by its id or its name. */
static RESULT find_flavor(struct ctx *c, struct remote *r, struct str said, struct str *ret_id)
{
	AUTO_ANSWER answer = {0};
	TRY(ask(c, r, "GET", STR("/flavors?limit=1000"), STR_NONE, &answer));
	const json_t *flavors = remote_json_at(answer.root, "flavors");
	for (size_t k = 0; k < json_array_size(flavors); k++) {
		const json_t *each = json_array_get(flavors, k);
		*ret_id = remote_json_text(c, each, "id");
		if (str_equal(*ret_id, said) || str_equal(remote_json_text(c, each, "name"), said))
			return OK;
	}
	return ctx_fail(c, ERR_INVALID, "The cloud has no flavor %" STR_FMT ".", STR_ARG(said));
}

static RESULT resize(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	AUTO_ANSWER answer = {0};
	struct str id = STR_NONE, body = STR("{\"confirmResize\":null}");
	if (!str_is(act->raw_state, "VERIFY_RESIZE")) {
		struct remote_body b;
		TRY(find_flavor(c, r, act->type, &id));
		remote_body_begin(&b);
		json_write_open(&b.json, NULL);
		json_write_open(&b.json, "resize");
		json_write_text(&b.json, "flavorRef", id);
		json_write_close(&b.json);
		json_write_close(&b.json);
		TRY(remote_body_end(c, &b, &body));
	}
	return ask(c, r, "POST", path_of(c, act->ref, "/action"), body, &answer);
}

/* Makes an image of the root disk. If the machine boots from a volume, the image only names snapshots of its volumes. */
static RESULT make_image(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	AUTO_ANSWER answer = {0};
	struct str body = STR_NONE;
	struct remote_body b;
	remote_body_begin(&b);
	json_write_open(&b.json, NULL);
	json_write_open(&b.json, "createImage");
	json_write_text(&b.json, "name", remote_snapshot_name(c, act));
	json_write_close(&b.json);
	json_write_close(&b.json);
	TRY(remote_body_end(c, &b, &body));
	return ask(c, r, "POST", path_of(c, act->ref, "/action"), body, &answer);
}

static RESULT openstack_act(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	AUTO_ANSWER answer = {0};
	if (act->verb == REMOTE_MACHINE_ACT_RESIZE)
		return resize(c, r, act);
	if (act->verb == REMOTE_MACHINE_ACT_SNAPSHOT)
		return make_image(c, r, act);
	const char *body_z = calls[act->verb].body;
	struct str body = body_z ? str_from(body_z) : STR_NONE;
	if (!body_z)
		TRY(write_tags(c, act->tags, &body));
	return ask(c, r, calls[act->verb].method, path_of(c, act->ref, calls[act->verb].behind), body,
		   &answer);
}

/* ---- creation ---- */

/* The filter is a regular expression, of bytes in some databases and of characters in others: one of several machines
 * that match is the one with the token. */
RESULT openstack_find_created(struct ctx *c, struct remote *r, struct str name, uuid token,
			      bool *ret_is_found, struct remote_machine *ret_machine)
{
	struct remote_page page = {0};
	AUTO_ANSWER answer = {0};
	struct buf pattern;
	*ret_is_found = false;
	buf_init(&pattern, 1024);
	buf_add_char(&pattern, '^');
	for (size_t k = 0; k < name.n; k++)
		if (str_is_alphanumeric(name.p[k]))
			buf_add_char(&pattern, name.p[k]);
		else if (!k || str_is_alphanumeric(name.p[k - 1]))
			buf_add_str(&pattern, STR(".+"));
	buf_add_char(&pattern, '$');
	struct str asked = str_encode_url(c->arena, buf_str(&pattern), false);
	buf_done(&pattern);
	TRY(ask(c, r, "GET", str_print(c->arena, "/servers/detail?name=%" STR_FMT, STR_ARG(asked)), STR_NONE,
		&answer));
	TRY(openstack_read_servers(c, answer.root, &page));
	for (size_t k = 0; k < page.count && !*ret_is_found; k++)
		if (uuid_equal(page.machines[k].row.id, token)) {
			*ret_machine = page.machines[k];
			*ret_is_found = true;
		}
	return OK;
}

static void write_placement(struct json_writer *w, const struct remote_new *wish)
{
	if (wish->zone.n)
		json_write_text(w, "availability_zone", wish->zone);
	if (wish->key_name.n)
		json_write_text(w, "key_name", wish->key_name);
	if (wish->groups.count) {
		json_write_open_list(w, "security_groups");
		for (size_t k = 0; k < wish->groups.count; k++) {
			json_write_open(w, NULL);
			json_write_text(w, "name", wish->groups.at[k]);
			json_write_close(w);
		}
		json_write_close_list(w);
	}
}

/* From microversion 2.37 on the networks have to be named, or left to Nova. */
static void write_networks(struct json_writer *w, const struct remote_new *wish, int minor)
{
	if (!wish->subnet.n) {
		if (minor >= 37)
			json_write_z(w, "networks", "auto");
		return;
	}
	json_write_open_list(w, "networks");
	json_write_open(w, NULL);
	json_write_text(w, "uuid", wish->subnet);
	json_write_close(w);
	json_write_close_list(w);
}

/* Volumes of a migration: the first one boots. */
static void write_volumes(struct json_writer *w, const struct remote_new *wish)
{
	json_write_open_list(w, "block_device_mapping_v2");
	for (size_t k = 0; k < wish->disk_count; k++) {
		json_write_open(w, NULL);
		json_write_text(w, "uuid", wish->disks[k].made);
		json_write_z(w, "source_type", "volume");
		json_write_z(w, "destination_type", "volume");
		json_write_int(w, "boot_index", k ? -1 : 0);
		json_write_bool(w, "delete_on_termination", wish->disks[k].goes_along);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static RESULT write_server(struct ctx *c, const struct remote_new *wish, struct str flavor, int minor,
			   struct str *ret_body)
{
	struct remote_body b;
	struct json_writer *w = &b.json;
	remote_body_begin(&b);
	json_write_open(w, NULL);
	json_write_open(w, "server");
	json_write_text(w, "name", wish->name);
	if (wish->disk_count)
		write_volumes(w, wish);
	else
		json_write_text(w, "imageRef", wish->image);
	json_write_text(w, "flavorRef", flavor);
	json_write_open(w, "metadata");
	json_write_text(w, REMOTE_TOKEN_TAG, uuid_to_str(c->arena, wish->token));
	for (size_t k = 0; k < wish->tags.count; k++) {
		json_write_key(w, wish->tags.at[k].key);
		json_write_text(w, NULL, wish->tags.at[k].value);
	}
	json_write_close(w);
	write_placement(w, wish);
	write_networks(w, wish, minor);
	json_write_close(w);
	json_write_close(w);
	return remote_body_end(c, &b, ret_body);
}

/* Nova has no idempotency token: the metadata say which server is meant. */
static RESULT openstack_create(struct ctx *c, struct remote *r, const struct remote_new *wish,
			       struct remote_machine *ret_machine)
{
	AUTO_ANSWER answer = {0};
	struct str flavor, body;
	bool is_found = false;
	TRY(openstack_find_created(c, r, wish->name, wish->token, &is_found, ret_machine));
	if (is_found)
		return OK;
	TRY(find_flavor(c, r, wish->type, &flavor));
	TRY(write_server(c, wish, flavor, remote_session_of(r)->version, &body));
	TRY(ask(c, r, "POST", STR("/servers"), body, &answer));
	struct str id = remote_json_text(c, answer.root, "server/id");
	if (!draft_is_id(id))
		return ctx_fail(c, ERR_IO,
				"The answer is not usable: it has not the machine that was created.");
	*ret_machine = (struct remote_machine){.ref = id,
					       .name = wish->name,
					       .type = wish->type,
					       .image = wish->image,
					       .power = REMOTE_MACHINE_POWER_PENDING};
	return OK;
}

const struct remote_driver remote_openstack = {
	.name = "openstack",
	.verbs = REMOTE_VERBS_COMMON | REMOTE_VERB_SNAPSHOT,
	.check = openstack_check,
	.verify = openstack_verify,
	.list = openstack_list,
	.types = RESOURCE_TYPES_ALL | RESOURCE_TYPES_STACKS,
	.list_stack = openstack_list_stack,
	.read_changes = openstack_read_changes,
	.list_resources = openstack_list_resources,
	.get = openstack_get,
	.act = openstack_act,
	.create = openstack_create,
	.source = &openstack_source_ops,
	.sink = &openstack_sink_ops,
	.read_metrics = openstack_read_metrics,
	.metric_machines = REMOTE_METRIC_MACHINES,
};
