/* SPDX-License-Identifier: Apache-2.0
 * Azure's virtual machines: created with existing interfaces, powered on and off; a PUT lists all of a
 * machine's data disks. */
#include <stdio.h>

#include "simulation.h"

/* ---- creation ---- */

/* From the operator's image, or one of the account. Its first disk and its interface are deleted with the
 * machine. */
static bool draw_machine(struct request *x)
{
	if (!azure_draw_target(x, KIND_INSTANCE, "vm") || x->target)
		return false;
	struct thing *port = request_ref(x, NULL, KIND_PORT), *image = NULL;
	if (!port || port->of || !port->subnet || !port->subnet->of || !server_is_alone(x, port))
		return false;
	if (random_below(4) == 0)
		image = request_ref(x, NULL, KIND_IMAGE);
	azure_say(x,
		  "{" AZURE_LOCATION ", \"properties\": {\"hardwareProfile\": {\"vmSize\": \"t3.micro\"}, ");
	if (image)
		azure_say(x, "\"storageProfile\": {\"imageReference\": {\"id\": \"%" STR_FMT "\"}, ",
			  STR_ARG(azure_id(x->s, image)));
	else
		azure_say(x, "\"storageProfile\": {\"imageReference\": {\"publisher\": \"dari\", \"offer\": "
			     "\"debian\", \"sku\": \"default\", \"version\": \"latest\"}, ");
	azure_say(x,
		  "\"osDisk\": {\"createOption\": \"FromImage\", \"deleteOption\": \"Delete\"}}, "
		  "\"networkProfile\": {\"networkInterfaces\": [{\"id\": \"%" STR_FMT
		  "\", \"properties\": {\"deleteOption\": \"Delete\"}}]}}",
		  STR_ARG(azure_id(x->s, port)));
	azure_draw_tags(x);
	azure_say(x, "}");
	return true;
}

static void judge_machine(const struct request *x, struct verdict *v)
{
	const struct thing *port = x->refs[0], *image = request_find_ref(x, KIND_IMAGE);
	int64_t least = LIMIT_INSTANCES, most = LIMIT_INSTANCES;
	EACH (&x->s->model, t, KIND_INSTANCE)
		if (t->account == x->account) {
			least--;
			most -= !model_may_have_ended(t);
		}
	if (least < 1)
		refuse_or_doubt(v, most < 1, "OperationNotAllowed");
	attach_judge_free(port, v, "NicInUse");
	if (image && (!image->is_complete || image->is_disabled))
		refuse_or_doubt(v, image->is_empty || image->is_disabled, "OperationNotAllowed");
	if (x->s->hosts_shaken)
		doubt(v, "AllocationFailed");
}

/* The answer shows the random name of the first disk. */
static void name_root(struct request *x, const struct thing *machine, struct str answer)
{
	struct str name = answer_at(answer, "properties/storageProfile/osDisk/name");
	EACH (&x->s->model, t, KIND_VOLUME)
		if (t->of == machine) {
			snprintf(t->arm, sizeof t->arm, "%" STR_FMT, STR_ARG(name));
			t->area = x->area;
		}
}

static void apply_machine(struct request *x, struct str answer)
{
	struct thing *port = x->refs[0], *subnet = port->subnet;
	struct thing *t = model_add(&x->s->model, KIND_INSTANCE, x->account, subnet,
				    answer_at(answer, "properties/vmId"));
	t->group = port->group;
	t->group = port->group;
	t->wanted_on = true;
	snprintf(t->server, sizeof t->server, "%.15s", x->arm);
	t->may_lack_host = x->s->hosts_shaken || x->s->hosts_divided;
	t->is_alone = subnet->of->is_alone;
	x->s->hosts_divided |= t->is_alone;
	instance_add_volumes(x, t);
	port->of = t;
	azure_take_name(x, t);
	azure_apply_tags(x, t);
	name_root(x, t, answer);
}

/* ---- power ---- */

/* Possibly a power-off without the guest's cooperation. */
static bool draw_off(struct request *x)
{
	x->flag = random_below(4) == 0;
	if (x->flag)
		snprintf(x->path + strlen(x->path), sizeof x->path - strlen(x->path), "&skipShutdown=true");
	return true;
}

static bool draw_deallocate(struct request *x)
{
	x->flag = false;
	return true;
}

/* ---- data disks ---- */

enum { FIRST_LETTER = 'c' };

/* LUN of the disk; -1 if its device corresponds to none. */
static int lun_of(const struct thing *volume)
{
	bool is_plain = strncmp(volume->name, "/dev/sd", 7) == 0 && volume->name[7] >= FIRST_LETTER &&
			volume->name[7] <= 'z' && !volume->name[8];
	return is_plain ? volume->name[7] - FIRST_LETTER : -1;
}

/* True if the model is certain about the machine's disks. */
static bool has_known_disks(const struct request *x, const struct thing *machine)
{
	if (machine->account != x->account || machine->life != LIVE || model_may_have_ended(machine) ||
	    !server_is_alone(x, machine))
		return false;
	EACH (&x->s->model, t, KIND_VOLUME) {
		bool may_be_its = t->left == machine || (t->to == machine && (lun_of(t) < 0 || !t->id[0]));
		if (may_be_its || (t->of == machine && t->is_spare) ||
		    (t->to == machine && !server_is_alone(x, t)))
			return false;
	}
	return true;
}

static void say_disk(struct request *x, const struct thing *volume, int lun, const char *comma)
{
	azure_say(x,
		  "%s{\"lun\": %d, \"createOption\": \"Attach\", \"managedDisk\": {\"id\": \"%" STR_FMT
		  "\"}}",
		  comma, lun, STR_ARG(azure_id(x->s, volume)));
}

/* more: a disk to attach, which may be gone; EACH would not find it then. */
static void say_disks(struct request *x, const struct thing *machine, const struct thing *but,
		      const struct thing *more, int lun)
{
	const char *comma = "";
	azure_say(x, "{" AZURE_LOCATION ", \"properties\": {\"storageProfile\": {\"dataDisks\": [");
	EACH (&x->s->model, t, KIND_VOLUME)
		if (t->to == machine && t != but) {
			say_disk(x, t, lun_of(t), comma);
			comma = ", ";
		}
	if (more)
		say_disk(x, more, lun, comma);
	azure_say(x, "]}}}");
}

static bool is_lun_free(const struct request *x, const struct thing *machine, int lun)
{
	EACH (&x->s->model, t, KIND_VOLUME)
		if (t->to == machine && lun_of(t) == lun)
			return false;
	return true;
}

static bool draw_attach(struct request *x)
{
	int lun = 3 + (int) random_below(3); /* EC2 would name these devices so */
	const struct thing *machine = x->refs[0];
	if (!has_known_disks(x, machine) || !is_lun_free(x, machine, lun))
		return false;
	const struct thing *volume = request_ref(x, NULL, KIND_VOLUME);
	if (!volume || volume->is_shared || volume->to == machine || !server_is_alone(x, volume))
		return false;
	snprintf(x->name, sizeof x->name, "/dev/sd%c", (char) (FIRST_LETTER + lun));
	say_disks(x, machine, NULL, volume, lun);
	return true;
}

/* Disks that the machine already has are checked before the engine is asked. */
static void judge_attach(const struct request *x, struct verdict *v)
{
	const struct thing *machine = x->refs[0], *volume = x->refs[1];
	attach_judge_free(volume, v, "ConflictingUserInput");
	attach_judge_free(volume, v, "OperationNotAllowed");
	if (x->s->hosts_shaken)
		doubt(v, "AllocationFailed");
	refuse_or_doubt(v, machine->life == ENDING, "OperationNotAllowed");
}

static void apply_attach(struct request *x, struct str answer)
{
	struct thing *t = x->refs[1];
	(void) answer;
	azure_apply_tags(x, x->refs[0]);
	t->to = x->refs[0];
	t->left = NULL;
	snprintf(t->name, sizeof t->name, "%s", x->name);
}

static bool draw_detach(struct request *x)
{
	struct thing *machine = x->refs[0], *picked = NULL;
	uint64_t count = 0;
	if (!has_known_disks(x, machine) || machine->is_paused)
		return false;
	EACH (&x->s->model, t, KIND_VOLUME)
		if (t->to == machine && random_below(++count) == 0)
			picked = t;
	if (!picked)
		return false;
	request_name(x, NULL, picked);
	say_disks(x, machine, picked, NULL, 0);
	return true;
}

static void judge_detach(const struct request *x, struct verdict *v)
{
	const struct thing *machine = x->refs[0];
	refuse_or_doubt(v, machine->life == ENDING, "OperationNotAllowed");
	if (machine->is_saved || machine->was_saved)
		refuse_or_doubt(v, machine->is_saved && server_is_at_rest(x, machine), "OperationNotAllowed");
}

static void apply_detach(struct request *x, struct str answer)
{
	struct thing *t = x->refs[1];
	(void) answer;
	azure_apply_tags(x, x->refs[0]);
	t->left = t->to;
	t->to = NULL;
}

#define ON                                                                                                   \
	{                                                                                                    \
		{                                                                                            \
			"", KIND_INSTANCE                                                                    \
		}                                                                                            \
	}
static const struct operation rows[] = {
	{"PUT virtualMachines", 6, {}, NULL, draw_machine, judge_machine, apply_machine},
	{"PUT virtualMachines", 2, ON, NULL, azure_draw_back},
	{"POST virtualMachines/start", 4, ON, NULL, NULL, instance_judge_start, instance_apply_start},
	{"POST virtualMachines/powerOff", 2, ON, NULL, draw_off, instance_judge_stop, instance_apply_stop},
	{"POST virtualMachines/deallocate", 3, ON, NULL, draw_deallocate, instance_judge_stop,
	 instance_apply_stop},
	{"POST virtualMachines/restart", 2, ON, NULL, NULL, instance_judge_reboot, instance_apply_reboot},
	{"DELETE virtualMachines", 3, ON, NULL, NULL, instance_judge_terminate, instance_apply_terminate},
	{"PUT virtualMachines", 4, ON, NULL, draw_attach, judge_attach, apply_attach},
	{"PUT virtualMachines", 3, ON, NULL, draw_detach, judge_detach, apply_detach},
};
const struct operations azure_machine_operations = {rows, sizeof rows / sizeof *rows};
