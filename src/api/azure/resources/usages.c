/* SPDX-License-Identifier: Apache-2.0
 * Usage and limits of an account's quotas. Source: Azure REST API reference, Compute "Usage" and Network "Usages". */
#include "api/azure/core/action.h"
#include "engine/limits.h"
#include "engine/quota.h"
#include "store/account.h"

struct usage {
	const char *name, *words;
	size_t used, limit; /* offsets in the account's usage, and in its row */
	enum limit_id held; /* limit that applies instead of the row's; 0: the row's */
};
#define USAGE(name, words, used, limit)                                                                      \
	{                                                                                                    \
		name, words, offsetof(struct account_usage, used), offsetof(struct account, limit)           \
	}
static const struct usage of_compute[] = {
	USAGE("availabilitySets", "Availability Sets", server_groups, limit_server_groups),
	USAGE("cores", "Total Regional vCPUs", vcpus, limit_vcpus),
	USAGE("virtualMachines", "Virtual Machines", instances, limit_instances),
	USAGE("StandardDiskCount", "Standard Storage Managed Disks", volumes, limit_volumes),
	USAGE("StandardSnapshotCount", "StandardStorageSnapshots", snapshots, limit_snapshots),
};
static const struct usage of_network[] = {
	USAGE("VirtualNetworks", "Virtual Networks", routers, limit_routers),
	USAGE("NetworkInterfaces", "Network Interfaces", ports, limit_ports),
	USAGE("NetworkSecurityGroups", "Network Security Groups", groups, limit_groups),
	USAGE("PublicIPAddresses", "Public IP Addresses", addresses, limit_addresses),
	{"PublicIpPrefixes", "Public Ip Prefixes", .held = LIMIT_ADDRESS_PREFIXES}, /* the name is guessed */
	USAGE("NatGateways", "Nat Gateways", nat_gateways, limit_nat_gateways),
};

static int64_t at(const void *whole, size_t offset)
{
	return *(const int64_t *) (const void *) ((const char *) whole + offset);
}

/* Unlimited quotas are shown as Azure's largest number. */
static RESULT write_usages(struct az_call *e, struct json_writer *w, const char *space,
			   const struct usage *rows, size_t count)
{
	const struct account *account = account_find(az_tables(e), e->c->who->account);
	struct str subscription = uuid_to_str(e->c->arena, e->c->who->account);
	struct account_usage used;
	engine_get_usage(account, &used);
	json_write_open_list(w, "value");
	for (size_t k = 0; k < count; k++) {
		enum limit_id held = rows[k].held;
		int64_t limit = held ? engine_get_limit(az_tables(e), held) : at(account, rows[k].limit);
		int64_t present = held ? engine_count_limited(az_tables(e), held, account->row.id)
				       : at(&used, rows[k].used);
		json_write_open(w, NULL);
		json_write_text(
			w, "id",
			str_print(e->c->arena,
				  "/subscriptions/%" STR_FMT "/providers/%s/locations/%" STR_FMT "/usages/%s",
				  STR_ARG(subscription), space, STR_ARG(az_location(e)), rows[k].name));
		json_write_z(w, "unit", "Count");
		json_write_int(w, "currentValue", present);
		json_write_int(w, "limit", limit < 0 || limit > INT32_MAX ? INT32_MAX : limit);
		json_write_open(w, "name");
		json_write_z(w, "value", rows[k].name);
		json_write_z(w, "localizedValue", rows[k].words);
		json_write_close(w);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static RESULT check_location(struct az_call *e)
{
	struct str location = az_path_value(e, "location");
	return str_equal(az_fold_location(e, location), az_location(e))
		       ? OK
		       : az_fail(e, "location", "The location '%" STR_FMT "' is not available.",
				 STR_ARG(str_slice(location, 0, 64)));
}

static RESULT list_compute(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	TRY(check_location(e));
	return write_usages(e, w, "Microsoft.Compute", of_compute, sizeof of_compute / sizeof *of_compute);
}

static RESULT list_network(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	TRY(check_location(e));
	return write_usages(e, w, "Microsoft.Network", of_network, sizeof of_network / sizeof *of_network);
}

static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION AZ_COMPUTE "/locations/{location}/usages", .name = "Usage_List",
	 .permit = "ec2:DescribeAccountAttributes", .type = AZ_COMPUTE_USAGES, .answer = list_compute,
	 .doc = "Lists the usage and limits of virtual machines and disks."},
	{HTTP_GET, AZ_SUBSCRIPTION AZ_NETWORK "/locations/{location}/usages", .name = "Usages_List",
	 .permit = "ec2:DescribeAccountAttributes", .type = AZ_NETWORK_USAGES, .answer = list_network,
	 .doc = "Lists the usage and limits of networks."},
};
const struct api_actions az_usage_actions = API_ACTIONS(actions);
