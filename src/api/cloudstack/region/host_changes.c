/* SPDX-License-Identifier: Apache-2.0
 * Changes of hosts: whether new machines are placed there, and maintenance. A maintenance begins at once, lasts until it is
 * cancelled, and moves the host's machines to other hosts. Sources: API reference, "Host", 4.19, and
 * ResourceManagerImpl.
 */
#include "api/cloudstack/region/region.h"
#include "engine/instance/instance_event.h"
#include "engine/region/host.h"
#include "store/host.h"

struct host_args {
	struct host_settings wish;
	struct str state;
};
#define P(wire, member, ...) PARAM(struct host_args, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	P("id", wish.host, .kind = KIND_HOST, .flags = REQUIRED, .doc = "The host."),
	P("allocationstate", state, .words = "Enable|Disable",
	  .doc = "Whether new machines are placed on the host: Enable or Disable."),
	NOT_BUILT("annotation|externaldetails|hosttags|name|oscategoryid|url"),
	NOT_BUILT("cleanupexternaldetails|istagarule", .only = "false"),
};
#undef P

static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct host_args *a = args;
	const struct host *host = host_find(cs_tables(e), a->wish.host.prefix);
	bool enables = str_equal_nocase(a->state, STR("Enable"));
	if (a->state.n)
		a->wish.enabled = enables ? CHOICE_YES : CHOICE_NO;
	return !host || !a->state.n || !host->maintenance_us
		       ? OK
		       : cs_fail_within(e, "Cannot %s host: it is in maintenance",
					enables ? "enable" : "disable");
}

static RESULT prepare_maintenance(struct cs_call *e, void *args)
{
	struct maintenance_wish *a = args;
	const struct host *host = host_find(cs_tables(e), a->host.prefix);
	a->kind = HOST_MAINTENANCE_KIND_MOVE;
	return !host || !host->maintenance_us
		       ? OK
		       : cs_fail_within(e,
					"Host is already in state %s. Cannot recall for maintenance until "
					"resolved.",
					cs_resource_state_of(host));
}

static RESULT prepare_cancel(struct cs_call *e, void *args)
{
	const struct maintenance_target *a = args;
	const struct host *host = host_find(cs_tables(e), a->host.prefix);
	return !host || host->maintenance_us
		       ? OK
		       : cs_fail_within(
				 e,
				 "Cannot perform cancelMaintenance when resource state is %s, hostId = "
				 "%" STR_FMT,
				 cs_resource_state_of(host), STR_ARG(a->host.text));
}

#define OPERATE "ec2:ModifyHypervisor"
#define CHANGES .flags = API_WRITES | CS_ADMIN
static const struct cs_action actions[] = {
	{CS_ACTION("updateHost", OPERATE), CHANGES, .args = PARAMS(struct host_args, update_params),
	 .prepare = prepare_update, .operation = engine_update_host_run, .returns = KIND_HOST,
	 CS_SUBJECT(struct host_args, wish.host.prefix), .shows = &cs_hosts,
	 .doc = "Enables or disables a host for new machines."},
	{CS_ACTION("prepareHostForMaintenance", OPERATE), CHANGES, .returns = API_RETURNS_NOTHING_STORED,
	 .args = CS_ONE(struct maintenance_wish, "id", host, KIND_HOST, "The host."),
	 .prepare = prepare_maintenance, .operation = engine_plan_maintenance_run,
	 CS_SUBJECT(struct maintenance_wish, host.prefix), .shows = &cs_hosts,
	 .outcome = ASYNC_JOB_OUTCOME_NOW,
	 .doc = "Begins a maintenance of a host: its machines move to other hosts."},
	{CS_ACTION("cancelHostMaintenance", OPERATE), CHANGES, .returns = API_RETURNS_NOTHING_STORED,
	 .args = CS_ONE(struct maintenance_target, "id", host, KIND_HOST, "The host."),
	 .prepare = prepare_cancel, .operation = engine_end_maintenance_run,
	 CS_SUBJECT(struct maintenance_target, host.prefix), .shows = &cs_hosts,
	 .outcome = ASYNC_JOB_OUTCOME_NOW, .doc = "Ends the maintenance of a host."},
};
const struct api_actions cs_host_change_actions = API_ACTIONS(actions);
