/* SPDX-License-Identifier: Apache-2.0
 * A guest's usage since its start: libvirt's bulk statistics, with interfaces assigned to ports by the
 * domain's XML; and the sums over all guests. */
#include <stdio.h>

#include "drivers/libvirt/host.h"

enum { NAME_SIZE = 64 };

static int64_t find_number(virDomainStatsRecordPtr r, const char *form, int index)
{
	char name[NAME_SIZE];
	unsigned long long value = 0;
	(void) snprintf(name, sizeof name, form, index);
	return virTypedParamsGetULLong(r->params, r->nparams, name, &value) == 1 ? (int64_t) value : 0;
}

/* Reads a count such as "net.count". */
static size_t find_count(virDomainStatsRecordPtr r, const char *name)
{
	unsigned count = 0;
	return virTypedParamsGetUInt(r->params, r->nparams, name, &count) == 1 ? count : 0;
}

static struct str find_name(struct ctx *c, virDomainStatsRecordPtr r, const char *form, int index)
{
	char name[NAME_SIZE];
	const char *value = NULL;
	(void) snprintf(name, sizeof name, form, index);
	return virTypedParamsGetString(r->params, r->nparams, name, &value) == 1
		       ? str_copy(c->arena, str_from(value))
		       : STR_NONE;
}

static RESULT read_cpus(struct ctx *c, virDomainStatsRecordPtr r, struct compute_stats *ret_stats)
{
	size_t count = find_count(r, "vcpu.maximum");
	struct compute_cpu_stats *cpus = arena_new_array(c->arena, struct compute_cpu_stats, count + 1);
	if (!cpus)
		return ctx_no_memory(c);
	for (size_t k = 0; k < count; k++)
		cpus[k] = (struct compute_cpu_stats){(int64_t) k, find_number(r, "vcpu.%d.time", (int) k)};
	ret_stats->cpus = cpus;
	ret_stats->cpu_count = count;
	return OK;
}

static RESULT read_disks(struct ctx *c, virDomainStatsRecordPtr r, struct compute_stats *ret_stats)
{
	size_t count = find_count(r, "block.count");
	struct compute_disk_stats *disks = arena_new_array(c->arena, struct compute_disk_stats, count + 1);
	if (!disks)
		return ctx_no_memory(c);
	for (size_t k = 0; k < count; k++)
		disks[k] = (struct compute_disk_stats){
			.name = find_name(c, r, "block.%d.name", (int) k),
			.read_bytes = find_number(r, "block.%d.rd.bytes", (int) k),
			.read_requests = find_number(r, "block.%d.rd.reqs", (int) k),
			.write_bytes = find_number(r, "block.%d.wr.bytes", (int) k),
			.write_requests = find_number(r, "block.%d.wr.reqs", (int) k),
		};
	ret_stats->disks = disks;
	ret_stats->disk_count = count;
	return OK;
}

/* The name is a tap device's, chosen by libvirt. */
static uuid find_port(struct ctx *c, struct xml_tree *t, struct str name)
{
	uuid port = UUID_NONE;
	struct str path = str_print(
		c->arena, "//interface[target/@dev='%" STR_FMT "']/virtualport/parameters/@interfaceid",
		STR_ARG(name));
	if (path.p && !result_is_ok(uuid_parse(xml_tree_find(c, t, path.p), &port)))
		port = UUID_NONE;
	return port;
}

static RESULT read_nics(struct ctx *c, virDomainStatsRecordPtr r, struct xml_tree *t,
			struct compute_stats *ret_stats)
{
	size_t count = find_count(r, "net.count");
	struct compute_nic_stats *nics = arena_new_array(c->arena, struct compute_nic_stats, count + 1);
	if (!nics)
		return ctx_no_memory(c);
	for (size_t k = 0; k < count; k++) {
		nics[k] = (struct compute_nic_stats){
			.name = find_name(c, r, "net.%d.name", (int) k),
			.rx = {find_number(r, "net.%d.rx.bytes", (int) k),
			       find_number(r, "net.%d.rx.pkts", (int) k),
			       find_number(r, "net.%d.rx.errs", (int) k),
			       find_number(r, "net.%d.rx.drop", (int) k)},
			.tx = {find_number(r, "net.%d.tx.bytes", (int) k),
			       find_number(r, "net.%d.tx.pkts", (int) k),
			       find_number(r, "net.%d.tx.errs", (int) k),
			       find_number(r, "net.%d.tx.drop", (int) k)},
		};
		nics[k].port = find_port(c, t, nics[k].name);
	}
	ret_stats->nics = nics;
	ret_stats->nic_count = count;
	return OK;
}

static RESULT read_record(struct ctx *c, virDomainStatsRecordPtr r, struct xml_tree *t,
			  struct compute_stats *ret_stats)
{
	*ret_stats = (struct compute_stats){
		.memory = find_number(r, "balloon.current", 0) * 1024,
		.memory_max = find_number(r, "balloon.maximum", 0) * 1024,
	};
	TRY(read_cpus(c, r, ret_stats));
	TRY(read_disks(c, r, ret_stats));
	return read_nics(c, r, t, ret_stats);
}

RESULT libvirt_read_stats(struct compute_host *h, struct ctx *c, uuid id, struct compute_stats *ret_stats)
{
	AUTO_DOMAIN d = NULL;
	AUTO(xml_tree) t = NULL;
	virDomainStatsRecordPtr *records = NULL;
	TRY(libvirt_find_running(h, c, id, &d, NULL));
	AUTO_TEXT xml = virDomainGetXMLDesc(d, 0);
	if (!xml)
		return libvirt_fail(h, c, "reading a domain of host %s", h->name);
	TRY(xml_tree_parse(c, str_from(xml), &t));
	virDomainPtr domains[] = {d, NULL};
	unsigned wanted = VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_BLOCK | VIR_DOMAIN_STATS_INTERFACE |
			  VIR_DOMAIN_STATS_BALLOON;
	if (virDomainListGetStats(domains, wanted, &records, 0) != 1 || !records)
		return libvirt_fail(h, c, "reading the statistics of a domain of host %s", h->name);
	struct result result = read_record(c, records[0], t, ret_stats);
	virDomainStatsRecordListFree(records);
	return result;
}

/* ---- of all guests ---- */

/* Sums a figure over all devices of a kind. */
static int64_t sum_numbers(virDomainStatsRecordPtr r, const char *count, const char *form)
{
	int64_t sum = 0;
	size_t n = find_count(r, count);
	for (size_t k = 0; k < n; k++)
		sum += find_number(r, form, (int) k);
	return sum;
}

static struct compute_usage sum_record(virDomainStatsRecordPtr r)
{
	return (struct compute_usage){
		.id = libvirt_id_of(r->dom),
		.cpus = (int64_t) find_count(r, "vcpu.current"),
		.cpu_ns = find_number(r, "cpu.time", 0),
		.memory = find_number(r, "balloon.rss", 0) * 1024,
		.rx_bytes = sum_numbers(r, "net.count", "net.%d.rx.bytes"),
		.tx_bytes = sum_numbers(r, "net.count", "net.%d.tx.bytes"),
		.rx_packets = sum_numbers(r, "net.count", "net.%d.rx.pkts"),
		.tx_packets = sum_numbers(r, "net.count", "net.%d.tx.pkts"),
		.read_bytes = sum_numbers(r, "block.count", "block.%d.rd.bytes"),
		.write_bytes = sum_numbers(r, "block.count", "block.%d.wr.bytes"),
		.read_requests = sum_numbers(r, "block.count", "block.%d.rd.reqs"),
		.write_requests = sum_numbers(r, "block.count", "block.%d.wr.reqs"),
	};
}

enum { NODE_FIGURES_MAX = 16 };

/* Reads the processors' busy time: all time except idle and I/O wait. */
static RESULT read_node_cpus(struct compute_host *h, struct ctx *c, struct compute_usage *host)
{
	virNodeCPUStats stats[NODE_FIGURES_MAX];
	virNodeInfo info = {0};
	int count = 0;
	if (virNodeGetCPUStats(h->conn, VIR_NODE_CPU_STATS_ALL_CPUS, NULL, &count, 0) != 0)
		return libvirt_fail(h, c, "reading the processors' time of host %s", h->name);
	count = count > NODE_FIGURES_MAX ? NODE_FIGURES_MAX : count;
	if (virNodeGetInfo(h->conn, &info) != 0 ||
	    virNodeGetCPUStats(h->conn, VIR_NODE_CPU_STATS_ALL_CPUS, stats, &count, 0) != 0)
		return libvirt_fail(h, c, "reading the processors' time of host %s", h->name);
	host->cpus = (int64_t) info.cpus;
	for (int k = 0; k < count; k++)
		if (strcmp(stats[k].field, VIR_NODE_CPU_STATS_KERNEL) == 0 ||
		    strcmp(stats[k].field, VIR_NODE_CPU_STATS_USER) == 0)
			host->cpu_ns += (int64_t) stats[k].value;
	return OK;
}

static RESULT read_node_memory(struct compute_host *h, struct ctx *c, struct compute_usage *host)
{
	virNodeMemoryStats stats[NODE_FIGURES_MAX];
	int count = 0;
	if (virNodeGetMemoryStats(h->conn, VIR_NODE_MEMORY_STATS_ALL_CELLS, NULL, &count, 0) != 0)
		return libvirt_fail(h, c, "reading the memory of host %s", h->name);
	count = count > NODE_FIGURES_MAX ? NODE_FIGURES_MAX : count;
	if (virNodeGetMemoryStats(h->conn, VIR_NODE_MEMORY_STATS_ALL_CELLS, stats, &count, 0) != 0)
		return libvirt_fail(h, c, "reading the memory of host %s", h->name);
	for (int k = 0; k < count; k++) {
		bool is_total = strcmp(stats[k].field, VIR_NODE_MEMORY_STATS_TOTAL) == 0;
		host->memory +=
			(is_total ? 1024 : -1024) * (int64_t) stats[k].value; /* free, buffers, cached */
	}
	return OK;
}

RESULT libvirt_read_usages(struct compute_host *h, struct ctx *c, struct compute_usages *ret_usages)
{
	virDomainStatsRecordPtr *records = NULL;
	unsigned wanted = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_VCPU |
			  VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK;
	struct compute_usage host = {0};
	TRY(libvirt_check_alive(h, c));
	TRY(read_node_cpus(h, c, &host));
	TRY(read_node_memory(h, c, &host));
	int count = virConnectGetAllDomainStats(h->conn, wanted, &records,
						VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING |
							VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
	if (count < 0)
		return libvirt_fail(h, c, "reading the statistics of host %s", h->name);
	struct compute_usage *at = arena_new_array(c->arena, struct compute_usage, (size_t) count + 1);
	for (int k = 0; at && k < count; k++)
		at[k] = sum_record(records[k]);
	virDomainStatsRecordListFree(records);
	if (!at)
		return ctx_no_memory(c);
	*ret_usages = (struct compute_usages){.host = host, .at = at, .count = (size_t) count};
	return OK;
}
