/* SPDX-License-Identifier: Apache-2.0
 * Machines that are cloned from a template. The token is the clone's instance UUID, and is in its notes, because vCenter may
 * choose another UUID. The name is unique in its folder: vCenter refuses a second one, so that two requests at once make one
 * machine. Source: vSphere Web Services API reference 8.0,
 * CloneVM_Task and SearchIndex. */
#include "base/clock.h"
#include "drivers/remote/machine_size.h"
#include "drivers/remote/task_notes.h"
#include "drivers/remote/vmware/acts.h"
#include "drivers/remote/vmware/machines.h"
#include "model/remote_machine.h"

enum { NAME_SIZE_MAX = 80 };

/* ---- checks ---- */

/* vCenter writes these characters as escapes, so that another name would be found. */
static RESULT check_wish(struct ctx *c, const struct remote_new *wish)
{
	const struct {
		bool is_given;
		const char *name;
	} absent[] = {{wish->subnet.n, "subnet"},
		      {wish->key_name.n, "key pair"},
		      {wish->groups.count, "security groups"},
		      {wish->tags.count, "tags"}};
	for (size_t k = 0; k < sizeof absent / sizeof absent[0]; k++)
		if (absent[k].is_given)
			return ctx_fail(c, ERR_UNSUPPORTED,
					"A clone keeps its template's settings: %s cannot be given.",
					absent[k].name);
	bool is_name = wish->name.n && wish->name.n <= NAME_SIZE_MAX &&
		       str_find_char(wish->name, '%', 0) == wish->name.n &&
		       str_find_char(wish->name, '/', 0) == wish->name.n &&
		       str_find_char(wish->name, '\\', 0) == wish->name.n;
	return is_name ? OK
		       : ctx_fail(c, ERR_INVALID,
				  "A name in vCenter has up to %d characters, and none of %%, / and \\.",
				  NAME_SIZE_MAX);
}

/* ---- where it goes ---- */

enum { PLACE_FOLDER, PLACE_HOST, PLACE_IS_TEMPLATE, PLACE_TEXTS };

/* Finds the folder, host and datastore of the template. */
static RESULT find_place(struct ctx *c, struct remote *r, struct str image,
			 struct str place[static PLACE_TEXTS])
{
	static const char *const properties[] = {[PLACE_FOLDER] = "parent",
						 [PLACE_HOST] = "runtime.host",
						 [PLACE_IS_TEMPLATE] = "config.template",
						 [PLACE_TEXTS] = NULL};
	struct result result =
		vmware_get_texts(c, r, &(struct vmware_get){"VirtualMachine", image, properties}, place);
	if (result.code == ERR_NOT_FOUND) {
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_INVALID, "The cloud has no image %" STR_FMT ".", STR_ARG(image));
	}
	TRY(result);
	return place[PLACE_FOLDER].n
		       ? OK
		       : ctx_fail(c, ERR_UNSUPPORTED, "The image %" STR_FMT " is in no folder of machines.",
				  STR_ARG(image));
}

/* Reads a property that refers to another object. */
static RESULT follow_ref(struct ctx *c, struct remote *r, const char *type, struct str id,
			 const char *property, struct str *ret_id)
{
	const char *const properties[] = {property, NULL};
	struct result result = vmware_get_texts(c, r, &(struct vmware_get){type, id, properties}, ret_id);
	if (result_is_ok(result) && ret_id->n)
		return OK;
	if (!result_is_ok(result) && result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_INVALID, "The cloud has no place for machines at %" STR_FMT ".", STR_ARG(id));
}

/* Finds the resource pool of a zone, which is the id of a host, a cluster or a pool. An empty zone means the template's host. */
static RESULT find_pool(struct ctx *c, struct remote *r, struct str zone, struct str host,
			struct str *ret_pool)
{
	struct str at = zone.n ? zone : host;
	if (str_starts_with(at, STR("resgroup-"))) {
		*ret_pool = at;
		return OK;
	}
	if (str_starts_with(at, STR("host-")))
		TRY(follow_ref(c, r, "HostSystem", at, "parent", &at));
	else if (!str_starts_with(at, STR("domain-")))
		return ctx_fail(
			c, ERR_INVALID,
			"A zone of vCenter is the id of a host, a cluster or a resource pool, such as "
			"host-12.");
	const char *type =
		str_starts_with(at, STR("domain-c")) ? "ClusterComputeResource" : "ComputeResource";
	return follow_ref(c, r, type, at, "resourcePool", ret_pool);
}

/* ---- cloning ---- */

static RESULT find_child(struct ctx *c, struct remote *r, struct str folder, struct str name,
			 struct str *ret_id)
{
	struct vmware_call q;
	vmware_begin(&q, c, "FindChild", "SearchIndex", vmware_id(r, VIM_SEARCH));
	q.only_reads = true;
	vmware_ref(&q, "entity", "Folder", folder);
	vmware_text(&q, "name", name);
	return vmware_ask_id(&q, r, ret_id);
}

/* The machine of the folder that has the wish's name. *ret_is_found: it has the token. */
static RESULT find_created(struct ctx *c, struct remote *r, const struct remote_new *wish, struct str folder,
			   bool *ret_is_found, struct remote_machine *ret_machine)
{
	struct str id = STR_NONE;
	*ret_is_found = false;
	TRY(find_child(c, r, folder, wish->name, &id));
	if (!id.n)
		return OK;
	TRY(vmware_get_machine(c, r, id, ret_machine));
	if (!ret_machine->type.n)
		return ctx_fail(c, ERR_AGAIN, "The machine is being made.");
	*ret_is_found = uuid_equal(ret_machine->row.id, wish->token);
	return *ret_is_found ? OK
			     : ctx_fail(c, ERR_INVALID,
					"The image's folder has a machine called %" STR_FMT " already.",
					STR_ARG(wish->name));
}

static RESULT clone(struct ctx *c, struct remote *r, const struct remote_new *wish, struct str folder,
		    struct str pool, struct str *ret_task)
{
	struct vmware_call q;
	int64_t vcpus = 0, mib = 0;
	struct str token = uuid_to_str(c->arena, wish->token);
	TRY(machine_size_parse(c, "vCenter", wish->type, &vcpus, &mib));
	vmware_begin(&q, c, "CloneVM_Task", "VirtualMachine", wish->image);
	vmware_ref(&q, "folder", "Folder", folder);
	vmware_text(&q, "name", wish->name);
	vmware_open(&q, "spec", NULL);
	vmware_open(&q, "location", NULL);
	vmware_ref(&q, "pool", "ResourcePool", pool);
	vmware_close(&q, "location");
	vmware_text(&q, "template", STR("false"));
	vmware_open(&q, "config", NULL);
	vmware_text(&q, "instanceUuid", token);
	vmware_text(&q, "annotation", str_print(c->arena, VIM_TOKEN_LINE "%" STR_FMT, STR_ARG(token)));
	xml_int(&q.xml, "numCPUs", vcpus);
	xml_int(&q.xml, "memoryMB", mib);
	vmware_close(&q, "config");
	vmware_text(&q, "powerOn", STR("true"));
	vmware_close(&q, "spec");
	TRY(vmware_ask_id(&q, r, ret_task));
	return ret_task->n ? OK : remote_fail_answer(c, "it has no task");
}

/* Follows the task. If the name was taken meanwhile, looks for the machine with our token again. */
static RESULT follow_clone(struct ctx *c, struct remote *r, const struct remote_new *wish, struct str task,
			   struct remote_machine *ret_machine)
{
	struct vmware_task outcome;
	struct task_notes *notes = remote_task_notes(r);
	struct str token = uuid_to_str(c->arena, wish->token);
	struct result result = vmware_follow(c, r, task, &outcome);
	if (result.code == ERR_AGAIN && !outcome.fault.name.n)
		task_notes_put(notes, token, (int) REMOTE_MACHINE_ACT_CREATE, task, clock_now_us());
	else
		task_notes_drop(notes, token);
	if (result.code == ERR_EXISTS || result.code == ERR_NOT_FOUND) {
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_AGAIN, "The task or the name has changed meanwhile.");
	}
	TRY(result);
	return vmware_get_machine(c, r, outcome.result, ret_machine);
}

RESULT vmware_create(struct ctx *c, struct remote *r, const struct remote_new *wish,
		     struct remote_machine *ret_machine)
{
	bool is_found = false;
	struct str place[PLACE_TEXTS], pool = STR_NONE, task = STR_NONE;
	int64_t vcpus = 0, mib = 0;
	const struct task_note *note =
		task_notes_find(remote_task_notes(r), uuid_to_str(c->arena, wish->token),
				(int) REMOTE_MACHINE_ACT_CREATE, 0, clock_now_us());
	if (note)
		return follow_clone(c, r, wish, str_copy(c->arena, str_from(note->task)), ret_machine);
	TRY(check_wish(c, wish));
	TRY(machine_size_parse(c, "vCenter", wish->type, &vcpus, &mib));
	TRY(find_place(c, r, wish->image, place));
	TRY(find_created(c, r, wish, place[PLACE_FOLDER], &is_found, ret_machine));
	if (is_found)
		return OK;
	TRY(find_pool(c, r, wish->zone, place[PLACE_HOST], &pool));
	TRY(clone(c, r, wish, place[PLACE_FOLDER], pool, &task));
	return follow_clone(c, r, wish, task, ret_machine);
}
