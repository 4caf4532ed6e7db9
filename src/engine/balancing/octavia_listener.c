/* SPDX-License-Identifier: Apache-2.0
 * Listeners of Octavia's load balancers. */
#include <inttypes.h>

#include "engine/balancing/octavia_internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"
#include "store/proxy.h"
#include "store/secret.h"
#include "store/server_certificate.h"
#include "store/target_group.h"

/* ---- protocols ---- */

static const char *const protocol_words[] = {[LISTENER_PROTOCOL_TCP] = "TCP",
					     [LISTENER_PROTOCOL_UDP] = "UDP",
					     [LISTENER_PROTOCOL_HTTP] = "HTTP",
					     [LISTENER_PROTOCOL_HTTPS] = "HTTPS",
					     [LISTENER_PROTOCOL_SSL] = "TERMINATED_HTTPS"};

static RESULT find_protocol(struct op *op, struct str word, enum listener_protocol *ret_protocol)
{
	*ret_protocol = str_is(word, "HTTP")               ? LISTENER_PROTOCOL_HTTP
			: str_is(word, "HTTPS")            ? LISTENER_PROTOCOL_HTTPS
			: str_is(word, "TERMINATED_HTTPS") ? LISTENER_PROTOCOL_SSL
							   : LISTENER_PROTOCOL_TCP;
	return str_is(word, protocol_words[*ret_protocol])
		       ? OK
		       : OCTAVIA_UNSUPPORTED(op, STR("protocol"),
					     "The protocol %" STR_FMT " is not supported for listeners.",
					     STR_ARG(word));
}

/* Octavia's own table, for the protocols that the region has. */
RESULT octavia_check_protocols(struct op *op, enum listener_protocol listener,
			       const struct target_group *group)
{
	enum target_group_protocol pool = group->protocol;
	bool is_proxy = pool == TARGET_GROUP_PROTOCOL_PROXY || pool == TARGET_GROUP_PROTOCOL_PROXYV2;
	bool is_fine = is_proxy ||
		       (octavia_is_http(listener) ? pool == TARGET_GROUP_PROTOCOL_HTTP
			: listener == LISTENER_PROTOCOL_HTTPS
				? pool == TARGET_GROUP_PROTOCOL_HTTPS || pool == TARGET_GROUP_PROTOCOL_TCP
				: true);
	static const char *const pools[] = {
		[TARGET_GROUP_PROTOCOL_TCP] = "TCP",     [TARGET_GROUP_PROTOCOL_UDP] = "UDP",
		[TARGET_GROUP_PROTOCOL_HTTP] = "HTTP",   [TARGET_GROUP_PROTOCOL_HTTPS] = "HTTPS",
		[TARGET_GROUP_PROTOCOL_PROXY] = "PROXY", [TARGET_GROUP_PROTOCOL_PROXYV2] = "PROXYV2",
	};
	return is_fine ? OK
		       : OCTAVIA_INVALID(op, STR("protocol"),
					 "Validation failure: The pool protocol '%s' is invalid while the "
					 "listener protocol is '%s'.",
					 pools[pool], protocol_words[listener]);
}

/* ---- headers ---- */

static RESULT check_headers(struct op *op, enum listener_protocol protocol, const struct strs *headers)
{
	if (headers->count && !octavia_is_http(protocol))
		return OCTAVIA_INVALID(op, STR("insert_headers"),
				       "insert-headers is not a valid option for a %s protocol listener.",
				       protocol_words[protocol]);
	for (size_t k = 0; k < headers->count; k++) {
		struct str value = headers->at[k], name = STR_NONE;
		(void) str_split_next(&value, '=', &name);
		if (!str_is(name, "X-Forwarded-For") && !str_is(name, "X-Forwarded-Port") &&
		    !str_is(name, "X-Forwarded-Proto"))
			return OCTAVIA_INVALID(op, STR("insert_headers"),
					       "%" STR_FMT " is not a valid option for insert_headers",
					       STR_ARG(str_slice(name, 0, 64)));
		if (!str_equal_nocase(value, STR("true")) && !str_equal_nocase(value, STR("false")))
			return OCTAVIA_INVALID(op, STR("insert_headers"),
					       "%" STR_FMT " is not a valid option for %" STR_FMT,
					       STR_ARG(str_slice(value, 0, 64)), STR_ARG(name));
	}
	return OK;
}

static RESULT check_sources(struct op *op, uuid balancer, const struct cidrs *sources)
{
	enum ip_family family = octavia_get_family(op->head, balancer);
	for (size_t k = 0; k < sources->count; k++)
		if (sources->at[k].base.family != family)
			return OCTAVIA_INVALID(op, STR("allowed_cidrs"),
					       "Validation failure: CIDRs of allowed_cidrs must have the "
					       "IP version of the VIP.");
	return OK;
}

/* ---- the default pool ---- */

static RESULT find_pool(struct op *op, const struct ref *ref, const struct listener *l, uuid *ret_pool)
{
	const struct target_group *group = NULL;
	*ret_pool = UUID_NONE;
	if (!ref_is_given(ref) || !ref->bits)
		return OK;
	TRY(engine_find_own_target_group(op->ctx, op->head, ref, &group));
	if (!uuid_equal(group->elastic_load_balancer, l->elastic_load_balancer))
		return octavia_is_pool(group)
			       ? OCTAVIA_INVALID(op, STR("default_pool_id"),
						 "Validation failure: The pool is another load balancer's.")
			       : engine_fail_not_found(op->ctx, KIND_TARGET_GROUP, ref);
	TRY(octavia_check_protocols(op, l->protocol, group));
	*ret_pool = group->row.id;
	return OK;
}

/* A fully populated balancer names a new pool by its name alone. */
static RESULT find_named(struct op *op, const struct octavia_pool *wish, uuid balancer, uuid *ret_pool)
{
	const struct target_group *found = NULL;
	const struct target_group *g = target_group_first_by_elastic_load_balancer(op->head, balancer);
	for (; g && !found; g = target_group_next_by_elastic_load_balancer(op->head, g))
		found = str_equal(g->title, wish->name) ? g : NULL;
	bool is_name_alone = !wish->algorithm.n && !wish->members.count && !wish->monitor.type.n;
	if (!found || str_is_empty(wish->name) || !is_name_alone)
		return OCTAVIA_INVALID(op, STR("default_pool"), "Missing details for Pool object: %" STR_FMT,
				       STR_ARG(wish->name));
	*ret_pool = found->row.id;
	return OK;
}

RESULT octavia_choose_pool(struct op *op, const struct elastic_load_balancer *b,
			   const struct octavia_pool *wish, int64_t gen, uuid *ret_pool)
{
	return wish->protocol.n ? octavia_put_pool(op, b, wish, gen, ret_pool)
				: find_named(op, wish, b->row.id, ret_pool);
}

static RESULT choose_pool(struct op *op, const struct elastic_load_balancer *b,
			  const struct octavia_listener *wish, int64_t gen, struct listener *l)
{
	if (!wish->pool.protocol.n && !wish->has_pool)
		return find_pool(op, &wish->default_pool, l, &l->target_group);
	TRY(octavia_choose_pool(op, b, &wish->pool, gen, &l->target_group));
	return octavia_check_protocols(op, l->protocol, target_group_find(op->head, l->target_group));
}

/* ---- certificates ---- */

/* The listener presents its own copy, which changes in Barbican do not reach, as with Octavia's amphorae. */
static RESULT put_certificate(struct op *op, uuid account, const struct octavia_certificate *wish)
{
	char id[UUID_TEXT_SIZE];
	const struct server_certificate made = {.row = {.id = wish->id, .gen = 1},
						.account = account,
						.service = SERVER_CERTIFICATE_SERVICE_OCTAVIA,
						.name = str_from(uuid_write(wish->id, id)),
						.source = wish->ref,
						.body = wish->body,
						.chain = wish->chain,
						.key = wish->key,
						.from_us = wish->from_us,
						.expires_us = wish->until_us};
	for (size_t k = 0; k < wish->secrets.count; k++) {
		const struct secret *secret = secret_find(op->head, wish->secrets.at[k]);
		if (secret)
			TRY(engine_permit_beside_on(op, "secret.get_value", KIND_SECRET, &secret->row));
	}
	return server_certificate_put(op, &made);
}

/* Puts the certificates of the request, and returns the ids of the listener's: the default one, then others. The first of
 * `wish` is the default one if has_default; `kept` ids follow it. */
static RESULT put_certificates(struct op *op, uuid account, const struct octavia_certificates *wish,
			       bool has_default, const struct uuids *kept, struct uuids *ret_ids)
{
	uuid *at = arena_new_array(op->ctx->arena, uuid, wish->count + kept->count + 1);
	size_t count = 0, next = 0;
	if (!at)
		return ctx_no_memory(op->ctx);
	if (has_default)
		at[count++] = wish->at[next++].id;
	for (size_t k = 0; k < kept->count; k++)
		at[count++] = kept->at[k];
	for (; next < wish->count; next++)
		at[count++] = wish->at[next].id;
	for (size_t k = 0; k < wish->count; k++)
		TRY(put_certificate(op, account, &wish->at[k]));
	*ret_ids = (struct uuids){at, count};
	return OK;
}

/* The text about a missing reference is a guess. */
static RESULT check_certificates(struct op *op, enum listener_protocol protocol, bool has_default,
				 bool has_any)
{
	if (protocol != LISTENER_PROTOCOL_SSL && has_any)
		return OCTAVIA_INVALID(
			op, STR("default_tls_container_ref"),
			"Validation failure: Certificate container references are not allowed on "
			"%s protocol listeners.",
			protocol_words[protocol]);
	if (protocol == LISTENER_PROTOCOL_SSL && !has_default)
		return OCTAVIA_INVALID(
			op, STR("default_tls_container_ref"),
			"Validation failure: A default TLS container reference is required for "
			"TERMINATED_HTTPS protocol listeners.");
	return OK;
}

RESULT octavia_forget_certificates(struct op *op, const struct uuids *gone, const struct uuids *kept)
{
	for (size_t k = 0; k < gone->count; k++) {
		const struct server_certificate *s = server_certificate_find(op->head, gone->at[k]);
		if (s && s->service == SERVER_CERTIFICATE_SERVICE_OCTAVIA && !uuids_have(kept, s->row.id))
			TRY(server_certificate_forget(op, s->row.id));
	}
	return OK;
}

int64_t octavia_swap_limit(int64_t limit)
{
	return limit == 0 ? -1 : limit < 0 ? 0 : limit;
}

/* ---- operations ---- */

RESULT octavia_put_listener(struct op *op, const struct elastic_load_balancer *b,
			    const struct octavia_listener *wish, int64_t gen, uuid *ret_listener)
{
	struct listener made = {.row = {.id = engine_new_id(op, KIND_LISTENER), .gen = 1},
				.account = b->account,
				.elastic_load_balancer = b->row.id,
				.port = wish->port,
				.title = wish->name,
				.description = wish->description,
				.is_down = wish->is_down,
				.connection_limit = octavia_swap_limit(wish->connection_limit),
				.client_ms = wish->client_ms,
				.connect_ms = wish->connect_ms,
				.member_ms = wish->member_ms,
				.inspect_ms = wish->inspect_ms,
				.headers = wish->headers,
				.sources = wish->sources,
				.proxy_gen = gen};
	TRY(engine_permit(op, "listener.create", KIND_ELASTIC_LOAD_BALANCER, &b->row));
	TRY(find_protocol(op, wish->protocol, &made.protocol));
	TRY(check_headers(op, made.protocol, &wish->headers));
	TRY(check_sources(op, b->row.id, &wish->sources));
	TRY(tag_normalize(op, wish->tags, &made.tags));
	if (listener_find_by_elastic_load_balancer(op->head, b->row.id, made.port))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_LISTENER, STR("protocol_port"),
				   "Another Listener on this Load Balancer is already using protocol %s and "
				   "protocol_port %" PRId64,
				   protocol_words[made.protocol], made.port);
	TRY(check_certificates(op, made.protocol, wish->tls_ref.n, wish->certificates.count));
	TRY(limit_check(op, LIMIT_LISTENERS, b->row.id, 1, STR_NONE));
	TRY(choose_pool(op, b, wish, gen, &made));
	TRY(put_certificates(op, b->account, &wish->certificates, wish->tls_ref.n, &(const struct uuids){0},
			     &made.certificates));
	TRY(listener_put(op, &made));
	for (size_t k = 0; k < wish->policies.count; k++)
		TRY(octavia_put_policy(op, made.row.id, &wish->policies.at[k], gen));
	*ret_listener = made.row.id;
	return engine_log_event(op, KIND_LISTENER, &made.row, "created", "Listener of port %" PRId64 ".",
				made.port);
}

RESULT engine_create_octavia_listener(struct op *op, struct octavia_listener_wish *wish)
{
	const struct elastic_load_balancer *b = NULL;
	int64_t gen = 0;
	TRY(octavia_permit_balancer(op, &wish->balancer, "listener.create", &b));
	TRY(octavia_check_ready(op, b));
	TRY(octavia_touch(op, b->row.id, &gen));
	return octavia_put_listener(op, b, &wish->listener, gen, &wish->made);
}

static RESULT permit_listener(struct op *op, const struct ref *ref, const char *permission,
			      const struct listener **ret_listener)
{
	TRY(engine_permit_listener(op, ref, permission, ret_listener));
	const struct elastic_load_balancer *b =
		elastic_load_balancer_find(op->head, (*ret_listener)->elastic_load_balancer);
	return octavia_is_balancer(b) ? octavia_check_ready(op, b)
				      : engine_fail_not_found(op->ctx, KIND_LISTENER, ref);
}

static void apply_numbers(const struct octavia_listener_change *wish, struct listener *next)
{
	if (wish->connection_limit)
		next->connection_limit = octavia_swap_limit(*wish->connection_limit);
	if (wish->client_ms)
		next->client_ms = *wish->client_ms;
	if (wish->connect_ms)
		next->connect_ms = *wish->connect_ms;
	if (wish->member_ms)
		next->member_ms = *wish->member_ms;
	if (wish->inspect_ms)
		next->inspect_ms = *wish->inspect_ms;
}

/* References that the update leaves keep their certificates. */
static RESULT change_certificates(struct op *op, const struct octavia_listener_change *wish,
				  const struct listener *present, struct listener *next)
{
	const struct uuids *before = &present->certificates;
	bool has_default = wish->tls_ref.n != 0;
	size_t from = has_default && before->count,
	       until = wish->sets_sni && before->count ? 1 : before->count;
	struct uuids kept = {before->at + from, until > from ? until - from : 0};
	TRY(check_certificates(op, next->protocol, has_default || before->count, wish->certificates.count));
	return put_certificates(op, next->account, &wish->certificates, has_default, &kept,
				&next->certificates);
}

RESULT engine_change_octavia_listener(struct op *op, struct octavia_listener_change *wish)
{
	const struct listener *present = NULL;
	TRY(permit_listener(op, &wish->listener, "listener.update", &present));
	struct listener next = *present;
	if (wish->name)
		next.title = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	choice_apply(wish->is_down, &next.is_down);
	apply_numbers(wish, &next);
	if (wish->sets_pool)
		TRY(find_pool(op, &wish->default_pool, &next, &next.target_group));
	if (wish->sets_headers)
		next.headers = wish->headers;
	if (wish->sets_sources)
		next.sources = wish->sources;
	TRY(check_headers(op, next.protocol, &next.headers));
	TRY(check_sources(op, next.elastic_load_balancer, &next.sources));
	if (wish->tls_ref.n || wish->sets_sni)
		TRY(change_certificates(op, wish, present, &next));
	if (wish->words)
		TRY(tag_normalize(op, wish->tags, &next.tags));
	next.row.gen++;
	TRY(octavia_touch(op, next.elastic_load_balancer, &next.proxy_gen));
	const struct uuids former = present->certificates;
	TRY(listener_put(op, &next));
	TRY(octavia_forget_certificates(op, &former, &next.certificates));
	return engine_log_event(op, KIND_LISTENER, &next.row, "changed", "Listener of port %" PRId64 ".",
				next.port);
}

RESULT engine_delete_octavia_listener(struct op *op, struct octavia_listener_target *wish)
{
	const struct listener *listener = NULL;
	TRY(permit_listener(op, &wish->listener, "listener.delete", &listener));
	return listener_end(op, listener);
}
