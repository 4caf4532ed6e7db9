/* SPDX-License-Identifier: Apache-2.0
 * GetPasswordData: the administrator's password that a Windows guest generated, encrypted with its key
 * pair's public key. A guest reports it to the metadata service (cloudbase-init), or prints it to its
 * serial port between two tags, as EC2's agents do; then the port's log is searched. */
#include "api/ec2/compute/password_data.h"

#include "api/ec2/core/write.h"
#include "drivers/compute.h"
#include "model/instance.h"
#include "model/states.h"

/* RSA keys of up to 16384 bits give 2732 characters, and agents break lines. */
enum { LOG_MAX_SIZE = 64 * 1024, PASSWORD_MAX_SIZE = 3 * 1024 };

/* Returns the text between the last two tags, or nothing. */
static struct str cut_tagged(struct str text)
{
	static const char opening[] = "<Password>", closing[] = "</Password>";
	for (size_t end = text.n; end >= sizeof closing - 1; end--) {
		if (!str_ends_with(str_slice(text, 0, end), str_from(closing)))
			continue;
		size_t last = end - (sizeof closing - 1);
		for (size_t from = last; from >= sizeof opening - 1; from--)
			if (str_ends_with(str_slice(text, 0, from), str_from(opening)))
				return str_slice(text, from, last);
		return STR_NONE;
	}
	return STR_NONE;
}

static bool is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
	       c == '/' || c == '=';
}

RESULT ec2_find_password(struct ctx *c, struct str log, struct str *ret_password)
{
	struct str tagged = cut_tagged(log);
	*ret_password = STR_NONE;
	if (tagged.n == 0 || tagged.n > PASSWORD_MAX_SIZE)
		return OK;
	char *out = arena_alloc(c->arena, tagged.n);
	size_t n = 0;
	if (!out)
		return ctx_no_memory(c);
	for (size_t k = 0; k < tagged.n; k++) {
		char at = tagged.p[k];
		if (is_base64(at))
			out[n++] = at;
		else if (at != ' ' && at != '\t' && at != '\r' && at != '\n')
			return OK;
	}
	*ret_password = (struct str){out, n};
	return OK;
}

struct ec2_get_password {
	struct ref instance;
	/* results: */
	uuid id;
	struct str password;
	int64_t at_us;
};
static const struct param get_password_params[] = {
	PARAM(struct ec2_get_password, "InstanceId", instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	      .doc = "The instance."),
};

/* A password reported to the metadata service has precedence; otherwise the host is queried. */
static RESULT prepare_password(struct ec2_call *e, void *args)
{
	struct ec2_get_password *a = args;
	const struct instance *instance = NULL;
	TRY(engine_find_own_instance(e->c, ec2_tables(e), &a->instance, &instance));
	a->id = instance->row.id;
	a->at_us = instance->launched_us;
	a->password = str_copy(e->c->arena, instance->guest_password);
	if (instance->guest_password.n && !a->password.p)
		return ctx_no_memory(e->c);
	if (!a->password.n && model_derive_instance_state(instance) != INSTANCE_TERMINATED &&
	    instance->seen_power != INSTANCE_SEEN_POWER_ABSENT)
		e->host = instance->host;
	return OK;
}

/* Runs on the host's thread. */
static RESULT look_at_log(struct observation *o, const struct compute_driver *driver, struct compute_host *h)
{
	struct ec2_get_password *a = o->arg;
	struct str log = STR_NONE;
	TRY(driver->read_console(h, o->ctx, a->id, LOG_MAX_SIZE, &log, &a->at_us));
	return ec2_find_password(o->ctx, log, &a->password);
}

static RESULT ec2_get_password_data(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_get_password *a = args;
	(void) e;
	ec2_write_id(x, "instanceId", KIND_INSTANCE, a->id);
	xml_time_ms(x, "timestamp", a->at_us);
	xml_text(x, "passwordData", a->password);
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("GetPasswordData"), .flags = API_OBSERVES,
	 .args = PARAMS(struct ec2_get_password, get_password_params), .prepare = prepare_password,
	 .look = look_at_log, .answer = ec2_get_password_data,
	 .doc = "Returns the password that a Windows guest generated, encrypted for its key pair; empty "
		"until the guest has reported it."},
};
const struct api_actions ec2_password_actions = API_ACTIONS(actions);
