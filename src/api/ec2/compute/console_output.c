/* SPDX-License-Identifier: Apache-2.0
 * GetConsoleOutput, GetConsoleScreenshot, GetInstanceUefiData: observe actions, which read from the
 * instance's host. */
#include "api/ec2/compute/uefi_data.h"
#include "api/ec2/core/write.h"
#include "base/picture.h"
#include "drivers/compute.h"
#include "engine/instance/instance.h"
#include "model/boot_mode.h"
#include "model/instance.h"
#include "model/states.h"

/* ---- its serial port ---- */

enum { CONSOLE_MAX_SIZE = 64 * 1024 };

struct ec2_get_console {
	struct ref instance;
	bool latest;
	/* results: */
	uuid id;
	struct str text;
	int64_t at_us;
};
static const struct param get_console_params[] = {
	PARAM(struct ec2_get_console, "InstanceId", instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	      .doc = "The instance."),
	PARAM(struct ec2_get_console, "Latest", latest,
	      .doc = "Accepted; the answer is always the latest output."),
};

/* Finds the host to ask. An instance without a host has no output. */
static RESULT prepare_console(struct ec2_call *e, void *args)
{
	struct ec2_get_console *a = args;
	const struct instance *instance = 0;
	TRY(engine_find_own_instance(e->c, ec2_tables(e), &a->instance, &instance));
	a->id = instance->row.id;
	a->at_us = instance->launched_us;
	if (model_derive_instance_state(instance) != INSTANCE_TERMINATED &&
	    instance->seen_power != INSTANCE_SEEN_POWER_ABSENT)
		e->host = instance->host;
	return OK;
}

/* Runs on the host's thread. */
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
	/* EC2 answers in base64, because consoles print what XML cannot contain. */
	xml_text_opt(x, "output", str_encode_base64(e->c->arena, a->text));
	return OK;
}

/* ---- its screen ---- */

struct ec2_get_screen {
	struct ref instance;
	bool wake;
	/* results: */
	uuid id;
	struct str jpeg;
};
static const struct param get_screen_params[] = {
	PARAM(struct ec2_get_screen, "InstanceId", instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	      .doc = "A running instance."),
	PARAM(struct ec2_get_screen, "WakeUp", wake,
	      .doc = "Sends a key press first, to wake a sleeping screen."),
};

static RESULT prepare_screen(struct ec2_call *e, void *args)
{
	struct ec2_get_screen *a = args;
	const struct instance *instance = 0;
	TRY(engine_find_own_instance(e->c, ec2_tables(e), &a->instance, &instance));
	if (!engine_has_console(instance))
		return ctx_fail_kind(e->c, ERR_STATE, KIND_INSTANCE,
				     "The instance '%" STR_FMT "' is not running", STR_ARG(a->instance.text));
	a->id = instance->row.id;
	e->host = instance->host;
	return OK;
}

/* Runs on the host's thread and encodes the JPEG there: the pixels do not fit into the call's arena. */
static RESULT look_at_screen(struct observation *o, const struct compute_driver *driver,
			     struct compute_host *h)
{
	struct ec2_get_screen *a = o->arg;
	AUTO(picture) picture = NULL;
	TRY(driver->draw_screen(h, o->ctx, a->id, a->wake, &picture));
	return picture_write_jpeg(o->ctx, picture, &a->jpeg);
}

static RESULT ec2_get_screenshot(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_get_screen *a = args;
	struct str data = str_encode_base64(e->c->arena, a->jpeg);
	if (!data.p)
		return ctx_no_memory(e->c);
	xml_text(x, "imageData", data);
	ec2_write_id(x, "instanceId", KIND_INSTANCE, a->id);
	return OK;
}

/* ---- what its UEFI keeps ---- */

struct ec2_get_uefi_data {
	struct ref instance;
	/* results: */
	uuid id;
	struct str data;
};
static const struct param get_uefi_data_params[] = {
	PARAM(struct ec2_get_uefi_data, "InstanceId", instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	      .doc = "An instance that boots with UEFI and has been started at least once."),
};

static RESULT prepare_uefi_data(struct ec2_call *e, void *args)
{
	struct ec2_get_uefi_data *a = args;
	const struct instance *instance = 0;
	TRY(engine_find_own_instance(e->c, ec2_tables(e), &a->instance, &instance));
	if (!model_is_uefi(instance->boot_mode))
		return ctx_fail_kind(e->c, ERR_UNSUPPORTED, KIND_INSTANCE,
				     "The instance '%" STR_FMT "' is not started by UEFI",
				     STR_ARG(a->instance.text));
	if (uuid_is_none(instance->host) || instance->seen_power == INSTANCE_SEEN_POWER_ABSENT ||
	    model_derive_instance_state(instance) == INSTANCE_TERMINATED)
		return ctx_fail_kind(e->c, ERR_STATE, KIND_INSTANCE,
				     "The instance '%" STR_FMT "' has no UEFI variables",
				     STR_ARG(a->instance.text));
	a->id = instance->row.id;
	e->host = instance->host;
	return OK;
}

/* Runs on the host's thread. */
static RESULT look_at_variables(struct observation *o, const struct compute_driver *driver,
				struct compute_host *h)
{
	struct ec2_get_uefi_data *a = o->arg;
	struct firmware_variables variables = {0};
	TRY(driver->read_variables(h, o->ctx, a->id, &variables));
	return ec2_pack_uefi_data(o->ctx, &variables, &a->data);
}

static RESULT ec2_get_uefi_data(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_get_uefi_data *a = args;
	struct str data = str_encode_base64(e->c->arena, a->data);
	if (!data.p)
		return ctx_no_memory(e->c);
	ec2_write_id(x, "instanceId", KIND_INSTANCE, a->id);
	xml_text(x, "uefiData", data);
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("GetConsoleOutput"), .flags = API_OBSERVES,
	 .args = PARAMS(struct ec2_get_console, get_console_params), .prepare = prepare_console,
	 .look = look_at_console, .answer = ec2_get_console_output,
	 .doc = "Returns the newest 64 KiB of an instance's serial console."},
	{EC2_ACTION("GetConsoleScreenshot"), .flags = API_OBSERVES,
	 .args = PARAMS(struct ec2_get_screen, get_screen_params), .prepare = prepare_screen,
	 .look = look_at_screen, .answer = ec2_get_screenshot,
	 .doc = "Returns a screenshot of a running instance as JPEG."},
	{EC2_ACTION("GetInstanceUefiData"), .flags = API_OBSERVES,
	 .args = PARAMS(struct ec2_get_uefi_data, get_uefi_data_params), .prepare = prepare_uefi_data,
	 .look = look_at_variables, .answer = ec2_get_uefi_data,
	 .doc = "Returns the UEFI variables of an instance in the format of AWS's python-uefivars."},
};
const struct api_actions ec2_console_actions = API_ACTIONS(actions);
