/* SPDX-License-Identifier: Apache-2.0
 * The driver of VMware vCenter, and of ESXi hosts alone: SOAP 1.1 at the endpoint's /sdk. The region is the name of a
 * datacenter, or "all". A machine's id is the id of its managed object, such as vm-42. Source: vSphere Web Services API
 * reference 8.0. */
#include "drivers/remote/vmware/acts.h"
#include "drivers/remote/vmware/changes.h"
#include "drivers/remote/vmware/machines.h"
#include "drivers/remote/vmware/metrics.h"
#include "drivers/remote/vmware/resources.h"
#include "drivers/remote/vmware/source.h"
#include "model/remote_machine.h"

enum { LOGIN_MAX = 255 };

/* ---- verification ---- */

static RESULT check(struct ctx *c, const struct remote *r)
{
	struct remote_url url;
	TRY(remote_check_text(c, r->region, REMOTE_NAME, "region",
			      "A region is a datacenter's name, or \"all\": letters, digits, blanks and "
			      "._-@()+,:'."));
	if (!r->login.n || r->login.n > LOGIN_MAX || !str_is_line(r->login))
		return ctx_fail_field(
			c, ERR_INVALID, STR("login"),
			"A login is a user, such as dari@vsphere.local, of up to %d characters.", LOGIN_MAX);
	if (r->project.n)
		return ctx_fail_field(c, ERR_INVALID, STR("project"), "vCenter has no projects.");
	if (r->domain.n)
		return ctx_fail_field(c, ERR_INVALID, STR("domain"),
				      "The login names its domain, such as dari@vsphere.local.");
	if (!r->endpoint.n)
		return ctx_fail_field(c, ERR_INVALID, STR("endpoint"),
				      "vCenter needs its URL, such as https://vcenter.example.com.");
	return remote_parse_url(c, r->endpoint, &url);
}

/* Privileges that the driver uses. */
static const char *const privileges[] = {"System.Read",
					 "VirtualMachine.Interact.PowerOn",
					 "VirtualMachine.Interact.PowerOff",
					 "VirtualMachine.Interact.Reset",
					 "VirtualMachine.Config.CPUCount",
					 "VirtualMachine.Config.Memory",
					 "VirtualMachine.Inventory.Delete",
					 "VirtualMachine.Inventory.CreateFromExisting",
					 "VirtualMachine.Provisioning.DeployTemplate",
					 "Resource.AssignVMToPool",
					 "Datastore.AllocateSpace",
					 "Global.SetCustomField",
					 "Global.ManageCustomFields"};
enum { PRIVILEGES = sizeof privileges / sizeof privileges[0] };

/* A call of the driver, as vmware_run() runs it. */
struct work {
	struct str machine, cursor;
	struct remote_identity *identity;
	enum remote_resource_type type;
	union {
		struct remote_page *page;
		struct remote_resource_page *resources;
		struct remote_machine *made;
		struct remote_changes *changes;
	} ret;
	const struct remote_act *act;
	const struct remote_new *wish;
	const char *const *privileges; /* that are judged */
	size_t privilege_count;
};

struct judging {
	struct ctx *c;
	struct remote_identity *identity;
	const struct work *work;
	struct str privilege;
	size_t count;
};

static RESULT enter_right(void *self, struct str path)
{
	(void) self, (void) path;
	return OK;
}

/* Ignores privileges that were not asked for. */
static RESULT leave_right(void *self, struct str path, struct str text)
{
	struct judging *j = self;
	if (str_is(path, "returnval/privAvailability/privId")) {
		j->privilege = STR_NONE;
		for (size_t k = 0; k < j->work->privilege_count; k++)
			if (str_is(text, j->work->privileges[k]))
				j->privilege = str_from(j->work->privileges[k]);
	}
	bool is_lacking = str_is(path, "returnval/privAvailability/isGranted") && str_is(text, "false") &&
			  j->privilege.n && j->count < j->work->privilege_count;
	if (!is_lacking)
		return OK;
	j->count++;
	return remote_add_lack(j->c, j->identity, j->privilege);
}

/* Rights to a machine if there is one: they may be granted below a folder. */
static RESULT judge_rights(struct ctx *c, struct remote *r, void *arg)
{
	const struct work *w = arg;
	struct vmware_call q;
	struct judging j = {.c = c, .identity = w->identity, .work = w};
	AUTO_VIM_ANSWER answer = {0};
	if (!vmware_id(r, VIM_RIGHTS).n)
		return OK;
	vmware_begin(&q, c, "HasPrivilegeOnEntities", "AuthorizationManager", vmware_id(r, VIM_RIGHTS));
	q.only_reads = true;
	if (w->machine.n)
		vmware_ref(&q, "entity", "VirtualMachine", w->machine);
	else
		vmware_ref(&q, "entity", vmware_scope_type(r), vmware_id(r, VIM_SCOPE));
	vmware_text(&q, "sessionId", vmware_id(r, VIM_KEY));
	for (size_t k = 0; k < w->privilege_count; k++)
		vmware_text(&q, "privId", str_from(w->privileges[k]));
	TRY(vmware_send(&q, r, &answer));
	return vmware_walk(c, buf_str(&answer.body), q.method,
			   &(struct xml_visitor){&j, enter_right, leave_right, NULL});
}

/* The new credentials' session is opened even if an older one is still open. */
static RESULT identify(struct ctx *c, struct remote *r, struct remote_identity *identity)
{
	bool is_fresh = false;
	vmware_sign_out(c, r);
	TRY(vmware_sign_in(c, r, &is_fresh));
	identity->account = str_copy(c->arena, str_from(remote_session_peek(r)->account));
	return OK;
}

static RESULT verify(struct ctx *c, struct remote *r, size_t step, struct str machine,
		     struct remote_identity *identity, bool *ret_is_over)
{
	struct work w = {.machine = machine,
			 .identity = identity,
			 .privileges = privileges,
			 .privilege_count = PRIVILEGES};
	*ret_is_over = step > 1;
	if (*ret_is_over)
		return OK;
	if (step == 0)
		return identify(c, r, identity);
	struct result result = vmware_run(c, r, judge_rights, &w);
	if (result.code == ERR_NOT_FOUND && machine.n) { /* the machine has gone meanwhile */
		ctx_clear_problem(c);
		w.machine = STR_NONE;
		result = vmware_run(c, r, judge_rights, &w);
	}
	if (result.code != ERR_UNSUPPORTED) /* some hosts alone */
		return result;
	ctx_clear_problem(c);
	return OK;
}

RESULT vmware_judge_rights(struct ctx *c, struct remote *r, struct str machine, const char *const *names,
			   size_t count, struct remote_identity *identity)
{
	struct work w = {
		.machine = machine, .identity = identity, .privileges = names, .privilege_count = count};
	struct result result = vmware_run(c, r, judge_rights, &w);
	if (result.code != ERR_UNSUPPORTED)
		return result;
	ctx_clear_problem(c);
	return OK;
}

/* ---- machines and resources ---- */

static RESULT work_list(struct ctx *c, struct remote *r, void *arg)
{
	const struct work *w = arg;
	return vmware_list_machines(c, r, w->cursor, w->ret.page);
}

static RESULT list(struct ctx *c, struct remote *r, struct str cursor, struct remote_page *ret_page)
{
	struct work w = {.cursor = cursor, .ret.page = ret_page};
	return vmware_run(c, r, work_list, &w);
}

static RESULT work_resources(struct ctx *c, struct remote *r, void *arg)
{
	const struct work *w = arg;
	return vmware_list_resources(c, r, w->type, w->cursor, w->ret.resources);
}

static RESULT list_resources(struct ctx *c, struct remote *r, enum remote_resource_type type,
			     struct str cursor, struct remote_resource_page *ret_page)
{
	struct work w = {.cursor = cursor, .type = type, .ret.resources = ret_page};
	return vmware_run(c, r, work_resources, &w);
}

static RESULT work_get(struct ctx *c, struct remote *r, void *arg)
{
	const struct work *w = arg;
	return vmware_get_machine(c, r, w->machine, w->ret.made);
}

static RESULT get(struct ctx *c, struct remote *r, struct str ref, struct remote_machine *ret_machine)
{
	struct work w = {.machine = ref, .ret.made = ret_machine};
	return vmware_run(c, r, work_get, &w);
}

/* ---- acts ---- */

static RESULT work_act(struct ctx *c, struct remote *r, void *arg)
{
	const struct work *w = arg;
	return vmware_act(c, r, w->act);
}

static RESULT act(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	struct work w = {.act = act};
	return vmware_run(c, r, work_act, &w);
}

static RESULT work_create(struct ctx *c, struct remote *r, void *arg)
{
	const struct work *w = arg;
	return vmware_create(c, r, w->wish, w->ret.made);
}

static RESULT create(struct ctx *c, struct remote *r, const struct remote_new *wish,
		     struct remote_machine *ret_machine)
{
	struct work w = {.wish = wish, .ret.made = ret_machine};
	return vmware_run(c, r, work_create, &w);
}

static RESULT work_changes(struct ctx *c, struct remote *r, void *arg)
{
	const struct work *w = arg;
	return vmware_ask_changes(c, r, w->ret.changes);
}

/* The session keeps the place in the feed. */
static RESULT read_changes(struct ctx *c, struct remote *r, struct str cursor,
			   struct remote_changes *ret_changes)
{
	struct work w = {.ret.changes = ret_changes};
	(void) cursor;
	return vmware_run(c, r, work_changes, &w);
}

const struct remote_driver remote_vmware = {
	.name = "vmware",
	.verbs = REMOTE_VERBS_COMMON | REMOTE_VERB_SAVE | REMOTE_VERB_SNAPSHOT,
	.check = check,
	.verify = verify,
	.list = list,
	.types = VIM_RESOURCE_TYPES,
	.list_resources = list_resources,
	.get = get,
	.act = act,
	.create = create,
	.source = &vmware_source_ops,
	.read_metrics = vmware_read_metrics,
	.metric_machines = REMOTE_METRIC_MACHINES,
	.read_changes = read_changes,
	.gets_unlisted = true,
	.leave = vmware_sign_out,
};
