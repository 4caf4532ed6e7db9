/* SPDX-License-Identifier: Apache-2.0
 * Checks shared by all compute drivers. */
#include "drivers/compute.h"

RESULT compute_check_slots(struct ctx *c, const struct compute_domain *wish)
{
	for (size_t k = 0; k < wish->disk_count; k++)
		if (wish->disks[k].slot < 0 || wish->disks[k].slot >= COMPUTE_DISK_SLOTS)
			return ctx_fail(c, ERR_RANGE, "disk slot %d; a domain has %d", wish->disks[k].slot,
					COMPUTE_DISK_SLOTS);
	for (size_t k = 0; k < wish->nic_count; k++)
		if (wish->nics[k].slot < 0 || wish->nics[k].slot >= COMPUTE_NIC_SLOTS)
			return ctx_fail(c, ERR_RANGE, "NIC slot %d; a domain has %d", wish->nics[k].slot,
					COMPUTE_NIC_SLOTS);
	return OK;
}

bool compute_wants_disk(const struct compute_domain *wish, uuid volume)
{
	for (size_t k = 0; k < wish->disk_count; k++)
		if (uuid_equal(wish->disks[k].volume, volume))
			return true;
	return false;
}

const struct compute_disk *compute_find_medium(const struct compute_domain *wish)
{
	for (size_t k = 0; k < wish->disk_count; k++)
		if (wish->disks[k].is_medium)
			return &wish->disks[k];
	return NULL;
}

bool compute_wants_nic(const struct compute_domain *wish, uuid port)
{
	for (size_t k = 0; k < wish->nic_count; k++)
		if (uuid_equal(wish->nics[k].port, port))
			return true;
	return false;
}

/* Compares the device sets. Neither has duplicates, so equal counts and inclusion in one direction mean
 * equality. */
void compute_compare_devices(struct compute_seen *seen, const struct compute_domain *wish)
{
	bool same = seen->limits_as_wished && seen->sizes_as_wished &&
		    seen->volumes.count == wish->disk_count && seen->ports.count == wish->nic_count;
	for (size_t k = 0; k < seen->volumes.count && same; k++)
		same = compute_wants_disk(wish, seen->volumes.at[k]);
	for (size_t k = 0; k < seen->ports.count && same; k++)
		same = compute_wants_nic(wish, seen->ports.at[k]);
	seen->devices_as_wished = same;
}
