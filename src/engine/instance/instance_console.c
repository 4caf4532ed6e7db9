/* SPDX-License-Identifier: Apache-2.0
 * Permission to open consoles. */
#include "engine/instance/instance.h"
#include "engine/resolve.h"
#include "model/identity.h"
#include "model/instance.h"
#include "model/role.h"
#include "store/account.h"

bool engine_has_console(const struct instance *instance)
{
	return instance->seen_power == INSTANCE_SEEN_POWER_ON && !uuid_is_none(instance->host);
}

RESULT engine_find_console(struct ctx *c, const struct tables *t, const struct ref *ref, bool is_serial,
			   const struct instance **ret_instance)
{
	const struct instance *instance = NULL;
	TRY(engine_find_own_instance(c, t, ref, &instance));
	if (!identity_has(c->who, RIGHT_MEMBER))
		return ctx_fail(c, ERR_DENIED, "A console is for those who may change its instance.");
	const struct account *account = account_find(t, instance->account);
	if (is_serial && account && account->serial_consoles_closed)
		return ctx_fail(c, ERR_DENIED, "The account has closed its instances' serial consoles.");
	if (!engine_has_console(instance))
		return ctx_fail_kind(c, ERR_STATE, KIND_INSTANCE, "Instance %" STR_FMT " is not ready",
				     STR_ARG(uuid_to_str(c->arena, instance->row.id)));
	*ret_instance = instance;
	return OK;
}
