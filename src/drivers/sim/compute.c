/* SPDX-License-Identifier: Apache-2.0
 * Compute without machines: hosts and domains are small records in memory that behave like libvirt's. Used
 * for scale tests, for `dari dev`, and for faults that a real host won't produce on demand.
 *
 * FAULT_DRIVER is checked twice per call: before the effect (the call fails, nothing happened) and after it
 * (it happened, but the answer and the connection are lost). */
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/heap.h"
#include "drivers/ceph.h"
#include "drivers/sim/compute_state.h"
#include "model/host.h"
#include "model/processor.h"

/* ---- each call's beginning and end */

static RESULT lose(struct compute_host *h, struct ctx *c, const char *why)
{
	h->is_lost = true;
	return ctx_fail(c, ERR_GONE, "the connection to simulated host %s is lost: %s", h->host->name, why);
}

RESULT sim_begin(struct compute_host *h, struct ctx *c)
{
	struct sim_host *s = h->host;
	sim_lock(s);
	int64_t pass_us = s->health == SIM_HANGS ? s->hang_us : s->latency_us;
	if (pass_us) {
		sim_unlock(s);
		clock_sleep_us(pass_us);
		sim_lock(s);
	}
	s->call_count++;
	if (h->is_lost || s->health != SIM_UP)
		return lose(h, c, s->health == SIM_HANGS ? "it does not answer" : "closed");
	if (fault_fires(FAULT_DRIVER))
		return ctx_fail(c, ERR_IO, "simulated fault before the effect");
	sim_settle(s);
	return ctx_check_may_act(c);
}

RESULT sim_end(struct compute_host *h, struct ctx *c, struct result r)
{
	if (result_is_ok(r) && fault_fires(FAULT_DRIVER))
		r = lose(h, c, "simulated fault after the effect");
	sim_unlock(h->host);
	return r;
}

/* Grows an array by a zeroed item; NULL: out of memory. */
static void *add_item(void **items, size_t *count, size_t size)
{
	char *more = heap_resize(*items, (*count + 1) * size);
	if (!more)
		return NULL;
	*items = more;
	return memset(more + (*count)++ * size, 0, size);
}

/* ---- connections */

void sim_disconnect(struct compute_host *h)
{
	struct sim_host *s = h->host;
	sim_lock(s);
	struct compute_host **at = &s->connections;
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	sim_unlock(s);
	heap_free(h);
}

static void copy_word(struct str word, char out[static SIM_WORD_SIZE])
{
	snprintf(out, SIM_WORD_SIZE, "%" STR_FMT, STR_ARG(word));
}

/* Reads the URI's options: a missing CPU feature ("sim://?lacks=avx2"), and the row's model for guests. */
static void read_processor(struct sim_host *s, const struct host *host)
{
	const struct str said = STR("?lacks=");
	size_t at = str_find_char(host->uri, '?', 0);
	struct str query = str_slice(host->uri, at, host->uri.n);
	bool lacks = str_starts_with(query, said);
	copy_word(lacks ? str_slice(query, said.n, query.n) : STR_NONE, s->lacks);
	copy_word(processor_is_named(host->cpu) ? host->cpu : STR_NONE, s->model);
}

RESULT sim_connect(struct compute_host *h, struct ctx *c, uuid region, const struct host *host)
{
	struct sim_host *s = sim_need_host(host->name);
	if (!s) {
		heap_free(h);
		return ctx_no_memory(c);
	}
	*h = (struct compute_host){.host = s, .region = region};
	sim_lock(s);
	read_processor(s, host);
	h->next = s->connections;
	s->connections = h;
	sim_unlock(s);
	struct result r = sim_begin(h, c);
	r = sim_end(h, c, r);
	if (!result_is_ok(r))
		sim_disconnect(h);
	return r;
}

static void close_host(struct compute_host *h)
{
	if (h)
		sim_disconnect(h);
}

static RESULT open_host(void *self, struct ctx *c, uuid region, const struct host *host,
			struct compute_host **ret_host)
{
	(void) self;
	struct compute_host *h = heap_new(struct compute_host);
	if (!h)
		return ctx_no_memory(c);
	TRY(sim_connect(h, c, region, host));
	*ret_host = h;
	return OK;
}

static RESULT trust_inside(struct compute_host *h, struct ctx *c, const struct ceph_place *place)
{
	struct str path = str_print(c->arena, SIM_CEPH "%" STR_FMT, STR_ARG(place->pool));
	if (!path.p)
		return ctx_no_memory(c);
	return sim_has_mounted(h->host, path)
		       ? OK
		       : ctx_fail(c, ERR_IO, "host %s takes no key of Ceph's", h->host->name);
}

static RESULT trust_pool(struct compute_host *h, struct ctx *c, const struct ceph_place *place)
{
	SIM_CALL(h, trust_inside, place);
}

static void watch(struct compute_host *h, void (*changed)(void *arg, uuid id), void *arg)
{
	sim_lock(h->host);
	h->changed = changed;
	h->changed_arg = arg;
	sim_unlock(h->host);
}

/* Builds a processor of that model, with all simulated features except the host's missing one. */
static struct str write_processor(struct ctx *c, const struct sim_host *s, const char *model)
{
	static const char *const all[] = {"aes", "avx", "avx2", "sse4.2"};
	struct str features[sizeof all / sizeof all[0]];
	for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
		features[k] =
			strcmp(all[k], s->lacks) == 0 ? str_print(c->arena, "-%s", all[k]) : str_from(all[k]);
	return processor_write(c->arena, str_from(model), STR("Dari"),
			       (struct strs){features, sizeof all / sizeof all[0]});
}

static RESULT probe_inside(struct compute_host *h, struct ctx *c, struct compute_facts *ret_facts)
{
	const struct sim_host *s = h->host;
	*ret_facts = (struct compute_facts){
		.cpus = s->cpus,
		.cores = s->cpus,
		.sockets = 1,
		.memory = s->memory,
		.disk = s->disk_size,
		.disk_free = s->pool_free ? s->pool_free : s->disk_size,
		.virt = HOST_SEEN_VIRT_TCG,
		.cpu = write_processor(c, s, "Simulated"),
		.named_cpu = s->model[0] ? write_processor(c, s, s->model) : STR_NONE,
		.machine = STR("pc-q35-7.2"),
		.machines = STR("pc-q35-7.1 pc-q35-7.2"),
		.version = STR("simulated"),
		.boot_id = str_print(c->arena, "%s-boot-%" PRIu64, s->name, s->boot),
		.booted_us = s->booted_us,
		.virt_reason = STR("the host is simulated"),
	};
	return ret_facts->boot_id.p && ret_facts->cpu.n ? OK : ctx_no_memory(c);
}

/* ---- domains */

static void digest_rate(struct buf *b, const struct disk_rate *r)
{
	if (r->rate)
		buf_print(b, "%" PRId64 " %" PRId64 " %" PRId64, r->rate, r->burst, r->burst_s);
	buf_print(b, "\n");
}

static void digest_disk(struct buf *b, const struct compute_disk *d)
{
	char id[UUID_TEXT_SIZE];
	const struct disk_limits *l = &d->limits;
	buf_print(b,
		  "%s %d %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
		  " %d %" STR_FMT "\n",
		  uuid_write(d->volume, id), d->slot, l->iops, l->iops_burst, l->iops_burst_s, l->iops_size,
		  l->bytes, l->bytes_burst, l->bytes_burst_s, d->key != NULL, STR_ARG(d->encrypted_base));
	digest_rate(b, &l->read_iops);
	digest_rate(b, &l->write_iops);
	digest_rate(b, &l->read_bytes);
	digest_rate(b, &l->write_bytes);
}

/* Digests the parts of the wish that a real definition would contain. */
static RESULT digest_wish(struct ctx *c, const struct compute_domain *w, char ret_digest[static 65])
{
	const struct compute_hardware *hw = &w->hardware;
	uint8_t digest[SHA256_SIZE];
	struct buf b;
	char id[UUID_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	buf_init(&b, 1 << 20);
	buf_print(&b, "%s %" STR_FMT " %" PRId64 " %" PRId64 " %d %d%d%d%d%d%d%d%d\n", uuid_write(w->id, id),
		  STR_ARG(w->name), w->vcpus, w->memory, (int) w->personality, hw->windows, hw->uefi,
		  hw->secure_boot, hw->tpm, hw->sata, hw->e1000e, hw->cdrom, w->has_drive);
	buf_print(&b, "%" STR_FMT "\n%" STR_FMT "\n", STR_ARG(w->cpu), STR_ARG(w->machine));
	for (size_t k = 0; k < w->disk_count; k++)
		digest_disk(&b, &w->disks[k]);
	for (size_t k = 0; k < w->nic_count; k++)
		buf_print(&b, "%s %s %d %d\n", uuid_write(w->nics[k].port, id),
			  mac_write(w->nics[k].mac, mac), w->nics[k].mtu, w->nics[k].slot);
	struct result r = buf_finish(&b);
	crypto_sha256(buf_str(&b), digest);
	buf_done(&b);
	struct str hex = str_encode_hex(c->arena, digest, sizeof digest);
	if (!result_is_ok(r) || !hex.p)
		return ctx_no_memory(c);
	memcpy(ret_digest, hex.p, 65);
	return OK;
}

/* NULL: absent. ERR_CONFLICT: another region's. */
static RESULT find_domain(struct compute_host *h, struct ctx *c, uuid id, struct sim_domain **ret_domain)
{
	char text[UUID_TEXT_SIZE];
	*ret_domain = sim_find_domain(h->host, id);
	if (*ret_domain && !uuid_equal((*ret_domain)->region, h->region))
		return ctx_fail(c, ERR_CONFLICT, "host %s has a domain %s that this region did not make",
				h->host->name, uuid_write(id, text));
	return OK;
}

static RESULT see_inside(struct compute_host *h, struct ctx *c, const struct compute_domain *wish,
			 struct compute_seen *ret_seen)
{
	char digest[65];
	struct sim_domain *d = NULL;
	TRY(find_domain(h, c, wish->id, &d));
	TRY(digest_wish(c, wish, digest));
	*ret_seen = (struct compute_seen){.power = INSTANCE_SEEN_POWER_ABSENT};
	if (!d)
		return OK;
	*ret_seen = (struct compute_seen){
		.power = d->is_on ? INSTANCE_SEEN_POWER_ON : INSTANCE_SEEN_POWER_OFF,
		.off = d->off,
		.is_io_paused = d->is_on && d->is_io_paused,
		.is_paused = d->is_paused || d->is_held,
		.is_saved = d->is_saved,
		.defined_as_wished = str_is(str_from(digest), d->digest),
	};
	TRY(sim_list_devices(c, d, &ret_seen->volumes, &ret_seen->ports));
	ret_seen->limits_as_wished = sim_has_limits(d, wish);
	ret_seen->sizes_as_wished = true;
	compute_compare_devices(ret_seen, wish);
	return OK;
}

/* Creates the domain, or updates it to the wish. */
static RESULT write_definition(struct compute_host *h, struct ctx *c, const struct compute_domain *w,
			       const char *digest, struct sim_domain **d)
{
	struct sim_host *s = h->host;
	char *manifest = heap_alloc(w->manifest.n + 1);
	struct sim_domain fresh = {0}, *at = *d ? *d : &fresh;
	bool is_new = !*d;
	if (!manifest || !sim_define_devices(at, w)) {
		heap_free(manifest);
		return ctx_no_memory(c);
	}
	if (is_new)
		*d = add_item((void **) &s->domains, &s->domain_count, sizeof **d);
	if (!*d) {
		heap_free(fresh.devices);
		heap_free(manifest);
		return ctx_no_memory(c);
	}
	if (is_new)
		**d = fresh;
	if (w->manifest.n)
		memcpy(manifest, w->manifest.p, w->manifest.n);
	heap_free((*d)->manifest);
	(*d)->manifest = manifest;
	(*d)->region = h->region;
	(*d)->id = w->id;
	(*d)->vcpus = w->vcpus;
	(*d)->memory = w->memory;
	(*d)->is_uefi = w->hardware.uefi;
	(*d)->is_secure = w->hardware.secure_boot;
	memcpy((*d)->digest, digest, sizeof(*d)->digest);
	snprintf((*d)->name, sizeof(*d)->name, "%" STR_FMT, STR_ARG(w->name));
	sim_notify(s, w->id);
	return OK;
}

/* Writes the drive as text: each path followed by its content. */
static RESULT make_drive(struct ctx *c, struct sim_domain *d, const struct compute_files *files)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	for (size_t k = 0; k < files->count; k++)
		buf_print(&b, "%" STR_FMT "\n%" STR_FMT "\n", STR_ARG(files->at[k].path),
			  STR_ARG(files->at[k].bytes));
	char *text = result_is_ok(buf_finish(&b)) ? heap_alloc(b.size + 1) : NULL;
	if (text && b.size > 0)
		memcpy(text, buf_str(&b).p, b.size);
	buf_done(&b);
	if (!text)
		return ctx_no_memory(c);
	heap_free(d->drive);
	d->drive = text;
	return OK;
}

/* Replaces the variables completely. */
static RESULT give_variables(struct ctx *c, struct sim_domain *d, struct str variables)
{
	bool has = d->variables && str_equal(variables, (struct str){d->variables, d->variables_size});
	if (!variables.n || has || d->is_on || d->is_saved)
		return OK;
	char *copy = heap_alloc(variables.n);
	if (!copy)
		return ctx_no_memory(c);
	memcpy(copy, variables.p, variables.n);
	heap_free(d->variables);
	d->variables = copy;
	d->variables_size = variables.n;
	return OK;
}

static RESULT define_inside(struct compute_host *h, struct ctx *c, const struct compute_domain *w)
{
	struct sim_domain *d = NULL;
	char digest[65];
	TRY(compute_check_slots(c, w));
	TRY(find_domain(h, c, w->id, &d));
	TRY(digest_wish(c, w, digest));
	if (!d || !str_is(str_from(digest), d->digest) || !str_equal(w->manifest, str_from(d->manifest))) {
		sim_take_time(SIM_DEFINE);
		TRY(write_definition(h, c, w, digest, &d));
	}
	sim_set_keys(d, w);
	TRY(give_variables(c, d, w->variables));
	if (d->is_on)
		return sim_plug_devices(h->host, c, d, w->asks_again);
	return w->has_drive && !d->is_saved ? make_drive(c, d, &w->drive) : OK;
}

static RESULT undefine_inside(struct compute_host *h, struct ctx *c, uuid id)
{
	struct sim_domain *d = NULL;
	TRY(find_domain(h, c, id, &d));
	if (d && d->is_on)
		return ctx_fail(c, ERR_STATE, "domain %s is running", d->name);
	if (d) {
		sim_remove_domain(h->host, d);
		sim_notify(h->host, id);
	}
	return OK;
}

/* ---- power */

static RESULT let_go_on(struct sim_host *s, struct ctx *c, struct sim_domain *d)
{
	if (d->is_io_paused && s->pool_free && s->pool_free < SIM_FULL_BELOW)
		return ctx_fail(c, ERR_CAPACITY, "the pool of host %s is full", s->name);
	if (d->is_io_paused || d->is_paused || d->is_held)
		sim_notify(s, d->id);
	d->is_io_paused = d->is_paused = d->is_held = false;
	return OK;
}

static RESULT start(struct compute_host *h, struct ctx *c, struct sim_domain *d)
{
	if (d->is_on)
		return let_go_on(h->host, c, d);
	TRY(sim_start_devices(h->host, c, d));
	sim_take_time(SIM_START);
	d->is_on = true;
	d->has_variables |= d->is_uefi;
	d->is_io_paused = false;
	if (!d->is_saved) {
		d->boots++;
		d->started_us = clock_now_us();
	}
	d->is_saved = false;
	d->ends_us = 0;
	sim_notify(h->host, d->id);
	return OK;
}

static RESULT request_shutdown(struct compute_host *h, struct ctx *c, struct sim_domain *d)
{
	(void) c;
	if (!d->is_on || d->is_paused || h->host->is_deaf || d->ends_us)
		return OK;
	int64_t takes_us = h->host->shutdown_us ? h->host->shutdown_us : sim_draw_us(SIM_SHUT_DOWN);
	if (!takes_us) {
		sim_power_off(h->host, d, COMPUTE_OFF_GUEST);
		return OK;
	}
	d->ends_us = clock_steady_us() + takes_us;
	h->host->may_settle = true;
	return OK;
}

static RESULT force_off(struct compute_host *h, struct ctx *c, struct sim_domain *d)
{
	(void) c;
	sim_power_off(h->host, d, COMPUTE_OFF_DESTROYED);
	return OK;
}

static RESULT reset(struct compute_host *h, struct ctx *c, struct sim_domain *d)
{
	if (!d->is_on)
		return ctx_fail(c, ERR_STATE, "domain %s on host %s is not running", d->name, h->host->name);
	d->boots++;
	d->started_us = clock_now_us();
	d->ends_us = 0;
	return OK;
}

static RESULT pause_guest(struct compute_host *h, struct ctx *c, struct sim_domain *d)
{
	if (!d->is_on)
		return ctx_fail(c, ERR_STATE, "domain %s on host %s is not running", d->name, h->host->name);
	if (d->is_restless)
		return ctx_fail(c, ERR_IO, "domain %s on host %s does not come to a stand", d->name,
				h->host->name);
	if (!d->is_paused)
		sim_notify(h->host, d->id);
	d->is_paused = true;
	return OK;
}

static RESULT save(struct compute_host *h, struct ctx *c, struct sim_domain *d)
{
	(void) c;
	if (!d->is_on)
		return OK;
	d->is_saved = true;
	sim_power_off(h->host, d, COMPUTE_OFF_UNKNOWN);
	return OK;
}

static const struct {
	RESULT (*apply)(struct compute_host *h, struct ctx *c, struct sim_domain *d);
	bool needs_domain;
} powers[] = {
	[COMPUTE_START] = {start, true},          [COMPUTE_SHUTDOWN] = {request_shutdown, false},
	[COMPUTE_FORCE_OFF] = {force_off, false}, [COMPUTE_RESET] = {reset, true},
	[COMPUTE_PAUSE] = {pause_guest, true},    [COMPUTE_SAVE] = {save, false},
};

static RESULT set_power_inside(struct compute_host *h, struct ctx *c, uuid id, enum compute_power power)
{
	char text[UUID_TEXT_SIZE];
	struct sim_domain *d = NULL;
	if (power != COMPUTE_FORCE_OFF)
		TRY(sim_await_guest(h->host, c, id));
	TRY(find_domain(h, c, id, &d));
	if (!d && powers[power].needs_domain)
		return ctx_fail(c, ERR_NOT_FOUND, "host %s has no domain %s", h->host->name,
				uuid_write(id, text));
	return d ? powers[power].apply(h, c, d) : OK;
}

/* ---- looking */

static RESULT list_inside(struct compute_host *h, struct ctx *c, struct compute_inventory *ret_inventory)
{
	const struct sim_host *s = h->host;
	size_t count = 0;
	struct compute_item *items = arena_new_array(c->arena, struct compute_item, s->domain_count);
	if (!items)
		return ctx_no_memory(c);
	for (size_t k = 0; k < s->domain_count; k++) {
		const struct sim_domain *d = &s->domains[k];
		if (!uuid_equal(d->region, h->region))
			continue;
		items[count++] = (struct compute_item){
			.id = d->id,
			.power = d->is_on ? INSTANCE_SEEN_POWER_ON : INSTANCE_SEEN_POWER_OFF,
			.manifest = str_copy(c->arena, str_from(d->manifest)),
		};
		if (!str_is_empty(str_from(d->manifest)) && !items[count - 1].manifest.n)
			return ctx_no_memory(c);
	}
	*ret_inventory = (struct compute_inventory){items, count};
	return OK;
}

static RESULT read_console_inside(struct compute_host *h, struct ctx *c, uuid id, size_t max,
				  struct str *ret_text, int64_t *ret_at_us)
{
	struct sim_domain *d = NULL;
	TRY(find_domain(h, c, id, &d));
	*ret_text = STR_NONE;
	*ret_at_us = 0;
	if (!d || !d->boots)
		return OK;
	struct str text =
		str_print(c->arena,
			  "[    0.000000] simulated: there is no machine behind this console\r\n"
			  "[    0.000000] simulated: guest %s on host %s, boot %" PRId64 "\r\n"
			  "[    0.104211] simulated: %zu disks and NICs, nothing is behind them\r\n"
			  "[    0.512907] simulated: no cloud-init runs, user data is not looked at\r\n"
			  "\r\n%s login: ",
			  d->name, h->host->name, d->boots, d->device_count, d->name);
	if (!text.p)
		return ctx_no_memory(c);
	*ret_text = str_slice(text, text.n > max ? text.n - max : 0, text.n);
	*ret_at_us = d->started_us;
	return OK;
}

/* ERR_STATE: absent or off. */
static RESULT find_running(struct compute_host *h, struct ctx *c, uuid id, struct sim_domain **ret_domain)
{
	char text[UUID_TEXT_SIZE];
	TRY(find_domain(h, c, id, ret_domain));
	if (!*ret_domain || !(*ret_domain)->is_on)
		return ctx_fail_kind(c, ERR_STATE, KIND_INSTANCE, "Instance %s is not ready",
				     uuid_write(id, text));
	return OK;
}

static RESULT open_console_inside(struct compute_host *h, struct ctx *c, uuid id, enum console console,
				  int *ret_fd)
{
	struct sim_domain *d = NULL;
	TRY(find_running(h, c, id, &d));
	return ret_fd ? sim_open_console(c, d, console, ret_fd) : OK;
}

/* Disk and NIC figures stay 0, since nothing is behind them. The simulated processors work for a hundredth of
 * the time. */
static RESULT read_stats_inside(struct compute_host *h, struct ctx *c, uuid id,
				struct compute_stats *ret_stats)
{
	struct sim_domain *d = NULL;
	TRY(find_domain(h, c, id, &d));
	if (!d || !d->is_on)
		return ctx_fail(c, ERR_STATE, "the guest does not run");
	size_t cpu_count = (size_t) d->vcpus;
	struct compute_cpu_stats *cpus = arena_new_array(c->arena, struct compute_cpu_stats, cpu_count + 1);
	struct compute_disk_stats *disks =
		arena_new_array(c->arena, struct compute_disk_stats, d->device_count + 1);
	struct compute_nic_stats *nics =
		arena_new_array(c->arena, struct compute_nic_stats, d->device_count + 1);
	if (!cpus || !disks || !nics)
		return ctx_no_memory(c);
	*ret_stats = (struct compute_stats){.cpus = cpus,
					    .disks = disks,
					    .nics = nics,
					    .cpu_count = cpu_count,
					    .memory = d->memory,
					    .memory_max = d->memory};
	for (size_t k = 0; k < cpu_count; k++)
		cpus[k] = (struct compute_cpu_stats){(int64_t) k, (clock_now_us() - d->started_us) * 10};
	for (size_t k = 0; k < d->device_count; k++) {
		const struct sim_device *device = &d->devices[k];
		if (!device->is_plugged)
			continue;
		if (device->is_nic)
			nics[ret_stats->nic_count++] = (struct compute_nic_stats){
				.name = str_print(c->arena, "tap%d", device->slot), .port = device->id};
		else
			disks[ret_stats->disk_count++] = (struct compute_disk_stats){
				.name = str_print(c->arena, "vd%c", 'a' + device->slot)};
	}
	return OK;
}

/* Simulates a guest's usage: the processor time of read_stats plus a wave individual to the guest; traffic
 * and disk figures follow from it. */
static struct compute_usage simulate_usage(const struct sim_domain *d)
{
	int64_t age_us = clock_now_us() - d->started_us;
	int64_t waves = age_us / (10 * SECOND) * (1 + d->id.b[15] % 8); /* in tenths of a second */
	int64_t work_us = age_us / 100 + waves * 100 * MILLISECOND / 8;
	return (struct compute_usage){.id = d->id,
				      .cpus = d->vcpus,
				      .cpu_ns = work_us * 1000 * d->vcpus,
				      .memory = d->memory / 4 * 3,
				      .rx_bytes = work_us / 10,
				      .tx_bytes = work_us / 20,
				      .rx_packets = work_us / 10000,
				      .tx_packets = work_us / 20000,
				      .read_bytes = work_us / 5,
				      .write_bytes = work_us / 2,
				      .read_requests = work_us / 20000,
				      .write_requests = work_us / 8000};
}

static RESULT read_usages_inside(struct compute_host *h, struct ctx *c, struct compute_usages *ret_usages)
{
	const struct sim_host *s = h->host;
	struct compute_usage *at = arena_new_array(c->arena, struct compute_usage, s->domain_count + 1);
	if (!at)
		return ctx_no_memory(c);
	*ret_usages = (struct compute_usages){.host = {.cpus = s->cpus}, .at = at};
	for (size_t k = 0; k < s->domain_count; k++) {
		if (!s->domains[k].is_on)
			continue;
		struct compute_usage one = simulate_usage(&s->domains[k]);
		ret_usages->host.cpu_ns += one.cpu_ns;
		ret_usages->host.memory += one.memory;
		at[ret_usages->count++] = one;
	}
	return OK;
}

static RESULT draw_screen_inside(struct compute_host *h, struct ctx *c, uuid id, struct picture **ret_picture)
{
	struct sim_domain *d = NULL;
	TRY(find_running(h, c, id, &d));
	return sim_draw_screen(c, d, ret_picture);
}

static RESULT read_variables_inside(struct compute_host *h, struct ctx *c, uuid id,
				    struct firmware_variables *ret_variables)
{
	struct sim_domain *d = NULL;
	char text[UUID_TEXT_SIZE];
	TRY(find_domain(h, c, id, &d));
	if (d && d->is_uefi && d->variables) {
		struct str copy = str_copy(c->arena, (struct str){d->variables, d->variables_size});
		return copy.p ? firmware_read(c, copy, ret_variables) : ctx_no_memory(c);
	}
	if (!d || !d->is_uefi || !d->has_variables)
		return ctx_fail_kind(c, ERR_STATE, KIND_INSTANCE, "Instance %s has no UEFI variables yet",
				     uuid_write(id, text));
	*ret_variables = sim_list_variables(d);
	return OK;
}

/* ---- the calls: the same frame around each */

static RESULT probe(struct compute_host *h, struct ctx *c, struct compute_facts *ret_facts)
{
	SIM_CALL(h, probe_inside, ret_facts);
}

static RESULT see(struct compute_host *h, struct ctx *c, const struct compute_domain *wish,
		  struct compute_seen *ret_seen)
{
	SIM_CALL(h, see_inside, wish, ret_seen);
}

static RESULT list(struct compute_host *h, struct ctx *c, struct compute_inventory *ret_inventory)
{
	SIM_CALL(h, list_inside, ret_inventory);
}

static RESULT define(struct compute_host *h, struct ctx *c, const struct compute_domain *domain)
{
	SIM_CALL(h, define_inside, domain);
}

static RESULT set_power(struct compute_host *h, struct ctx *c, uuid id, enum compute_power power)
{
	SIM_CALL(h, set_power_inside, id, power);
}

static RESULT swap_inside(struct compute_host *h, struct ctx *c, const struct compute_swapping *wish,
			  bool begins, enum compute_swap_stage *ret_stage)
{
	struct sim_domain *d = NULL;
	TRY(find_domain(h, c, wish->instance, &d));
	bool is_on = d && d->is_on;
	*ret_stage = COMPUTE_SWAP_NONE;
	if (!is_on && begins)
		return ctx_fail(c, ERR_STATE, "the domain is not running");
	if (!d)
		return OK;
	if (is_on)
		TRY(sim_await_guest(h->host, c, wish->instance));
	d = sim_find_domain(h->host, wish->instance);
	return sim_swap_disk(h->host, c, d, wish, begins, ret_stage);
}

static RESULT swap(struct compute_host *h, struct ctx *c, const struct compute_swapping *wish, bool begins,
		   enum compute_swap_stage *ret_stage)
{
	SIM_CALL(h, swap_inside, wish, begins, ret_stage);
}

static RESULT end_swap_inside(struct compute_host *h, struct ctx *c, const struct compute_swapping *wish)
{
	struct sim_domain *d = NULL;
	TRY(find_domain(h, c, wish->instance, &d));
	if (d)
		sim_end_swap(d, wish);
	return OK;
}

static RESULT end_swap(struct compute_host *h, struct ctx *c, const struct compute_swapping *wish)
{
	SIM_CALL(h, end_swap_inside, wish);
}

static RESULT undefine(struct compute_host *h, struct ctx *c, uuid id)
{
	SIM_CALL(h, undefine_inside, id);
}

static RESULT read_console(struct compute_host *h, struct ctx *c, uuid id, size_t max, struct str *ret_text,
			   int64_t *ret_at_us)
{
	SIM_CALL(h, read_console_inside, id, max, ret_text, ret_at_us);
}

static RESULT open_console(struct compute_host *h, struct ctx *c, uuid id, enum console console, int *ret_fd)
{
	SIM_CALL(h, open_console_inside, id, console, ret_fd);
}

static RESULT read_stats(struct compute_host *h, struct ctx *c, uuid id, struct compute_stats *ret_stats)
{
	SIM_CALL(h, read_stats_inside, id, ret_stats);
}

static RESULT read_usages(struct compute_host *h, struct ctx *c, struct compute_usages *ret_usages)
{
	SIM_CALL(h, read_usages_inside, ret_usages);
}

static RESULT draw_screen(struct compute_host *h, struct ctx *c, uuid id, bool wake,
			  struct picture **ret_picture)
{
	(void) wake; /* a simulated screen never sleeps */
	SIM_CALL(h, draw_screen_inside, id, ret_picture);
}

static RESULT read_variables(struct compute_host *h, struct ctx *c, uuid id,
			     struct firmware_variables *ret_variables)
{
	SIM_CALL(h, read_variables_inside, id, ret_variables);
}

const struct compute_driver compute_sim = {
	.scheme = "sim",
	.is_quick = true,
	.open_host = open_host,
	.close_host = close_host,
	.probe = probe,
	.see = see,
	.list = list,
	.define = define,
	.set_power = set_power,
	.swap = swap,
	.end_swap = end_swap,
	.undefine = undefine,
	.see_end = sim_see_end,
	.send = sim_send,
	.read_console = read_console,
	.read_stats = read_stats,
	.read_usages = read_usages,
	.draw_screen = draw_screen,
	.read_variables = read_variables,
	.open_console = open_console,
	.trust_pool = trust_pool,
	.watch = watch,
};
