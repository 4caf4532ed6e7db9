/* SPDX-License-Identifier: Apache-2.0
 * Lists what a host has of this region, for audit and resync. Domains come from one bulk call that doesn't
 * wait for busy domains; the pool is refreshed. */
#include "base/vec.h"
#include "drivers/disk_name.h"
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
	struct compute_item item = {
		.id = mark.id, .power = libvirt_power_of(state), .manifest = mark.manifest};
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

RESULT libvirt_list(struct compute_host *h, struct ctx *c, struct compute_inventory *ret_inventory)
{
	struct items items = {0};
	TRY(libvirt_check_alive(h, c));
	TRY(list_domains(h, c, &items));
	*ret_inventory = (struct compute_inventory){items.at, items.count};
	return OK;
}

/* ---- disks */

struct disk_items { /* a VEC */
	struct disk_item *at;
	size_t count, capacity;
};

bool libvirt_parse_disk_name(const char *region_text, struct str name, struct disk_name *ret_name)
{
	static const struct str plain = STR(".raw"), qcow2 = STR(".qcow2");
	bool is_raw = str_ends_with(name, plain);
	struct str ending = is_raw ? plain : qcow2;
	if (!str_ends_with(name, ending) ||
	    !disk_name_parse(region_text, str_slice(name, 0, name.n - ending.n), ret_name))
		return false;
	ret_name->is_raw = is_raw;
	return !is_raw || ret_name->kind != DISK_BASE;
}

struct str libvirt_name_in(struct str path)
{
	size_t start = path.n;
	while (start > 0 && path.p[start - 1] != '/')
		start--;
	return str_slice(path, start, path.n);
}

static RESULT add_disk(struct compute_host *h, struct ctx *c, struct disk_items *items, virStorageVolPtr v)
{
	struct disk_item item = {0};
	struct disk_file file = {0};
	struct str name = str_copy(c->arena, str_from(virStorageVolGetName(v)));
	if (!libvirt_parse_disk_name(h->region_text, name, &item.name))
		return OK;
	struct result r = libvirt_read_disk(h, c, v, &file);
	if (r.code == ERR_NOT_FOUND) { /* deleted in the meantime */
		ctx_clear_problem(c);
		return OK;
	}
	TRY(r);
	item.size = item.name.kind == DISK_VOLUME ? file.size : 0;
	item.file_size = file.file_size;
	item.base = libvirt_name_in(file.backing);
	if (item.name.is_raw) { /* ignore whatever format a guest imitated at its beginning */
		item.size = item.name.kind == DISK_VOLUME ? file.file_size : 0;
		item.base = STR_NONE;
	}
	return VEC_PUSH(c->arena, items, item) ? OK : ctx_no_memory(c);
}

static RESULT add_disks(struct compute_host *h, struct ctx *c, struct disk_items *items)
{
	virStorageVolPtr *volumes = NULL;
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

RESULT libvirt_list_disks(struct disk_host *h, struct ctx *c, struct disk_inventory *ret_inventory)
{
	struct compute_host *on = h->on;
	struct disk_items items = {0};
	virStoragePoolInfo pool = {0};
	TRY(libvirt_check_alive(on, c));
	TRY(libvirt_need_pools(on, c));
	virStoragePoolRefresh(on->pool,
			      0); /* refused while a file is created; libvirt's cached list is used then */
	TRY(add_disks(on, c, &items));
	if (virStoragePoolGetInfo(on->pool, &pool) != 0)
		return libvirt_fail(on, c, "looking at the pool %s", on->pool_path);
	*ret_inventory = (struct disk_inventory){.at = items.at,
						 .count = items.count,
						 .pool_size = (int64_t) pool.capacity,
						 .pool_free = (int64_t) pool.available};
	return OK;
}

/* ---- who uses a file */

static RESULT check_volume(struct compute_host *h, struct ctx *c, virStorageVolPtr v, struct str name)
{
	struct disk_file file = {0};
	struct disk_name ours = {0};
	struct str text = str_from(virStorageVolGetName(v));
	if (libvirt_parse_disk_name(h->region_text, text, &ours) && ours.is_raw)
		return OK; /* raw disks have no backing file, whatever a guest wrote at their beginning */
	struct result r = libvirt_read_disk(h, c, v, &file);
	if (r.code == ERR_NOT_FOUND)
		ctx_clear_problem(c);
	else
		TRY(r);
	return str_equal(libvirt_name_in(file.backing), name)
		       ? ctx_fail(c, ERR_IN_USE, "%s on host %s stands on %" STR_FMT, virStorageVolGetName(v),
				  h->name, STR_ARG(name))
		       : OK;
}

static RESULT check_pool(struct compute_host *h, struct ctx *c, virStoragePoolPtr pool, struct str name)
{
	virStorageVolPtr *volumes = NULL;
	if (virStoragePoolRefresh(pool, 0) != 0)
		return ctx_fail(c, ERR_AGAIN, "the pool %s on host %s cannot be looked through now",
				virStoragePoolGetName(pool), h->name);
	int count = virStoragePoolListAllVolumes(pool, &volumes, 0);
	if (count < 0)
		return libvirt_fail(h, c, "listing the pool %s", virStoragePoolGetName(pool));
	struct result r = OK;
	for (int k = 0; k < count; k++) {
		if (result_is_ok(r))
			r = check_volume(h, c, volumes[k], name);
		virStorageVolFree(volumes[k]);
	}
	libvirt_autofree_text((char **) &volumes);
	return r;
}

static RESULT check_pools(struct compute_host *h, struct ctx *c, struct str name)
{
	virStoragePoolPtr *pools = NULL;
	int count = virConnectListAllStoragePools(h->conn, &pools, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE);
	if (count < 0)
		return libvirt_fail(h, c, "listing pools");
	struct result r = OK;
	for (int k = 0; k < count; k++) {
		if (result_is_ok(r))
			r = check_pool(h, c, pools[k], name);
		virStoragePoolFree(pools[k]);
	}
	libvirt_autofree_text((char **) &pools);
	return r;
}

/* Finds the domain whose XML contains the text. Running domains' XML includes the backing chain. */
static RESULT find_user(struct compute_host *h, struct ctx *c, struct str text, unsigned which,
			virDomainPtr *ret_domain)
{
	virDomainPtr *domains = NULL;
	*ret_domain = NULL;
	int count = virConnectListAllDomains(h->conn, &domains, which);
	if (count < 0)
		return libvirt_fail(h, c, "listing domains");
	struct result r = OK;
	for (int k = 0; k < count; k++) {
		AUTO_DOMAIN d = domains[k];
		bool looks = !*ret_domain && result_is_ok(r);
		AUTO_TEXT xml = looks ? virDomainGetXMLDesc(d, 0) : NULL;
		if (xml && str_contains(str_from(xml), text)) /* the text contains a UUID or a digest, so
							       * substring search is exact */
			*ret_domain = TAKE(d);
		else if (looks && !xml && !libvirt_error_is(VIR_ERR_NO_DOMAIN))
			r = libvirt_fail(h, c, "looking at domain %s", virDomainGetName(d));
	}
	libvirt_autofree_text((char **) &domains);
	return r;
}

RESULT libvirt_find_user_of(struct compute_host *h, struct ctx *c, struct str path, virDomainPtr *ret_domain)
{
	return find_user(h, c, path, VIR_CONNECT_LIST_DOMAINS_ACTIVE, ret_domain);
}

RESULT libvirt_list_users_of(struct compute_host *h, struct ctx *c, struct str path, struct uuids *ret_users)
{
	virDomainPtr *domains = NULL;
	size_t used = 0;
	int count =
		path.p ? virConnectListAllDomains(h->conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE) : -1;
	if (!path.p)
		return ctx_no_memory(c);
	if (count < 0)
		return libvirt_fail(h, c, "listing running domains");
	uuid *users = arena_new_array(c->arena, uuid, (size_t) count + 1);
	struct result r = users ? OK : ctx_no_memory(c);
	for (int k = 0; k < count; k++) {
		AUTO_DOMAIN d = domains[k];
		AUTO_TEXT xml = result_is_ok(r) ? virDomainGetXMLDesc(d, 0) : NULL;
		if (xml && str_contains(str_from(xml), path))
			users[used++] = libvirt_id_of(d);
		else if (result_is_ok(r) && !xml && !libvirt_error_is(VIR_ERR_NO_DOMAIN))
			r = libvirt_fail(h, c, "looking at domain %s", virDomainGetName(d));
	}
	libvirt_autofree_text((char **) &domains);
	*ret_users = (struct uuids){users, used};
	return r;
}

RESULT libvirt_check_base_is_free(struct compute_host *h, struct ctx *c, struct str name)
{
	AUTO_DOMAIN user = NULL;
	TRY(find_user(h, c, name, 0, &user));
	if (user)
		return ctx_fail(c, ERR_IN_USE, "the domain %s on host %s uses %" STR_FMT,
				virDomainGetName(user), h->name, STR_ARG(name));
	return check_pools(h, c, name);
}
