/* SPDX-License-Identifier: Apache-2.0
 * Attaches ISOs to machines' CD-ROM drives and detaches them. Source: API reference, "ISO";
 * TemplateManagerImpl of 4.18.
 */
#include "api/cloudstack/compute/compute.h"
#include "engine/instance/instance.h"
#include "engine/resolve.h"
#include "model/instance.h"

struct medium_args {
	struct instance_medium wish;
	enum choice forces;
};
#define P(wire, member, ...) PARAM(struct medium_args, wire, member, __VA_ARGS__)
#define MACHINE                                                                                              \
	P("virtualmachineid", wish.instance, .kind = KIND_INSTANCE, .flags = REQUIRED,                       \
	  .doc = "The virtual machine."),                                                                    \
		P("forced", forces,                                                                          \
		  .doc = "Ignored: an ISO is always detached without the guest's consent.")
static const struct param attach_params[] = {
	MACHINE,
	P("id", wish.image, .kind = KIND_IMAGE, .flags = REQUIRED, .doc = "The ISO."),
};
static const struct param detach_params[] = {MACHINE};
#undef P

static RESULT prepare_detach(struct cs_call *e, void *args)
{
	struct medium_args *a = args;
	const struct instance *instance = NULL;
	TRY(engine_find_own_instance(e->c, cs_tables(e), &a->wish.instance, &instance));
	return uuid_is_none(engine_get_medium(cs_tables(e), instance->row.id))
		       ? cs_fail(e, "virtualmachineid", "The specified VM has no ISO attached to it.")
		       : OK;
}

#define MEDIUM(word, rows, run, ...)                                                                         \
	{                                                                                                    \
		.name = (word), .permit = "ec2:ModifyInstanceMedium", .flags = API_WRITES,                   \
		.args = PARAMS(struct medium_args, rows), .operation = (run),                                \
		CS_SUBJECT(struct medium_args, wish.instance.prefix), .shows = &cs_machines,                 \
		.outcome = ASYNC_JOB_OUTCOME_SETTLED, .returns = API_RETURNS_NOTHING_STORED, __VA_ARGS__     \
	}
static const struct cs_action actions[] = {
	MEDIUM("attachIso", attach_params, engine_insert_medium_run,
	       .doc = "Attaches an ISO to a virtual machine."),
	MEDIUM("detachIso", detach_params, engine_eject_medium_run, .prepare = prepare_detach,
	       .doc = "Detaches the ISO from a virtual machine."),
};
const struct api_actions cs_medium_actions = API_ACTIONS(actions);
