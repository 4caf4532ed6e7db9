/* SPDX-License-Identifier: Apache-2.0
 * The driver of Hyper-V: WMI by WS-Management at the endpoint's /wsman. The region is "host", or "cluster": the members of
 * the failover cluster that the endpoint belongs to. A machine's id is its GUID. A page of a listing is a server's machines.
 * Sources: Hyper-V WMI provider (V2), DSP0226. */
#include <string.h>

#include "drivers/remote/hyperv/acts.h"
#include "drivers/remote/hyperv/hosts.h"
#include "drivers/remote/hyperv/machines.h"
#include "drivers/remote/hyperv/resources.h"
#include "model/remote_machine.h"

enum { LOGIN_MAX = 104, FOLDER_MAX = 200 };

/* ---- checks ---- */

static bool is_ascii(struct str s)
{
	for (size_t k = 0; k < s.n; k++)
		if ((unsigned char) s.p[k] >= 0x80)
			return false;
	return true;
}

/* A folder of a local drive, such as C:\Templates. */
static bool is_folder(struct str s)
{
	bool is_one = s.n >= 4 && s.n <= FOLDER_MAX && str_is_alphanumeric(s.p[0]) && s.p[1] == ':' &&
		      s.p[2] == '\\' && s.p[s.n - 1] != '\\' && str_is_line(s) && !str_contains(s, STR(".."));
	for (size_t k = 2; is_one && k < s.n; k++)
		is_one = !strchr("/:*?\"<>|%'", s.p[k]);
	return is_one;
}

static RESULT check(struct ctx *c, const struct remote *r)
{
	struct remote_url url;
	if (!str_is(r->region, "host") && !hyperv_is_cluster(r))
		return ctx_fail_field(c, ERR_INVALID, STR("region"),
				      "A region of Hyper-V is \"host\", for the endpoint's server alone, or "
				      "\"cluster\", for all members of its failover cluster.");
	if (!r->login.n || r->login.n > LOGIN_MAX || !str_is_line(r->login) || !is_ascii(r->login))
		return ctx_fail_field(
			c, ERR_INVALID, STR("login"),
			"A login is a user such as CORP\\dari or dari@corp.example.com, of up to %d "
			"characters of ASCII.",
			LOGIN_MAX);
	if (r->project.n && !is_folder(r->project))
		return ctx_fail_field(
			c, ERR_INVALID, STR("project"),
			"A project of Hyper-V is the folder of template disks on a drive of the "
			"host, such as C:\\Templates.");
	if (r->domain.n)
		return ctx_fail_field(c, ERR_INVALID, STR("domain"),
				      "The login names its domain, such as CORP\\dari.");
	if (!r->endpoint.n)
		return ctx_fail_field(c, ERR_INVALID, STR("endpoint"),
				      "Hyper-V needs the URL of its host, such as "
				      "https://hv1.example.com:5986.");
	return remote_parse_url(c, r->endpoint, &url);
}

/* ---- verification ---- */

/* Classes that the driver reads, with the right that each needs. is_filled: the class looks empty without the right. */
static const struct {
	const char *space, *class_name, *right;
	bool is_filled;
} rights[] = {
	{HYPERV_SPACE, "Msvm_VirtualSystemManagementService", "group Hyper-V Administrators", true},
	{WINDOWS_SPACE, "Win32_LogicalDisk", "WMI root\\cimv2: Enable Account, Remote Enable", false},
};
enum { RIGHTS = sizeof rights / sizeof rights[0], VERIFY_INSTANCES = 500 };

static RESULT count_instance(void *self, const struct wsman_instance *i)
{
	size_t *count = self;
	(void) i;
	(*count)++;
	return OK;
}

/* The role is missing if there is no such namespace: that is no matter of rights. */
static RESULT judge_right(struct wsman_link *l, size_t k, struct remote_identity *identity)
{
	static const char *const wanted[] = {"Name", NULL};
	struct ctx *c = l->c;
	size_t count = 0;
	const struct wsman_query query = {rights[k].space,
					  str_print(c->arena, "select * from %s", rights[k].class_name),
					  VERIFY_INSTANCES};
	struct result result = wsman_enumerate(
		l, &query, &(struct wsman_visitor){.self = &count, .wanted = wanted, .take = count_instance});
	if (result.code == ERR_UNSUPPORTED)
		return ctx_clear_problem(c),
		       ctx_fail(c, ERR_IO,
				"The server has no namespace %s of WMI: Hyper-V is not installed there.",
				rights[k].space);
	bool is_lacking =
		result.code == ERR_DENIED || (result_is_ok(result) && rights[k].is_filled && !count);
	if (!is_lacking)
		return result;
	ctx_clear_problem(c);
	return remote_add_lack(c, identity, str_from(rights[k].right));
}

/* The name of the cluster, or of the host. A user who may not read it cannot be verified. */
static RESULT identify(struct wsman_link *l, struct remote_identity *identity)
{
	struct str product = STR_NONE;
	bool is_cluster = hyperv_is_cluster(l->r);
	remote_session_close(remote_session_peek(l->r));
	TRY(wsman_sign_in(l));
	TRY(wsman_identify(l, &product));
	struct result result = is_cluster ? hyperv_read_cluster_name(l, &identity->account)
					  : hyperv_read_host_name(l, &identity->account);
	if (result.code == ERR_UNSUPPORTED && is_cluster)
		return ctx_clear_problem(l->c),
		       ctx_fail(
			       l->c, ERR_IO,
			       "The server belongs to no failover cluster: it has no namespace " CLUSTER_SPACE
			       ".");
	if (result.code != ERR_DENIED)
		return result;
	ctx_clear_problem(l->c);
	return ctx_fail(l->c, ERR_DENIED, "The user lacks a right: WMI %s (Enable Account, Remote Enable).",
			is_cluster ? CLUSTER_SPACE : WINDOWS_SPACE);
}

static RESULT verify(struct ctx *c, struct remote *r, size_t step, struct str machine,
		     struct remote_identity *identity, bool *ret_is_over)
{
	struct wsman_link l;
	(void) machine; /* rights are a namespace's */
	*ret_is_over = step > RIGHTS;
	if (*ret_is_over)
		return OK;
	TRY(wsman_open(&l, c, r, STR_NONE));
	return step ? judge_right(&l, step - 1, identity) : identify(&l, identity);
}

/* ---- machines ---- */

/* Index of the server that the cursor names, or of the next one. */
static size_t find_host(const struct hyperv_hosts *hosts, struct str cursor)
{
	size_t k = 0;
	while (cursor.n && k < hosts->count && str_compare(hosts->at[k].name, cursor) < 0)
		k++;
	return k;
}

/* Begins a call to the server of the page. *ret_cursor: the page behind it. *ret_is_over: there is no such page. */
static RESULT open_page(struct ctx *c, struct remote *r, struct str cursor, struct wsman_link *ret_link,
			struct str *ret_cursor, bool *ret_is_over)
{
	struct wsman_link endpoint;
	struct hyperv_hosts *hosts = arena_new_object(c->arena, struct hyperv_hosts);
	if (!hosts)
		return ctx_no_memory(c);
	TRY(wsman_open(&endpoint, c, r, STR_NONE));
	TRY(hyperv_list_hosts(&endpoint, hosts));
	size_t k = find_host(hosts, cursor);
	*ret_is_over = k == hosts->count;
	*ret_cursor = k + 1 < hosts->count ? hosts->at[k + 1].name : STR_NONE;
	return *ret_is_over ? OK : hyperv_open_host(ret_link, &endpoint, &hosts->at[k]);
}

static RESULT list(struct ctx *c, struct remote *r, struct str cursor, struct remote_page *ret_page)
{
	struct wsman_link l;
	struct str next = STR_NONE;
	bool is_over = false;
	*ret_page = (struct remote_page){0};
	TRY(open_page(c, r, cursor, &l, &next, &is_over));
	if (!is_over)
		TRY(hyperv_list_machines(&l, STR_NONE, ret_page));
	ret_page->cursor = next;
	ret_page->entries += 1; /* a server without machines is no empty page */
	return OK;
}

/* Finds the server that has the machine, and begins a call to it. ERR_NOT_FOUND: none has. */
static RESULT find_host_of(struct ctx *c, struct remote *r, struct str ref, struct wsman_link *ret_link,
			   struct remote_machine *ret_machine)
{
	struct wsman_link endpoint;
	struct hyperv_hosts *hosts = arena_new_object(c->arena, struct hyperv_hosts);
	if (!hosts)
		return ctx_no_memory(c);
	TRY(wsman_open(&endpoint, c, r, STR_NONE));
	TRY(hyperv_list_hosts(&endpoint, hosts));
	for (size_t k = 0; k < hosts->count; k++) {
		TRY(hyperv_open_host(ret_link, &endpoint, &hosts->at[k]));
		struct result result = hyperv_get_machine(ret_link, ref, ret_machine);
		if (result.code != ERR_NOT_FOUND || k + 1 == hosts->count)
			return result;
		ctx_clear_problem(c);
	}
	return ctx_fail(c, ERR_NOT_FOUND, "The cloud has no machine %" STR_FMT ".", STR_ARG(ref));
}

/* The endpoint's server alone has the cluster's name and the folder of templates. */
static bool is_of_endpoint(enum remote_resource_type type)
{
	return type == REMOTE_RESOURCE_TYPE_IMAGE || type == REMOTE_RESOURCE_TYPE_CLUSTER;
}

static RESULT list_resources(struct ctx *c, struct remote *r, enum remote_resource_type type,
			     struct str cursor, struct remote_resource_page *ret_page)
{
	struct wsman_link l;
	struct str next = STR_NONE;
	bool is_over = false;
	*ret_page = (struct remote_resource_page){0};
	if (is_of_endpoint(type))
		TRY(wsman_open(&l, c, r, STR_NONE));
	else
		TRY(open_page(c, r, cursor, &l, &next, &is_over));
	if (!is_over)
		TRY(hyperv_list_resources(&l, type, ret_page));
	ret_page->cursor = next;
	ret_page->entries += 1; /* a server without resources is no empty page */
	return OK;
}

static RESULT get(struct ctx *c, struct remote *r, struct str ref, struct remote_machine *ret_machine)
{
	struct wsman_link l;
	return find_host_of(c, r, ref, &l, ret_machine);
}

static RESULT act(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	struct wsman_link l;
	struct remote_machine seen;
	if (hyperv_is_cluster(r))
		TRY(find_host_of(c, r, act->ref, &l, &seen));
	else
		TRY(wsman_open(&l, c, r, STR_NONE));
	return hyperv_act(&l, act);
}

/* The server of the wish's zone: the endpoint's, or a member of the cluster. */
static RESULT create(struct ctx *c, struct remote *r, const struct remote_new *wish,
		     struct remote_machine *ret_machine)
{
	struct wsman_link endpoint, l;
	struct hyperv_hosts *hosts = arena_new_object(c->arena, struct hyperv_hosts);
	if (!hosts)
		return ctx_no_memory(c);
	TRY(wsman_open(&endpoint, c, r, STR_NONE));
	TRY(hyperv_list_hosts(&endpoint, hosts));
	struct str zone = wish->zone;
	if (!zone.n)
		TRY(hyperv_read_host_name(&endpoint, &zone));
	for (size_t k = 0; k < hosts->count; k++)
		if (str_equal_nocase(hosts->at[k].name, zone)) {
			TRY(hyperv_open_host(&l, &endpoint, &hosts->at[k]));
			return hyperv_create(&l, wish, ret_machine);
		}
	return ctx_fail(c, ERR_INVALID, "A zone of Hyper-V is the name of a host: there is no %" STR_FMT ".",
			STR_ARG(zone));
}

const struct remote_driver remote_hyperv = {
	.name = "hyperv",
	.verbs = REMOTE_VERBS_COMMON | REMOTE_VERB_SAVE | REMOTE_VERB_SNAPSHOT,
	.check = check,
	.verify = verify,
	.list = list,
	.get = get,
	.act = act,
	.create = create,
	.types = HYPERV_RESOURCE_TYPES,
	.list_resources = list_resources,
};
