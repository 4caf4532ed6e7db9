/* SPDX-License-Identifier: Apache-2.0
 * dari serve: the control plane for real hosts, by its configuration file. */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/daemon.h"
#include "drivers/ceph.h"
#include "drivers/disk.h"
#include "drivers/fence.h"
#include "drivers/ovn/nb.h"
#include "store/sql.h"

enum { SYSTEMD_FIRST_FD = 3 };

/* A listening socket passed by the parent (systemd's protocol), or 0. */
static int inherited_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	int64_t value = 0;
	if (!pid || !count || !result_is_ok(str_parse_int(str_from(pid), &value)) || value != getpid())
		return 0;
	return result_is_ok(str_parse_int(str_from(count), &value)) && value >= 1 ? SYSTEMD_FIRST_FD : 0;
}

static RESULT serve_prepare(struct daemon *d)
{
	d->listen_fd = inherited_socket();
	d->config_path = *(const char **) d->role_data;
	return settings_load(&d->ctx, d->config_path, &d->settings);
}

static const char *path_of(struct daemon *d, struct str path)
{
	return path.n ? str_to_z(d->arena, path) : NULL;
}

static RESULT serve_open_drivers(struct daemon *d)
{
	d->compute[0] = &compute_libvirt;
	d->compute[1] = &compute_sim;
	d->fences[0] = &fence_sim;
	d->fences[1] = &fence_command;
	d->disks[0] = &disk_libvirt;
	d->disks[1] = &disk_sim;
	d->disks[2] = &disk_rbd;
	if (str_is_empty(d->settings.chassis))
		return ctx_fail(&d->ctx, ERR_INVALID,
				"ovn.chassis is not set: it is this machine's Open vSwitch system-id "
				"(ovs-vsctl get Open_vSwitch . external_ids:system-id)");
	struct ovn_config config = {.northbound = d->settings.ovn_northbound,
				    .southbound = d->settings.ovn_southbound,
				    .region = d->region_id,
				    .authority = path_of(d, d->settings.ovn_authority),
				    .certificate = path_of(d, d->settings.ovn_certificate),
				    .key = path_of(d, d->settings.ovn_key)};
	const char *balancers = getenv("DARI_BALANCERS"); /* set by dari.service */
	const struct haproxy_config proxies = {
		.directory = str_from(settings_path(d->arena, &d->settings, "proxies")),
		.ovsdb = d->settings.ovs_database,
		.region = d->region_id,
		.units = balancers ? str_from(balancers) : STR_NONE};
	const char *tunnels = getenv("DARI_TUNNELS"); /* set by dari.service */
	const struct strongswan_config vpns = {
		.directory = str_from(settings_path(d->arena, &d->settings, "tunnels")),
		.ovsdb = d->settings.ovs_database,
		.region = d->region_id,
		.units = tunnels ? str_from(tunnels) : STR_NONE};
	TRY(ovn_open(&d->ctx, &config, &d->network));
	ovn_set_epoch(&d->network, d->sql->lease.epoch);
	TRY(haproxy_open(&d->ctx, &proxies, &d->balancer_proxies));
	TRY(strongswan_open(&d->ctx, &vpns, &d->vpns));
	struct result result = plugs_open(&d->ctx, d->settings.ovs_database, d->region_id, &d->plugs);
	if (result_is_ok(result))
		return OK;
	struct str why = d->ctx.problem.message;
	ctx_clear_problem(&d->ctx);
	return ctx_fail(&d->ctx, result.code,
			"%" STR_FMT ". This machine has to run Open vSwitch and ovn-controller (apt install "
			"openvswitch-switch ovn-host), and ovn.local has to name its database",
			STR_ARG(why));
}

static void serve_report_failure(struct daemon *d, struct result result)
{
	log_event(LOG_ERROR, "cannot-start", "error=%s message=%s", err_name(result.code),
		  log_quote(d->ctx.problem.message));
}

int serve_run(const char *config_path)
{
	static const struct daemon_role role = {
		.prepare = serve_prepare,
		.open_drivers = serve_open_drivers,
		.report_failure = serve_report_failure,
	};
	return daemon_run(&role, &config_path);
}
