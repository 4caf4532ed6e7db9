/* SPDX-License-Identifier: Apache-2.0
 * Reads a host's properties and identifies its current boot. libvirt doesn't report the boot id, so a marker
 * is created that lives exactly as long as a boot: a transient pool, whose record in /run is removed by a
 * reboot but survives libvirtd. Its name contains a random number. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/random.h"
#include "drivers/libvirt/host.h"

enum { VERSION_MAJOR = 1000000, VERSION_MINOR = 1000 };

/* ---- the boot marker */

static RESULT make_marker(struct compute_host *h, struct ctx *c, struct str prefix)
{
	struct str xml = str_print(c->arena,
				   "<pool type='dir'><name>%" STR_FMT "%016" PRIx64 "</name>"
				   "<target><path>/run/dari-%s</path></target></pool>",
				   STR_ARG(prefix), random_u64(), h->region_text);
	if (!xml.p)
		return ctx_no_memory(c);
	AUTO_POOL p = virStoragePoolCreateXML(h->conn, xml.p, VIR_STORAGE_POOL_CREATE_WITH_BUILD);
	return p ? OK : libvirt_fail(h, c, "marking the boot of host %s", h->name);
}

static RESULT find_marker(struct compute_host *h, struct ctx *c, struct str prefix, struct str *ret_id)
{
	virStoragePoolPtr *pools = NULL;
	int count = virConnectListAllStoragePools(h->conn, &pools, VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT);
	if (count < 0)
		return libvirt_fail(h, c, "listing pools");
	*ret_id = STR_NONE;
	for (int k = 0; k < count; k++) {
		struct str name = str_from(virStoragePoolGetName(pools[k]));
		if (str_starts_with(name, prefix))
			*ret_id = str_copy(c->arena, str_slice(name, prefix.n, name.n));
		virStoragePoolFree(pools[k]);
	}
	libvirt_autofree_text((char **) &pools);
	return OK;
}

RESULT libvirt_find_boot_id(struct compute_host *h, struct ctx *c)
{
	struct str id = STR_NONE;
	struct str prefix = str_print(c->arena, "dari-%s-boot-", h->region_text);
	if (!prefix.p)
		return ctx_no_memory(c);
	TRY(find_marker(h, c, prefix, &id));
	if (!id.n) {
		TRY(make_marker(h, c, prefix));
		TRY(find_marker(h, c, prefix, &id));
	}
	if (!id.n || id.n >= BOOT_ID_SIZE)
		return ctx_fail(c, ERR_IO, "host %s lost the marker of its boot", h->name);
	memcpy(h->boot_id, id.p, id.n);
	h->boot_id[id.n] = '\0';
	return OK;
}

/* ---- facts */

static struct str write_version(struct arena *a, unsigned long libvirt, unsigned long qemu)
{
	return str_print(a, "libvirt %lu.%lu.%lu, QEMU %lu.%lu.%lu", libvirt / VERSION_MAJOR,
			 libvirt / VERSION_MINOR % VERSION_MINOR, libvirt % VERSION_MINOR,
			 qemu / VERSION_MAJOR, qemu / VERSION_MINOR % VERSION_MINOR, qemu % VERSION_MINOR);
}

/* Estimates the boot time, which libvirt doesn't report: each processor's busy, waiting and idle times add up
 * to the time since boot. Time stolen by a hypervisor below is missing. */
static int64_t find_boot_time(struct compute_host *h, struct ctx *c, const virNodeInfo *node)
{
	int count = 0;
	unsigned long long sum_ns = 0;
	if (!node->cpus || virNodeGetCPUStats(h->conn, VIR_NODE_CPU_STATS_ALL_CPUS, NULL, &count, 0) != 0 ||
	    count <= 0)
		return 0;
	virNodeCPUStats *stats = arena_new_array(c->arena, virNodeCPUStats, (size_t) count);
	if (!stats || virNodeGetCPUStats(h->conn, VIR_NODE_CPU_STATS_ALL_CPUS, stats, &count, 0) != 0)
		return 0;
	for (int k = 0; k < count; k++)
		if (strcmp(stats[k].field, VIR_NODE_CPU_STATS_UTILIZATION) != 0)
			sum_ns += stats[k].value;
	return sum_ns ? clock_now_us() - (int64_t) (sum_ns / node->cpus / 1000) : 0;
}

RESULT libvirt_probe(struct compute_host *h, struct ctx *c, struct compute_facts *ret_facts)
{
	virNodeInfo node = {0};
	unsigned long libvirt = 0, qemu = 0;
	int64_t size = 0, free = 0;
	TRY(libvirt_check_alive(h, c));
	if (virNodeGetInfo(h->conn, &node) != 0 || virConnectGetLibVersion(h->conn, &libvirt) != 0 ||
	    virConnectGetVersion(h->conn, &qemu) != 0)
		return libvirt_fail(h, c, "asking host %s what it is", h->name);
	TRY(libvirt_find_boot_id(h, c));
	TRY(libvirt_need_pools(h, c));
	TRY(libvirt_need_virt(h, c));
	TRY(libvirt_need_processor(h, c));
	TRY(libvirt_find_room(h, c, &size, &free));
	*ret_facts = (struct compute_facts){
		.cpus = node.cpus,
		.cores = (int64_t) node.nodes * node.sockets * node.cores,
		.sockets = (int64_t) node.nodes * node.sockets,
		.memory = (int64_t) node.memory * 1024,
		.disk = size,
		.disk_free = free,
		.virt = h->virt,
		.cpu = str_copy(c->arena, str_from(h->cpu)),
		.named_cpu = str_copy(c->arena, str_from(h->named_cpu)),
		.machine = str_copy(c->arena, str_from(h->machine)),
		.machines = str_copy(c->arena, str_from(h->machines)),
		.version = write_version(c->arena, libvirt, qemu),
		.boot_id = str_copy(c->arena, str_from(h->boot_id)),
		.booted_us = find_boot_time(h, c, &node),
		.virt_reason = str_copy(c->arena, str_from(h->virt_reason)),
	};
	return ret_facts->boot_id.p && ret_facts->version.p ? OK : ctx_no_memory(c);
}
