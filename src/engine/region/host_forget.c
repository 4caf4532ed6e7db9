/* SPDX-License-Identifier: Apache-2.0
 * Forgets a host that never comes back. reconcile/instance/instance.c finds another host for its instances; lost ones
 * wait for their owners. Called by: api/native/hosts.c. */
#include "engine/region/host_forget.h"

#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "engine/region/dedicated_host_internal.h"
#include "engine/region/fence.h"
#include "engine/region/host.h"
#include "engine/storage/volume/volume_internal.h"
#include "store/host.h"

/* Places each instance if possible; the others wait for room. */
static RESULT place_all(struct op *op, const struct host_forgetting *wish)
{
	for (size_t k = 0; k < wish->lost.count; k++)
		if (wish->lost.at[k].kind == KIND_INSTANCE)
			TRY(instance_place_or_log(op, wish->lost.at[k].id));
	return OK;
}

RESULT engine_forget_host(struct op *op, struct host_forgetting *wish)
{
	const struct host *host = NULL;
	TRY(engine_permit_host(op, &wish->host, "host.remove", &host));
	if (!engine_is_host_off(op->head, host->row.id))
		return ENGINE_FAIL(op, ERR_STATE, KIND_HOST, wish->host.field,
				   "The host '%" STR_FMT
				   "' is not proven to be off: `dari host fence` turns it off, `dari host "
				   "fenced` takes your word.",
				   STR_ARG(host->name));
	uuid id = host->row.id;
	struct host_target target = {wish->host};
	wish->lost.count = 0;
	TRY(instance_give_up_all(op, id, wish));
	TRY(volume_lose_all(op, id, wish));
	TRY(place_all(op, wish));
	TRY(dedicated_host_fail(op, id));
	return engine_remove_host(op, &target);
}
