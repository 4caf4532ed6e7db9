/* SPDX-License-Identifier: Apache-2.0
 * What there is beside servers, by the names that it had before there were microversions. Source: Compute API
 * reference, "Extensions". */
#include "api/openstack/action.h"

/* Those of which all calls are built. */
static const struct extension {
	const char *alias, *name;
} extensions[] = {
	{"os-aggregates", "Aggregates"},
	{"os-attach-interfaces", "AttachInterfaces"},
	{"os-availability-zone", "AvailabilityZone"},
	{"os-console-output", "ConsoleOutput"},
	{"os-extended-availability-zone", "ExtendedAvailabilityZone"},
	{"os-extended-server-attributes", "ExtendedServerAttributes"},
	{"os-extended-status", "ExtendedStatus"},
	{"os-extended-volumes", "ExtendedVolumes"},
	{"os-flavor-access", "FlavorAccess"},
	{"os-flavor-extra-specs", "FlavorExtraSpecs"},
	{"os-flavor-manage", "FlavorManage"},
	{"os-floating-ip-pools", "FloatingIpPools"},
	{"os-floating-ips", "FloatingIps"},
	{"os-hypervisors", "Hypervisors"},
	{"os-instance-actions", "InstanceActions"},
	{"os-keypairs", "Keypairs"},
	{"os-lock-server", "LockServer"},
	{"os-pause-server", "PauseServer"},
	{"os-quota-sets", "Quotas"},
	{"os-rescue", "Rescue"},
	{"os-server-groups", "ServerGroups"},
	{"os-server-password", "ServerPassword"},
	{"os-server-usage", "ServerUsage"},
	{"os-services", "Services"},
	{"os-shelve", "Shelve"},
	{"os-suspend-server", "SuspendServer"},
	{"os-user-data", "UserData"},
	{"os-volumes", "Volumes"},
};

static void write_extension(struct json_writer *w, const struct extension *x)
{
	json_write_z(w, "alias", x->alias);
	json_write_z(w, "name", x->name);
	json_write_z(w, "description", "");
	json_write_z(w, "namespace", "http://docs.openstack.org/compute/ext/fake_xml");
	json_write_z(w, "updated", "2014-12-03T00:00:00Z");
	json_write_open_list(w, "links");
	json_write_close_list(w);
}

static RESULT list_extensions(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_open_list(w, "extensions");
	for (size_t k = 0; k < sizeof extensions / sizeof extensions[0]; k++) {
		json_write_open(w, NULL);
		write_extension(w, &extensions[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

struct os_extension {
	struct str alias;
};
static const struct os_param one_params[] = {
	OS_PATH(struct os_extension, "alias", alias, .doc = "Its name."),
};

static RESULT show_extension(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_extension *a = args;
	for (size_t k = 0; k < sizeof extensions / sizeof extensions[0]; k++)
		if (str_is(a->alias, extensions[k].alias)) {
			write_extension(w, &extensions[k]);
			return OK;
		}
	return ctx_fail(e->c, ERR_NOT_FOUND, "There is no extension '%" STR_FMT "'.",
			STR_ARG(str_slice(a->alias, 0, 64)));
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.1/extensions", .permit = "os_compute_api:extensions", .answer = list_extensions,
	 .doc = "What there is beside servers."},
	{HTTP_GET, "/v2.1/extensions/{alias}", .permit = "os_compute_api:extensions",
	 .args = OS_PARAMS(struct os_extension, one_params), .item = "extension", .answer = show_extension,
	 .doc = "One of that."},
};
const struct os_actions os_compute_extension_actions = OS_ACTIONS(OS_COMPUTE, actions);
