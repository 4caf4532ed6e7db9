/* SPDX-License-Identifier: Apache-2.0
 * The driver of Azure Resource Manager: a service principal's client credentials, the machines of a subscription in one
 * location, or in all of them (region "all"). A listing first reads the power of all machines (statusOnly) and their
 * addresses, which the connection remembers, and then the machines. Sources: OAuth 2.0 (RFC 6749), REST reference of Microsoft.Compute
 * 2022-08-01; Azure Stack's /metadata/endpoints. */
#include <string.h>

#include "base/clock.h"
#include "drivers/remote/azure/changes.h"
#include "drivers/remote/azure/metrics.h"
#include "drivers/remote/azure/request.h"
#include "drivers/remote/azure/resources.h"
#include "drivers/remote/power_map.h"
#include "model/remote_machine.h"

#define PUBLIC_ENDPOINT "https://management.azure.com"
#define PUBLIC_LOGIN "https://login.microsoftonline.com"
#define COMPUTE_VERSION AZURE_COMPUTE_VERSION
/* Cursors: the phase of the listing, and a link. */
#define STATUS "status "
#define PUBLICS "publics "
#define INTERFACES "interfaces "
#define MACHINES "machines "

enum { FORM_MAX = 16384, LIFE_USUAL_S = 600, LIFE_MAX_S = 86400 };

/* ---- sign-in ---- */

static struct str endpoint_of(const struct remote *r)
{
	struct str url = r->endpoint.n ? r->endpoint : STR(PUBLIC_ENDPOINT);
	while (str_ends_with(url, STR("/")))
		url = str_slice(url, 0, url.n - 1);
	return url;
}

/* The server that issues tokens, and the audience that they are for. */
struct authority {
	struct str token_url, audience;
};

/* Microsoft's cloud is known; every other one says where its tokens are issued. ADFS has no tenants in its paths. */
static RESULT find_authority(struct ctx *c, struct remote *r, struct authority *ret_authority)
{
	AUTO_ANSWER answer = {0};
	struct arena *a = c->arena;
	struct str login = STR(PUBLIC_LOGIN), audience = STR(PUBLIC_ENDPOINT);
	if (r->endpoint.n) {
		struct str url = endpoint_of(r);
		const struct remote_request request = {
			.method = "GET",
			.url = str_print(a, "%" STR_FMT "/metadata/endpoints?api-version=2022-09-01",
					 STR_ARG(url))};
		TRY(remote_ask_json(c, r, &request, &answer));
		login = remote_json_text(c, answer.root, "authentication/loginEndpoint");
		audience = remote_json_text(c, answer.root, "authentication/audiences/0");
		enum err err = remote_err_of_status(answer.status);
		if (answer.status != 200)
			return remote_refuse(c, r, &answer, err == ERR_NOT_FOUND ? ERR_IO : err);
		if (!login.n || !audience.n ||
		    (str_starts_with(url, STR("https:")) && !str_starts_with(login, STR("https:"))))
			return ctx_fail(c, ERR_IO, "The cloud does not say where its tokens are issued.");
	}
	while (str_ends_with(login, STR("/")))
		login = str_slice(login, 0, login.n - 1);
	bool is_adfs = str_ends_with(login, STR("/adfs"));
	ret_authority->audience = audience;
	ret_authority->token_url =
		is_adfs ? str_print(a, "%" STR_FMT "/oauth2/token", STR_ARG(login))
			: str_print(a, "%" STR_FMT "/%" STR_FMT "/oauth2/v2.0/token", STR_ARG(login),
				    STR_ARG(str_encode_url(a, r->domain, false)));
	return OK;
}

static RESULT sign_in(struct ctx *c, struct remote *r)
{
	AUTO_ANSWER answer = {0};
	struct authority authority = {0};
	struct arena *a = c->arena;
	int64_t life_s = 0;
	TRY(find_authority(c, r, &authority));
	const struct remote_request request = {
		.url = authority.token_url,
		.headers = {"Content-Type: application/x-www-form-urlencoded", "Expect:"},
		.body = str_print(
			a,
			"grant_type=client_credentials&client_id=%" STR_FMT "&client_secret=%" STR_FMT
			"&scope=%" STR_FMT,
			STR_ARG(str_encode_url(a, r->login, false)),
			STR_ARG(str_encode_url(a, r->secret, false)),
			STR_ARG(str_encode_url(
				a, str_print(a, "%" STR_FMT "/.default", STR_ARG(authority.audience)),
				false)))};
	if (arena_is_full(a))
		return ctx_no_memory(c);
	TRY(remote_ask_json(c, r, &request, &answer));
	enum err err = remote_err_of_status(answer.status);
	if (err == ERR_INVALID && json_object_get(answer.root, "error"))
		err = ERR_UNAUTHENTICATED; /* RFC 6749 has 400 for wrong credentials, too */
	if (answer.status != 200)          /* no word about a machine */
		return remote_refuse(c, r, &answer, err == ERR_NOT_FOUND ? ERR_IO : err);
	IGNORE(str_parse_int(remote_json_text(c, answer.root, "expires_in"), &life_s));
	const json_t *token = json_object_get(answer.root, "access_token");
	struct str text = {json_string_value(token), json_string_length(token)};
	life_s = life_s <= 0 ? LIFE_USUAL_S : life_s < LIFE_MAX_S ? life_s : LIFE_MAX_S;
	return remote_session_open(c, r, life_s * SECOND, text, endpoint_of(r), r->project);
}

/* ---- one call ---- */

/* Other codes with status 404, such as SubscriptionNotFound, do not say that the machine is gone. */
static bool is_gone(struct ctx *c, const json_t *root)
{
	struct str code = remote_json_text(c, root, "error/code");
	return str_is(code, "ResourceNotFound") || str_is(code, "ResourceGroupNotFound") ||
	       str_is(code, "NotFound");
}

static RESULT ask(struct ctx *c, struct remote *r, const char *method, struct str url, struct str body,
		  const char *wanted_header, struct remote_json *ret_answer)
{
	struct remote_session *session = remote_session_of(r);
	bool is_fresh = !remote_session_is_open(session);
	if (is_fresh)
		TRY(sign_in(c, r));
	const struct remote_request request = {
		.method = method,
		.url = url,
		.body = body,
		.wanted_header = wanted_header,
		.headers = {
			str_to_z(c->arena, str_print(c->arena, "Authorization: Bearer %s", session->token)),
			"Content-Type: application/json", "Accept: application/json", "Expect:"}};
	if (arena_is_full(c->arena))
		return ctx_no_memory(c);
	TRY(remote_ask_json(c, r, &request, ret_answer));
	if (ret_answer->status < 300)
		return OK;
	enum err err = remote_err_of_status(ret_answer->status);
	if (err == ERR_NOT_FOUND && !is_gone(c, ret_answer->root))
		err = ERR_INVALID;
	if (err == ERR_UNAUTHENTICATED) /* a token that was revoked early: the next call signs in */
		remote_session_close(session);
	return remote_refuse(c, r, ret_answer, err == ERR_UNAUTHENTICATED && !is_fresh ? ERR_AGAIN : err);
}

RESULT azure_ask(struct ctx *c, struct remote *r, const char *method, struct str url, struct str body,
		 struct remote_json *ret_answer)
{
	return ask(c, r, method, url, body, NULL, ret_answer);
}

RESULT azure_ask_location(struct ctx *c, struct remote *r, const char *method, struct str url,
			  struct str body, struct remote_json *ret_answer)
{
	return ask(c, r, method, url, body, "Location", ret_answer);
}

struct str azure_url_of(struct ctx *c, const struct remote *r, struct str path)
{
	struct str url = endpoint_of(r);
	return str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(url), STR_ARG(path));
}

struct str azure_url_in(struct ctx *c, const struct remote *r, const char *path)
{
	struct str url = endpoint_of(r);
	return str_print(c->arena, "%" STR_FMT "/subscriptions/%" STR_FMT "%s", STR_ARG(url),
			 STR_ARG(r->project), path);
}

/* ---- verification ---- */

static bool is_guid(struct str s)
{
	for (size_t k = 0; k < s.n; k++)
		if (!strchr("0123456789abcdefABCDEF-", s.p[k]))
			return false;
	return s.n == 36;
}

static RESULT azure_check(struct ctx *c, const struct remote *r)
{
	struct remote_url url;
	TRY(remote_check_text(c, r->region, REMOTE_WORD, "region",
			      "A region is a location, such as westeurope, or \"all\"."));
	if (!is_guid(r->project))
		return ctx_fail_field(c, ERR_INVALID, STR("project"),
				      "Azure needs a subscription's id, a GUID.");
	TRY(remote_check_text(c, r->domain, REMOTE_PLACE, "domain", "Azure needs a tenant's id or domain."));
	TRY(remote_check_text(c, r->login, REMOTE_PLACE, "login", "Azure needs a client id."));
	return r->endpoint.n ? remote_parse_url(c, r->endpoint, &url) : OK;
}

static RESULT identify(struct ctx *c, struct remote *r, struct remote_identity *identity)
{
	AUTO_ANSWER answer = {0};
	remote_session_close(remote_session_of(r));
	TRY(azure_ask(c, r, "GET", azure_url_in(c, r, "?api-version=2020-01-01"), STR_NONE, &answer));
	identity->account = remote_json_text(c, answer.root, "subscriptionId");
	return str_equal_nocase(identity->account, r->project)
		       ? OK
		       : ctx_fail(c, ERR_IO, "The answer is not usable: it is about another subscription.");
}

#define VM "Microsoft.Compute/virtualMachines/"
#define NETWORK "Microsoft.Network/"
static const char *const rights[] = {VM "read",
				     VM "start/action",
				     VM "deallocate/action",
				     VM "restart/action",
				     VM "delete",
				     VM "write",
				     NETWORK "networkInterfaces/read",
				     NETWORK "publicIPAddresses/read",
				     NETWORK "networkInterfaces/write",
				     NETWORK "networkInterfaces/join/action",
				     NETWORK "virtualNetworks/subnets/join/action"};

/* A list of several pages, or none, proves nothing. */
RESULT azure_find_lacks(struct ctx *c, struct remote *r, const char *const *wanted, size_t count,
			struct remote_identity *identity)
{
	AUTO_ANSWER answer = {0};
	struct str url =
		azure_url_in(c, r, "/providers/Microsoft.Authorization/permissions?api-version=2022-04-01");
	struct result result = azure_ask(c, r, "GET", url, STR_NONE, &answer);
	if (result.code == ERR_NOT_FOUND || result.code == ERR_INVALID || result.code == ERR_DENIED) {
		ctx_clear_problem(c);
		return OK;
	}
	TRY(result);
	const json_t *permissions = json_object_get(answer.root, "value");
	if (!json_is_array(permissions) || json_object_get(answer.root, "nextLink"))
		return OK;
	for (size_t k = 0; k < count; k++)
		if (!azure_may(c, permissions, wanted[k]))
			TRY(remote_add_lack(c, identity, str_from(wanted[k])));
	return OK;
}

static RESULT azure_verify(struct ctx *c, struct remote *r, size_t step, struct str machine,
			   struct remote_identity *identity, bool *ret_is_over)
{
	(void) machine;
	*ret_is_over = step > 1;
	if (*ret_is_over)
		return OK;
	return step == 0 ? identify(c, r, identity)
			 : azure_find_lacks(c, r, rights, sizeof rights / sizeof rights[0], identity);
}

/* ---- machines ---- */

RESULT azure_next_of(struct ctx *c, const struct remote *r, const json_t *root, const char *what,
		     struct str *ret_cursor)
{
	struct str link = remote_json_text(c, root, "nextLink"), here = endpoint_of(r);
	*ret_cursor = STR_NONE;
	if (!link.n)
		return OK;
	if (!str_starts_with(link, str_print(c->arena, "%" STR_FMT "/", STR_ARG(here))) || !str_is_line(link))
		return ctx_fail(c, ERR_IO, "The answer is not usable: its next page is on another server.");
	*ret_cursor = str_print(c->arena, "%s%" STR_FMT, what, STR_ARG(link));
	return OK;
}

static RESULT ask_page(struct ctx *c, struct remote *r, struct str link, const char *first,
		       struct remote_json *ret_answer)
{
	TRY(azure_ask(c, r, "GET", link.n ? link : azure_url_in(c, r, first), STR_NONE, ret_answer));
	return json_is_array(json_object_get(ret_answer->root, "value"))
		       ? OK
		       : ctx_fail(c, ERR_IO, "The answer is not usable: it is no list of machines.");
}

static RESULT list_status(struct ctx *c, struct remote *r, struct str link, struct remote_page *ret_page)
{
	AUTO_ANSWER answer = {0};
	struct power_map *map = remote_power_map(r);
	if (!link.n)
		power_map_clear(map);
	TRY(ask_page(c, r, link,
		     "/providers/Microsoft.Compute/virtualMachines?" COMPUTE_VERSION "&statusOnly=true",
		     &answer));
	const json_t *vms = json_object_get(answer.root, "value");
	for (size_t k = 0; k < json_array_size(vms); k++) {
		const json_t *vm = json_array_get(vms, k);
		struct str ref = azure_ref_of_id(c, remote_json_text(c, vm, "id"), r->project);
		if (ref.n && !power_map_put(map, ref, (int) azure_read_power(c, vm)))
			return ctx_no_memory(c);
	}
	ret_page->entries = json_array_size(vms);
	TRY(azure_next_of(c, r, answer.root, STATUS, &ret_page->cursor));
	if (!ret_page->cursor.n)
		ret_page->cursor = STR(PUBLICS);
	return OK;
}

/* Addresses are read between the states and the machines: first public ones, then the interfaces that refer to them. */
static RESULT list_publics(struct ctx *c, struct remote *r, struct str link, struct remote_page *ret_page)
{
	struct str next;
	TRY(azure_list_publics(c, r, link, &ret_page->entries, &next));
	ret_page->cursor = next.n ? str_print(c->arena, PUBLICS "%" STR_FMT, STR_ARG(next)) : STR(INTERFACES);
	return OK;
}

static RESULT list_interfaces(struct ctx *c, struct remote *r, struct str link, struct remote_page *ret_page)
{
	struct str next;
	TRY(azure_list_interfaces(c, r, link, &ret_page->entries, &next));
	ret_page->cursor =
		next.n ? str_print(c->arena, INTERFACES "%" STR_FMT, STR_ARG(next)) : STR(MACHINES);
	return OK;
}

static bool is_here(const struct remote *r, struct str location)
{
	return str_is(r->region, "all") || str_equal_nocase(location, r->region);
}

/* Names of groups may have letters of any script, which ids of machines here may not. */
static bool is_nameable(struct str id)
{
	for (size_t k = 0; k < id.n; k++)
		if ((unsigned char) id.p[k] >= 0x80)
			return false;
	return true;
}

static void leave_out(struct remote_page *page, struct str id)
{
	if (str_is_line(id) && (!page->unnamed_id.n || str_compare(id, page->unnamed_id) < 0))
		page->unnamed_id = id;
	page->unnamed++;
}

static RESULT list_machines(struct ctx *c, struct remote *r, struct str link, struct remote_page *ret_page)
{
	AUTO_ANSWER answer = {0};
	struct remote_machines list = {0};
	TRY(ask_page(c, r, link, "/providers/Microsoft.Compute/virtualMachines?" COMPUTE_VERSION, &answer));
	const json_t *vms = json_object_get(answer.root, "value");
	for (size_t k = 0; k < json_array_size(vms); k++) {
		const json_t *vm = json_array_get(vms, k);
		struct str id = remote_json_text(c, vm, "id");
		if (!is_here(r, remote_json_text(c, vm, "location")))
			continue;
		if (!is_nameable(id)) {
			leave_out(ret_page, id);
			continue;
		}
		struct azure_addresses addresses = {0};
		azure_find_addresses(r, azure_ref_of_id(c, id, r->project), &addresses);
		TRY(azure_read_machine(c, vm, r->project, &addresses, &list));
		struct remote_machine *m = &list.at[list.count - 1];
		int power = power_map_get(remote_power_map(r), m->ref);
		if (m->power == REMOTE_MACHINE_POWER_UNKNOWN && power >= 0)
			m->power = (enum remote_machine_power) power;
	}
	ret_page->machines = list.at;
	ret_page->count = list.count;
	ret_page->entries = json_array_size(vms);
	return azure_next_of(c, r, answer.root, MACHINES, &ret_page->cursor);
}

static RESULT azure_list(struct ctx *c, struct remote *r, struct str cursor, struct remote_page *ret_page)
{
	static const struct {
		const char *phase;
		RESULT(*list)
		(struct ctx *c, struct remote *r, struct str link, struct remote_page *ret_page);
	} phases[] = {{STATUS, list_status},
		      {PUBLICS, list_publics},
		      {INTERFACES, list_interfaces},
		      {MACHINES, list_machines}};
	*ret_page = (struct remote_page){0};
	for (size_t k = 0; k < sizeof phases / sizeof phases[0]; k++) {
		struct str phase = str_from(phases[k].phase);
		if (str_starts_with(cursor, phase))
			return phases[k].list(c, r, str_slice(cursor, phase.n, cursor.n), ret_page);
	}
	return list_status(c, r, STR_NONE, ret_page);
}

/* Sizes are listed by location, so that a provider of all locations has none. */
static RESULT azure_list_resources(struct ctx *c, struct remote *r, enum remote_resource_type type,
				   struct str cursor, struct remote_resource_page *ret_page)
{
	AUTO_ANSWER answer = {0};
	*ret_page = (struct remote_resource_page){0};
	struct str path = str_from(azure_lists[type].path);
	size_t mark = str_find_char(path, '%', 0);
	if (mark < path.n && str_is(r->region, "all"))
		return OK;
	if (mark < path.n)
		path = str_print(c->arena, "%" STR_FMT "%" STR_FMT "%" STR_FMT,
				 STR_ARG(str_slice(path, 0, mark)), STR_ARG(r->region),
				 STR_ARG(str_slice(path, mark + 2, path.n)));
	TRY(azure_ask(c, r, "GET", cursor.n ? cursor : azure_url_in(c, r, str_to_z(c->arena, path)), STR_NONE,
		      &answer));
	TRY(azure_read_resources(c, answer.root, type, r->project, r->region, ret_page));
	return azure_next_of(c, r, answer.root, "", &ret_page->cursor);
}

/* URL of a machine, with the rest of the path and the API's version. */
static RESULT machine_url(struct ctx *c, const struct remote *r, struct str ref, const char *behind,
			  struct str *ret_url)
{
	struct str path = azure_path_of_ref(c, ref, r->project), url = endpoint_of(r);
	*ret_url = str_print(c->arena, "%" STR_FMT "%" STR_FMT "%s", STR_ARG(url), STR_ARG(path), behind);
	return path.n ? OK
		      : ctx_fail(c, ERR_NOT_FOUND, "The cloud has no machine %" STR_FMT ".", STR_ARG(ref));
}

static RESULT azure_get(struct ctx *c, struct remote *r, struct str ref, struct remote_machine *ret_machine)
{
	AUTO_ANSWER answer = {0};
	struct remote_machines list = {0};
	struct azure_addresses addresses = {0};
	struct str url;
	TRY(machine_url(c, r, ref, "?" COMPUTE_VERSION "&$expand=instanceView", &url));
	TRY(azure_ask(c, r, "GET", url, STR_NONE, &answer));
	TRY(azure_ask_addresses(c, r, answer.root, &addresses));
	TRY(azure_read_machine(c, answer.root, r->project, &addresses, &list));
	*ret_machine = list.at[0];
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
	json_write_z(&b.json, "operation", "Merge");
	json_write_open(&b.json, "properties");
	json_write_open(&b.json, "tags");
	for (size_t k = 0; k < tags.count; k++) {
		json_write_key(&b.json, tags.at[k].key);
		json_write_text(&b.json, NULL, tags.at[k].value);
	}
	json_write_close(&b.json);
	json_write_close(&b.json);
	json_write_close(&b.json);
	return remote_body_end(c, &b, ret_body);
}

static RESULT write_size(struct ctx *c, struct str type, struct str *ret_body)
{
	struct remote_body b;
	remote_body_begin(&b);
	json_write_open(&b.json, NULL);
	json_write_open(&b.json, "properties");
	json_write_open(&b.json, "hardwareProfile");
	json_write_text(&b.json, "vmSize", type);
	json_write_close(&b.json);
	json_write_close(&b.json);
	json_write_close(&b.json);
	return remote_body_end(c, &b, ret_body);
}

/* A stopped machine that is not deallocated is still billed, so that stopping deallocates it. */
static const struct {
	const char *method, *behind;
} calls[] = {
	[REMOTE_MACHINE_ACT_START] = {"POST", "/start?" COMPUTE_VERSION},
	[REMOTE_MACHINE_ACT_STOP] = {"POST", "/deallocate?" COMPUTE_VERSION},
	[REMOTE_MACHINE_ACT_REBOOT] = {"POST", "/restart?" COMPUTE_VERSION},
	[REMOTE_MACHINE_ACT_TERMINATE] = {"DELETE", "?" COMPUTE_VERSION},
	[REMOTE_MACHINE_ACT_TAG] = {"PATCH",
				    "/providers/Microsoft.Resources/tags/default?api-version=2021-04-01"},
	[REMOTE_MACHINE_ACT_RESIZE] = {"PATCH", "?" COMPUTE_VERSION},
	[REMOTE_MACHINE_ACT_SNAPSHOT] = {"GET", "?" COMPUTE_VERSION},
};

static RESULT azure_act(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	AUTO_ANSWER answer = {0};
	struct str url, body = STR_NONE;
	TRY(machine_url(c, r, act->ref, calls[act->verb].behind, &url));
	if (act->verb == REMOTE_MACHINE_ACT_SNAPSHOT) {
		TRY(azure_ask(c, r, "GET", url, STR_NONE, &answer));
		return azure_snapshot(c, r, act, answer.root);
	}
	if (act->verb == REMOTE_MACHINE_ACT_TAG)
		TRY(write_tags(c, act->tags, &body));
	if (act->verb == REMOTE_MACHINE_ACT_RESIZE)
		TRY(write_size(c, act->type, &body));
	return azure_ask(c, r, calls[act->verb].method, url, body, &answer);
}

const struct remote_driver remote_azure = {
	.name = "azure",
	.verbs = REMOTE_VERBS_COMMON | REMOTE_VERB_SNAPSHOT,
	.check = azure_check,
	.verify = azure_verify,
	.list = azure_list,
	.types = RESOURCE_TYPES_ALL,
	.list_resources = azure_list_resources,
	.get = azure_get,
	.act = azure_act,
	.create = azure_create,
	.source = &azure_source_ops,
	.read_metrics = azure_read_metrics,
	.metric_machines = 1,
	.read_changes = azure_read_changes,
	.gets_unlisted = true,
};
