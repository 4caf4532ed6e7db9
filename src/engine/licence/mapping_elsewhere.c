/* SPDX-License-Identifier: Apache-2.0
 * Hosts elsewhere in the mapping. Other clouds do not tell which host a guest runs on. Names of facts: virt-who's
 * esx and hyperv plugins. */
#include <stdlib.h>

#include "base/vec.h"
#include "engine/licence/mapping_internal.h"
#include "store/provider.h"
#include "store/remote_machine.h"
#include "store/remote_resource.h"

struct guests_there {
	const struct remote_machine **at; /* sorted by host, then by UUID */
	size_t count;
};

static int compare_machines(const void *left, const void *right)
{
	const struct remote_machine *a = *(const struct remote_machine *const *) left,
				    *b = *(const struct remote_machine *const *) right;
	int order = str_compare(a->zone, b->zone);
	return order ? order : uuid_compare(a->guest_uuid, b->guest_uuid);
}

static RESULT gather(struct ctx *c, const struct tables *t, const struct provider *p,
		     struct guests_there *ret_guests)
{
	VEC(const struct remote_machine *) found = {0};
	for (const struct remote_machine *m = remote_machine_first_by_provider(t, p->row.id); m;
	     m = remote_machine_next_by_provider(t, m))
		if (!uuid_is_none(m->guest_uuid) && m->power != REMOTE_MACHINE_POWER_TERMINATED &&
		    !VEC_PUSH(c->arena, &found, m))
			return ctx_no_memory(c);
	if (found.count)
		qsort(found.at, found.count, sizeof found.at[0], compare_machines);
	*ret_guests = (struct guests_there){found.at, found.count};
	return OK;
}

/* Index of the host's first guest. */
static size_t find_first(const struct guests_there *guests, struct str host)
{
	size_t from = 0, until = guests->count;
	while (from < until) {
		size_t middle = from + (until - from) / 2;
		if (str_compare(guests->at[middle]->zone, host) < 0)
			from = middle + 1;
		else
			until = middle;
	}
	return from;
}

static enum mapping_state state_of(const struct remote_machine *m)
{
	bool is_on = m->power == REMOTE_MACHINE_POWER_RUNNING || m->power == REMOTE_MACHINE_POWER_STOPPING;
	return is_on                                      ? MAPPING_RUNNING
	       : m->power == REMOTE_MACHINE_POWER_STOPPED ? MAPPING_OFF
							  : MAPPING_UNKNOWN;
}

static struct str attribute(const struct remote_resource *host, const char *key)
{
	const struct tag *tag = tags_find(host->attributes, str_from(key));
	return tag ? tag->value : STR_NONE;
}

static void write_facts(struct json_writer *w, const struct provider *p, const struct remote_resource *host)
{
	json_write_open(w, "facts");
	if (attribute(host, "sockets").n)
		json_write_text(w, "cpu.cpu_socket(s)", attribute(host, "sockets"));
	json_write_z(w, "hypervisor.type", p->cloud == PROVIDER_CLOUD_VMWARE ? "VMware ESXi" : "hyperv");
	if (attribute(host, "version").n)
		json_write_text(w, "hypervisor.version", attribute(host, "version"));
	json_write_close(w);
}

static void write_host(struct json_writer *w, const struct provider *p, const struct remote_resource *host,
		       const struct guests_there *guests)
{
	struct str own = attribute(host, "uuid"), name = host->name.n ? host->name : host->ref;
	json_write_open(w, NULL);
	json_write_open(w, "hypervisorId");
	json_write_text(w, "hypervisorId", own.n ? own : name);
	json_write_close(w);
	json_write_text(w, "name", name);
	json_write_open_list(w, "guestIds");
	for (size_t k = find_first(guests, host->ref);
	     k < guests->count && str_equal(guests->at[k]->zone, host->ref); k++)
		mapping_write_guest(w, guests->at[k]->guest_uuid, state_of(guests->at[k]),
				    p->cloud == PROVIDER_CLOUD_VMWARE ? "esx" : "hyperv");
	json_write_close_list(w);
	write_facts(w, p, host);
	json_write_close(w);
}

/* A vCenter that an account has made up could claim others' guests: the mapping of all accounts has providers with an
 * administrator's endpoint alone. */
static bool is_told(const struct tables *t, const struct mapping_scope *scope, const struct provider *p)
{
	bool has_hosts = p->cloud == PROVIDER_CLOUD_VMWARE || p->cloud == PROVIDER_CLOUD_HYPERV;
	bool is_all = uuid_is_none(scope->account) && uuid_is_none(scope->domain);
	return has_hosts && row_is_live(&p->row) && (!is_all || p->is_trusted) &&
	       mapping_has(t, scope, p->account);
}

RESULT mapping_write_elsewhere(struct ctx *c, const struct tables *t, const struct mapping_scope *scope,
			       struct json_writer *w)
{
	struct guests_there guests = {0};
	for (const struct provider *p = provider_first(t); p; p = provider_next(t, p)) {
		if (!is_told(t, scope, p))
			continue;
		TRY(gather(c, t, p, &guests));
		for (const struct remote_resource *r = remote_resource_first_by_provider(t, p->row.id); r;
		     r = remote_resource_next_by_provider(t, r))
			if (r->type == REMOTE_RESOURCE_TYPE_HOST)
				write_host(w, p, r, &guests);
	}
	return OK;
}
