/* SPDX-License-Identifier: Apache-2.0
 * Usage of a running server, as reported by libvirt on its host; administrators only. Up to 2.47 in the
 * form of Nova's libvirt driver, then in a driver-independent form. Source: Compute API reference, "Server
 * diagnostics". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "drivers/compute.h"
#include "model/instance.h"
#include "store/host.h"
#include "store/port.h"

static const int64_t MIB = INT64_C(1) << 20, KIB = 1024;

struct os_diagnostics {
	struct ref server;
	/* set by prepare() and look(): */
	uuid id;
	struct compute_stats stats;
};
static const struct param params[] = {
	OS_PATH(struct os_diagnostics, "server_id", server, .kind = KIND_INSTANCE, .doc = "The server."),
};

static RESULT prepare(struct os_call *e, void *args)
{
	struct os_diagnostics *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &a->server, &instance));
	bool is_running = instance->seen_power == INSTANCE_SEEN_POWER_ON && !instance->seen_paused;
	if (!is_running)
		return ctx_fail_kind(
			e->c, ERR_STATE, KIND_INSTANCE,
			"Cannot 'get_diagnostics' instance %" STR_FMT " while it is in vm_state %" STR_FMT,
			STR_ARG(a->server.text), STR_ARG(os_server_vm_state(os_tables(e), instance)));
	a->id = instance->row.id;
	e->host = instance->host;
	return OK;
}

/* Runs on the host's thread. */
static RESULT look(struct observation *o, const struct compute_driver *driver, struct compute_host *h)
{
	struct os_diagnostics *a = o->arg;
	return driver->read_stats(h, o->ctx, a->id, &a->stats);
}

/* form up to 2.47 */

static void write_figure(struct os_call *e, struct json_writer *w, struct str device, const char *figure,
			 int64_t value)
{
	json_write_key(w, str_print(e->c->arena, "%" STR_FMT "%s", STR_ARG(device), figure));
	json_write_int(w, NULL, value);
}

static void write_old_traffic(struct os_call *e, struct json_writer *w, struct str device, const char *way,
			      const struct compute_traffic *t)
{
	struct str name = str_print(e->c->arena, "%" STR_FMT "_%s", STR_ARG(device), way);
	write_figure(e, w, name, "", t->bytes);
	write_figure(e, w, name, "_packets", t->packets);
	write_figure(e, w, name, "_errors", t->errors);
	write_figure(e, w, name, "_drop", t->drops);
}

static RESULT write_old(struct os_call *e, const struct compute_stats *s, struct json_writer *w)
{
	for (size_t k = 0; k < s->cpu_count; k++)
		write_figure(e, w, str_print(e->c->arena, "cpu%d", (int) s->cpus[k].number), "_time",
			     s->cpus[k].time_ns);
	for (size_t k = 0; k < s->disk_count; k++) {
		const struct compute_disk_stats *d = &s->disks[k];
		write_figure(e, w, d->name, "_read", d->read_bytes);
		write_figure(e, w, d->name, "_read_req", d->read_requests);
		write_figure(e, w, d->name, "_write", d->write_bytes);
		write_figure(e, w, d->name, "_write_req", d->write_requests);
		write_figure(e, w, d->name, "_errors", -1); /* QEMU does not count errors */
	}
	for (size_t k = 0; k < s->nic_count; k++) {
		write_old_traffic(e, w, s->nics[k].name, "rx", &s->nics[k].rx);
		write_old_traffic(e, w, s->nics[k].name, "tx", &s->nics[k].tx);
	}
	json_write_int(w, "memory", s->memory_max / KIB);
	json_write_int(w, "memory-actual", s->memory / KIB);
	return OK;
}

/* form since 2.48 */

static void write_cpus(struct json_writer *w, const struct compute_stats *s)
{
	json_write_open_list(w, "cpu_details");
	for (size_t k = 0; k < s->cpu_count; k++) {
		json_write_open(w, NULL);
		json_write_int(w, "id", s->cpus[k].number);
		json_write_int(w, "time", s->cpus[k].time_ns);
		json_write_null(w, "utilisation");
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_disks(struct json_writer *w, const struct compute_stats *s)
{
	json_write_open_list(w, "disk_details");
	for (size_t k = 0; k < s->disk_count; k++) {
		json_write_open(w, NULL);
		json_write_int(w, "read_bytes", s->disks[k].read_bytes);
		json_write_int(w, "read_requests", s->disks[k].read_requests);
		json_write_int(w, "write_bytes", s->disks[k].write_bytes);
		json_write_int(w, "write_requests", s->disks[k].write_requests);
		json_write_int(w, "errors_count", -1);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_nics(struct os_call *e, struct json_writer *w, const struct compute_stats *s)
{
	json_write_open_list(w, "nic_details");
	for (size_t k = 0; k < s->nic_count; k++) {
		const struct compute_nic_stats *n = &s->nics[k];
		const struct port *port = port_find(os_tables(e), n->port);
		json_write_open(w, NULL);
		if (port)
			os_write_mac(w, "mac_address", port->mac);
		else
			json_write_null(w, "mac_address");
		json_write_int(w, "rx_octets", n->rx.bytes);
		json_write_int(w, "rx_packets", n->rx.packets);
		json_write_int(w, "rx_errors", n->rx.errors);
		json_write_int(w, "rx_drop", n->rx.drops);
		json_write_null(w, "rx_rate");
		json_write_int(w, "tx_octets", n->tx.bytes);
		json_write_int(w, "tx_packets", n->tx.packets);
		json_write_int(w, "tx_errors", n->tx.errors);
		json_write_int(w, "tx_drop", n->tx.drops);
		json_write_null(w, "tx_rate");
		json_write_close(w);
	}
	json_write_close_list(w);
}

static RESULT write_new(struct os_call *e, const struct os_diagnostics *a, struct json_writer *w)
{
	const struct compute_stats *s = &a->stats;
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &a->server, &instance));
	const struct host *host = host_find(os_tables(e), instance->host);
	json_write_z(w, "state", "running");
	json_write_z(w, "driver", "libvirt");
	json_write_z(w, "hypervisor", host && host->seen_virt == HOST_SEEN_VIRT_KVM ? "kvm" : "qemu");
	json_write_z(w, "hypervisor_os", "linux");
	json_write_int(w, "uptime", (clock_now_us() - instance->launched_us) / SECOND);
	json_write_bool(w, "config_drive", instance->config_drive);
	json_write_int(w, "num_cpus", (int64_t) s->cpu_count);
	json_write_int(w, "num_disks", (int64_t) s->disk_count);
	json_write_int(w, "num_nics", (int64_t) s->nic_count);
	write_cpus(w, s);
	write_disks(w, s);
	write_nics(e, w, s);
	json_write_open(w, "memory_details");
	json_write_int(w, "maximum", s->memory_max / MIB);
	json_write_int(w, "used", s->memory / MIB);
	json_write_close(w);
	return OK;
}

static RESULT show(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_diagnostics *a = args;
	return e->request.version >= 48 ? write_new(e, a, w) : write_old(e, &a->stats, w);
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.1/servers/{server_id}/diagnostics", .permit = "os_compute_api:os-server-diagnostics",
	 .flags = OS_ADMIN, .args = OS_PARAMS(struct os_diagnostics, params), .prepare = prepare,
	 .look = look, .answer = show, .doc = "Shows the resource usage of a running server."},
};
const struct os_actions os_server_diagnostic_actions = OS_ACTIONS(OS_COMPUTE, actions);
