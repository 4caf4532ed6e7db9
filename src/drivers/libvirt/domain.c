/* SPDX-License-Identifier: Apache-2.0
 * Instances as persistent libvirt domains, found by UUID. Our mark in their metadata holds region and id;
 * both must match before a domain is touched. */
#include <inttypes.h>

#include "base/crypto.h"
#include "drivers/libvirt/host.h"

enum { QEMU_ANSWERS_MS = 2000 }; /* no query sent to QEMU takes this long */

static const size_t MARK_XML_CAP = 1 << 20; /* a manifest of 128 KiB whose every byte is escaped */

/* ---- the mark */

RESULT libvirt_read_mark(struct compute_host *h, struct ctx *c, virDomainPtr domain,
			 struct domain_mark *ret_mark, bool *ret_found)
{
	/* A domain arriving by migration has no persistent definition yet, only the live one. */
	bool is_arriving = virDomainIsPersistent(domain) == 0;
	AUTO_TEXT text =
		virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, DOMAIN_XMLNS,
				     is_arriving ? VIR_DOMAIN_AFFECT_LIVE : VIR_DOMAIN_AFFECT_CONFIG);
	*ret_found = false;
	if (!text && libvirt_error_is(VIR_ERR_RPC))
		return libvirt_fail(h, c, "reading a domain's metadata");
	if (!text) /* not marked, or just removed: not ours in either case */
		return libvirt_check_alive(h, c);
	AUTO(xml_tree) t = NULL;
	TRY(xml_tree_parse(c, str_from(text), &t));
	struct str region = xml_tree_find(c, t, "/*/@region"), id = xml_tree_find(c, t, "/*/@id");
	*ret_found = result_is_ok(uuid_parse(region, &ret_mark->region)) &&
		     result_is_ok(uuid_parse(id, &ret_mark->id));
	struct str epoch = xml_tree_find(c, t, "/*/@epoch");
	ret_mark->epoch = 0;
	*ret_found =
		*ret_found && (str_is_empty(epoch) || result_is_ok(str_parse_int(epoch, &ret_mark->epoch)));
	ret_mark->wish = xml_tree_find(c, t, "/*/@wish");
	ret_mark->variables = xml_tree_find(c, t, "/*/@variables");
	ret_mark->manifest = xml_tree_find(c, t, "/*/manifest");
	return OK;
}

RESULT libvirt_find_domain(struct compute_host *h, struct ctx *c, uuid id, virDomainPtr *ret_domain,
			   struct domain_mark *ret_mark)
{
	char text[UUID_TEXT_SIZE];
	struct domain_mark mark = {0};
	bool is_marked = false;
	*ret_domain = NULL;
	TRY(ctx_check_may_act(c));
	AUTO_DOMAIN d = virDomainLookupByUUID(h->conn, id.b);
	if (!d && libvirt_error_is(VIR_ERR_NO_DOMAIN))
		return OK;
	if (!d)
		return libvirt_fail(h, c, "looking for domain %s", uuid_write(id, text));
	TRY(libvirt_read_mark(h, c, d, &mark, &is_marked));
	if (!is_marked || !uuid_equal(mark.id, id) || !uuid_equal(mark.region, h->region))
		return ctx_fail(c, ERR_CONFLICT, "host %s has a domain %s that this region did not make",
				h->name, uuid_write(id, text));
	if (c->epoch && mark.epoch > c->epoch)
		return ctx_fail(c, ERR_AGAIN,
				"another dari process acts on domain %s of host %s: its epoch is %" PRId64
				", this one's %" PRId64,
				uuid_write(id, text), h->name, mark.epoch, c->epoch);
	if (ret_mark)
		*ret_mark = mark;
	*ret_domain = TAKE(d);
	return OK;
}

RESULT libvirt_claim_domain(struct compute_host *h, struct ctx *c, virDomainPtr d,
			    const struct domain_mark *mark)
{
	struct domain_mark claimed = *mark;
	struct buf xml;
	if (mark->epoch >= c->epoch)
		return OK;
	claimed.epoch = c->epoch;
	buf_init(&xml, MARK_XML_CAP);
	libvirt_write_mark(&xml, &claimed, false);
	struct result r = buf_finish(&xml);
	struct str text = str_copy(c->arena, buf_str(&xml));
	buf_done(&xml);
	TRY(r);
	if (!text.p)
		return ctx_no_memory(c);
	return virDomainSetMetadata(d, VIR_DOMAIN_METADATA_ELEMENT, text.p, "dari", DOMAIN_XMLNS,
				    VIR_DOMAIN_AFFECT_CONFIG) == 0
		       ? OK
		       : libvirt_fail(h, c, "writing a domain's metadata");
}

RESULT libvirt_check_answers(struct compute_host *h, struct ctx *c, virDomainPtr d)
{
	virDomainControlInfo info = {0};
	if (virDomainGetControlInfo(d, &info, 0) != 0 || info.state != VIR_DOMAIN_CONTROL_OCCUPIED ||
	    info.stateTime < QEMU_ANSWERS_MS)
		return OK;
	return ctx_fail(c, ERR_IO,
			"QEMU on host %s has not answered for some time; the guest may be running on",
			h->name);
}

RESULT libvirt_find_running(struct compute_host *h, struct ctx *c, uuid id, virDomainPtr *ret_domain,
			    struct domain_mark *ret_mark)
{
	char text[UUID_TEXT_SIZE];
	AUTO_DOMAIN d = NULL;
	TRY(libvirt_check_alive(h, c));
	TRY(libvirt_find_domain(h, c, id, &d, ret_mark));
	if (!d || virDomainIsActive(d) != 1)
		return ctx_fail_kind(c, ERR_STATE, KIND_INSTANCE, "Instance %s is not ready",
				     uuid_write(id, text));
	TRY(libvirt_check_answers(h, c, d));
	*ret_domain = TAKE(d);
	return OK;
}

/* ---- seeing */

enum instance_seen_power libvirt_power_of(int state)
{
	bool is_off = state == VIR_DOMAIN_SHUTOFF || state == VIR_DOMAIN_CRASHED;
	return is_off ? INSTANCE_SEEN_POWER_OFF : INSTANCE_SEEN_POWER_ON;
}

static enum compute_off off_of(struct compute_host *h, uuid id, int state, int reason)
{
	if (state == VIR_DOMAIN_CRASHED || reason == VIR_DOMAIN_SHUTOFF_CRASHED)
		return COMPUTE_OFF_CRASHED;
	if (reason == VIR_DOMAIN_SHUTOFF_DESTROYED || reason == VIR_DOMAIN_SHUTOFF_DAEMON)
		return COMPUTE_OFF_DESTROYED;
	if (reason != VIR_DOMAIN_SHUTOFF_SHUTDOWN)
		return COMPUTE_OFF_UNKNOWN;
	bool by_host = false;
	pthread_mutex_lock(&h->lock);
	for (size_t k = 0; k < h->host_stopped_count && !by_host; k++)
		by_host = uuid_equal(h->host_stopped[k], id);
	pthread_mutex_unlock(&h->lock);
	return by_host ? COMPUTE_OFF_DESTROYED : COMPUTE_OFF_GUEST;
}

/* QEMU pauses a guest whose write found no space, and retries the write on resume. */
static bool is_io_paused(int state, int reason)
{
	return state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_IOERROR;
}

static struct domain_place place_of(const struct compute_host *h)
{
	return (struct domain_place){
		.region = h->region, .pool_path = str_from(h->pool_path), .virt = h->virt};
}

static RESULT list_wished(struct ctx *c, const struct compute_domain *wish,
			  struct domain_devices *ret_devices)
{
	uuid *ids = arena_new_array(c->arena, uuid, wish->disk_count + wish->nic_count + 1);
	if (!ids)
		return ctx_no_memory(c);
	for (size_t k = 0; k < wish->disk_count; k++)
		ids[k] = wish->disks[k].volume;
	for (size_t k = 0; k < wish->nic_count; k++)
		ids[wish->disk_count + k] = wish->nics[k].port;
	*ret_devices = (struct domain_devices){.volumes = {ids, wish->disk_count},
					       .ports = {ids + wish->disk_count, wish->nic_count}};
	return OK;
}

static bool has_ceph(const struct compute_domain *wish)
{
	size_t k = 0;
	while (k < wish->disk_count && !wish->disks[k].ceph)
		k++;
	return k < wish->disk_count;
}

/* Reads the devices, unless the domain is off and defined as wished: the digest covers devices as well. */
static RESULT see_devices(struct compute_host *h, struct ctx *c, virDomainPtr d,
			  const struct compute_domain *wish, struct compute_seen *seen)
{
	bool is_on = seen->power == INSTANCE_SEEN_POWER_ON;
	struct domain_devices has = {0};
	if (!is_on && seen->defined_as_wished && !wish->is_swapping)
		TRY(list_wished(c, wish, &has));
	else
		TRY(libvirt_read_devices(h, c, d, is_on, wish, &has));
	seen->volumes = has.volumes;
	seen->ports = has.ports;
	seen->limits_as_wished = has.unlike.count == 0;
	seen->sizes_as_wished =
		!is_on || seen->defined_as_wished || !has_ceph(wish); /* the digest covers sizes as well */
	compute_compare_devices(seen, wish);
	return OK;
}

RESULT libvirt_see(struct compute_host *h, struct ctx *c, const struct compute_domain *wish,
		   struct compute_seen *ret_seen)
{
	struct domain_place place = {0};
	struct str xml = STR_NONE;
	struct domain_mark mark = {0};
	char digest[DOMAIN_DIGEST_SIZE];
	int state = 0, reason = 0;
	AUTO_DOMAIN d = NULL;
	TRY(libvirt_check_alive(h, c));
	TRY(libvirt_find_domain(h, c, wish->id, &d, &mark));
	if (!d) {
		*ret_seen = (struct compute_seen){.power = INSTANCE_SEEN_POWER_ABSENT};
		return OK;
	}
	TRY(libvirt_need_virt(h, c));
	place = place_of(h);
	TRY(libvirt_write_domain(c, &place, wish, &xml, digest));
	if (virDomainGetState(d, &state, &reason, 0) != 0)
		return libvirt_fail(h, c, "looking at domain %" STR_FMT, STR_ARG(wish->name));
	*ret_seen = (struct compute_seen){
		.power = libvirt_power_of(state),
		.off = off_of(h, wish->id, state, reason),
		.is_io_paused = is_io_paused(state, reason),
		.is_paused = state == VIR_DOMAIN_PAUSED && !is_io_paused(state, reason),
		.is_saved = state == VIR_DOMAIN_SHUTOFF && virDomainHasManagedSaveImage(d, 0) == 1,
		.defined_as_wished = str_is(mark.wish, digest),
	};
	return see_devices(h, c, d, wish, ret_seen);
}

/* ---- defining */

static RESULT define(struct compute_host *h, struct ctx *c, const char *xml, struct str name,
		     virDomainPtr *ret_domain)
{
	*ret_domain = virDomainDefineXML(h->conn, xml);
	if (*ret_domain)
		return OK;
	if (libvirt_error_is(VIR_ERR_OPERATION_FAILED)) /* another domain has this name */
		return ctx_fail(c, ERR_CONFLICT, "defining domain %" STR_FMT ": %s", STR_ARG(name),
				virGetLastErrorMessage());
	return libvirt_fail(h, c, "defining domain %" STR_FMT, STR_ARG(name));
}

/* ret_digest is hex; empty: no variables to set. */
static RESULT digest_variables(struct ctx *c, const struct compute_domain *domain, struct str *ret_digest)
{
	uint8_t digest[SHA256_SIZE];
	*ret_digest = STR_NONE;
	if (!domain->hardware.uefi || str_is_empty(domain->variables))
		return OK;
	crypto_sha256(domain->variables, digest);
	*ret_digest = str_encode_hex(c->arena, digest, sizeof digest);
	return ret_digest->p ? OK : ctx_no_memory(c);
}

/* Creates the variables' file, which needs a defined domain and is deleted with it. The digest is written
 * into the definition once the file is complete. */
static RESULT begin_variables(struct compute_host *h, struct ctx *c, const struct compute_domain *domain,
			      struct domain_place *place, struct str digest_wished, virDomainPtr *d)
{
	struct str xml = STR_NONE;
	char digest[DOMAIN_DIGEST_SIZE];
	if (!digest_wished.n || str_equal(digest_wished, place->variables) || virDomainIsActive(*d) == 1 ||
	    virDomainHasManagedSaveImage(*d, 0) == 1)
		return OK;
	TRY(libvirt_give_variables(h, c, place, domain));
	place->variables = digest_wished;
	TRY(libvirt_write_domain(c, place, domain, &xml, digest));
	libvirt_autodrop_domain(d);
	return define(h, c, xml.p, domain->name, d);
}

RESULT libvirt_define(struct compute_host *h, struct ctx *c, const struct compute_domain *domain)
{
	struct domain_place place = {0};
	struct str xml = STR_NONE, variables = STR_NONE;
	struct domain_mark mark = {0};
	struct domain_devices until_now = {0};
	char digest[DOMAIN_DIGEST_SIZE];
	AUTO_DOMAIN d = NULL;
	TRY(libvirt_check_alive(h, c));
	TRY(libvirt_need_virt(h, c));
	TRY(libvirt_need_pools(h, c)); /* one of them holds the console's log */
	place = place_of(h);
	TRY(libvirt_find_domain(h, c, domain->id, &d, &mark));
	place.variables = mark.variables;
	place.epoch = c->epoch;
	TRY(libvirt_write_domain(c, &place, domain, &xml, digest));
	TRY(digest_variables(c, domain, &variables));
	TRY(libvirt_set_secrets(h, c, domain)); /* the start or plugging that follows needs them */
	if (!d || !str_is(mark.wish, digest) || !str_equal(mark.manifest, domain->manifest)) {
		if (d && virDomainIsActive(d) == 1)
			TRY(libvirt_read_devices(h, c, d, false, domain, &until_now));
		libvirt_autodrop_domain(&d);
		TRY(define(h, c, xml.p, domain->name, &d));
	} else {
		TRY(libvirt_claim_domain(h, c, d, &mark));
	}
	TRY(begin_variables(h, c, domain, &place, variables, &d));
	/* Plug after defining: if interrupted in between, the next look still sees that the devices
	 * differ. */
	if (virDomainIsActive(d) == 1) {
		TRY(libvirt_check_answers(h, c, d));
		return libvirt_plug_devices(h, c, d, &place, domain, &until_now);
	}
	bool is_saved = virDomainHasManagedSaveImage(d, 0) == 1;
	return domain->has_drive && !is_saved ? libvirt_make_drive(h, c, domain->id, &domain->drive) : OK;
}

/* Data that libvirt keeps for a definition must not prevent undefining it. */
static const unsigned undefine_flags =
	VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
	VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_TPM;

RESULT libvirt_undefine(struct compute_host *h, struct ctx *c, uuid id)
{
	char text[UUID_TEXT_SIZE];
	AUTO_DOMAIN d = NULL;
	TRY(libvirt_check_alive(h, c));
	TRY(libvirt_find_domain(h, c, id, &d, NULL));
	if (d && virDomainIsActive(d) == 1) /* undefined now, it would continue to run without our mark */
		return ctx_fail(c, ERR_STATE, "domain %s is running", uuid_write(id, text));
	/* Delete its files first: without a domain nobody would look for them again. */
	TRY(libvirt_delete_drive(h, c, id));
	TRY(libvirt_delete_console(h, c, id));
	if (d && virDomainUndefineFlags(d, undefine_flags) != 0 && !libvirt_error_is(VIR_ERR_NO_DOMAIN))
		return libvirt_fail(h, c, "undefining domain %s", uuid_write(id, text));
	return OK;
}

/* ---- power */

static int start(virDomainPtr d)
{
	int state = 0;
	if (virDomainGetState(d, &state, NULL, 0) == 0 && state == VIR_DOMAIN_PAUSED)
		return virDomainResume(d);
	return virDomainIsActive(d) == 1 ? 0 : virDomainCreate(d);
}

static int request_shutdown(virDomainPtr d)
{
	return virDomainIsActive(d) == 1 ? virDomainShutdownFlags(d, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN) : 0;
}

static int force_off(virDomainPtr d)
{
	return virDomainIsActive(d) == 1 ? virDomainDestroy(d) : 0;
}

static int reset(virDomainPtr d)
{
	return virDomainReset(d, 0);
}

static int pause_guest(virDomainPtr d)
{
	return virDomainSuspend(d); /* 0 if already paused */
}

/* The saved guest runs when restored, even if it was paused at the time, by us or by an I/O error. */
static int save(virDomainPtr d)
{
	return virDomainIsActive(d) == 1 ? virDomainManagedSave(d, VIR_DOMAIN_SAVE_RUNNING) : 0;
}

static const struct {
	int (*apply)(virDomainPtr d); /* returns 0, or libvirt's error */
	const char *words;
	bool is_on; /* expected state, compared after an ambiguous failure */
	bool needs_domain;
	bool is_done_by_state; /* reaching this state is the entire request */
} powers[] = {
	[COMPUTE_START] = {start, "starting", true, true, true},
	[COMPUTE_SHUTDOWN] = {request_shutdown, "shutting down", false, false, true},
	[COMPUTE_FORCE_OFF] = {force_off, "forcing off", false, false, true},
	[COMPUTE_RESET] = {reset, "resetting", true, true, false},
	[COMPUTE_PAUSE] = {pause_guest, "pausing", true, true, false},
	[COMPUTE_SAVE] = {save, "saving", false, false, true},
};

/* Refuses to resume a guest paused for lack of space while there is none: its next write would pause it
 * again. */
static RESULT check_room(struct compute_host *h, struct ctx *c, virDomainPtr d)
{
	int state = 0, reason = 0;
	if (virDomainGetState(d, &state, &reason, 0) != 0 || !is_io_paused(state, reason))
		return OK;
	return libvirt_check_room(h, c);
}

/* A guest that is shutting down is still active, but libvirt can't press its power button again. */
static bool is_reached(virDomainPtr d, enum compute_power power)
{
	int state = 0;
	if (power == COMPUTE_SHUTDOWN && virDomainGetState(d, &state, NULL, 0) == 0 &&
	    state == VIR_DOMAIN_SHUTDOWN)
		return true;
	return powers[power].is_done_by_state && virDomainIsActive(d) == (powers[power].is_on ? 1 : 0);
}

RESULT libvirt_set_power(struct compute_host *h, struct ctx *c, uuid id, enum compute_power power)
{
	char text[UUID_TEXT_SIZE];
	typeof(powers[0]) *p = &powers[power];
	struct domain_mark mark = {0};
	AUTO_DOMAIN d = NULL;
	TRY(libvirt_check_alive(h, c));
	TRY(libvirt_find_domain(h, c, id, &d, &mark));
	if (!d && !p->needs_domain)
		return OK;
	if (!d)
		return ctx_fail(c, ERR_NOT_FOUND, "host %s has no domain %s", h->name, uuid_write(id, text));
	if (power != COMPUTE_FORCE_OFF)
		TRY(libvirt_check_answers(h, c, d));
	if (power == COMPUTE_START)
		TRY(check_room(h, c, d));
	TRY(libvirt_claim_domain(h, c, d, &mark));
	if (p->apply(d) == 0)
		return OK;
	/* Despite the error, the change may have been made, by this call or by someone else. Look again. */
	struct result r = libvirt_fail(h, c, "%s domain %s", p->words, uuid_write(id, text));
	if (r.code == ERR_GONE || !is_reached(d, power))
		return r;
	ctx_clear_problem(c);
	return OK;
}
