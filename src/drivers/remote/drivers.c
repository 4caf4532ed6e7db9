/* SPDX-License-Identifier: Apache-2.0
 * The table of clouds, and what their drivers share. */
#include "drivers/remote.h"

#include "base/clock.h"
#include "drivers/remote/draft.h"
#include "drivers/remote/machine_size.h"
#include "model/provider.h"

const struct remote_driver *remote_driver_of(int cloud)
{
	static const struct remote_driver *const drivers[] = {[PROVIDER_CLOUD_AWS] = &remote_ec2,
							      [PROVIDER_CLOUD_OPENSTACK] = &remote_openstack,
							      [PROVIDER_CLOUD_CLOUDSTACK] =
								      &remote_cloudstack,
							      [PROVIDER_CLOUD_AZURE] = &remote_azure,
							      [PROVIDER_CLOUD_VMWARE] = &remote_vmware,
							      [PROVIDER_CLOUD_HYPERV] = &remote_hyperv};
	return drivers[cloud];
}

bool remote_read_size(struct ctx *c, struct str type, int64_t *ret_vcpus, int64_t *ret_bytes)
{
	int64_t vcpus = 0, mib = 0;
	bool is_size = result_is_ok(machine_size_parse(c, "the cloud", type, &vcpus, &mib));
	ctx_clear_problem(c);
	if (is_size) {
		*ret_vcpus = vcpus;
		*ret_bytes = mib << 20;
	}
	return is_size;
}

struct str remote_snapshot_name(struct ctx *c, const struct remote_act *act)
{
	char time[CLOCK_TEXT_SIZE];
	return str_print(c->arena, "dari-%s", clock_write_basic(act->asked_us, time));
}

RESULT remote_add_lack(struct ctx *c, struct remote_identity *identity, struct str right)
{
	struct str *longer = arena_new_array(c->arena, struct str, identity->lacks.count + 1);
	if (!longer)
		return ctx_no_memory(c);
	for (size_t k = 0; k < identity->lacks.count; k++)
		longer[k] = identity->lacks.at[k];
	longer[identity->lacks.count] = right;
	identity->lacks = (struct strs){longer, identity->lacks.count + 1};
	return OK;
}

RESULT remote_touch_machine(struct ctx *c, struct remote_changes *changes, struct str ref, uint64_t event)
{
	if (!draft_is_id(ref))
		return OK;
	for (size_t k = 0; k < changes->count; k++)
		if (changes->at[k].event == event && str_equal(changes->at[k].ref, ref))
			return OK;
	if (!changes->at)
		changes->at = arena_new_array(c->arena, struct remote_touch, REMOTE_TOUCHES_MAX);
	struct str copy = str_copy(c->arena, ref);
	if (!changes->at || !copy.p)
		return ctx_no_memory(c);
	changes->has_overflow |= changes->count == REMOTE_TOUCHES_MAX;
	if (changes->count < REMOTE_TOUCHES_MAX)
		changes->at[changes->count++] = (struct remote_touch){copy, event};
	return OK;
}
