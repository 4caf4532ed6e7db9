/* SPDX-License-Identifier: Apache-2.0
 * Servers of a provider: see hosts.h. Source: Failover Cluster provider (MSCluster_Node, MSCluster_Cluster), CIMWin32
 * (Win32_ComputerSystem). */
#include "drivers/remote/hyperv/hosts.h"

#include <stdlib.h>

#include "base/ip.h"
#include "drivers/remote/draft.h"

enum { ID_HOST_NAME, NODE_UP = 0, NODE_PAUSED = 2 };

bool hyperv_is_cluster(const struct remote *r)
{
	return str_is(r->region, "cluster");
}

static RESULT read_name(struct wsman_link *l, const char *space, const char *class_name, struct str *ret_name)
{
	static const char *const wanted[] = {"Name", NULL};
	struct wsman_instance *i = arena_new_object(l->c->arena, struct wsman_instance);
	bool is_found = false;
	if (!i)
		return ctx_no_memory(l->c);
	const struct wsman_query query = {space, str_print(l->c->arena, "select * from %s", class_name), 1};
	TRY(wsman_find(l, &query, wanted, i, &is_found));
	struct str name = wsman_get(i, "Name");
	if (!is_found || !draft_is_id(name) || name.n > DRAFT_WORD_MAX)
		return remote_fail_answer(l->c, "a server has no proper name");
	*ret_name = name;
	return OK;
}

RESULT hyperv_read_host_name(struct wsman_link *l, struct str *ret_name)
{
	struct str known = str_from(remote_session_peek(l->r)->ids[ID_HOST_NAME]);
	if (known.n) {
		*ret_name = str_copy(l->c->arena, known);
		return OK;
	}
	TRY(read_name(l, WINDOWS_SPACE, "Win32_ComputerSystem", ret_name));
	return remote_session_keep_id(l->c, l->r, ID_HOST_NAME, *ret_name);
}

RESULT hyperv_read_cluster_name(struct wsman_link *l, struct str *ret_name)
{
	return read_name(l, CLUSTER_SPACE, "MSCluster_Cluster", ret_name);
}

/* ---- members ---- */

struct listing {
	struct wsman_link *l;
	struct hyperv_hosts *hosts;
	struct str suffix; /* domain of the endpoint's server: ".corp.example.com" */
};

/* True for a name that the endpoint's domain completes, a name in that domain, and an address if the endpoint is one, too. A server
 * may name whatever it likes, and the members get the user's credentials. */
static bool is_in_domain(struct str name, struct str suffix)
{
	struct ip ip;
	if (str_find_char(name, '.', 0) == name.n)
		return true;
	if (!suffix.n)
		return result_is_ok(ip_parse(name, &ip));
	return name.n > suffix.n && str_equal_nocase(str_slice(name, name.n - suffix.n, name.n), suffix);
}

/* A member that is down has no machines: the cluster has moved them. */
static RESULT take_node(void *self, const struct wsman_instance *i)
{
	struct listing *listing = self;
	struct ctx *c = listing->l->c;
	struct hyperv_hosts *hosts = listing->hosts;
	int64_t state = -1;
	struct str name = wsman_get(i, "Name");
	if (!result_is_ok(str_parse_int(wsman_get(i, "State"), &state)) ||
	    (state != NODE_UP && state != NODE_PAUSED))
		return OK;
	if (!result_is_ok(remote_check_text(c, name, REMOTE_PLACE, "name", "")) || name.n > DRAFT_WORD_MAX)
		return ctx_clear_problem(c),
		       remote_fail_answer(c, "a member of the cluster has no proper name");
	if (!is_in_domain(name, listing->suffix))
		return remote_fail_answer(c, "a member of the cluster is outside of the endpoint's domain");
	if (hosts->count == HYPERV_HOSTS_MAX)
		return remote_fail_answer(c, "the cluster has too many members");
	bool has_suffix = str_find_char(name, '.', 0) < name.n;
	hosts->at[hosts->count++] =
		(struct hyperv_host){name, has_suffix ? name
						      : str_print(c->arena, "%" STR_FMT "%" STR_FMT,
								  STR_ARG(name), STR_ARG(listing->suffix))};
	return OK;
}

static int compare_hosts(const void *a, const void *b)
{
	return str_compare(((const struct hyperv_host *) a)->name, ((const struct hyperv_host *) b)->name);
}

/* Members are named without their domain, which is the endpoint's. */
static RESULT read_suffix(struct wsman_link *l, struct str *ret_suffix)
{
	struct remote_url url;
	struct ip ip;
	TRY(remote_parse_url(l->c, l->r->endpoint, &url));
	struct str host = str_slice(url.host, 0, str_find_char(url.host, ':', 0));
	bool is_name = !result_is_ok(ip_parse(host, &ip));
	*ret_suffix = is_name ? str_slice(host, str_find_char(host, '.', 0), host.n) : STR_NONE;
	return OK;
}

RESULT hyperv_list_hosts(struct wsman_link *l, struct hyperv_hosts *ret_hosts)
{
	static const char *const wanted[] = {"Name", "State", NULL};
	struct listing listing = {l, ret_hosts, STR_NONE};
	ret_hosts->count = 0;
	if (!hyperv_is_cluster(l->r)) {
		ret_hosts->count = 1;
		ret_hosts->at[0] = (struct hyperv_host){0};
		return hyperv_read_host_name(l, &ret_hosts->at[0].name);
	}
	TRY(read_suffix(l, &listing.suffix));
	const struct wsman_query query = {CLUSTER_SPACE, STR("select * from MSCluster_Node"),
					  4 * HYPERV_HOSTS_MAX};
	TRY(wsman_enumerate(l, &query,
			    &(struct wsman_visitor){.self = &listing, .wanted = wanted, .take = take_node}));
	if (!ret_hosts->count)
		return remote_fail_answer(l->c, "the cluster has no members that are up");
	qsort(ret_hosts->at, ret_hosts->count, sizeof ret_hosts->at[0], compare_hosts);
	return OK;
}

RESULT hyperv_open_host(struct wsman_link *l, const struct wsman_link *endpoint,
			const struct hyperv_host *host)
{
	TRY(wsman_open(l, endpoint->c, endpoint->r, host->address));
	l->end_us = endpoint->end_us;
	l->zone = host->name;
	return OK;
}
