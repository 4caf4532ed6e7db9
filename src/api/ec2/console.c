/* SPDX-License-Identifier: Apache-2.0
 * GetConsoleOutput: an observe action, which reads through to the instance's host. */
#include "api/ec2/write.h"

enum { CONSOLE_MAX_SIZE = 64 * 1024 };

struct ec2_get_console {
	struct ref instance;
	bool latest;
	/* seen: */
	uuid id;
	struct str text;
	int64_t at_us;
};
static const struct param get_console_params[] = {
	PARAM(struct ec2_get_console, "InstanceId", instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	      .doc = "The instance."),
	PARAM(struct ec2_get_console, "Latest", latest, .doc = "It is always the latest here."),
};

/* Where to look. One that has no host, or none any more, has no output. */
static RESULT prepare_console(struct ec2_call *e, void *args)
{
	struct ec2_get_console *a = args;
	const struct instance *instance = 0;
	TRY(engine_find_own_instance(e->c, ec2_walk(e), &a->instance, &instance));
	a->id = instance->row.id;
	a->at_us = instance->launched_us;
	if (model_derive_instance_state(instance) != INSTANCE_TERMINATED &&
	    instance->seen_power != INSTANCE_SEEN_POWER_ABSENT)
		e->host = instance->host;
	return OK;
}

/* On the host's thread. */
static RESULT look_at_console(struct observation *o, const struct compute_driver *driver,
			      struct compute_host *h)
{
	struct ec2_get_console *a = o->arg;
	return driver->read_console(h, o->ctx, a->id, CONSOLE_MAX_SIZE, &a->text, &a->at_us);
}

static RESULT ec2_get_console_output(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_get_console *a = args;
	ec2_write_id(x, "instanceId", KIND_INSTANCE, a->id);
	xml_time_ms(x, "timestamp", a->at_us);
	xml_text_opt(x, "output", str_encode_base64(e->c->arena, a->text));
	return OK;
}

static const struct ec2_action actions[] = {
	{"GetConsoleOutput", "ec2:GetConsoleOutput", OBSERVES,
	 PARAMS(struct ec2_get_console, get_console_params), prepare_console, .look = look_at_console,
	 .answer = ec2_get_console_output, .doc = "The newest 64 KiB of an instance's serial console."},
};
const struct ec2_actions ec2_console_actions = ACTIONS(actions);
