/* SPDX-License-Identifier: Apache-2.0
 * Starts and stops the metadata service.
 */
#include "api/metadata/azure.h"
#include "api/metadata/imds.h"
#include "api/metadata/internal.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "base/log.h"
#include "model/instance.h"

const struct http_face metadata_http_face = {
	.name = "metadata", .handle = imds_handle, .body_cap_size = 4096};
const struct http_face metadata_named_http_face = {
	.name = "metadata", .handle = imds_handle_named, .body_cap_size = AZURE_BODY_MAX};
const struct http_face metadata_wire_http_face = {
	.name = "wire", .handle = imds_handle_wire, .body_cap_size = AZURE_BODY_MAX};

RESULT metadata_new(struct ctx *c, const struct metadata_config *config, struct metadata **ret_metadata)
{
	struct metadata *m = heap_new(struct metadata);
	if (!m)
		return ctx_no_memory(c);
	m->config = *config;
	m->config.upstreams = (struct strs){0};
	m->config.region_name = STR_NONE;
	(void) pthread_mutex_init(&m->news.lock, NULL);
	struct dns_upstreams upstreams = {0};
	struct result r = dns_read_upstreams(c, config->upstreams, &upstreams);
	if (result_is_ok(r))
		r = dns_new(c, config->store, &upstreams, &m->dns);
	if (result_is_ok(r) && config->sigv4) {
		m->roles = imds_roles_new(config->sigv4);
		r = m->roles ? OK : ctx_no_memory(c);
	}
	if (!result_is_ok(r)) {
		metadata_free(m);
		return r;
	}
	*ret_metadata = m;
	return OK;
}

void metadata_start(struct metadata *m)
{
	if (!m->config.plugs)
		return;
	struct ctx c;
	AUTO(arena) a = arena_new(4096, ARENA_FIRST_SIZE);
	ctx_init(&c, a);
	if (!a || !result_is_ok(places_start(m, &c)))
		log_event(LOG_ERROR, "metadata-not-started", "why=%s", log_quote(c.problem.message));
}

void metadata_read_figures(struct metadata *m, struct metadata_figures *ret_figures)
{
	struct dns_figures dns;
	dns_read_figures(m->dns, &dns);
	*ret_figures = (struct metadata_figures){.dns_queries = dns.queries,
						 .dns_answered = dns.answered,
						 .dns_forwarded = dns.forwarded,
						 .dns_failed = dns.failed,
						 .dns_malformed = dns.malformed,
						 .dns_strangers = dns.strangers};
}

void metadata_free(struct metadata *m)
{
	if (!m)
		return;
	places_end(m);
	dns_free(m->dns);
	imds_roles_free(m->roles);
	crypto_wipe(m->config.token_key, sizeof m->config.token_key);
	(void) pthread_mutex_destroy(&m->news.lock);
	heap_free(m);
}

/* Opens the password. One sealed under another key is left out. */
static void open_password(const uint8_t *master_key, struct ctx *c, struct imds_facts *s)
{
	struct str sealed = s->instance->admin_password;
	struct str owner = uuid_to_str(c->arena, s->instance->account);
	if (str_is_empty(sealed) || !master_key)
		return;
	if (!result_is_ok(crypto_open(c, master_key, owner, sealed, &s->admin_password)))
		ctx_clear_problem(c);
}

RESULT metadata_write_drive(const uint8_t *master_key, struct ctx *c, struct view *view, uuid instance,
			    struct compute_files *ret_files)
{
	struct imds_facts facts = {0};
	struct result r = imds_gather_facts_of(view->tables, c->arena, instance, &facts);
	view_end_read(view);
	if (result_is_ok(r))
		open_password(master_key, c, &facts);
	if (result_is_ok(r))
		r = facts.instance->personality == INSTANCE_PERSONALITY_AZURE
			    ? azure_list_drive(&facts, ret_files)
			    : imds_list_openstack(&facts, ret_files);
	return r.code == ERR_NO_MEMORY ? ctx_no_memory(c) : r;
}
