/* SPDX-License-Identifier: Apache-2.0
 * Extensions of Compute, older than microversions. Source: Compute API reference, "Extensions". */
#include "api/openstack/core/extensions.h"

/* Extensions of Nova's list whose calls and members are implemented. */
static const struct os_extension rows[] = {
	{"OS-DCF", "DiskConfig"},
	{"OS-EXT-AZ", "ExtendedAvailabilityZone"},
	{"OS-EXT-IMG-SIZE", "ImageSize"},
	{"OS-EXT-IPS", "ExtendedIps"},
	{"OS-EXT-IPS-MAC", "ExtendedIpsMac"},
	{"OS-EXT-SRV-ATTR", "ExtendedServerAttributes"},
	{"OS-EXT-STS", "ExtendedStatus"},
	{"OS-FLV-DISABLED", "FlavorDisabled"},
	{"OS-FLV-EXT-DATA", "FlavorExtraData"},
	{"OS-SRV-USG", "ServerUsage"},
	{"os-access-ips", "AccessIPs"},
	{"os-aggregates", "Aggregates"},
	{"os-attach-interfaces", "AttachInterfaces"},
	{"os-availability-zone", "AvailabilityZone"},
	{"os-block-device-mapping-v2-boot", "BlockDeviceMappingV2Boot"},
	{"os-config-drive", "ConfigDrive"},
	{"os-console-output", "ConsoleOutput"},
	{"os-consoles", "Consoles"},
	{"os-create-backup", "CreateBackup"},
	{"os-deferred-delete", "DeferredDelete"},
	{"os-extended-hypervisors", "ExtendedHypervisors"},
	{"os-extended-networks", "ExtendedNetworks"},
	{"os-extended-quotas", "ExtendedQuotas"},
	{"os-extended-rescue-with-image", "ExtendedRescueWithImage"},
	{"os-extended-services", "ExtendedServices"},
	{"os-extended-status", "ExtendedStatus"},
	{"os-extended-volumes", "ExtendedVolumes"},
	{"os-flavor-access", "FlavorAccess"},
	{"os-flavor-extra-specs", "FlavorExtraSpecs"},
	{"os-flavor-manage", "FlavorManage"},
	{"os-flavor-rxtx", "FlavorRxtx"},
	{"os-floating-ip-pools", "FloatingIpPools"},
	{"os-floating-ips", "FloatingIps"},
	{"os-hosts", "Hosts"},
	{"os-hypervisor-status", "HypervisorStatus"},
	{"os-hypervisors", "Hypervisors"},
	{"os-instance-actions", "InstanceActions"},
	{"os-instance_usage_audit_log", "OSInstanceUsageAuditLog"},
	{"os-keypairs", "Keypairs"},
	{"os-lock-server", "LockServer"},
	{"os-migrations", "Migrations"},
	{"os-multiple-create", "MultipleCreate"},
	{"os-networks", "Networks"},
	{"os-pause-server", "PauseServer"},
	{"os-quota-class-sets", "QuotaClasses"},
	{"os-quota-sets", "Quotas"},
	{"os-rescue", "Rescue"},
	{"os-security-groups", "SecurityGroups"},
	{"os-server-diagnostics", "ServerDiagnostics"},
	{"os-server-external-events", "ServerExternalEvents"},
	{"os-server-group-quotas", "ServerGroupQuotas"},
	{"os-server-groups", "ServerGroups"},
	{"os-server-list-multi-status", "ServerListMultiStatus"},
	{"os-server-password", "ServerPassword"},
	{"os-server-sort-keys", "ServerSortKeys"},
	{"os-server-start-stop", "ServerStartStop"},
	{"os-services", "Services"},
	{"os-shelve", "Shelve"},
	{"os-simple-tenant-usage", "SimpleTenantUsage"},
	{"os-suspend-server", "SuspendServer"},
	{"os-tenant-networks", "OSTenantNetworks"},
	{"os-used-limits", "UsedLimits"},
	{"os-used-limits-for-admin", "UsedLimitsForAdmin"},
	{"os-user-data", "UserData"},
	{"os-user-quotas", "UserQuotas"},
	{"os-volumes", "Volumes"},
};

static const struct os_extensions extensions = {
	OS_EXTENSIONS(rows),
	.updated = "2014-12-03T00:00:00Z",
	.namespace = "http://docs.openstack.org/compute/ext/fake_xml",
};

static RESULT list_extensions(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	return os_list_extensions(&extensions, w);
}

static RESULT show_extension(struct os_call *e, const void *args, struct json_writer *w)
{
	return os_show_extension(e, &extensions, ((const struct os_extension_target *) args)->alias, w);
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.1/extensions", .permit = "os_compute_api:extensions", .answer = list_extensions,
	 .doc = "Lists the API extensions."},
	{HTTP_GET, "/v2.1/extensions/{alias}", .permit = "os_compute_api:extensions",
	 .args = OS_PARAMS(struct os_extension_target, os_extension_params), .item = "extension",
	 .answer = show_extension, .doc = "Shows one API extension."},
};
const struct os_actions os_compute_extension_actions = OS_ACTIONS(OS_COMPUTE, actions);
