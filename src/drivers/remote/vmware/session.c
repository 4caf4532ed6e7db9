/* SPDX-License-Identifier: Apache-2.0
 * Sessions of vSphere's web services. A server counts sessions and refuses new ones beyond a limit, so each one is signed out
 * before another one is opened. Source: vSphere Web Services API reference 8.0, ServiceInstance, SessionManager and
 * ViewManager. */
#include <stdio.h>

#include "base/clock.h"
#include "drivers/remote/draft.h"
#include "drivers/remote/vmware/soap.h"

/* Shorter than the server's limit for idle sessions. */
#define SESSION_US (25 * MINUTE)
#define SIGN_OUT_US (5 * SECOND)
#define SERVICE_INSTANCE STR("ServiceInstance")
enum { DATACENTERS_PAGE = 500, IDENTITY_SIZE = 36 };

struct str vmware_id(const struct remote *r, enum vmware_id id)
{
	return str_from(remote_session_peek(r)->ids[id]);
}

const char *vmware_scope_type(const struct remote *r)
{
	return str_is(r->region, "all") ? "Folder" : "Datacenter";
}

/* ---- signing out ---- */

static void sign_out(struct ctx *c, struct remote *r, struct str manager, struct str cookie)
{
	struct vmware_call q;
	AUTO_VIM_ANSWER answer = {0};
	int64_t timeout_us = r->timeout_us;
	if (r->timeout_us > SIGN_OUT_US)
		r->timeout_us = SIGN_OUT_US;
	vmware_begin(&q, c, "Logout", "SessionManager", manager);
	q.cookie = cookie;
	IGNORE(vmware_send(&q, r, &answer)); /* the server ends idle sessions by itself */
	ctx_clear_problem(c);
	r->timeout_us = timeout_us;
}

void vmware_sign_out(struct ctx *c, struct remote *r)
{
	struct remote_session *session = remote_session_peek(r);
	if (session->token[0] && session->ids[VIM_SESSIONS][0])
		sign_out(c, r, str_copy(c->arena, vmware_id(r, VIM_SESSIONS)),
			 str_copy(c->arena, str_from(session->token)));
	remote_session_close(session);
}

/* Signs out a session that has expired here, or that belongs to other credentials. */
static void end_old_session(struct ctx *c, struct remote *r)
{
	struct remote_session *session = remote_session_peek(r);
	struct str cookie = str_copy(c->arena, str_from(session->token));
	struct str manager = str_copy(c->arena, vmware_id(r, VIM_SESSIONS));
	if (!remote_session_is_open(remote_session_of(r)) && cookie.n && manager.n)
		sign_out(c, r, manager, cookie);
}

/* ---- signing in ---- */

/* Texts of RetrieveServiceContent's answer. Those before CONTENT_API are ids, of which the session keeps `ids`. */
enum {
	CONTENT_ROOT,
	CONTENT_COLLECTOR,
	CONTENT_VIEWS,
	CONTENT_SESSIONS,
	CONTENT_RIGHTS,
	CONTENT_FIELDS,
	CONTENT_PERFORMANCE,
	CONTENT_SEARCH,
	CONTENT_VERSION,
	CONTENT_IDENTITY,
	CONTENT_COUNT
};
static const char *const content_paths[] = {
	[CONTENT_ROOT] = "returnval/rootFolder",
	[CONTENT_COLLECTOR] = "returnval/propertyCollector",
	[CONTENT_VIEWS] = "returnval/viewManager",
	[CONTENT_SESSIONS] = "returnval/sessionManager",
	[CONTENT_RIGHTS] = "returnval/authorizationManager",
	[CONTENT_FIELDS] = "returnval/customFieldsManager",
	[CONTENT_PERFORMANCE] = "returnval/perfManager",
	[CONTENT_SEARCH] = "returnval/searchIndex",
	[CONTENT_VERSION] = "returnval/about/apiVersion",
	[CONTENT_IDENTITY] = "returnval/about/instanceUuid",
};
static const enum vmware_id content_ids[] = {
	[CONTENT_ROOT] = VIM_ROOT,     [CONTENT_COLLECTOR] = VIM_COLLECTOR,
	[CONTENT_VIEWS] = VIM_VIEWS,   [CONTENT_SESSIONS] = VIM_SESSIONS,
	[CONTENT_RIGHTS] = VIM_RIGHTS, [CONTENT_FIELDS] = VIM_FIELDS,
	[CONTENT_SEARCH] = VIM_SEARCH, [CONTENT_PERFORMANCE] = VIM_PERFORMANCE,
};

static RESULT read_content(struct ctx *c, struct remote *r, struct str content[static CONTENT_COUNT])
{
	struct vmware_call q;
	vmware_begin(&q, c, "RetrieveServiceContent", "ServiceInstance", SERVICE_INSTANCE);
	q.only_reads = true;
	TRY(vmware_ask_texts(&q, r, &(struct vmware_texts){content_paths, content, CONTENT_COUNT}));
	for (int k = CONTENT_ROOT; k <= CONTENT_SESSIONS; k++)
		if (!content[k].n)
			return ctx_fail(c, ERR_IO, "The answer is not usable: it has no %s.",
					content_paths[k]);
	return OK;
}

/* 6.5 or 6.7, of "8.0.1.0". */
static int version_of(struct str text)
{
	int64_t major = 0, minor = 0;
	struct str rest = text, first = STR_NONE, second = STR_NONE;
	bool is_version = str_split_next(&rest, '.', &first) && result_is_ok(str_parse_int(first, &major)) &&
			  str_split_next(&rest, '.', &second) && result_is_ok(str_parse_int(second, &minor));
	return is_version && (major > 6 || (major == 6 && minor >= 7)) ? VIM_VERSION_67 : VIM_VERSION_65;
}

static RESULT log_in(struct ctx *c, struct remote *r, const struct str content[static CONTENT_COUNT])
{
	static const char *const paths[] = {"returnval/key"};
	struct vmware_call q;
	struct str key = STR_NONE;
	AUTO_VIM_ANSWER answer = {0};
	struct str identity = content[CONTENT_IDENTITY].n ? content[CONTENT_IDENTITY] : STR("-");
	vmware_begin(&q, c, "Login", "SessionManager", content[CONTENT_SESSIONS]);
	vmware_text(&q, "userName", r->login);
	vmware_text(&q, "password", r->secret);
	TRY(vmware_send(&q, r, &answer));
	TRY(vmware_read_texts(c, buf_str(&answer.body), "Login", &(struct vmware_texts){paths, &key, 1}));
	TRY(remote_session_open(c, r, SESSION_US, answer.header, r->endpoint, identity));
	for (int k = CONTENT_ROOT; k <= CONTENT_SEARCH; k++)
		TRY(remote_session_keep_id(c, r, content_ids[k], content[k]));
	remote_session_peek(r)->version = version_of(content[CONTENT_VERSION]);
	return remote_session_keep_id(c, r, VIM_KEY, key);
}

/* ---- the scope ---- */

static RESULT make_view(struct ctx *c, struct remote *r, const char *type, struct str container)
{
	static const char *const types[] = {"VirtualMachine", "Network",         "Datastore",
					    "HostSystem",     "ComputeResource", "Datacenter"};
	struct vmware_call q;
	struct str view = STR_NONE;
	vmware_begin(&q, c, "CreateContainerView", "ViewManager", vmware_id(r, VIM_VIEWS));
	vmware_ref(&q, "container", type, container);
	for (size_t k = 0; k < sizeof types / sizeof types[0]; k++)
		vmware_text(&q, "type", str_from(types[k]));
	vmware_text(&q, "recursive", STR("true"));
	TRY(vmware_ask_id(&q, r, &view));
	return view.n ? remote_session_keep_id(c, r, VIM_VIEW, view)
		      : remote_fail_answer(c, "it has no view");
}

/* Looks for one object: the datacenter with a name, or the host of a server that is a host alone. */
struct search {
	struct ctx *c;
	struct str wanted; /* empty: the first object */
	struct str ref, found, text;
	size_t count;
};

static RESULT begin_search(void *self, struct str type, struct str ref)
{
	struct search *s = self;
	(void) type;
	s->ref = str_copy(s->c->arena, ref);
	return OK;
}

static RESULT compare(void *self, struct str property, struct str below, struct str text)
{
	struct search *s = self;
	(void) property;
	if (below.n || (s->wanted.n && !str_equal(text, s->wanted)))
		return OK;
	s->count++;
	s->found = s->ref;
	s->text = str_copy(s->c->arena, text);
	return OK;
}

static RESULT end_search(void *self)
{
	(void) self;
	return OK;
}

static RESULT search(struct search *s, struct remote *r, const char *type, const char *property)
{
	const char *const properties[] = {property, NULL};
	const struct vmware_listing listing = {type, properties, DATACENTERS_PAGE};
	struct vmware_page page;
	return vmware_list_objects(s->c, r, &listing, STR_NONE,
				   &(struct vmware_visitor){s, begin_search, NULL, compare, end_search},
				   &page);
}

static RESULT find_scope(struct ctx *c, struct remote *r)
{
	struct search s = {.c = c, .wanted = r->region};
	if (str_is(r->region, "all"))
		return remote_session_keep_id(c, r, VIM_SCOPE, vmware_id(r, VIM_ROOT));
	TRY(search(&s, r, "Datacenter", "name"));
	if (s.count != 1)
		return ctx_fail(c, ERR_INVALID, "%s datacenter is called %" STR_FMT ".",
				s.count ? "More than one" : "No", STR_ARG(r->region));
	TRY(remote_session_keep_id(c, r, VIM_SCOPE, s.found));
	return make_view(c, r, "Datacenter", s.found);
}

/* An ESXi host without vCenter has no instanceUuid, so its hardware's UUID identifies it. */
static RESULT find_identity(struct ctx *c, struct remote *r)
{
	struct remote_session *session = remote_session_peek(r);
	struct search s = {.c = c};
	if (!str_is(str_from(session->account), "-"))
		return OK;
	TRY(search(&s, r, "HostSystem", "summary.hardware.uuid"));
	if (s.count != 1 || s.text.n != IDENTITY_SIZE || !draft_is_id(s.text))
		return remote_fail_answer(c, "the server does not say who it is");
	(void) snprintf(session->account, sizeof session->account, "%" STR_FMT, STR_ARG(s.text));
	return OK;
}

static RESULT enter_scope(struct ctx *c, struct remote *r)
{
	TRY(make_view(c, r, "Folder", vmware_id(r, VIM_ROOT)));
	TRY(find_identity(c, r));
	return find_scope(c, r);
}

RESULT vmware_sign_in(struct ctx *c, struct remote *r, bool *ret_is_fresh)
{
	struct str content[CONTENT_COUNT];
	end_old_session(c, r);
	*ret_is_fresh = !remote_session_is_open(remote_session_of(r));
	if (!*ret_is_fresh)
		return OK;
	TRY(read_content(c, r, content));
	TRY(log_in(c, r, content));
	struct result result = enter_scope(c, r);
	if (result_is_ok(result))
		return OK;
	struct str why = c->problem.message;
	vmware_sign_out(c, r);
	return ctx_fail(c, result.code, "%" STR_FMT, STR_ARG(why));
}

RESULT vmware_run(struct ctx *c, struct remote *r, vmware_work work, void *arg)
{
	bool is_fresh = false;
	TRY(vmware_sign_in(c, r, &is_fresh));
	struct result result = work(c, r, arg);
	if (result.code != ERR_AGAIN || is_fresh || remote_session_is_open(remote_session_of(r)))
		return result;
	ctx_clear_problem(c);
	TRY(vmware_sign_in(c, r, &is_fresh));
	return work(c, r, arg);
}
