/* SPDX-License-Identifier: Apache-2.0
 * What a host has of ours: for audit and for resync. The pool is read anew, domains come with one
 * bulk call that waits for no busy domain. */
#include "base/vec.h"
#include "drivers/libvirt/host.h"

struct items { /* a VEC */
	struct compute_item *at;
	size_t count, capacity;
};

static RESULT add_domain(struct compute_host *h, struct ctx *c, struct items *items,
			 const virDomainStatsRecord *record)
{
	struct domain_mark mark = {0};
	bool is_marked = false;
	int state = VIR_DOMAIN_NOSTATE;
	TRY(libvirt_read_mark(h, c, record->dom, &mark, &is_marked));
	if (!is_marked || !uuid_equal(mark.region, h->region))
		return OK;
	virTypedParamsGetInt(record->params, record->nparams, "state.state", &state);
	struct compute_item item = {.id = mark.id, .power = libvirt_power_of(state), .memo = mark.memo};
	return VEC_PUSH(c->arena, items, item) ? OK : ctx_no_memory(c);
}

static RESULT list_domains(struct compute_host *h, struct ctx *c, struct items *items)
{
	virDomainStatsRecordPtr *records = NULL;
	int count = virConnectGetAllDomainStats(h->conn, VIR_DOMAIN_STATS_STATE, &records,
						VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
	if (count < 0)
		return libvirt_fail(h, c, "listing domains");
	struct result r = OK;
	for (int k = 0; k < count && result_is_ok(r); k++)
		r = add_domain(h, c, items, records[k]);
	virDomainStatsRecordListFree(records);
	return r;
}

/* The volume that a file is, by its name. */
static bool parse_volume_name(const struct compute_host *h, struct str name, uuid *ret_volume)
{
	char id[UUID_TEXT_SIZE];
	enum { PREFIX_SIZE = sizeof "dari-01234567-vol-" - 1 };
	struct str text = str_slice(name, PREFIX_SIZE, PREFIX_SIZE + UUID_TEXT_SIZE - 1);
	return str_starts_with(name, STR("dari-")) && str_ends_with(name, STR(".qcow2")) &&
	       str_is(str_slice(name, 5, 13), h->region_text) &&
	       str_is(str_slice(name, 13, PREFIX_SIZE), "-vol-") &&
	       name.n == PREFIX_SIZE + text.n + strlen(".qcow2") &&
	       result_is_ok(uuid_parse(text, ret_volume)) && str_is(text, uuid_write(*ret_volume, id));
}

static RESULT add_disk(struct compute_host *h, struct ctx *c, struct items *items, virStorageVolPtr volume)
{
	virStorageVolInfo info = {0};
	struct compute_item item = {.is_disk = true};
	if (!parse_volume_name(h, str_from(virStorageVolGetName(volume)), &item.id))
		return OK;
	if (virStorageVolGetInfo(volume, &info) != 0)
		return libvirt_error_is(VIR_ERR_NO_STORAGE_VOL) ? OK
								: libvirt_fail(h, c, "looking at a disk");
	item.size = (int64_t) info.capacity;
	return VEC_PUSH(c->arena, items, item) ? OK : ctx_no_memory(c);
}

static RESULT list_disks(struct compute_host *h, struct ctx *c, struct items *items)
{
	virStorageVolPtr *volumes = NULL;
	TRY(libvirt_need_pools(h, c));
	virStoragePoolRefresh(h->pool, 0); /* refused while an upload runs: then libvirt's own list must do */
	int count = virStoragePoolListAllVolumes(h->pool, &volumes, 0);
	if (count < 0)
		return libvirt_fail(h, c, "listing the pool %s", h->pool_path);
	struct result r = OK;
	for (int k = 0; k < count; k++) {
		if (result_is_ok(r))
			r = add_disk(h, c, items, volumes[k]);
		virStorageVolFree(volumes[k]);
	}
	libvirt_autofree_text((char **) &volumes);
	return r;
}

RESULT libvirt_list(struct compute_host *h, struct ctx *c, struct compute_inventory *ret_inventory)
{
	struct items items = {0};
	TRY(libvirt_check_alive(h, c));
	TRY(list_domains(h, c, &items));
	TRY(list_disks(h, c, &items));
	*ret_inventory = (struct compute_inventory){items.at, items.count};
	return OK;
}

RESULT libvirt_find_user_of(struct compute_host *h, struct ctx *c, struct str path, virDomainPtr *ret_domain)
{
	virDomainPtr *domains = NULL;
	*ret_domain = NULL;
	int count = virConnectListAllDomains(h->conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	if (count < 0)
		return libvirt_fail(h, c, "listing running domains");
	for (int k = 0; k < count; k++) {
		AUTO_DOMAIN d = domains[k];
		AUTO_TEXT xml = *ret_domain ? NULL : virDomainGetXMLDesc(d, 0);
		if (xml &&
		    str_contains(str_from(xml), path)) /* paths hold a UUID: no other text is like them */
			*ret_domain = TAKE(d);
	}
	libvirt_autofree_text((char **) &domains);
	return OK;
}
