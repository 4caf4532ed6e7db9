/* SPDX-License-Identifier: Apache-2.0
 * The change feed of vCenter and ESXi: a filter over the machines below the scope, and WaitForUpdatesEx without waiting, because acts use
 * the same connection. The filter lives as long as its session; its first answers have all machines, which are no changes.
 * Source: vSphere Web Services SDK programming guide 8.0, "PropertyCollector". */
#include "drivers/remote/vmware/changes.h"

#include <inttypes.h>

enum { OBJECTS_MAX = 500, FEED_TEXT_MAX = 128 };

/* ---- the answer ---- */

#define FILTER "returnval/filterSet/"
#define OBJECT FILTER "objectSet"

struct reading {
	struct ctx *c;
	struct remote_changes *changes;
	struct str version, kind, ref;
	bool is_machine;
	bool is_first; /* the answer tells the present state, where machines that enter are no change */
};

static RESULT mark(void *self, struct str path, const struct xml_marks *marks)
{
	struct reading *r = self;
	if (str_is(path, OBJECT "/obj"))
		r->is_machine = str_is(marks->type, "VirtualMachine");
	return OK;
}

static RESULT enter(void *self, struct str path)
{
	struct reading *r = self;
	if (str_is(path, OBJECT)) {
		r->kind = r->ref = STR_NONE;
		r->is_machine = false;
	}
	return OK;
}

/* Updates have no ids: each one counts. */
static RESULT end_object(struct reading *r)
{
	bool is_change = !r->is_first || !str_is(r->kind, "enter");
	return r->is_machine && r->ref.n && is_change ? remote_touch_machine(r->c, r->changes, r->ref, 0)
						      : OK;
}

static RESULT leave(void *self, struct str path, struct str text)
{
	struct reading *r = self;
	if (str_is(path, "returnval/version") && text.n > FEED_TEXT_MAX)
		return remote_fail_answer(r->c, "the version is too long");
	if (str_is(path, "returnval/version"))
		r->version = str_copy(r->c->arena, text);
	if (str_is(path, "returnval/truncated"))
		r->changes->has_more = str_is(text, "true");
	if (str_is(path, OBJECT "/kind"))
		r->kind = str_copy(r->c->arena, str_cut(text, FEED_TEXT_MAX));
	if (str_is(path, OBJECT "/obj"))
		r->ref = str_copy(r->c->arena, str_cut(text, FEED_TEXT_MAX));
	return str_is(path, OBJECT) ? end_object(r) : OK;
}

RESULT vmware_read_updates(struct ctx *c, struct str text, bool is_first, struct remote_changes *ret_changes,
			   struct str *ret_version)
{
	struct reading r = {.c = c, .changes = ret_changes, .is_first = is_first};
	TRY(vmware_walk(c, text, "WaitForUpdatesEx", &(struct xml_visitor){&r, enter, leave, mark}));
	*ret_version = r.version;
	return arena_is_full(c->arena) ? ctx_no_memory(c) : OK;
}

/* ---- the filter ---- */

/* Properties whose changes a listing would show. Those of networks and tags follow at the next listing. */
static const char *const properties[] = {"name",
					 "runtime.powerState",
					 "runtime.connectionState",
					 "runtime.host",
					 "guest.ipAddress",
					 "config.template",
					 "config.hardware.numCPU",
					 "config.hardware.memoryMB"};

static RESULT make_filter(struct ctx *c, struct remote *r)
{
	struct vmware_call q;
	struct str filter = STR_NONE;
	vmware_begin(&q, c, "CreateFilter", "PropertyCollector", vmware_id(r, VIM_COLLECTOR));
	vmware_open(&q, "spec", NULL);
	vmware_open(&q, "propSet", NULL);
	vmware_text(&q, "type", STR("VirtualMachine"));
	for (size_t k = 0; k < sizeof properties / sizeof properties[0]; k++)
		vmware_text(&q, "pathSet", str_from(properties[k]));
	vmware_close(&q, "propSet");
	vmware_open(&q, "objectSet", NULL);
	vmware_ref(&q, "obj", "ContainerView", vmware_id(r, VIM_VIEW));
	vmware_text(&q, "skip", STR("true"));
	vmware_open(&q, "selectSet", "TraversalSpec");
	vmware_text(&q, "type", STR("ContainerView"));
	vmware_text(&q, "path", STR("view"));
	vmware_text(&q, "skip", STR("false"));
	vmware_close(&q, "selectSet");
	vmware_close(&q, "objectSet");
	vmware_close(&q, "spec");
	vmware_text(&q, "partialUpdates", STR("true"));
	TRY(vmware_ask_id(&q, r, &filter));
	TRY(remote_session_keep_id(c, r, VIM_VERSION, STR_NONE));
	TRY(remote_session_keep_id(c, r, VIM_FEED, STR("new")));
	return remote_session_keep_id(c, r, VIM_FILTER, filter.n ? filter : STR("-"));
}

RESULT vmware_ask_changes(struct ctx *c, struct remote *r, struct remote_changes *ret_changes)
{
	struct vmware_call q;
	struct str version = STR_NONE;
	AUTO_VIM_ANSWER answer = {0};
	if (!vmware_id(r, VIM_FILTER).n)
		TRY(make_filter(c, r));
	vmware_begin(&q, c, "WaitForUpdatesEx", "PropertyCollector", vmware_id(r, VIM_COLLECTOR));
	vmware_text(&q, "version", vmware_id(r, VIM_VERSION));
	vmware_open(&q, "options", NULL);
	xml_int(&q.xml, "maxWaitSeconds", 0);
	xml_int(&q.xml, "maxObjectUpdates", OBJECTS_MAX);
	vmware_close(&q, "options");
	struct result result = vmware_send(&q, r, &answer);
	if (result.code == ERR_INVALID) { /* a version that the server has dropped: the feed begins anew */
		IGNORE(remote_session_keep_id(c, r, VIM_VERSION, STR_NONE));
		IGNORE(remote_session_keep_id(c, r, VIM_FEED, STR("new")));
	}
	TRY(result);
	bool is_first = vmware_id(r, VIM_FEED).n;
	TRY(vmware_read_updates(c, buf_str(&answer.body), is_first, ret_changes, &version));
	if (version.n)
		TRY(remote_session_keep_id(c, r, VIM_VERSION, version));
	return is_first && !ret_changes->has_more ? remote_session_keep_id(c, r, VIM_FEED, STR_NONE) : OK;
}
